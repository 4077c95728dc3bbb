"""A capture that a generator goes on with: the first four fifths are learned, the last fifth is the judge.

The generator isn't the project's (sequence.py). It is the same one on three descriptions of a packet:
- latents: blocks *what* and *when* of tc-enc's latents. A draw is decoded by tc-dec. The pointer says the flow; the hosts
  that a packet names are drawn by how recently they were named before;
- raw: header fields as they are (raw_fields.py), each by its range, written without repair; the 5-tuple that was drawn
  says the flow;
- shuffled: the latents of the learned part in random order, so that nothing but how often each occurs can be learned.
What is drawn is fed back as what it was decoded to. A draw that can't be a packet of the pointer's flow is drawn again.
"""
import collections
import io
import json
import os
import re
import struct
import subprocess

import msgpack
import numpy as np

import latents
import raw_fields
import sequence
from latents import BIN, tool
from raw_fields import distort  # of the folder above

KINDS = 'latents', 'raw', 'shuffled'
ETHERNET = b'\1\0\0\0'
PLAIN = b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'
LARGE = 1 << 28  # octets
Made = collections.namedtuple('Made', 'path usable changed training')


def plain(path):
    """Whether a file is a pcap file, of this machine's order, of Ethernet."""
    with open(path, 'rb') as f:
        head = f.read(24)
    return head[:4] in PLAIN and head[20:24] == ETHERNET


def captures_of(folder, packets, flows):
    """Those below a folder that are long enough, the longest first."""
    found = []
    for path in (os.path.join(d, f) for d, _, files in os.walk(folder) for f in files):
        if not plain(path):
            continue
        p = subprocess.run([os.path.join(BIN, 'tc-lift'), '-q', path], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        *_, end = msgpack.Unpacker(io.BytesIO(p.stdout))
        if p.returncode == 0 and end['packets'] >= packets and end['flows'] >= flows:
            found.append((-end['packets'], path))
    return [path for _, path in sorted(found)]


def distances(a, b):
    """tc-diff's values of its metrics; those that have none are None."""
    p = subprocess.run([os.path.join(BIN, 'tc-diff'), '-q', '--json', a, b], stdout=subprocess.PIPE)
    if p.returncode > 1:
        raise SystemExit(f'{b}: tc-diff has trouble')
    return {m: v['value'] for m, v in json.loads(p.stdout)['metrics'].items()}


def readable(path, folder, limit):
    """The same capture in the format that is read here; of a large one its first packets."""
    if plain(path) and os.path.getsize(path) < LARGE:
        return path
    out = os.path.join(folder, 'plain')
    subprocess.run(['editcap', '-F', 'nsecpcap', '-r', path, out, f'1-{limit or 10**9}'], check=True, capture_output=True)
    if not plain(out):
        raise SystemExit(f'{path}: not of Ethernet')
    return out


class Capture:
    """Its parts as files in a folder, of its first packets alone if a limit is given."""

    def __init__(self, path, folder, limit=None):
        self.path, self.folder = path, folder
        self.header, self.packets = distort.read(readable(path, folder, limit))
        self.packets = self.packets[:limit]
        self.count = len(self.packets) // 5
        self.cut = len(self.packets) - self.count
        self.learned = self.part('learned', 0, self.cut)
        self.last = self.part('last', self.cut, len(self.packets))
        self.block_before = self.part('before', self.cut - self.count, self.cut)
        self.lifted = tool('tc-lift', self.learned)
        self.header_lifted, self.actions = latents.actions(self.lifted)

    def file(self, name):
        return os.path.join(self.folder, name)

    def part(self, name, start, end):
        return self.write(name, self.packets[start:end])

    def write(self, name, packets):
        distort.write(self.file(name), self.header, packets)
        return self.file(name)

    def compile(self, actions, name):
        """What goes on behind the learned part, as long as the last fifth; beside it, as NAME.whole, both, packets whole.
        Returns its path, and what tc-compile changed, by its words."""
        whole, path = self.file(name + '.whole'), self.file(name)
        stream = latents.stream(self.header_lifted, self.actions + actions)
        with open(path + '.act', 'wb') as f:
            f.write(stream)
        changed = compiled(path + '.act', whole, '--full')
        tool('tc-compile', '-o', path, path + '.act')
        with open(path, 'rb') as f:
            octets = f.read()
        starts, at = [], 24
        while at < len(octets):
            starts.append(at)
            at += 16 + struct.unpack_from('<I', octets, at + 8)[0]
        with open(path, 'wb') as f:
            f.write(octets[:24] + octets[starts[-self.count]:])
        return path, changed

    def bootstrap(self, seed):
        """Packets of the learned part, each drawn by itself."""
        drawn = np.random.default_rng(seed).integers(len(self.actions), size=self.count)
        return self.compile([self.actions[i] for i in drawn], 'bootstrap')

    def generated(self, kind, budget, seed, weights=()):
        """budget: seconds or steps of training, by name."""
        if kind == 'raw':
            of = raw_fields.Raw(self.packets[:self.cut], [latents.flow_of(a) for a in self.actions])
        else:
            of = latents.Latents(self.lifted, seed, weights, kind == 'shuffled')
        usable, training = continued(of, self.cut, self.count, budget, seed)
        if kind == 'raw':
            self.write(kind + '.whole', self.packets[:self.cut] + of.made)
            return Made(self.write(kind, of.made), usable, {}, training)
        of.close()
        path, changed = self.compile(of.made, kind)
        return Made(path, usable, changed, training)


def compiled(actions, path, *options):
    """Compiles a file of actions; returns how often each thing was changed, by tc-compile's words."""
    p = subprocess.run([os.path.join(BIN, 'tc-compile'), '-o', path, *options, actions], stderr=subprocess.PIPE, check=True)
    return {name.strip(): int(n) for line in p.stderr.decode().splitlines() if 'changed: ' in line
            for n, name in re.findall(r'(\d+) ([^,]+)', line.split('changed: ')[1])}


def continued(of, cut, count, budget, seed):
    """Trains on what `of` describes and draws `count` packets; the share of the draws that could be used, and what the
    training was."""
    what, when = of.what.shape[1], of.when.shape[1]
    x = np.concatenate([of.what, of.when], 1).astype('f8')
    # What hardly varies stays small, so that what is rare in it isn't far off.
    mean = x.mean(0)
    spread = np.concatenate([np.maximum(b.std(0), b.std(0).max() / 10) for b in (of.what, of.when)]) + 1e-6
    history = sequence.History(cut + count, what, when)
    for row, now, (flow, new) in zip((x - mean) / spread, np.cumsum(of.steps), of.flows):
        history.look()
        history.take(row, now, flow, new)
    net, training = sequence.train(history, what, when, seed, **budget)

    def place(a, b, flow, last_try):
        row = np.concatenate([a, b]) * spread + mean
        placed = of.place(row[:what], row[what:], flow, last_try, history)
        if placed is None:
            return None
        a, b, step, flow, new = placed
        row = (np.concatenate([a, b]) - mean) / spread
        return row[:what], row[what:], history.time[history.n - 1] + step, flow, new

    return sequence.generate(net, history, count, place, seed), training
