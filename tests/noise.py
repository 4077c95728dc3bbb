#!/usr/bin/env python3
"""noise.py CAPTURE... [--spread S,S,...]: what noise does to latents, and whether values move to their neighbours.
noise.py --write SPREAD, noise.py --draw SEED: latents in, the same with noise out, or nothing but noise.

Gaussian noise, of growing multiples of each coordinate's own standard deviation over the stream, is added to the latents of
captures, which are then decoded. For each spread: the share of packets that are still whole but for the flow, of fields that
are still there and as they were, and, of the numbers that changed, how far: the median of |change| / (|value| + 1), and the
share within a factor of two; the same for each number. Needs python3-msgpack.
"""
import argparse
import io
import os
import random
import statistics
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


def latents_of(stream):
    return [struct.unpack('<%d%s' % (len(r[0]) // size, letter), r[0]) for r in records(stream) if isinstance(r, list)
            for letter, size in [LAYOUT[header(stream)['type']]]]


LAYOUT = {'f32': ('f', 4), 'f16': ('e', 2)}


def records(stream):
    return msgpack.Unpacker(io.BytesIO(stream))


def header(stream):
    return next(iter(records(stream)))


def rewritten(stream, move):
    """Each latent moved, a list of its coordinates in place; patches left away."""
    out, crc = [], 0
    for record in records(stream):
        if isinstance(record, list):
            z = list(struct.unpack(layout, record[0]))
            move(z)
            octets = msgpack.packb([struct.pack(layout, *z)])
        elif 'end' in record:
            octets = msgpack.packb(dict(record, crc32=zlib.crc32(msgpack.packb(dict(record, crc32=0))[:-1], crc)))
        else:
            crc = 0
            layout = '<%d%s' % (sum(record['blocks'].values()), LAYOUT[record['type']][0])
            octets = msgpack.packb(record)
        crc = zlib.crc32(octets, crc)
        out.append(octets)
    return b''.join(out)


def noisy(stream, spreads, seed=1, keep=1):
    """Each coordinate with noise of its own spread."""
    draw = random.Random(seed)

    def move(z):
        z[:] = [keep * v + draw.gauss(0, s) for v, s in zip(z, spreads)]

    return rewritten(stream, move)


def compare(true, got, moved):
    """Packets that are whole, fields that are the same, and fields; how far numbers moved goes to moved."""
    whole = same = there = 0
    for a, b in zip(true, got):
        a, b = ({k: v for k, v in x.items() if k != 'flow'} for x in (a, b))
        whole += {k: v for k, v in a.items() if k != 'dt'} == {k: v for k, v in b.items() if k != 'dt'}
        there += len(a.keys() | b.keys())
        same += sum(k in b and a[k] == b[k] for k in a)
        for k in NUMBERS:
            if k in a and k in b and a[k] != b[k]:
                moved.append((abs(a[k] - b[k]) / (abs(a[k]) + 1), a[k] * b[k] > 0 and 0.5 <= b[k] / a[k] <= 2, k))
    return whole, same, there


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('capture', nargs='*')
    ap.add_argument('--write', type=float, metavar='SPREAD')
    ap.add_argument('--draw', type=int, metavar='SEED')
    ap.add_argument('--spread', default='0,0.01,0.03,0.1,0.2,0.3,0.5')
    ap.add_argument('--weights', help='other weights than the built-in ones')
    o = ap.parse_args()
    if o.write is not None or o.draw is not None:
        latents = sys.stdin.buffer.read()
        n = sum(header(latents)['blocks'].values())
        sys.stdout.buffer.write(noisy(latents, [o.write] * n) if o.draw is None else noisy(latents, [1.5] * n, o.draw, 0))
        return 0
    if not o.capture:
        ap.error('a capture, --write or --draw')
    weights = ['--weights', o.weights] if o.weights else []
    streams = [tool('tc-enc', '-q', *weights, data=tool('tc-lift', '-q', c)) for c in o.capture]
    # The names of slots are the decoder's: what is compared is what the undisturbed latents decode to.
    true = [actions(tool('tc-dec', *weights, data=noisy(s, [0] * sum(header(s)['blocks'].values())))) for s in streams]
    sigma = [[statistics.pstdev(column) for column in zip(*latents_of(s))] for s in streams]
    print(f'{"spread":>8s} {"whole %":>9s} {"fields same %":>14s} {"median change":>14s} {"within twice %":>15s}')
    for spread in map(float, o.spread.split(',')):
        moved, sums = [], [0, 0, 0]
        for s, t, deviation in zip(streams, true, sigma):
            got = actions(tool('tc-dec', *weights, data=noisy(s, [spread * d for d in deviation])))
            sums = [x + y for x, y in zip(sums, compare(t, got, moved))]
        median = statistics.median(m for m, _, _ in moved) if moved else 0
        near = {k: [n for _, n, name in moved if k in ('', name)] for k in ('',) + NUMBERS}
        share = {k: 100 * sum(v) / len(v) if v else 100 for k, v in near.items()}
        print(f'{spread:8g} {100 * sums[0] / sum(map(len, true)):9.3f} {100 * sums[1] / sums[2]:14.3f} {median:14.4f} '
              f'{share[""]:15.1f}', ' '.join(f'{k} {share[k]:.0f} ({len(near[k])})' for k in NUMBERS if near[k]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
