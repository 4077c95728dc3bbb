#!/usr/bin/env python3
"""record-wire.py A B SECONDS TAG: a wire between two interfaces, for what records captures.

Carries the frames of each across to the other, so many seconds later, with the octets TAG put before the ethertype towards
B, taken out towards A (where frames without it do not go). Where there is a delay, one frame in 200 takes 4 ms longer and is
overtaken. It stands in for netem and VLAN interfaces, which not every kernel has.
"""
import heapq
import random
import select
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 8, 23, 3
delay, tag = float(sys.argv[3]), bytes.fromhex(sys.argv[4])


def port(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.bind((device, ETH_P_ALL))
    return s


def receive(s):    # the kernel hands the outer tag over beside the frame: put it back
    frame, ((_, _, aux),), _, _ = s.recvmsg(65536, 64)
    status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", aux)
    return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:] if status & 0x10 else frame


a, b = port(sys.argv[1]), port(sys.argv[2])
under_way, count = [], 0
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    for s in select.select([a, b], [], [], wait)[0]:
        frame = receive(s)
        if s is b and not frame.startswith(tag, 12):
            continue
        frame = frame[:12] + (tag + frame[12:] if s is a else frame[12 + len(tag):])
        late = 0.004 if delay and random.random() < 0.005 else 0
        heapq.heappush(under_way, (time.monotonic() + delay + late, count, b if s is a else a, frame))
        count += 1
    while under_way and under_way[0][0] <= time.monotonic():
        _, _, to, frame = heapq.heappop(under_way)
        to.send(frame)
