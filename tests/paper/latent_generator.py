#!/usr/bin/env python3
"""latent_generator.py DIR | CAPTURE ... [OPTIONS]: are latents good to generate in?

A generator that isn't the project's (sequence.py) learns the first four fifths of a capture, goes on with as many packets
as the last fifth has, and tc-diff says how far they are from it. It is the same one, with the same seconds of training
and the same seeds, on latents, on raw header fields, and on shuffled latents, as continuation.py says; "usable" is the share
of the draws that could be packets.
Beside them: "natural", the block before the last fifth, as long as it, against it; "bootstrap", packets of the learned
part drawn independently. Medians of the seeds.

With a DIR, the three largest captures below it of at least 5,000 packets and 100 flows, classic pcap of Ethernet.
One thread, or OPENBLAS_NUM_THREADS. Needs python3-torch, python3-numpy and python3-msgpack.
"""
import os
import sys

sys.dont_write_bytecode = True
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # read where numpy is imported

import argparse
import itertools
import json
import statistics
import tempfile

import torch

from continuation import KINDS, Capture, captures_of, distances

METRICS = ('transition.tv', 'tcp.event', 'conn.state', 'conn.history', 'interleave.switch', 'time.iat', 'time.duration',
           'mix.size')
PACKETS, FLOWS, CAPTURES = 5000, 100, 3


def median(runs):
    def of(name):
        values = [r[name] for r in runs if r.get(name) is not None]
        return statistics.median(values) if values else None
    return {name: of(name) for name in dict.fromkeys(itertools.chain(*runs))}


def show(name, row):
    print('%-10s' % name, *('%10s' % ('-' if row.get(m) is None else '%.3g' % row[m]) for m in (*METRICS, 'usable')),
          flush=True)


def aim(medians):
    """How often the natural distance, and which part of raw fields', latents are from the last fifth; whether that is
    at most 3 times and half, or at most 1.5 times."""
    natural, latents, raw = (medians[k]['transition.tv'] for k in ('natural', 'latents', 'raw'))
    if None in (natural, latents, raw):
        return {}
    return {'natural': latents / natural if natural else None, 'raw': latents / raw if raw else None,
            'reached': latents <= 1.5 * natural or latents <= min(3 * natural, raw / 2)}


def study(path, seconds, seeds, weights):
    with tempfile.TemporaryDirectory() as folder:
        capture = Capture(path, folder)
        print(f'{os.path.basename(path)}: {capture.cut} packets learned, {capture.count} generated')
        print(' ' * 10, *('%10s' % m.split('.')[-1] for m in (*METRICS, 'usable')), flush=True)

        def judge(path):
            values = distances(capture.last, path)
            return {m: values[m] for m in METRICS}

        def generated(kind, seed):
            made = capture.generated(kind, {'seconds': seconds}, seed, weights)
            return {**judge(made.path), 'usable': made.usable, **made.training}

        rows = {'natural': [judge(capture.block_before)], 'bootstrap': [judge(capture.bootstrap(s)[0]) for s in seeds]}
        for name in rows:
            show(name, median(rows[name]))
        for kind in KINDS:
            rows[kind] = [generated(kind, s) for s in seeds]
            show(kind, median(rows[kind]))
    medians = {k: median(v) for k, v in rows.items()}
    reached = aim(medians)
    print('transition.tv of latents:', *('%s times %s' % ('-' if reached.get(k) is None else '%.2g' % reached[k], k)
                                         for k in ('natural', 'raw')), '' if reached.get('reached') else '(too far)')
    return {'capture': os.path.basename(path), 'learned': capture.cut, 'generated': capture.count, 'runs': rows,
            'medians': medians, 'transition': reached}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('paths', nargs='+', metavar='DIR or CAPTURE')
    parser.add_argument('--seconds', type=float, default=60, help='of processor time, for each training (60)')
    parser.add_argument('--seeds', type=lambda s: [int(n) for n in s.split(',')], default=[1, 2, 3])
    parser.add_argument('--weights', metavar='FILE', help='of the codec, other than those built in')
    parser.add_argument('--json', metavar='FILE')
    o = parser.parse_args()
    torch.set_num_threads(int(os.environ['OPENBLAS_NUM_THREADS']))
    paths = [c for p in o.paths for c in (captures_of(p, PACKETS, FLOWS)[:CAPTURES] if os.path.isdir(p) else [p])]
    if not paths:
        sys.exit(f'no capture of {PACKETS} packets and {FLOWS} flows')
    results = [study(p, o.seconds, o.seeds, ['--weights', o.weights] if o.weights else []) for p in paths]
    if o.json:
        with open(o.json, 'w') as f:
            json.dump({'seconds': o.seconds, 'seeds': o.seeds, 'captures': results}, f, indent=1)


if __name__ == '__main__':
    main()
