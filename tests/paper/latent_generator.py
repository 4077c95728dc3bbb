#!/usr/bin/env python3
"""latent_generator.py DIR | CAPTURE ... [OPTIONS]: are latents good to generate in?

A generator that isn't the project's (sequence.py) learns the first four fifths of a capture, goes on with as many packets
as the last fifth has, and tc-diff says how far they are from it. It is the same one, with the same seconds of training
and the same seeds, on three descriptions of a packet:
- latents: blocks *what* and *when* of tc-enc's latents. A draw is decoded by tc-dec. The pointer says the flow; the hosts
  that a packet names are drawn by how recently they were named before;
- raw: header fields as they are (raw_fields.py), each by its range, written without repair; the 5-tuple that was drawn
  says the flow;
- shuffled: the latents of the learned part in random order, so that nothing but how often each occurs can be learned.
What is drawn is fed back as what it was decoded to. A draw that can't be a packet of the pointer's flow is drawn again;
"usable" is the share of the draws that could.
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
import io
import itertools
import json
import statistics
import struct
import subprocess
import tempfile

import msgpack
import numpy as np
import torch

import latents
import raw_fields
import sequence
from latents import BIN, tool
from raw_fields import distort  # of the folder above

METRICS = ('transition.tv', 'tcp.event', 'conn.state', 'conn.history', 'interleave.switch', 'time.iat', 'time.duration',
           'mix.size')
PACKETS, FLOWS, CAPTURES = 5000, 100, 3


class Capture:
    """Its parts, and tc-diff as the judge of what is to go on like it."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.header, self.packets = distort.read(path)
        self.count = len(self.packets) // 5
        self.cut = len(self.packets) - self.count
        self.learned = self.part('learned', 0, self.cut)
        self.last = self.part('last', self.cut, len(self.packets))
        self.block_before = self.part('before', self.cut - self.count, self.cut)
        self.lifted = tool('tc-lift', self.learned)
        self.header_lifted, self.actions = latents.actions(self.lifted)

    def part(self, name, start, end):
        path = os.path.join(self.folder, name)
        distort.write(path, self.header, self.packets[start:end])
        return path

    def compile(self, actions, path):
        """What goes on behind the learned part, as long as the last fifth."""
        tool('tc-compile', '-o', path, data=latents.stream(self.header_lifted, self.actions + actions))
        with open(path, 'rb') as f:
            octets = f.read()
        starts, at = [], 24
        while at < len(octets):
            starts.append(at)
            at += 16 + struct.unpack_from('<I', octets, at + 8)[0]
        with open(path, 'wb') as f:
            f.write(octets[:24] + octets[starts[-self.count]:])

    def judge(self, path):
        p = subprocess.run([os.path.join(BIN, 'tc-diff'), '-q', '--json', self.last, path], stdout=subprocess.PIPE)
        if p.returncode > 1:
            raise SystemExit(f'{self.path}: tc-diff has trouble')
        metrics = json.loads(p.stdout)['metrics']
        return {m: metrics[m]['value'] for m in METRICS}

    def bootstrap(self, seed):
        drawn = np.random.default_rng(seed).integers(len(self.actions), size=self.count)
        path = os.path.join(self.folder, 'bootstrap')
        self.compile([self.actions[i] for i in drawn], path)
        return self.judge(path)

    def generated(self, kind, seconds, seed, weights):
        if kind == 'raw':
            of = raw_fields.Raw(self.packets[:self.cut], [latents.flow_of(a) for a in self.actions])
        else:
            of = latents.Latents(self.lifted, seed, weights, kind == 'shuffled')
        what, when = of.what.shape[1], of.when.shape[1]
        x = np.concatenate([of.what, of.when], 1).astype('f8')
        # What hardly varies stays small, so that what is rare in it isn't far off.
        mean = x.mean(0)
        spread = np.concatenate([np.maximum(b.std(0), b.std(0).max() / 10) for b in (of.what, of.when)]) + 1e-6
        history = sequence.History(self.cut + self.count, what, when)
        for row, now, (flow, new) in zip((x - mean) / spread, np.cumsum(of.steps), of.flows):
            history.look()
            history.take(row, now, flow, new)
        net, result = sequence.train(history, what, when, seconds, seed)

        def place(a, b, flow, last_try):
            row = np.concatenate([a, b]) * spread + mean
            placed = of.place(row[:what], row[what:], flow, last_try, history)
            if placed is None:
                return None
            a, b, step, flow, new = placed
            row = (np.concatenate([a, b]) - mean) / spread
            return row[:what], row[what:], history.time[history.n - 1] + step, flow, new

        usable = sequence.generate(net, history, self.count, place, seed)
        path = os.path.join(self.folder, kind)
        if kind == 'raw':
            distort.write(path, self.header, of.made)
        else:
            of.close()
            self.compile(of.made, path)
        return {**self.judge(path), 'usable': usable, **result}


def captures_of(folder):
    """The largest ones that are long enough."""
    found = []
    for path in (os.path.join(d, f) for d, _, files in os.walk(folder) for f in files):
        with open(path, 'rb') as f:
            head = f.read(24)
        if head[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') or head[20:24] != b'\1\0\0\0':
            continue
        p = subprocess.run([os.path.join(BIN, 'tc-lift'), '-q', path], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        *_, end = msgpack.Unpacker(io.BytesIO(p.stdout))
        if p.returncode == 0 and end['packets'] >= PACKETS and end['flows'] >= FLOWS:
            found.append((-end['packets'], path))
    return [path for _, path in sorted(found)[:CAPTURES]]


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
        rows = {'natural': [capture.judge(capture.block_before)], 'bootstrap': [capture.bootstrap(s) for s in seeds]}
        for name in rows:
            show(name, median(rows[name]))
        for kind in ('latents', 'raw', 'shuffled'):
            rows[kind] = [capture.generated(kind, seconds, s, weights) for s in seeds]
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
    paths = [c for p in o.paths for c in (captures_of(p) if os.path.isdir(p) else [p])]
    if not paths:
        sys.exit(f'no capture of {PACKETS} packets and {FLOWS} flows')
    results = [study(p, o.seconds, o.seeds, ['--weights', o.weights] if o.weights else []) for p in paths]
    if o.json:
        with open(o.json, 'w') as f:
            json.dump({'seconds': o.seconds, 'seeds': o.seeds, 'captures': results}, f, indent=1)


if __name__ == '__main__':
    main()
