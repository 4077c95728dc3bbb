#!/usr/bin/env python3
"""ablation.py TRAIN DEV [--steps N] [--latent N] [--jobs N]: what the parts of the codec are for, after table 5 of arXiv 2605.29941.

Networks are trained on the captures below TRAIN as the default weights are, but in N steps: one as it is, one without
KL (--beta 0), one with as few coordinates for what an action does as --latent says, and one that learned nothing: the
assignment that a training begins with. The first serves again for latents whose time step lost its fine part (the last
coordinate of when is 0), and for streams that lost the TCP cues (flags, sequence and acknowledgement numbers) before they came
to it. Each is measured on the captures below DEV, by latents alone (--no-patch): packets that the network alone decodes
whole, those whole when latents are drawn from the posterior, the KL rate, the packets that stay whole under Gaussian noise
of 0.1 and 0.3 on each coordinate, and tc-diff's distances to the captures, mean over them.
"""
import argparse
import concurrent.futures
import json
import os
import tempfile

from noise import actions, header, noisy, rewritten
from origins import lift, tool, train

DISTANCES = {'tcp.event': 'TCP event pp', 'transition.tv': 'row TV', 'time.iat': 'IAT %', 'time.duration': 'duration %'}


def coarse_time(z):
    z[-1] = 0


def no_tcp_cues(action):
    for key in ('flags', 'seq', 'ack', 'ack_same'):
        action.pop(key, None)


def changed(stream, change):
    """The stream with each action changed, through tc-show's JSON."""
    lines = []
    for line in tool('tc-show', input=stream).stdout.splitlines():
        o = json.loads(line)
        if 'magic' not in o and 'end' not in o:
            o.pop('t', None)  # dt counts
            change(o)
        lines.append(json.dumps(o) + '\n')
    return tool('tc-show', '--reverse', input=''.join(lines).encode()).stdout


def stats(stream, weights, *options):
    r = tool('tc-enc', '-q', '--stats', '--weights', weights, '--no-patch', *options, input=stream)
    return r.stdout, json.loads(r.stderr)


def measure(true, change, moved, weights):
    """One capture, whose actions or whose latents are changed: {name: (sum, weight)}"""
    stream = changed(true, change) if change else true
    latents, refined = stats(stream, weights)
    latents = rewritten(latents, moved) if moved else latents
    n = refined['packets'] or 1
    out = {'bare': (refined['whole'], n), 'KL': (refined['kl'] * n, n)}
    out['drawn'] = (stats(stream, weights, '--no-refine', '--sample')[1]['whole'], n)

    def decoded(z):
        return tool('tc-dec', '--weights', weights, input=z).stdout

    coordinates = sum(header(latents)['blocks'].values())
    own = actions(decoded(latents))
    for spread in (0.1, 0.3):
        got = actions(decoded(noisy(latents, [spread] * coordinates)))
        strip = lambda a: {k: v for k, v in a.items() if k not in ('dt', 'flow')}
        out[f'noise {spread}'] = (sum(strip(a) == strip(b) for a, b in zip(own, got)), n)
    with tempfile.TemporaryDirectory() as tmp:
        for name, data in ('a', true), ('b', decoded(latents)):
            with open(os.path.join(tmp, name), 'wb') as f:
                f.write(data)
        for line in tool('tc-diff', '--tsv', tmp + '/a', tmp + '/b').stdout.decode().splitlines()[1:]:
            name, value = line.split('\t')[:2]
            if name in DISTANCES and value not in ('n/a', 'inf', 'nan'):
                out[DISTANCES[name]] = (float(value), 1)
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('train')
    ap.add_argument('dev')
    ap.add_argument('--steps', type=int, default=5000)
    ap.add_argument('--latent', type=int, default=48)
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    o = ap.parse_args()
    dev, of_train = (lift(sorted(os.path.join(at, f) for at, _, fs in os.walk(d) for f in fs)) for d in (o.dev, o.train))
    with tempfile.TemporaryDirectory() as tmp:
        base = train(of_train, o.steps, tmp, 'base')
        free = train(of_train, o.steps, tmp, 'free', '--beta', '0')
        less = train(of_train, o.steps, tmp, 'less', '--latent', str(o.latent))
        given = train(of_train, 1, tmp, 'given', '--rate', '0')
        ways = {'as it is': (None, None, base), 'the assignment alone': (None, None, given), 'without KL': (None, None, free),
                'without fine timing': (None, coarse_time, base), 'without TCP cues': (no_tcp_cues, None, base),
                f'{o.latent} coordinates': (None, None, less)}
        for i, (way, how) in enumerate(ways.items()):
            with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
                found = list(pool.map(lambda s: measure(s, *how), dev.values()))
            names = dict.fromkeys(k for r in found for k in r)
            row = {k: sum(r[k][0] for r in found if k in r) / sum(r[k][1] for r in found if k in r) for k in names}
            if i == 0:
                print(f'{"":20s}', *(f'{k + ("" if k in DISTANCES.values() or k == "KL" else " %"):>12s}' for k in names))
            print(f'{way:20s}', *(f'{v if k in DISTANCES.values() or k == "KL" else 100 * v:12.4g}' for k, v in row.items()),
                  flush=True)


if __name__ == '__main__':
    main()
