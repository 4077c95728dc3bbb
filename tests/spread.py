#!/usr/bin/env python3
"""spread.py CAPTURE... [--share S] [--seed N] [--weights FILE]: what a latent that is replaced does to the other packets.

A share of a capture's latents (one in a hundred) is replaced by others of the same capture, patches and all. Of the other
packets, in percent: those whose action changes in any field but the flow; those that are said of another slot; and those
that land on another flow, since a replaced packet opened a flow in their slot, or no longer does. Needs python3-msgpack.
"""
import argparse
import os
import random
import sys
import zlib

import msgpack

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from noise import actions, records, tool  # noqa: E402


def replaced(stream, share, seed):
    """The stream with some records in the places of others, and which ones."""
    all_records = list(records(stream))
    packets = [i for i, r in enumerate(all_records) if isinstance(r, list)]
    draw = random.Random(seed)
    chosen = sorted(draw.sample(packets, max(1, round(share * len(packets)))))
    for i in chosen:
        all_records[i] = all_records[draw.choice(packets)]
    out, crc = [], 0
    for record in all_records:
        if isinstance(record, dict) and 'end' in record:
            record = dict(record, crc32=zlib.crc32(msgpack.packb(dict(record, crc32=0))[:-1], crc))
        octets = msgpack.packb(record)
        crc = 0 if isinstance(record, dict) and 'magic' in record else crc
        crc = zlib.crc32(octets, crc)
        out.append(octets)
    return b''.join(out), {packets.index(i) for i in chosen}


def flows(packets):
    """For each packet which one opened its flow."""
    opened, out = {}, []
    for i, a in enumerate(packets):
        slot = a.get('flow', 0)
        if a.get('open') == 1:
            opened[slot] = i
        out.append(opened.get(slot, -1))
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('capture', nargs='+')
    ap.add_argument('--share', type=float, default=0.01)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--weights')
    o = ap.parse_args()
    weights = ['--weights', o.weights] if o.weights else []
    print(f'{"others":>9s} {"changed %":>10s} {"other slot %":>13s} {"other flow %":>13s}  capture')
    for capture in o.capture:
        latents = tool('tc-enc', '-q', *weights, data=tool('tc-lift', '-q', capture))
        stream, chosen = replaced(latents, o.share, o.seed)
        a, b = (actions(tool('tc-dec', '-q', *weights, data=s)) for s in (latents, stream))
        fa, fb = flows(a), flows(b)
        others = [i for i in range(len(a)) if i not in chosen]
        changed = sum({k: v for k, v in a[i].items() if k != 'flow'} != {k: v for k, v in b[i].items() if k != 'flow'}
                      for i in others)
        slot = sum(a[i].get('flow', 0) != b[i].get('flow', 0) for i in others)
        flow = sum(fa[i] != fb[i] for i in others)
        n = len(others) or 1
        print(f'{len(others):9d} {100 * changed / n:10.3f} {100 * slot / n:13.3f} {100 * flow / n:13.3f}  '
              f'{os.path.basename(capture)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
