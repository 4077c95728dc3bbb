#!/usr/bin/env python3
"""bootstrap.py packets|flows CAPTURE N SEED: a capture of N packets drawn from those of CAPTURE, on standard output.

What a generator has to beat. CAPTURE is one that tc-compile wrote, so that it is a pcap file and its addresses are
those of tracecodec(7). What is drawn goes through tc-lift and tc-compile --strict, which give it its checksums and show
that it is legal.

  packets  each is drawn by itself, as it stands, with the gap before it: single packets and steps are right, and what
           depends on the packet before in the flow is not.
  flows    whole flows, as tc-lift cuts them, are drawn with replacement, each with hosts of its own, and begin at a time
           drawn from N packets' share of CAPTURE's length, until N packets lie within it; merged by time. What lies beyond
           is cut, as a capture's end cuts it. What happens in a flow is right, and what flows have to do with each other is
           not. Flows without a host of the ranges for private and global addresses (0.0.0.0 to 255.255.255.255, say) have
           none that could be another; copies of these that meet are one.
"""
import io
import os
import random
import struct
import subprocess
import sys

import msgpack

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bin')
MAGIC = {b'\xd4\xc3\xb2\xa1': ('<', 1000), b'\x4d\x3c\xb2\xa1': ('<', 1), b'\xa1\xb2\xc3\xd4': ('>', 1000),
         b'\xa1\xb2\x3c\x4d': ('>', 1)}
ETHERNET = 1
TAGS = {0x8100: 4, 0x88a8: 4, 0x9100: 4, 0x8864: 8}
IP_AT = {0: 4, 108: 4, 9: 4, 12: 0, 113: 16, 276: 20}    # the link header's length, but for Ethernet's
ARP, MPLS = 0x806, 0x8847


def tool(name, *args, data=None):
    return subprocess.run([os.path.join(BIN, name), *args], input=data, stdout=subprocess.PIPE, check=True).stdout


class Capture:
    """A pcap file: its header, and packets as (time in ns, length on the wire, octets)."""

    def __init__(self, data):
        self.header, self.packets = data[:24], []
        self.order, self.unit = MAGIC[data[:4]]
        self.link = struct.unpack(self.order + 'I', data[20:24])[0] & 0xffff
        at = 24
        while at < len(data):
            seconds, fraction, captured, length = struct.unpack_from(self.order + '4I', data, at)
            self.packets.append((seconds * 10 ** 9 + fraction * self.unit, length, data[at + 16:at + 16 + captured]))
            at += 16 + captured

    def write(self, packets):
        """The octets of a file of these packets."""
        out = [self.header]
        for time, length, octets in packets:
            out.append(struct.pack(self.order + '4I', time // 10 ** 9, time % 10 ** 9 // self.unit, len(octets), length))
            out.append(octets)
        return b''.join(out)


def flows_of(actions):
    """For each packet the number of the flow that it belongs to; each opening is another flow."""
    of, live, fields, count = [], {}, [], 0
    for record in msgpack.Unpacker(io.BytesIO(actions)):
        if isinstance(record, list):
            action = dict(zip((f for i, f in enumerate(fields) if record[0] >> i & 1), record[1:]))
            slot = action.get('flow', 0)
            if action.get('open', 0):
                live[slot], count = count, count + 1
            of.append(live[slot])
        elif 'magic' in record:
            fields = record['fields']
    return of


class Fresh:
    """Addresses that no other copy has, of the class that they had."""

    def __init__(self):
        self.count = 0

    def copy(self):
        self.known = {}    # of this copy: old address to new

    def new(self, old):
        if old not in self.known:
            self.count += 1
            self.known[old] = self.made(old, self.count)
        return self.known[old]

    @staticmethod
    def made(old, n):
        if len(old) == 4 and old[0] == 10:
            return (0x0a000000 | n & 0xffffff).to_bytes(4, 'big')
        if len(old) == 4 and (old[:2] in (b'\xc6\x12', b'\xc6\x13') or 240 <= old[0] and old != b'\xff' * 4):
            return (0xf0000000 | n & 0x7ffffff).to_bytes(4, 'big')
        if len(old) == 16 and old[:8] in (b'\x20\x01\x0d\xb8\0\0\0\0', b'\xfd' + 7 * b'\0', b'\xfe\x80' + 6 * b'\0'):
            return old[:9] + n.to_bytes(4, 'big') + old[13:]    # the last 24 bits are its solicited-node group's too
        if len(old) == 6 and old[:3] == b'\x02\0\x10':
            return b'\x02\0' + (0x80000000 | n).to_bytes(4, 'big')
        return old

    def replace(self, frame, at, length):
        if at + length <= len(frame):
            frame[at:at + length] = self.new(bytes(frame[at:at + length]))

    def header(self, frame, at):
        """The addresses of the IP header at this place; the protocol and what is behind it."""
        version = frame[at] >> 4 if at < len(frame) else 0
        if version == 4 and at + 20 <= len(frame):
            self.replace(frame, at + 12, 4)
            self.replace(frame, at + 16, 4)
            return frame[at + 9], at + (frame[at] & 15) * 4
        if version == 6 and at + 40 <= len(frame):
            self.replace(frame, at + 8, 16)
            self.replace(frame, at + 24, 16)
            return frame[at + 6], at + 40
        return None, len(frame)

    def frame(self, link, octets):
        """The frame between hosts of this copy."""
        frame = bytearray(octets)
        at, kind = network(link, frame)
        if kind == ARP:
            self.replace(frame, at + 14, 4)
            self.replace(frame, at + 24, 4)
            return bytes(frame)
        protocol, after = self.header(frame, at)
        if protocol is None and link == ETHERNET:
            self.replace(frame, 0, 6)
            self.replace(frame, 6, 6)
        message = frame[after] if after < len(frame) else None
        if (protocol, message) in ((1, 3), (1, 4), (1, 5), (1, 11), (1, 12), (58, 1), (58, 2), (58, 3), (58, 4)):
            self.header(frame, after + 8)    # what an error quotes
        elif protocol == 58 and message in (135, 136, 137):
            self.replace(frame, after + 8, 16)
        return bytes(frame)


def network(link, frame):
    """Where the network header is, and its ethertype, if that is known."""
    if link != ETHERNET:
        return IP_AT.get(link, len(frame)), None
    at, kind = 14, int.from_bytes(frame[12:14], 'big')
    while kind in TAGS and at + TAGS[kind] <= len(frame):
        at += TAGS[kind]
        kind = int.from_bytes(frame[at - 2:at], 'big') if kind != 0x8864 else 0
    while kind == MPLS and at + 4 <= len(frame):
        at += 4
        kind = MPLS if not frame[at - 2] & 1 else 0
    return at, kind


def packets(capture, _actions, n, draw):
    """n packets, each drawn by itself, with the gap before it."""
    known, now, out = capture.packets, capture.packets[-1][0], []
    for _ in range(n):
        i = draw.randrange(1, len(known))
        now += known[i][0] - known[i - 1][0]
        out.append((now,) + known[i][1:])
    return out


def flows(capture, actions, n, draw):
    """n packets of whole flows."""
    members = {}
    for packet, flow in zip(capture.packets, flows_of(actions)):
        members.setdefault(flow, []).append(packet)
    members = list(members.values())
    times = [p[0] for p in capture.packets]
    length, now, out, fresh = (max(times) - min(times)) * n // len(times), max(times), [], Fresh()
    while len(out) < n:
        flow = draw.choice(members)
        start = draw.randint(0, length) - min(p[0] for p in flow)
        fresh.copy()
        out += [(now + start + time, size, fresh.frame(capture.link, octets)) for time, size, octets in flow
                if start + time <= length]
    return sorted(out, key=lambda p: p[0])[:n]


WAYS = {'packets': packets, 'flows': flows}


def bootstrap(way, capture, actions, n, seed):
    """The octets of a capture, drawn from one and its actions."""
    drawn = capture.write(WAYS[way](capture, actions, n, random.Random(seed)))
    return tool('tc-compile', '-q', '--strict', data=tool('tc-lift', '-q', data=drawn))


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in WAYS:
        sys.exit(__doc__)
    with open(sys.argv[2], 'rb') as f:
        octets = f.read()
    sys.stdout.buffer.write(bootstrap(sys.argv[1], Capture(octets), tool('tc-lift', '-q', data=octets),
                                      int(sys.argv[3]), int(sys.argv[4])))


if __name__ == '__main__':
    main()
