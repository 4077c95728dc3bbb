#!/usr/bin/env python3
"""fidelity.py DIR [--weights FILE] [--tsv FILE] [--without TEXT] [--jobs N]: what the codec makes of the captures below DIR.

Each capture goes through the codec four ways: as it is by default, with latents alone (--no-patch), with latents as
the encoder gives them (--no-patch --no-refine), and with latents drawn from the posterior. Prints the shares of
exact packets, pooled and of the worst capture of a hundred packets or more, and tc-diff's distances between each
capture and its decoded image, beside the paper's (arXiv 2605.29941, table of CICIDS2017 Monday). --tsv: one line a
capture besides.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bin')
WAYS = {
    'default': [],
    'f32': ['--latent-type', 'f32'],
    'no-patch': ['--no-patch'],
    'bare': ['--no-patch', '--no-refine'],
    'drawn': ['--no-patch', '--no-refine', '--sample'],
}
METRICS = {  # tc-diff's name: ours, the paper's figure
    'tcp.event': ('TCP event, pp', '14.51'),
    'volume.packets': ('packet count, %', '0.00'),
    'mix.protocol': ('protocol, TV', '0.00'),
    'time.iat': ('IAT, %', '0.84'),
    'volume.flows': ('flow count, %', '0.03'),
    'time.duration': ('flow duration, %', '9.23'),
    'transition.tv': ('TCP transition, row TV', '2.76e-5'),
    'conn.state': ('conn_state, TV', ''),
    'interleave.switch': ('flow switch rate', ''),
}


def run(args, **more):
    return subprocess.run(args, capture_output=True, **more)


def tool(name):
    return os.path.join(BIN, name)


def measure(path, weights):
    """One capture: {way: stats and distances}, or None where it can't be lifted."""
    with tempfile.TemporaryDirectory() as tmp:
        a = tmp + '/a'
        if run([tool('tc-lift'), '-q', '-o', a, path]).returncode:
            return None
        out = {}
        for way, options in WAYS.items():
            z, b = tmp + '/z', tmp + '/b'
            enc = run([tool('tc-enc'), '-q', '--stats', '-o', z, *weights, *options, a])
            if enc.returncode:
                return {'error': enc.stderr.decode()}
            stats = json.loads(enc.stderr)
            dec = run([tool('tc-dec'), *weights, '-o', b, z])
            if dec.returncode:
                return {'error': dec.stderr.decode()}
            stats['distance'] = {}
            if way in ('default', 'no-patch', 'bare') and stats['packets']:
                diff = run([tool('tc-diff'), '--tsv', a, b])
                for line in diff.stdout.decode().splitlines()[1:]:
                    name, value = line.split('\t')[:2]
                    if name in METRICS and value not in ('n/a', 'inf', 'nan'):
                        stats['distance'][name] = float(value)
            out[way] = stats
        return out


def share(stats, key):
    return stats[key] / stats['packets'] if stats['packets'] else 1


def exact(way):
    """The statistic that says how many packets a way decodes exactly."""
    return 'whole' if way in ('bare', 'drawn') else 'whole_refined'


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('dir')
    ap.add_argument('--weights')
    ap.add_argument('--tsv')
    ap.add_argument('--without', help='leave out captures whose path has this in it')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    o = ap.parse_args()
    weights = ['--weights', o.weights] if o.weights else []
    paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(o.dir) for f in fs
                   if not (o.without and o.without in os.path.join(d, f)))
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        found = list(zip(paths, pool.map(lambda p: measure(p, weights), paths)))
    broken = [(p, r['error']) for p, r in found if r and 'error' in r]
    for p, why in broken:
        print(f'{p}: {why}', file=sys.stderr)
    done = [(p, r) for p, r in found if r and 'error' not in r]
    if not done:
        sys.exit('no capture could be measured')
    packets = sum(r['default']['packets'] for _, r in done)
    print(f'{len(done)} captures, {packets} packets; {len(found) - len(done)} captures left out\n')

    def pooled(way, key):
        return sum(r[way][key] for _, r in done) / packets

    print(f'{"":10s} {"whole %":>10s} {"core %":>10s} {"worst %":>9s} {"patched %":>10s} {"KL nats":>8s}  worst capture')
    for way in WAYS:
        whole = exact(way)
        large = [x for x in done if x[1][way]['packets'] >= 100] or done
        path, worst = min(large, key=lambda x: share(x[1][way], whole))
        kl = sum(r[way]['kl'] * r[way]['packets'] for _, r in done) / packets
        print(f'{way:10s} {100 * pooled(way, whole):10.4f} {100 * pooled(way, whole.replace("whole", "core")):10.4f}'
              f' {100 * share(worst[way], whole):9.3f} {100 * pooled(way, "patched"):10.4f} {kl:8.1f}'
              f'  {os.path.basename(path)}')
    print('(default, f32: before patches, which make all packets exact)\n')
    print(f'{"mean over captures (worst)":28s} {"default":>22s} {"no-patch":>22s} {"bare":>22s} {"paper":>8s}')
    for name, (ours, paper) in METRICS.items():
        row = f'{ours:28s}'
        for way in ('default', 'no-patch', 'bare'):
            v = [r[way]['distance'][name] for _, r in done if name in r[way]['distance']]
            row += f' {sum(v) / len(v):11.3g} ({max(v):8.3g})' if v else f' {"n/a":>22s}'
        print(row + f' {paper:>8s}')
    if o.tsv:
        with open(o.tsv, 'w') as f:
            print('capture', 'packets', *(f'{w}_{exact(w)}' for w in WAYS), 'patched', 'kl', *METRICS, sep='\t', file=f)
            for p, r in done:
                d = r['default']
                print(p, d['packets'], *(r[w][exact(w)] for w in WAYS), d['patched'], d['kl'],
                      *(d['distance'].get(m, 'n/a') for m in METRICS), sep='\t', file=f)
    sys.exit(1 if broken else 0)


if __name__ == '__main__':
    main()
