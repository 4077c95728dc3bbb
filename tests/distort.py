#!/usr/bin/env python3
"""distort.py DISTORTION IN OUT [--share X] [--seed N]: a capture (classic pcap, Ethernet), distorted.

On standard error, as JSON: what was done, and what tc-diff has to find between IN and OUT, counted
here once more, packet by packet and without sketches. The same seed makes the same octets.
"""

import argparse
import json
import random
import struct
import sys
from bisect import bisect_right
from collections import Counter, defaultdict

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, UDP, FRAGMENT = 1, 6, 17, 44
TAGS, EXTENSIONS = (0x8100, 0x88A8, 0x9100), (0, 43, 60)
EVENTS = ("RST", "SYN-ACK", "SYN", "FIN", "DATA", "ACK", "other")
SECOND = 10**9


# Packets


class Packet:
    """A captured frame: its time in ns, its octets, its length on the wire."""

    def __init__(self, time, frame, length):
        self.time, self.frame, self.length = time, bytearray(frame), length
        self.parse()

    def copy(self):
        return Packet(self.time, self.frame, self.length)

    def short(self, at):
        return int.from_bytes(self.frame[at:at + 2], "big")

    def parse(self):
        """net, at: offsets of the IP and the transport header; rest: octets from at on."""
        self.ports, self.at, self.datagram, self.later, self.rest = (0, 0), 0, None, False, 0
        at = 12
        while self.short(at) in TAGS:
            at += 4
        self.ethertype, self.net = self.short(at), at + 2
        self.proto, self.ends = 0x10000 + self.ethertype, (self.frame[6:12], self.frame[0:6])
        f, net = self.frame, self.net
        if self.ethertype == 0x0806:
            self.proto, self.ends = self.ethertype, (f[net + 14:net + 18], f[net + 24:net + 28])
        elif self.ethertype == 0x0800 and len(f) >= net + 20:  # else it is cut, and shows no ends
            self.proto, self.ends = f[net + 9], (f[net + 12:net + 16], f[net + 16:net + 20])
            self.at = net + (f[net] & 15) * 4
            self.rest = self.short(net + 2) - (f[net] & 15) * 4
            self.later = self.short(net + 6) & 0x1FFF != 0
            if self.short(net + 6) & 0x3FFF:
                self.datagram = self.short(net + 4)
        elif self.ethertype == 0x86DD and len(f) >= net + 40:
            self.proto, self.ends = f[net + 6], (f[net + 8:net + 24], f[net + 24:net + 40])
            self.at, end = net + 40, net + 40 + self.short(net + 4)
            while (self.proto in EXTENSIONS or self.proto == FRAGMENT) and len(f) >= self.at + 8:
                if self.proto == FRAGMENT:
                    self.later = self.short(self.at + 2) & 0xFFF8 != 0
                    self.datagram = bytes(f[self.at + 4:self.at + 8])
                size = 8 if self.proto == FRAGMENT else 8 * (f[self.at + 1] + 1)
                self.proto, self.at = f[self.at], self.at + size
                if self.later:
                    break
            self.rest = end - self.at
        self.ends = tuple(map(bytes, self.ends))
        if self.proto in (TCP, UDP) and not self.later:
            self.ports = self.short(self.at), self.short(self.at + 2)
        self.tcp = self.proto == TCP and not self.later and len(f) >= self.at + 14
        self.flags = f[self.at + 13] if self.tcp else 0
        self.header = f[self.at + 12] // 16 * 4 if self.tcp else 8
        self.payload = self.rest - self.header

    @property
    def seq(self):
        return int.from_bytes(self.frame[self.at + 4:self.at + 8], "big")

    @property
    def event(self):
        for bits, event in ((RST, "RST"), (SYN | ACK, "SYN-ACK"), (SYN, "SYN"), (FIN, "FIN")):
            if self.flags & bits == bits:
                return event
        return "DATA" if self.payload > 0 else "ACK" if self.flags & ACK else "other"

    def put(self, at, value, *sums):
        """A field of two octets, and the checksums that cover it (RFC 1624)."""
        old = self.short(at)
        self.frame[at:at + 2] = struct.pack(">H", value)
        for place in sums:
            self.resum(place, value - old)

    def resum(self, place, change):
        total = (~self.short(place) & 0xFFFF) + change
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        self.frame[place:place + 2] = struct.pack(">H", ~total & 0xFFFF)

    def set_flags(self, flags):
        self.put(self.at + 12, self.short(self.at + 12) & 0xFF00 | flags, self.at + 16)
        self.parse()

    def set_port(self, side, port):
        place = self.at + (16 if self.proto == TCP else 6)
        self.put(self.at + 2 * side, port, *[place] * (len(self.frame) >= place + 2))
        self.parse()

    def set_payload(self, size):
        """So many zeros behind the TCP header, in place of what was there."""
        assert self.payload == 0
        if self.ethertype == 0x0800:
            self.put(self.net + 2, self.short(self.net + 2) + size, self.net + 10)
        else:
            self.put(self.net + 4, self.short(self.net + 4) + size)
        self.resum(self.at + 16, size)  # the pseudo-header has the length
        self.frame[self.at + self.header:] = bytes(size)
        self.length = len(self.frame)
        self.parse()


def read(path):
    octets = open(path, "rb").read()
    magic, = struct.unpack("<I", octets[:4])
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    packets, at = [], 24
    while at < len(octets):
        seconds, rest, caplen, length = struct.unpack("<IIII", octets[at:at + 16])
        at += 16 + caplen
        packets.append(Packet(seconds * SECOND + rest * unit, octets[at - caplen:at], length))
    return octets[:24], packets


def write(path, header, packets):
    """In ns, so that every time can be written."""
    with open(path, "wb") as f:
        f.write(struct.pack("<I", 0xA1B23C4D) + header[4:])
        for p in packets:
            f.write(struct.pack("<IIII", *divmod(p.time, SECOND), len(p.frame), p.length) + p.frame)


# Flows, as tc-lift(1) has them


class Flow:
    def __init__(self, initiator, responder):
        self.initiator, self.responder = initiator, responder
        self.packets, self.due, self.syn, self.closed = [], {}, {}, False


def tier(port):
    return (port >= 1024) + (port >= 32768)


def sender(p):
    return p.ends[0], p.ports[0]


def ends_of(p):
    """Initiator and responder, by a flow's first packet."""
    if p.tcp and p.flags & SYN:
        turned = p.flags & ACK
    else:
        turned = tier(p.ports[0]) < tier(p.ports[1])
    ends = list(zip(p.ends, p.ports))
    return ends[::-1] if turned else ends


def opens(p, flow, clock):
    """Whether a packet of a known key begins a flow of its own."""
    idle = {TCP: 300, UDP: 60}.get(p.proto, 60) * SECOND
    if p.tcp and p.flags & (SYN | ACK) == SYN:
        base = flow.syn.get(sender(p), flow.due.get(sender(p)))
        if base not in (None, p.seq) or flow.closed:
            return True
    return clock - flow.last > idle


def follow(packets):
    """All flows; each packet gets its flow and its direction."""
    live, datagrams, flows, clock = {}, {}, [], 0
    for p in packets:
        clock = max(clock, p.time)
        key = p.proto, *sorted(zip(p.ends, p.ports))
        fragment = p.proto, p.ends, p.datagram
        if p.later and fragment in datagrams:
            key = datagrams[fragment]
        elif p.datagram:
            datagrams[fragment] = key
        flow = live.get(key)
        if not flow or opens(p, flow, clock):
            flow = live[key] = Flow(*ends_of(p))
            flows.append(flow)
        p.key, p.flow, flow.last = key, flow, clock
        p.dir = int(p.ends[0] != flow.initiator[0] or not p.later and sender(p) != flow.initiator)
        flow.packets.append(p)
        if p.tcp:
            flow.closed |= bool(p.flags & (FIN | RST))
            flow.due[sender(p)] = (p.seq + p.payload + bool(p.flags & SYN)) % 2**32
            if p.flags & SYN:
                flow.syn[sender(p)] = p.seq
    return flows


# Figures: what tc-diff has to find


def shares(counts):
    total = sum(counts.values())
    return {key: n / total for key, n in counts.items()}


def variation(a, b):
    a, b = shares(a), shares(b)
    return sum(abs(a.get(key, 0) - b.get(key, 0)) for key in a.keys() | b.keys()) / 2


def gaps_between(a, b):
    """(distance of the cumulative shares, up to which value) of two samples, exactly."""
    a, b = sorted(a), sorted(b)
    values = sorted(set(a) | set(b))
    for value, after in zip(values, values[1:]):
        yield abs(bisect_right(a, value) / len(a) - bisect_right(b, value) / len(b)), after - value


def w1(a, b):
    return 100 * sum(gap * width for gap, width in gaps_between(a, b)) / (sum(a) / len(a))


def ks(a, b):
    return max((gap for gap, _ in gaps_between(a, b)), default=0)


def relative(a, b):
    return 100 * abs(b - a) / a if a else 100 * (b != 0)


def runs(packets):
    """How many packets of one flow follow one another, each time."""
    lengths, last = [], None
    for p in packets:
        if p.flow is last:
            lengths[-1] += 1
        else:
            lengths.append(1)
        last = p.flow
    return lengths


def bigrams(flows):
    pairs = defaultdict(Counter)
    for flow in flows:
        marked = ["><"[p.dir] + " " + p.event for p in flow.packets if p.tcp]
        for pair in zip(marked, marked[1:]):
            pairs[pair[0]][pair[1]] += 1
    return pairs


def handshakes(flows):
    for flow in flows:
        syn = None
        for p in flow.packets:
            if p.tcp and p.event == "SYN" and syn is None:
                syn = p.time
            if p.tcp and p.event == "SYN-ACK" and syn is not None and p.time >= syn:
                yield p.time - syn
                break


def dispersion(packets, window):
    clock, counts = packets[0].time, Counter()
    for p in packets:
        clock = max(clock, p.time)
        counts[(clock - packets[0].time) // window] += 1
    n = max(counts) + 1
    mean = len(packets) / n
    return (sum(c * c for c in counts.values()) / n - mean * mean) / mean


def lives(flows, start):
    """(begin, end) of each flow since the start, in ns."""
    return [(max(0, f.packets[0].time - start), max(p.time for p in f.packets) - start)
            for f in flows]


def active(lives, width):
    """How many flows are alive in each window of so many ns."""
    counts = Counter()
    for begin, end in lives:
        counts.update(range(begin // width, end // width + 1))
    return counts


def active_distance(a, b):
    """Of at most 1024 windows of 1 ms, 2 ms, 4 ms …"""
    width = 10**6
    while max(end for _, end in a + b) >= 1024 * width:
        width *= 2
    a, b = active(a, width), active(b, width)
    return 100 * sum(abs(a[i] - b[i]) for i in a.keys() | b.keys()) / sum(a.values())


class Figures:
    def __init__(self, packets):
        flows = follow(packets)
        ip = [p for p in packets if p.at]
        n = len(packets)
        self.packets, self.octets, self.flows = n, sum(p.length for p in packets), len(flows)
        self.runs, self.bigrams = runs(packets), bigrams(flows)
        self.event = Counter(p.event for p in packets if p.tcp)
        self.protocol = Counter(p.proto for p in packets)
        self.size = Counter(p.length for p in packets)
        self.flow_size = Counter(len(f.packets) for f in flows)
        self.iat = [max(0, b.time - a.time) for a, b in zip(packets, packets[1:])]
        times = [[p.time for p in f.packets] for f in flows]
        self.duration = [max(t) - min(t) for t in times]
        self.lives = lives(flows, packets[0].time)
        self.port = Counter((f.packets[0].proto, f.responder[1]) for f in flows
                            if f.packets[0].proto in (TCP, UDP) and not f.packets[0].later)
        self.syn_rtt = list(handshakes(flows))
        self.switch = (len(self.runs) - 1) / (n - 1)
        self.mixing = self.switch / (1 - sum(len(f.packets)**2 for f in flows) / n**2)
        self.burst = {name: dispersion(packets, window * 10**6) for name, window in
                      (("1ms", 1), ("10ms", 10), ("100ms", 100), ("1s", 1000), ("10s", 10000),
                       ("100s", 100000))}
        self.sources = Counter(p.ends[0] for p in ip)
        self.destinations = Counter(p.ends[1] for p in ip)


def ranks(counts):
    return dict(enumerate(sorted(counts.values(), reverse=True)))


def transition_rows(a, b):
    """(packets of A in the row, variation) for each row that one of them has."""
    for row in a.keys() | b.keys():
        known = row in a and row in b
        yield sum(a[row].values()) if row in a else 0, variation(a[row], b[row]) if known else 1


def distances(a, b):
    rows = list(transition_rows(a.bigrams, b.bigrams))
    occupancy = sum(n for n, _ in rows)
    figures = {
        "volume.packets": relative(a.packets, b.packets),
        "volume.octets": relative(a.octets, b.octets),
        "volume.flows": relative(a.flows, b.flows),
        "mix.protocol": variation(a.protocol, b.protocol),
        "mix.port": variation(a.port, b.port),
        "mix.size": variation(a.size, b.size),
        "mix.flow_size": variation(a.flow_size, b.flow_size),
        "tcp.event": 200 * variation(a.event, b.event),
        "transition.tv": sum(n * distance for n, distance in rows) / occupancy,
        "transition.worst": max(distance for _, distance in rows),
        "interleave.switch": abs(a.switch - b.switch),
        "interleave.mixing": abs(a.mixing - b.mixing),
        "interleave.run_mean": relative(a.packets / len(a.runs), b.packets / len(b.runs)),
        "interleave.run": variation(Counter(a.runs), Counter(b.runs)),
        "interleave.active": active_distance(a.lives, b.lives),
        "time.iat": w1(a.iat, b.iat), "time.iat_ks": ks(a.iat, b.iat),
        "time.duration": w1(a.duration, b.duration),
        "time.duration_ks": ks(a.duration, b.duration),
        "rtt.syn": w1(a.syn_rtt, b.syn_rtt),
        "endpoint.sources": variation(ranks(a.sources), ranks(b.sources)),
        "endpoint.destinations": variation(ranks(a.destinations), ranks(b.destinations)),
    }
    for name in a.burst:
        figures["burst." + name] = relative(a.burst[name], b.burst[name])
    return figures


# Distortions: each changes a list of packets and says what it did


def some(rng, things, share):
    return rng.sample(things, round(len(things) * share))


def nothing(packets, flows, rng, share):
    return {}


def drop(packets, flows, rng, share):
    """A share of the packets is lost."""
    n, octets = len(packets), sum(p.length for p in packets)
    lost = some(rng, packets, share)
    gone = set(map(id, lost))
    packets[:] = [p for p in packets if id(p) not in gone]
    return {"volume.packets": 100 * len(lost) / n,
            "volume.octets": 100 * sum(p.length for p in lost) / octets}


def shuffle(packets, flows, rng, share):
    """In every 50 packets 5-tuples change places; each keeps its own order, and the clock its ticks.
    Hosts that send fragments keep theirs too: what a later one belongs to depends on it."""
    times, mixed = [p.time for p in packets], []
    fragmenting = {frozenset(p.ends) for p in packets if p.datagram}

    def queue_of(p):
        hosts = frozenset(p.ends)
        return hosts if hosts in fragmenting else p.key

    for at in range(0, len(packets), 50):
        block = packets[at:at + 50]
        queues = defaultdict(list)
        for p in reversed(block):
            queues[queue_of(p)].append(p)
        order = [queue_of(p) for p in block]
        rng.shuffle(order)
        mixed += [queues[queue].pop() for queue in order]
    for p, time in zip(mixed, times):
        p.time = time
    packets[:] = mixed
    return {}


def split(packets, flows, rng, share):
    """A share of the flows goes on under another port from the middle on."""
    used = {port for p in packets for port in p.ports}
    fresh = iter(sorted(set(range(49152, 65536)) - used))
    able = [f for f in flows if len(f.packets) > 1 and f.packets[0].proto in (TCP, UDP)
            and not any(p.datagram for p in f.packets)]
    chosen = rng.sample(able, round(len(flows) * share))
    for flow in chosen:
        port = next(fresh)
        for p in flow.packets[len(flow.packets) // 2:]:
            p.set_port(p.dir, port)
    return {"volume.flows": 100 * len(chosen) / len(flows)}


def flags(packets, flows, rng, share):
    """A share of the TCP packets, bare acknowledgements all, get flags of another event."""
    segments = [p for p in packets if p.tcp]
    moved = Counter()
    for p in rng.sample([p for p in segments if p.event == "ACK"], round(len(segments) * share)):
        p.set_flags(rng.choice((RST, SYN | ACK, FIN | ACK, FIN | ACK | PSH)))
        moved[p.event] += 1
    return {"tcp.event": 100 * 2 * sum(moved.values()) / len(segments)}


def jitter(packets, flows, rng, share):
    """Each packet comes up to a share earlier or later after the one before it."""
    gaps = [b.time - a.time for a, b in zip(packets, packets[1:])]
    for p, before, gap in zip(packets[1:], packets, gaps):
        p.time = before.time + round(gap * (1 + rng.uniform(-share, share)))
    new = sorted(max(0, b.time - a.time) for a, b in zip(packets, packets[1:]))
    old = sorted(max(0, gap) for gap in gaps)
    return {"time.iat": 100 * sum(abs(a - b) for a, b in zip(old, new)) / sum(old)}


def data(packets, flows, rng, share):
    """In a share of the flows that have any, every bare acknowledgement brings data instead."""
    segments = sum(p.tcp for p in packets)
    octets, n, more = sum(p.length for p in packets), 0, 0
    able = [f for f in flows if any(p.tcp and p.event == "ACK" for p in f.packets)]
    for flow in some(rng, able, share):
        for p in flow.packets:
            if p.tcp and p.event == "ACK":
                before = p.length
                p.set_payload(40)
                n, more = n + 1, more + p.length - before
    return {"tcp.event": 200 * n / segments, "volume.octets": 100 * abs(more) / octets}


DISTORTIONS = {f.__name__: (f, share) for f, share in (
    (nothing, 0), (drop, 0.01), (shuffle, 1), (split, 0.1), (flags, 0.01), (jitter, 0.05), (data, 0.01))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("distortion", choices=DISTORTIONS)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--share", type=float)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    header, before = read(o.input)
    function, share = DISTORTIONS[o.distortion]
    after = [p.copy() for p in before]
    done = function(after, follow(after), random.Random(o.seed), share if o.share is None else o.share)
    write(o.output, header, after)
    a, b = Figures(before), Figures(after)
    rows = sorted({(x, y) for f in (a, b) for x in f.bigrams for y in f.bigrams[x]})
    json.dump({"distortion": o.distortion, "done": done, "expected": distances(a, b),
               "packets": [a.packets, b.packets], "flows": [a.flows, b.flows],
               "event": [{event: f.event[event] for event in EVENTS} for f in (a, b)],
               "transitions": [[x, y, a.bigrams[x][y], b.bigrams[x][y]] for x, y in rows]},
              sys.stderr)


if __name__ == "__main__":
    main()
