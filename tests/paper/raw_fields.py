"""Header fields of a packet as plain numbers, and such numbers as a packet: what a generator without a codec works on.

A row has the kind of packet (ethertype and protocol), the TCP flags, the addresses by rank and the ports (ICMP: type,
code; ARP: operation) as bits, which can be hit exactly; and as one number each, absolute: sequence and acknowledgement
number, window, TTL, TCP header length, the lengths of the payload and of what else the frame has (padding, tags).
Nothing is repaired: a row becomes the packet that it says, each number at the nearest value that its
field can hold. It becomes none where there is no such address, or it isn't of its kind.
"""
import collections
import os
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import distort  # noqa: E402

KINDS, FLAGS, PORT = 16, 9, 16  # bits, of kinds at most
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
ADDRESS = {IPV4: 4, ARP: 4, IPV6: 16}
ICMP = {1, 58}
TOP = (2**32 - 1, 2**32 - 1, 65535, 255, 15, 65000, 1500)  # of the numbers behind the bits
CAPTURED = 128
LATEST = (2**32 - 1) * distort.SECOND  # that a capture can say


def flow_key(p):
    """The 5-tuple, the same for both directions."""
    return p.proto, frozenset(zip(p.ends, p.ports))


def numbers(p):
    at, f = p.at, p.frame
    ports, seq, ack, window, offset, payload = p.ports, 0, 0, 0, 0, max(0, p.payload)
    if p.tcp:
        seq, ack, window, offset = p.seq, int.from_bytes(f[at + 8:at + 12], 'big'), p.short(at + 14), f[at + 12] >> 4
    elif p.proto in ICMP and not p.later and len(f) >= at + 2:
        ports = f[at], f[at + 1]
    elif p.ethertype == ARP:
        ports = p.short(p.net + 6), 0
    elif p.ethertype not in ADDRESS:
        payload = max(0, p.length - 14)
    datagram = {IPV4: p.short(p.net + 2), IPV6: 40 + p.short(p.net + 4), ARP: 28}.get(p.ethertype, p.length - 14)
    ttl = {IPV4: 8, IPV6: 7}.get(p.ethertype)
    rest = max(0, p.length - 14 - datagram)
    return ports, (seq, ack, window, f[p.net + ttl] if ttl else 0, offset, payload, rest)


def bits(value, count):
    return [float(value >> i & 1) for i in range(count)]


def value_of(row):
    return sum(int(v > .5) << i for i, v in enumerate(row))


class RawFields:
    """The tables that rows need, of the packets that are learned."""

    def __init__(self, packets):
        kinds = collections.Counter((p.ethertype, p.proto) for p in packets)
        ends = collections.Counter(e for p in packets for e in p.ends)
        self.kinds = [k for k, _ in kinds.most_common(KINDS)]
        self.addresses = [a for a, _ in ends.most_common()]
        self.rank = {a: i for i, a in enumerate(self.addresses)}
        self.rank_bits = max(1, (len(self.addresses) - 1).bit_length())

    def row(self, p):
        flags = (p.short(p.at + 12) & 511) if p.tcp else 0
        ports, rest = numbers(p)
        row = [float((p.ethertype, p.proto) == k) for k in self.kinds] + bits(flags, FLAGS)
        for end, port in zip(p.ends, ports):
            row += bits(self.rank[end], self.rank_bits) + bits(port, PORT)
        return row + [float(v) for v in rest]

    def packet(self, row, time):
        """None where an address isn't there or isn't of the packet's kind."""
        ethertype, proto = self.kinds[int(np.argmax(row[:len(self.kinds)]))]
        sizes = len(self.kinds), FLAGS, self.rank_bits, PORT, self.rank_bits, PORT
        _, *binary, row = np.split(row, np.cumsum(sizes))
        flags, source, source_port, destination, destination_port = map(value_of, binary)
        ranks, values = (source, destination), [source_port, destination_port]
        if max(ranks) >= len(self.addresses):
            return None
        values += [int(np.clip(np.rint(v), 0, top)) for v, top in zip(row, TOP)]
        return packet_of((ethertype, proto), flags, ranks, [self.addresses[r] for r in ranks], values, time)


def packet_of(kind, flags, ranks, ends, values, time):
    """The packet of these fields; values: ports and numbers() as whole numbers that fit. None where an address isn't of
    the packet's kind."""
    if any(len(e) != ADDRESS.get(kind[0], 6) for e in ends):
        return None
    *values, padding = values
    frame, payload = render(*kind, flags, ranks, ends, values)
    length = len(frame) + payload + padding
    return distort.Packet(time, frame + bytes(max(0, min(length, CAPTURED) - len(frame))), length)


def render(ethertype, proto, flags, ranks, ends, values):
    """All before the payload, and its length."""
    one, two, seq, ack, window, ttl, offset, payload = values
    link = b''.join(b'\2\0' + struct.pack('>I', r) for r in reversed(ranks)) + struct.pack('>H', ethertype)
    if ethertype == ARP:
        return link + struct.pack('>HHBBH', 1, IPV4, 6, 4, one) + link[6:12] + ends[0] + bytes(6) + ends[1], 0
    if ethertype not in ADDRESS:
        return ends[1] + ends[0] + link[12:], payload
    if proto == distort.TCP:
        offset = max(5, offset)
        top = struct.pack('>HHIIHHI', one, two, seq, ack, offset << 12 | flags, window, 0) + b'\1' * (4 * offset - 20)
    elif proto == distort.UDP:
        top = struct.pack('>HHHH', one, two, 8 + payload, 0)
    elif proto in ICMP:
        top = struct.pack('>BBHI', one & 255, two & 255, 0, 0)
    else:
        top = b''
    if ethertype == IPV6:
        return link + struct.pack('>IHBB', 6 << 28, len(top) + payload, proto, ttl) + b''.join(ends) + top, payload
    total = 20 + len(top) + payload
    return link + struct.pack('>BBHHHBBH', 0x45, 0, total, 0, 0x4000, ttl, proto, 0) + b''.join(ends) + top, payload


class Raw:
    """Rows as what a generator works on: *what*, each number by its range, and *when*, the time step's logarithm."""

    def __init__(self, packets, flows):
        self.flows, self.table, self.made = flows, RawFields(packets), []
        rows = np.array([self.table.row(p) for p in packets])
        self.low, self.range = rows.min(0), np.maximum(1, np.ptp(rows, 0))
        self.what = (rows - self.low) / self.range
        self.time = packets[-1].time
        self.steps = np.diff([packets[0].time] + [p.time for p in packets]) / 1e9
        self.when = np.stack([np.sign(self.steps), np.log1p(np.abs(self.steps) * 1e6)], 1)
        self.slot = {flow_key(p): f for p, (f, _) in zip(packets, flows)}

    def place(self, what, when, flow, last_try, history):
        seconds = float(np.sign(np.rint(when[0])) * np.expm1(np.clip(when[1], 0, 30)) / 1e6)
        p = self.table.packet(what * self.range + self.low, min(max(0, self.time + round(seconds * 1e9)), LATEST))
        if p is None:
            return None if not last_try else self.place(self.what[-1], when, flow, True, history)
        self.time = p.time
        self.made.append(p)
        key = flow_key(p)
        new = key not in self.slot
        flow = self.slot.setdefault(key, len(history.last) + history.pad)
        step = [np.sign(seconds), np.log1p(abs(seconds) * 1e6)]
        return (np.array(self.table.row(p)) - self.low) / self.range, np.array(step), seconds, flow, new
