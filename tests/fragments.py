#!/usr/bin/python3
"""Holds the checksums of datagrams in fragments, as tc-compile writes them, against tshark's reassembly.

    fragments.py [N] [SEED]     N datagrams (1000), drawn by SEED (1)

Each is TCP, UDP, ICMP, ICMPv6 or SCTP over IPv4 or IPv6, in fragments of drawn sizes (first ones that end within the
header, last ones of one octet), in order, reversed or shuffled, some of them twice, some overlapping. Where tshark puts a
datagram together and finds its checksum right in the capture, it must find it right in what that compiles to. A datagram of
TCP whose first fragment ends before the checksum's field and comes last of all has no fragment left that could make up for
it: those are left out.
"""

import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent / "fixtures"))
from wire import *

STATUS = ["tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status",
          "sctp.checksum.status"]


def segment(draw, protocol, octets):
    if protocol == "tcp":
        return tcp(draw.randrange(1024, 65536), 80, octets, seq=draw.getrandbits(32), ack=draw.getrandbits(32), flags="PA",
                   options=draw.choice([b"", stamp(draw.getrandbits(32), 7)]))
    if protocol == "udp":
        return udp(draw.randrange(1024, 65536), 53, octets)
    if protocol == "sctp":
        return sctp(draw.randrange(1024, 65536), 80, 7, (0, 3, bytes(octets)))
    return (icmp6(128, 0, draw.getrandbits(32), octets) if protocol == "icmp6"
            else icmp(8, 0, draw.getrandbits(32), octets))


def pieces(draw, size, protocol):
    """Where fragments begin and end."""
    cuts, at = [0], 0
    while at < size and len(cuts) < 40:
        at += 8 * (draw.choice([1, 2, 3]) if draw.random() < 0.4 else draw.randrange(1, 60))
        cuts.append(min(at, size))
    cuts[-1] = size
    found = [(begin, end) for begin, end in zip(cuts, cuts[1:]) if begin < end]
    if protocol == "sctp" and found[0][1] < 16:  # its CRC must stand in the first one
        found[:2] = [(0, found[min(1, len(found) - 1)][1])]
    return found


def arrange(draw, found, protocol):
    order = draw.choice(["in order", "in order", "reversed", "shuffled"])
    found = list(found)
    if draw.random() < 0.3:  # some reach into the next one
        for i in range(len(found) - 1):
            if draw.random() < 0.3:
                begin, end = found[i]
                found[i] = begin, min(found[-1][1] - 1, end + 8 * draw.randrange(1, 4)) // 8 * 8
    if order == "reversed":
        found.reverse()
    elif order == "shuffled":
        draw.shuffle(found)
    if draw.random() < 0.3:
        found.insert(draw.randrange(len(found)), draw.choice(found))
    first = next(i for i, piece in enumerate(found) if piece[0] == 0)
    late = protocol == "tcp" and found[first][1] < 18 and first >= len(found) - 2
    return None if late else found


def datagram(draw, i):
    protocol = draw.choice(["tcp", "tcp", "tcp", "udp", "icmp", "icmp6", "icmp6", "sctp"])
    v6 = protocol == "icmp6" or (protocol != "icmp" and draw.random() < 0.5)
    src, dst = (f"2001:db8:1::{i % 9 + 1:x}", B6) if v6 else (f"192.168.1.{i % 9 + 1}", B)
    whole = ip(src, dst, segment(draw, protocol, draw.choice([25, 40, 129, draw.randrange(9, 3000)])))
    body, kind = whole[40 if v6 else 20:], whole[6 if v6 else 9]
    order = arrange(draw, pieces(draw, len(body), protocol), protocol)
    for begin, end in order or []:
        piece, more = Layer(body[begin:end], kind), end < len(body)
        yield packet(src, dst, fragment6(piece, i + 1, begin, more)) if v6 else \
            packet(src, dst, piece, ident=i + 1, offset=begin, mf=more, df=False)


def judged(path):
    """The status of what each frame completes."""
    command = ["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
               "-o", "sctp.checksum:CRC 32c", "-T", "fields"]
    for name in STATUS:
        command += ["-e", name]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    return [tuple(line.split("\t")) for line in lines[:-1]]


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    tools = Path(__file__).parent.parent / "bin"
    with tempfile.TemporaryDirectory() as folder:
        a, b = f"{folder}/a.pcap", f"{folder}/b.pcap"
        Path(a).write_bytes(pcap(frame for i in range(n) for frame in datagram(draw, i)))
        with open(b, "wb") as out:
            lift = subprocess.Popen([tools / "tc-lift", "-q", a], stdout=subprocess.PIPE)
            subprocess.run([tools / "tc-compile", "-q"], stdin=lift.stdout, stdout=out, check=True)
        good, bad = Counter(), []
        for number, (one, two) in enumerate(zip(judged(a), judged(b), strict=True), 1):
            for name, was, is_now in zip(STATUS, one, two):
                if was == "1":
                    good[name.split(".")[0]] += 1
                    if is_now != "1":
                        bad.append(f"frame {number}: {name} is {is_now or 'not there'}, 1 in the capture")
    print("\n".join(bad[:20]))
    print(f"right in the capture: {dict(good)}; not so where it was compiled: {len(bad)}")
    return bool(bad) or sum(good.values()) < n / 3


if __name__ == "__main__":
    sys.exit(main())
