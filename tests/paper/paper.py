#!/usr/bin/env python3
"""paper.py PATH... --out FOLDER [--quick] [OPTIONS]: the tables and figures of arXiv 2605.29941, measured on these captures.

Writes FOLDER/paper.json, which has every number, and FOLDER/paper.html, which is made of it alone. What is measured
piece by piece is kept in FOLDER/units; the same command goes on where it was broken off, and does again only what other
code or other options make another piece. --page makes the page of the pieces that there are.

Of a folder the longest captures of at least 5,000 packets and 100 flows are learned from and continued, cut to their
first --packets; the codec is measured on all captures. Budgets are steps, not seconds, so that the machine's load
changes nothing. --quick: one capture, cut short, and trainings that show that everything runs, no more.
"""
import os
import sys

sys.dont_write_bytecode = True
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # read where numpy is imported
os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import concurrent.futures
import functools
import hashlib
import json
import multiprocessing
import platform
import resource
import time

import page
import tables
from baselines import OPTIONS
from continuation import KINDS, captures_of
from ours import ABLATIONS

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, '../../bin')
SEEDS = 1, 2, 3
LEAST = 5000, 100  # packets, flows
ALONE = {'baselines.py': ('baseline',), 'columns.py': ('baseline', 'real'), 'sequence.py': ('generator',)}
TOGETHER = 20  # captures of a piece of the codec's
FULL = {'captures': 3, 'packets': 30000, 'codec': None, 'baseline': 1., 'generator': 500, 'ablation': 500,
        'ablation seeds': SEEDS}
QUICK = {'captures': 1, 'packets': 5000, 'codec': 20, 'baseline': .1, 'generator': 60, 'ablation': 300,
         'ablation seeds': (1,)}


def plan(captures, everything, s, train):
    """The pieces: (function of units.py, arguments); those that take long first."""
    n = s['packets']
    steps = {m: max(20, round(o['steps'] * s['baseline'])) for m, o in OPTIONS.items()}
    pieces = [('generator', (c, n, kind, s['generator'], seed)) for c in captures for kind in KINDS for seed in SEEDS]
    pieces += [('baseline', (c, n, m, {'steps': steps[m]}, seed)) for c in captures for m in OPTIONS for seed in SEEDS]
    pieces += [('gen', (c, n, seed)) for c in captures for seed in SEEDS]
    pieces += [('ablation', (captures, n, train, name, s['ablation'], seed)) for name in ABLATIONS
               for seed in s['ablation seeds']]
    pieces += [('bootstrap', (c, n, seed)) for c in captures for seed in SEEDS]
    pieces += [('codec', (everything[i:i + TOGETHER],)) for i in range(0, len(everything), TOGETHER)]
    # The first ones say soonest whether anything is wrong.
    return [('real', (c, n)) for c in captures] + pieces


@functools.cache
def digest(*files):
    """As the files are when they are first looked at."""
    h = hashlib.sha256()
    for path in files:
        with open(path, 'rb') as f:
            h.update(f.read())
    return h.hexdigest()


def code(name):
    """The code that a piece hangs on; not that which shows, nor what other pieces alone use."""
    others = {'paper.py', 'page.py', 'svg.py', 'tables.py', 'latent_generator.py', *(f for f, n in ALONE.items() if name not in n)}
    return digest(*(os.path.join(HERE, f) for f in sorted(os.listdir(HERE)) if f.endswith('.py') and f not in others))


def programs(name, arguments):
    """Those that a piece hangs on."""
    more = {'baseline': (), 'bootstrap': (), 'gen': ('gen',), 'ablation': ('enc', 'dec', 'train')}.get(name, ('enc', 'dec'))
    if name == 'generator' and 'raw' in arguments:
        more = ()
    return digest(*(os.path.join(BIN, f'tc-{t}') for t in ('lift', 'compile', 'diff', *more)))


def used():
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def measure(name, arguments):
    """A piece, in a process of its own, and what it took."""
    import torch

    import units
    torch.set_num_threads(1)
    wall, processor = time.monotonic(), used()
    try:
        result = getattr(units, name)(*arguments)
    except SystemExit as e:
        raise RuntimeError(str(e)) from None
    return {'unit': name, 'arguments': arguments, 'result': result, 'wall': time.monotonic() - wall,
            'processor': used() - processor, 'memory': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


class Pieces:
    """What was measured, as files."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def file(self, name, arguments):
        sizes = [os.path.getsize(a) for a in arguments if isinstance(a, str) and os.path.isfile(a)]
        key = json.dumps([code(name), programs(name, arguments), name, arguments, sizes])
        return os.path.join(self.folder, f'{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json')

    def known(self, piece):
        if not os.path.exists(self.file(*piece)):
            return None
        with open(self.file(*piece)) as f:
            return json.load(f)

    def keep(self, piece, result):
        with open(self.file(*piece) + '.new', 'w') as f:
            json.dump(result, f)
        os.rename(self.file(*piece) + '.new', self.file(*piece))


def run(pieces, store, jobs):
    """Measures what isn't known yet; how many failed."""
    due, failed, done = [p for p in pieces if not store.known(p)], 0, 0
    spawned = multiprocessing.get_context('spawn')
    with concurrent.futures.ProcessPoolExecutor(jobs, spawned) as pool:
        waiting = {pool.submit(measure, *p): p for p in due}
        for future in concurrent.futures.as_completed(waiting):
            done, (name, arguments) = done + 1, waiting[future]
            said = ' '.join(os.path.basename(str(a))[:40] for a in arguments if not isinstance(a, (list, dict, tuple)))
            try:
                result = future.result()
                store.keep((name, arguments), result)
                print(f'{done} of {len(due)}: {name} {said}: {result["wall"]:.0f} s', file=sys.stderr, flush=True)
            except Exception as e:  # the others go on
                failed += 1
                print(f'{done} of {len(due)}: {name} {said}: {e!r}', file=sys.stderr, flush=True)
    return failed


def selected(paths, s):
    """The captures that are learned from, and all of them."""
    folders = [p for p in paths if os.path.isdir(p)]
    files = [p for p in paths if not os.path.isdir(p)]
    everything = files + [os.path.join(d, f) for folder in folders for d, _, names in os.walk(folder) for f in names]
    long = files + [c for folder in folders for c in captures_of(folder, *LEAST)]
    if not long:
        sys.exit(f'no capture of {LEAST[0]} packets and {LEAST[1]} flows, in pcap and of Ethernet')
    everything.sort(key=lambda p: (-os.path.getsize(p), p))
    return long[:s['captures']], everything[:s['codec']]


def machine():
    with open('/proc/cpuinfo') as f:
        names = [line.split(':')[1].strip() for line in f if line.startswith('model name')]
    return {'processor': names[0] if names else platform.machine(), 'cores': os.cpu_count(), 'python': platform.python_version()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('paths', nargs='+', metavar='PATH')
    parser.add_argument('--out', required=True, metavar='FOLDER')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--page', action='store_true', help='measure nothing')
    parser.add_argument('--train', metavar='DIR', help='captures that ablations are trained on, in place of what others learn')
    parser.add_argument('--captures', type=int)
    parser.add_argument('--packets', type=int)
    parser.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)))
    o = parser.parse_args()
    s = dict(QUICK if o.quick else FULL)
    s.update({k: v for k in ('captures', 'packets') if (v := getattr(o, k))})
    captures, everything = selected(o.paths, s)
    pieces = plan(captures, everything, s, o.train)
    store, start, before = Pieces(os.path.join(o.out, 'units')), time.monotonic(), used()
    failed = 0 if o.page else run(pieces, store, o.jobs)
    found = [r for r in map(store.known, pieces) if r]
    said = {'quick': o.quick, 'settings': s, 'machine': machine(), 'pieces': len(pieces), 'measured': len(found),
            'this run': {'wall': time.monotonic() - start, 'processor': used() - before}}
    result = tables.gathered(found, said)
    with open(os.path.join(o.out, 'paper.json'), 'w') as f:
        json.dump(result, f, indent=1)
    with open(os.path.join(o.out, 'paper.html'), 'w') as f:
        f.write(page.page(json.loads(json.dumps(result))))
    print(os.path.join(o.out, 'paper.html'))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
