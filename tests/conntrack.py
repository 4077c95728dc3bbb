#!/usr/bin/env python3
"""conntrack.py DIR|CAPTURE [--limit N] [--jobs N] [--least N] [--all]: does the kernel call a packet invalid that it did not?

Each capture A below DIR, its image compiled (lift | compile) and its image decoded (lift | enc | dec | compile) are
replayed through a network namespace that forwards, by tcpreplay, and nftables there count what state Linux conntrack
gives each packet. A is padded to its whole length, and its checksums are made right, since it may have been snapped;
the images are compiled whole and judged as they are. Of each packet the link header is replaced by an Ethernet one to
the router; what isn't IP is left out. The checksum of a datagram in fragments stays as it was, so where A was snapped
some of its fragments, but none of an image's, are INVALID for that alone.

A capture counts if at least 95 % of the TCP packets that A has reach conntrack and some of them are ESTABLISHED. Exit
1 if an image has more INVALID packets than its A, or another number of packets that reach conntrack; or if fewer than
--least captures count. 77 where there are no namespaces.
"""
import argparse
import concurrent.futures
import json
import os
import queue
import struct
import subprocess
import sys
import tempfile

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bin')
WAYS = {
    'compiled': 'tc-lift -q "$1" | tc-compile -q --full',
    'decoded': 'tc-lift -q "$1" | tc-enc -q | tc-dec -q | tc-compile -q --full',
}
STATES = ('new', 'established', 'related', 'invalid', 'untracked')

# src is where tcpreplay sends, in the router's way in, out its way out. No address is the router's own, so everything
# is forwarded: by one route, to a neighbour that nobody is.
LINKS = '''
link add src type veth peer name in
link add out type veth peer name sink
link set lo up
address delete 127.0.0.1/8 dev lo
link set dev src mtu 65535 addrgenmode none arp off up
link set dev in mtu 65535 addrgenmode none arp off address 02:00:00:00:00:01 up
link set dev out mtu 65535 addrgenmode none up
link set dev sink mtu 65535 addrgenmode none arp off up
neighbour add 169.254.0.1 lladdr 02:00:00:00:00:02 dev out nud permanent
route add default via 169.254.0.1 dev out onlink
neighbour add fe80::1 lladdr 02:00:00:00:00:02 dev out nud permanent
route add ::/0 via fe80::1 dev out onlink
'''
SYSCTL = {
    'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1,
    'ipv4/conf/all/rp_filter': 0, 'ipv4/conf/in/rp_filter': 0, 'ipv4/conf/in/route_localnet': 1,
    'netfilter/nf_conntrack_checksum': 1, 'netfilter/nf_conntrack_tcp_be_liberal': 0,
    'netfilter/nf_conntrack_tcp_loose': 1,
}
# A TTL of 1 would end the packet here before it is confirmed. Conntrack comes at -200, and looks at no TTL.
RULES = 'table inet judge {\n' + ''.join(
    f' counter {kind}_{state} {{}}\n' for kind in ('tcp', 'other') for state in STATES) + '''
 chain before { type filter hook prerouting priority -300; ip ttl set 64; ip6 hoplimit set 64; }
 chain after { type filter hook prerouting priority -150; iifname "in" ether saddr 02:00:00:00:00:03 jump states; }
 chain states {
''' + ''.join(f'  ct state {state} meta l4proto {op} tcp counter name {kind}_{state}\n'
              for kind, op in (('tcp', '=='), ('other', '!=')) for state in STATES) + ' }\n}\n'


class Trouble(Exception):
    pass


# ---- captures

def records(path):
    """Link type, and (octets, original length) of each packet, of a file in whatever format."""
    done = subprocess.run(['editcap', '-F', 'nsecpcap', path, '-'], capture_output=True)
    data, at = done.stdout, 24
    if len(data) < at:
        raise Trouble(f'{path}: editcap: {done.stderr.decode(errors="replace").strip()}')
    link, packets = struct.unpack_from('<I', data, 20)[0] & 0xffff, []
    while at + 16 <= len(data):
        captured, whole = struct.unpack_from('<II', data, at + 8)
        packets.append((data[at + 16:at + 16 + captured], whole))
        at += 16 + captured
    return link, packets


def datagram_at(link, frame):
    """Where the IP header begins in a frame, or None."""
    at, kind = {1: (14, None), 113: (16, None), 276: (20, None), 0: (4, 0), 108: (4, 0), 9: (0, None), 12: (0, 0),
                14: (0, 0), 101: (0, 0), 228: (0, 0), 229: (0, 0)}.get(link, (0, -1))
    if kind is None and len(frame) >= at:
        kind = 0x8864 if link == 9 else int.from_bytes(frame[0:2] if link == 276 else frame[at - 2:at], 'big')
        while kind in (0x8100, 0x88a8, 0x9100) and len(frame) >= at + 4:
            at, kind = at + 4, int.from_bytes(frame[at + 2:at + 4], 'big')
        while kind in (0x8847, 0x8848) and len(frame) >= at + 4:
            at, kind = at + 4, 0 if frame[at + 2] & 1 else kind
        if kind == 0x8864:
            at += 0 if link != 9 else 2 if frame[:2] == b'\xff\x03' else 0
            at, kind = at + (8 if link != 9 else 2), 0
    if kind not in (0, 0x0800, 0x86dd) or len(frame) <= at:
        return None
    return at if frame[at] >> 4 in (4, 6) else None


def transport(datagram):
    """(protocol, where it begins, where it ends, of the datagram's fragments: none, the first, a later one)."""
    if datagram[0] >> 4 == 4:
        if len(datagram) < 20:
            return None
        at, end, fragment = 4 * (datagram[0] & 15), int.from_bytes(datagram[2:4], 'big'), datagram[6] << 8 | datagram[7]
        where = 'later' if fragment & 0x1fff else 'first' if fragment & 0x2000 else ''
        return datagram[9], at, end, where
    if len(datagram) < 40:
        return None
    protocol, at, end, where = datagram[6], 40, 40 + int.from_bytes(datagram[4:6], 'big'), ''
    while protocol in (0, 43, 44, 51, 60) and len(datagram) >= at + 8:
        if protocol == 44:
            offset = datagram[at + 2] << 8 | datagram[at + 3]
            where = 'later' if offset & 0xfff8 else 'first' if offset & 1 else ''
            step = 8
        else:
            step = (datagram[at + 1] + 2) * 4 if protocol == 51 else (datagram[at + 1] + 1) * 8
        protocol, at = datagram[at], at + step
        if where == 'later':
            break
    return protocol, at, end, where


def checksum(octets):
    """RFC 1071, as a number in words of 16 bits: 65536 is 1 modulo 65535."""
    octets += bytes(len(octets) % 2)
    rest = int.from_bytes(octets, 'big') % 65535
    return ~(rest or (65535 if any(octets) else 0)) & 0xffff


def mended(datagram):
    """The datagram with its checksums right, where its lengths hold together."""
    data, found = bytearray(datagram), transport(datagram)
    v4 = data[0] >> 4 == 4
    if v4 and 20 <= 4 * (data[0] & 15) <= len(data):
        data[10:12] = bytes(2)
        data[10:12] = struct.pack('>H', checksum(bytes(data[:4 * (data[0] & 15)])))
    if not found:
        return bytes(data)
    protocol, at, end, where = found
    place = {6: 16, 17: 6, 1: 2, 58: 2}.get(protocol)
    if place is None or where or at + place + 2 > end or end > len(data):
        return bytes(data)
    if protocol == 17 and data[at + 6:at + 8] == b'\0\0':
        return bytes(data)
    # RFC 768 sums up to the end that UDP's own length gives, and so does tc-compile; the kernel (nf_checksum()) up to
    # IP's. Where UDP's is before it a right checksum is INVALID to the kernel, in A as in an image.
    if protocol == 17 and 8 <= int.from_bytes(data[at + 4:at + 6], 'big') < end - at:
        end = at + int.from_bytes(data[at + 4:at + 6], 'big')
    pseudo = b''
    if protocol != 1:
        pseudo = bytes(data[12:20] if v4 else data[8:40]) + struct.pack('>II', end - at, protocol)
    data[at + place:at + place + 2] = bytes(2)
    value = checksum(pseudo + bytes(data[at:end]))
    data[at + place:at + place + 2] = struct.pack('>H', value or (0xffff if protocol == 17 else 0))
    return bytes(data)


def to_router(path, out, mend, spoil=False):
    """Writes the capture as it is replayed; how many TCP packets it has. spoil: with each TCP checksum wrong."""
    link, packets = records(path)
    count = 0
    with open(out, 'wb') as file:
        file.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for n, (frame, whole) in enumerate(packets):
            at = datagram_at(link, frame)
            if at is None or whole > 65535 + at:
                continue
            datagram = frame[at:] + bytes(whole - len(frame))
            found = transport(datagram)
            tcp = found and found[0] == 6 and found[3] != 'later'
            count += bool(tcp)
            if mend:
                datagram = mended(datagram)
            if spoil and tcp and found[1] + 18 <= len(datagram):
                datagram = datagram[:found[1] + 16] + bytes([datagram[found[1] + 16] ^ 1]) + datagram[found[1] + 17:]
            kind = b'\x08\0' if datagram[0] >> 4 == 4 else b'\x86\xdd'
            octets = bytes.fromhex('020000000001 020000000003') + kind + datagram
            file.write(struct.pack('<IIII', n // 1000000, n % 1000000, len(octets), len(octets)) + octets)
    return count


# ---- the judge

def inside(path):
    """In a namespace of our own: sets it up, replays, prints the counters as JSON."""
    subprocess.run(['ip', '-batch', '-'], input=LINKS, text=True, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['nft', '-f', '-'], input=RULES, text=True, check=True)
    for name, value in SYSCTL.items():
        with open(f'/proc/sys/net/{name}', 'w') as file:
            file.write(str(value))
    subprocess.run(['tcpreplay', '-q', '--topspeed', '-i', 'src', path], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
    listed = json.loads(subprocess.run(['nft', '-j', 'list', 'counters'], check=True, capture_output=True).stdout)
    counters = {entry['counter']['name']: entry['counter']['packets']
                for entry in listed['nftables'] if 'counter' in entry}
    links = json.loads(subprocess.run(['ip', '-s', '-j', 'link', 'show', 'in'], check=True, capture_output=True).stdout)
    counters['dropped'] = sum(links[0]['stats64']['rx'][kind] for kind in ('dropped', 'errors'))
    counters['received'] = links[0]['stats64']['rx']['packets']
    print(json.dumps(counters))


def judged(path, core):
    """The counters for a capture of to_router(). One core, or packets could overtake each other."""
    if os.path.getsize(path) <= 24:
        return dict.fromkeys([f'{kind}_{state}' for kind in ('tcp', 'other') for state in STATES], 0)
    done = subprocess.run(['unshare', '--net', 'taskset', '-c', str(core), sys.executable, __file__, '--inside', path],
                          capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise Trouble((done.stderr.strip().splitlines() or ['the judge failed'])[-1])
    return json.loads(done.stdout)


def seen(counters, kind='tcp'):
    return sum(counters[f'{kind}_{state}'] for state in STATES)


def judge(path, core):
    """TCP packets of A, then the counters of A and of each way."""
    with tempfile.TemporaryDirectory() as folder:
        image, ready = os.path.join(folder, 'image.pcap'), os.path.join(folder, 'ready.pcap')
        sent = to_router(path, ready, True)
        if not sent:
            return 0, None
        verdicts = {'A': judged(ready, core)}
        for way, pipe in WAYS.items():
            command = f'set -o pipefail; PATH="$2:$PATH"; {pipe} >"$3"'
            done = subprocess.run(['bash', '-c', command, 'pipe', path, BIN, image], capture_output=True, text=True)
            if done.returncode and 'cut' not in done.stderr:
                raise Trouble((done.stderr.strip().splitlines() or [f'exit {done.returncode}'])[0])
            to_router(image, ready, False)
            verdicts[way] = judged(ready, core)
        return sent, verdicts


def control(path):
    """A judge that finds nothing has failed: with their checksums wrong, all TCP packets are invalid."""
    with tempfile.TemporaryDirectory() as folder:
        ready = os.path.join(folder, 'ready.pcap')
        to_router(path, ready, True, spoil=True)
        counters = judged(ready, 0)
        if not seen(counters) or counters['tcp_invalid'] != seen(counters):
            raise Trouble(f'{path}: of {seen(counters)} packets with a wrong checksum conntrack calls '
                          f'{counters["tcp_invalid"]} invalid')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', metavar='DIR')
    parser.add_argument('--limit', type=int, metavar='N', help='the first N captures')
    parser.add_argument('--least', type=int, default=50, metavar='N', help='captures that must count (50)')
    parser.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)), metavar='N')
    parser.add_argument('--all', action='store_true', help='a line for captures too that do not count')
    parser.add_argument('--inside', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.folder)
        return 0
    if subprocess.run(['unshare', '--net', 'true'], stderr=subprocess.DEVNULL).returncode:
        print('conntrack.py: network namespaces need root, and a kernel that has them', file=sys.stderr)
        return 77
    return report(options)


def report(options):
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(options.folder)
                   for name in names)[:options.limit]
    if os.path.isfile(options.folder):
        paths = [options.folder]
    control(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fixtures', 'sample.pcap'))
    cores = queue.Queue()
    for core in sorted(os.sched_getaffinity(0))[:options.jobs]:
        cores.put(core)

    def one(path):
        core = cores.get()
        try:
            return path, *judge(path, core)
        except (Trouble, OSError, subprocess.SubprocessError) as reason:
            return path, 0, str(reason)
        finally:
            cores.put(core)

    columns = 'TCP sent', 'seen', 'new', 'established', 'INVALID: A', *WAYS, 'not TCP: A', *WAYS
    print(*(f'{name:>11}' for name in columns), ' capture')
    counted = worse = troubled = 0
    total = [0] * len(columns)
    with concurrent.futures.ThreadPoolExecutor(cores.qsize()) as pool:
        for path, sent, verdicts in pool.map(one, paths):
            name = os.path.relpath(path, options.folder)
            if isinstance(verdicts, str):
                troubled += 1
                print(f'{name}: {verdicts}', file=sys.stderr)
            if not isinstance(verdicts, dict):
                continue
            a = verdicts['A']
            counts = seen(a) >= 0.95 * sent and a['tcp_established'] > 0
            bad = any(b[f'{kind}_invalid'] > a[f'{kind}_invalid'] or seen(b, kind) != seen(a, kind)
                      for b in verdicts.values() for kind in ('tcp', 'other'))
            row = [sent, seen(a), a['tcp_new'], a['tcp_established'],
                   *(v[f'{kind}_invalid'] for kind in ('tcp', 'other') for v in verdicts.values())]
            if counts:
                counted += 1
                total = [x + y for x, y in zip(total, row)]
            worse += bad
            if counts or bad or options.all:
                print(*(f'{value:11}' for value in row), f' {name}' + (not counts) * ' (does not count)'
                      + bad * f' WORSE: {verdicts}')
    print(*(f'{value:11}' for value in total), f' {counted} captures that count, of {len(paths)}')
    print(f'{worse} with an image that is worse; {troubled} in trouble')
    return 1 if worse or troubled or counted < options.least else 0


if __name__ == '__main__':
    sys.exit(main())
