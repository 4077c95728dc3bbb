#!/usr/bin/env python3
"""origins.py MANIFEST TRAIN DEV [--steps N] [--origins A,B,...]: what the codec makes of captures of an origin that it never saw.

For each origin the network is trained on the captures below TRAIN but for those of that origin, as the default weights
are but in fewer steps, and measured on all captures of the origin, those below DEV too; beside it, in the
same number of steps, a network that was trained on TRAIN whole, measured on the origin's captures below DEV alone.
MANIFEST says in its columns `file` and `source` where a capture comes from. Without --origins the seven with the most
captures in DEV are taken.
"""
import argparse
import collections
import csv
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, '..', 'bin')


def tool(name, *args, **more):
    return subprocess.run([os.path.join(BIN, name), *args], capture_output=True, **more)


def lift(paths):
    """The action streams of those captures that can be lifted."""
    out = {}
    for p in paths:
        r = tool('tc-lift', '-q', p)
        if r.returncode == 0:
            out[p] = r.stdout
    return out


def train(streams, steps, tmp, name, *options):
    """Weights from {capture: its stream}."""
    path = os.path.join(tmp, name)
    with open(path + '.act', 'wb') as f:
        f.writelines(streams.values())
    r = tool('tc-train', '-o', path, '--steps', str(steps), '--report', str(steps), *options, path + '.act')
    if r.returncode:
        sys.exit(r.stderr.decode())
    os.unlink(path + '.act')
    return path


def measure(streams, weights):
    """[packets, whole by the network alone, patched, KL, whole of the worst capture of a hundred packets or more]"""
    whole = json.loads(tool('tc-enc', '-q', '--stats', '--weights', weights, input=b''.join(streams)).stderr)
    bare = ['-q', '--stats', '--no-patch', '--no-refine', '--weights', weights]
    each = [json.loads(tool('tc-enc', *bare, input=s).stderr) for s in streams]
    packets = sum(s['packets'] for s in each)
    worst = min((s['whole'] / s['packets'] for s in each if s['packets'] >= 100), default=1)
    return packets, sum(s['whole'] for s in each) / packets, whole['patched'], whole['kl'], worst


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('manifest')
    ap.add_argument('train')
    ap.add_argument('dev')
    ap.add_argument('--steps', type=int, default=5000)
    ap.add_argument('--origins')
    o = ap.parse_args()
    with open(o.manifest) as f:
        source = {r['file']: r['source'] for r in csv.DictReader(f, delimiter='\t')}
    files = {d: lift(sorted(os.path.join(at, f) for at, _, fs in os.walk(d) for f in fs)) for d in (o.train, o.dev)}

    def of(folder, origin, same):
        return {p: s for p, s in files[folder].items() if (source.get(os.path.basename(p)) == origin) == same}

    count = collections.Counter(source.get(os.path.basename(p)) for p in files[o.dev])
    origins = o.origins.split(',') if o.origins else [k for k, _ in count.most_common(7)]
    print(f'{"origin":30s} {"captures":>8s} {"packets":>8s} {"bare %":>8s} {"worst %":>8s} {"patches":>8s} {"KL":>6s}'
          f' {"dev, trained with: bare %":>26s} {"patches":>8s} {"KL":>6s}')
    with tempfile.TemporaryDirectory() as tmp:
        every = train(files[o.train], o.steps, tmp, 'all')
        for origin in origins:
            without = train(of(o.train, origin, False), o.steps, tmp, 'without')
            mine = [*of(o.train, origin, True).values(), *of(o.dev, origin, True).values()]
            packets, whole, patched, kl, worst = measure(mine, without)
            _, with_whole, with_patched, with_kl, _ = measure(of(o.dev, origin, True).values(), every)
            print(f'{origin:30s} {len(mine):8d} {packets:8d} {100 * whole:8.3f} {100 * worst:8.2f} {patched:8d} {kl:6.1f}'
                  f' {100 * with_whole:26.3f} {with_patched:8d} {with_kl:6.1f}', flush=True)


if __name__ == '__main__':
    main()
