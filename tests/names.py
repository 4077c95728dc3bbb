#!/usr/bin/env python3
"""names.py CAPTURE...: three ways to say a packet's flow, and what each costs.

tc-lift's slot number, which needs no state; the flow's rank by its last packet (move to front); its rank by opening, of
those that are live. For each: nats a packet, of numbers on the logarithmic scale of common/code/names.c, and the share of
the other packets that land on another flow where one packet in a hundred says what another of the capture says. Needs
python3-msgpack.
"""
import math
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from noise import actions, tool  # noqa: E402


def rate(number):
    """Nats of a number's two coordinates, of which the second counts from 255 on: near enough to names_rate()."""
    over = (number + 1).bit_length() - 1 - 7
    half = 0.5 * math.log(2 * math.pi)
    first = half - math.log(2.0**max(0, -over) / 1024)
    return first + (half - math.log(2 / 2**over) if over > 0 else 0)


def code(sequence, to_front):
    """For each packet whether it opens, and then its slot, else its rank; -1 where the slot was never opened."""
    flows, out = [], []
    for slot, opens in sequence:
        if opens:
            out.append((True, slot))
        else:
            out.append((False, flows.index(slot) if slot in flows else -1))
        if slot in flows and (opens or to_front):
            flows.remove(slot)
        if opens or to_front:
            flows.insert(0, slot)
    return out


def flows_of(coded, to_front):
    flows, out = [], []
    for opens, number in coded:
        if opens:
            slot = number
        else:
            slot = flows[min(max(number, 0), len(flows) - 1)] if flows else -1
        if slot in flows and (opens or to_front):
            flows.remove(slot)
        if opens or to_front:
            flows.insert(0, slot)
        out.append(slot)
    return out


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split('\n')[0])
    print(f'{"way":>12s} {"nats":>7s} {"moved %":>8s}  capture')
    for path in sys.argv[1:]:
        sequence = [(a.get('flow', 0), a.get('open') == 1) for a in actions(tool('tc-lift', '-q', path))]
        n = len(sequence)
        draw = random.Random(1)
        other = {i: draw.randrange(n) for i in draw.sample(range(n), n // 100)}
        print(f'{"slot":>12s} {sum(rate(s) for s, _ in sequence) / n:7.2f} {0:8.2f}  {os.path.basename(path)}')
        for name, to_front in (('last packet', True), ('opening', False)):
            coded = code(sequence, to_front)
            nats = sum(rate(0 if opens else max(number, 0)) for opens, number in coded) / n
            true = flows_of(coded, to_front)
            got = flows_of([coded[other.get(i, i)] for i in range(n)], to_front)
            moved = sum(true[i] != got[i] for i in range(n) if i not in other) / (n - len(other))
            print(f'{name:>12s} {nats:7.2f} {100 * moved:8.2f}  {os.path.basename(path)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
