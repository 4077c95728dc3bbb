"""What is measured, piece by piece: each is a function of names and numbers alone, whose result JSON can hold."""
import os
import tempfile

import baselines
import columns
import ours
import structure
import usable
from continuation import Capture, captures_of, compiled, distances
from latents import tool

PARTS = 'learned', 'last'


class Bench:
    """A capture's parts in a folder, and what is asked of each trace that is to be like its last fifth."""

    def __init__(self, path, packets, folder):
        self.capture = Capture(path, folder, packets)
        self.folder, self.last = folder, structure.Trace(self.capture.last)

    def about(self, path, seed=1):
        trace = structure.Trace(path)
        return {'distance': ours.some(distances(self.capture.last, path)), 'figure': trace.shown(),
                'p': {'transition': structure.same_transitions(self.last, trace, seed),
                      'interleaving': structure.same_interleaving(self.last, trace, seed)}}


def real(path, packets):
    """The capture itself: the last fifth, the block before it, this project's ways, raw fields without a network."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, packets, folder)
        c = bench.capture
        out = {'packets': len(c.packets), 'count': c.count, 'flows': len(bench.last.pairs),
               'real': {**bench.about(c.last), 'complaints': usable.complaints(c.last, mend=True)},
               'natural': {**bench.about(c.block_before), 'complaints': usable.complaints(c.block_before, mend=True)},
               'ours': {}, 'shares': ours.shares(c.last, c.last, os.path.join(folder, 'x'))}
        for way in ours.WAYS:
            made = os.path.join(folder, way)
            rows = {part: {**ours.image(getattr(c, part), way, made), 'distance': ours.some(distances(getattr(c, part), made))}
                    for part in PARTS}
            rows['last'].update(bench.about(made))
            out['ours'][way] = rows
        out['fields'] = fields(bench)
        return out


def fields(bench):
    """Raw fields as they are: what the baselines' table and its rendering lose by themselves."""
    c = bench.capture
    table = columns.Columns(c.packets)
    made = table.packets(table.choices[c.cut:], table.numbers[c.cut:], c.packets[c.cut].time)
    return {'last': bench.about(c.write('fields', [p for p in made if p]))}


def baseline(path, packets, model, options, seed):
    """One of the autoencoders of tables: the part that it learned and the last fifth, reconstructed."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, packets, folder)
        c = bench.capture
        net = baselines.Baseline(model, columns.Columns(c.packets), c.cut, options, seed)
        out = {'parameters': net.parameters}
        for part, first, last in zip(PARTS, (0, c.cut), (c.cut, len(c.packets))):
            made, right, nats = net.packets(first, last, c.packets[first].time)
            kept = [p for p in made if p]
            file = c.write('made', kept)
            out[part] = {'right': right, 'kl': nats, 'lost': 1 - len(kept) / len(made)}
            if part == 'last' and kept:
                out[part].update(bench.about(file), complaints=usable.complaints(file, mend=True),
                                 shares=ours.shares(file, c.last, os.path.join(folder, 'x')))
            elif kept:
                out[part]['distance'] = ours.some(distances(c.learned, file))
        return out


def generator(path, packets, kind, steps, seed):
    """The foreign generator, going on with the learned part."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, packets, folder)
        c = bench.capture
        made = c.generated(kind, {'steps': steps}, seed)
        return {**bench.about(made.path), 'usable': made.usable, 'training': made.training,
                'changed': None if kind == 'raw' else sum(made.changed.values()) / c.count,
                'complaints': usable.complaints(made.path + '.whole', c.learned, mend=kind == 'raw')}


def bootstrap(path, packets, seed):
    """Packets drawn one by one."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, packets, folder)
        made, changed = bench.capture.bootstrap(seed)
        return {**bench.about(made), 'changed': sum(changed.values()) / bench.capture.count,
                'complaints': usable.complaints(made + '.whole', bench.capture.learned)}


def gen(path, packets, seed):
    """This project's generator, tc-gen."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, packets, folder)
        c = bench.capture
        actions, out, whole = (os.path.join(folder, n) for n in ('gen.act', 'gen', 'gen.whole'))
        with open(actions, 'wb') as f:
            f.write(tool('tc-gen', '-n', str(c.count), '--seed', str(seed), data=c.lifted))
        changed = compiled(actions, out)
        compiled(actions, whole, '--full')
        return {**bench.about(out), 'changed': sum(changed.values()) / c.count, 'complaints': usable.complaints(whole)}


def codec(paths):
    """All ways of the codec, capture by capture."""
    found = []
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            row = ours.measured(path, folder)
        if row:
            found.append({'capture': os.path.basename(path), **row})
    return {'captures': found, 'left out': len(paths) - len(found)}


def ablation(captures, packets, train, name, steps, seed):
    """A short training without some part, on the captures below `train`, or on what others learn; judged on last fifths."""
    with tempfile.TemporaryDirectory() as folder:
        parts, lifted = [], b''
        for i, path in enumerate(captures):
            os.mkdir(os.path.join(folder, str(i)))
            parts.append(Capture(path, os.path.join(folder, str(i)), packets))
            lifted += b'' if train else parts[-1].lifted
        for path in captures_of(train, 1, 1) if train else []:
            lifted += tool('tc-lift', path)
        options = ours.ABLATIONS[name]
        weights = ours.trained(lifted, options, 1 if name == 'assignment alone' else steps, seed, os.path.join(folder, 'w'))
        out = {}
        for way in ('default', 'bare'):
            rows = []
            for c in parts:
                made = os.path.join(folder, 'image')
                counts = ours.image(c.last, way, made, weights)
                rows.append({**counts, 'distance': ours.some(distances(c.last, made))})
            out[way] = rows
        return out
