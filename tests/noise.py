#!/usr/bin/env python3
"""noise.py CAPTURE [--spread S,S,...]: what noise does to latents, and whether values move to their neighbours.
noise.py --write SPREAD, noise.py --draw SEED: latents in, the same with noise out, or nothing but noise.

Gaussian noise of growing spread is added to each coordinate of the latents of a capture, which are then decoded.
For each spread: the share of packets that are still whole, of fields that are still there and as they were, and, of
the numbers that changed, how far: the median of |change| / (|value| + 1), and the share within a factor of two.
Needs python3-msgpack.
"""
import argparse
import io
import os
import random
import struct
import subprocess
import sys
import zlib

import msgpack

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bin')
NUMBERS = ('dt', 'len', 'win', 'ack', 'seq', 'tsval', 'tsecr', 'id', 'mss', 'cap')


def tool(name, *args, data=None):
    return subprocess.run([os.path.join(BIN, name), *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def actions(stream):
    """Each packet as a map from field to value."""
    out, fields = [], None
    for record in msgpack.Unpacker(io.BytesIO(stream)):
        if isinstance(record, list):
            out.append(dict(zip((f for i, f in enumerate(fields) if record[0] >> i & 1), record[1:])))
        elif 'magic' in record:
            fields = record['fields']
    return out


def noisy(stream, spread, seed=1, keep=1):
    out, crc = [], 0
    draw = random.Random(seed)
    for record in msgpack.Unpacker(io.BytesIO(stream)):
        if isinstance(record, list):
            z = [keep * v + draw.gauss(0, spread) for v in struct.unpack(layout, record[0])]
            octets = msgpack.packb([struct.pack(layout, *z)])
        elif 'end' in record:
            octets = msgpack.packb(dict(record, crc32=zlib.crc32(msgpack.packb(dict(record, crc32=0))[:-1], crc)))
        else:
            crc = 0
            layout = '<%d%s' % (record['coordinates'], {'f32': 'f', 'f16': 'e'}[record['type']])
            octets = msgpack.packb(record)
        crc = zlib.crc32(octets, crc)
        out.append(octets)
    return b''.join(out)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('capture', nargs='?')
    ap.add_argument('--write', type=float, metavar='SPREAD')
    ap.add_argument('--draw', type=int, metavar='SEED')
    ap.add_argument('--spread', default='0,0.00001,0.01,0.03,0.1,0.2,0.3,0.5')
    o = ap.parse_args()
    if o.write is not None or o.draw is not None:
        latents = sys.stdin.buffer.read()
        sys.stdout.buffer.write(noisy(latents, o.write) if o.draw is None else noisy(latents, 1.5, o.draw, 0))
        return 0
    if not o.capture:
        ap.error('a capture, --write or --draw')
    latents = tool('tc-enc', '-q', data=tool('tc-lift', '-q', o.capture))
    # The state behind a slot is the decoder's: what is compared is what the undisturbed latents decode to.
    true = actions(tool('tc-dec', data=noisy(latents, 0)))
    print(f'{"spread":>8s} {"whole %":>9s} {"fields same %":>14s} {"median change":>14s} {"within twice %":>15s}')
    for spread in map(float, o.spread.split(',')):
        got = actions(tool('tc-dec', data=noisy(latents, spread)))
        whole = same = there = 0
        moved = []
        for a, b in zip(true, got):
            a, b = ({k: v for k, v in x.items() if k != 'flow'} for x in (a, b))
            whole += {k: v for k, v in a.items() if k != 'dt'} == {k: v for k, v in b.items() if k != 'dt'}
            there += len(a.keys() | b.keys())
            same += sum(k in b and a[k] == b[k] for k in a)
            for k in NUMBERS:
                if k in a and k in b and a[k] != b[k]:
                    moved.append((abs(a[k] - b[k]) / (abs(a[k]) + 1), a[k], b[k]))
        moved.sort()
        median = moved[len(moved) // 2][0] if moved else 0
        near = sum(x * y > 0 and 0.5 <= y / x <= 2 for _, x, y in moved) / len(moved) if moved else 1
        print(f'{spread:8g} {100 * whole / len(true):9.3f} {100 * same / there:14.3f} {median:14.4f} {100 * near:15.1f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
