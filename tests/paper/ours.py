"""This project's codec and compiler, taken apart: ways to decode, trainings without some part, actions without cues."""
import json
import os
import subprocess

import msgpack

import latents
import usable
from continuation import compiled, distances
from latents import BIN, tool

WAYS = {'oracle': None, 'default': [], 'no-patch': ['--no-patch'], 'bare': ['--no-patch', '--no-refine']}
METRICS = ('tcp.event', 'volume.packets', 'mix.protocol', 'time.iat', 'volume.flows', 'time.duration', 'transition.tv',
           'interleave.switch', 'interleave.run_mean', 'interleave.active', 'conn.state', 'conn.history')
CUES = 'flags', 'seq', 'ack', 'ack_same'
ABLATIONS = {
    'as it is': [],
    'assignment alone': ['--rate', '0'],
    'without KL': ['--beta', '0'],
    'half the coordinates': ['--latent', '48'],
    'a quarter of the coordinates': ['--latent', '24'],
    'no random fields': ['--augment', '0'],
}


def encoded(actions, latents_, options, weights=()):
    """Latents of a file as a file; what tc-enc counted."""
    p = subprocess.run([os.path.join(BIN, 'tc-enc'), '-q', '--stats', *weights, *options, '-o', latents_, actions],
                       stderr=subprocess.PIPE, check=True)
    return json.loads(p.stderr)


def decoded(actions, out, way, weights=()):
    """The actions that come out, as a file; shares of packets: whole, which is all but the time step, and patched; nats."""
    s = encoded(actions, out + '.z', WAYS[way], weights)
    tool('tc-dec', *weights, '-o', out, out + '.z')
    os.remove(out + '.z')
    n = max(1, s['packets'])
    return {'whole': same(actions, out) / n, 'patched': s['patched'] / n, 'kl': s['kl'], 'packets': s['packets']}


def timeless(path):
    """The packets' fields, but for their time steps."""
    with open(path, 'rb') as f:
        stream = msgpack.Unpacker(f)
        header = next(stream)
        for record in stream:
            if isinstance(record, list):
                yield {k: v for k, v in latents.fields(header, record).items() if k != 'dt'}


def same(a, b):
    return sum(x == y for x, y in zip(timeless(a), timeless(b)))


def image(path, way, out, weights=()):
    """The capture that comes out, as a file; what was counted."""
    actions, counts = out + '.act', {}
    tool('tc-lift', '-o', actions, path)
    if WAYS[way] is not None:
        counts = decoded(actions, out + '.back', way, weights)
        os.replace(out + '.back', actions)
    return {**counts, 'changed': sum(compiled(actions, out).values())}


def measured(path, folder):
    """Of one capture each way: distances, and what was counted; None where it can't be lifted or has no packets."""
    p = subprocess.run([os.path.join(BIN, 'tc-lift'), '-q', '-o', os.path.join(folder, 'act'), path], capture_output=True)
    if p.returncode:
        return None
    out = {}
    for way in WAYS:
        made = os.path.join(folder, 'image')
        counts = image(path, way, made)
        if counts.get('packets', 1) == 0:
            return None
        out[way] = {**counts, 'distance': some(distances(path, made))}
    return out


def some(values):
    return {m: values[m] for m in METRICS}


def without(stream, *names):
    """The stream with these fields left out, so that the state says what they would."""
    header, actions = latents.actions(stream)
    return latents.stream(header, [{k: v for k, v in a.items() if k not in names} for a in actions])


# What remains of actions where part of them is the compiler's to say; None: nothing of the packet's fields is left out.
SHARES = {'compiled legal': ('as_is',), 'TCP numbers the state\'s': ('as_is', 'seq', 'ack', 'ack_same'),
          'all TCP cues the state\'s': ('as_is', *CUES)}


def shares(path, real, out):
    """Of a capture, however it was made: what the compiler makes of it, with less and less of it said. Distances to the
    real one, how many times something was changed, and what conntrack calls INVALID."""
    lifted = tool('tc-lift', path)
    found = {}
    for name, left_out in SHARES.items():
        with open(out + '.act', 'wb') as f:
            f.write(without(lifted, *left_out))
        changed = compiled(out + '.act', out, '--full')
        seen = usable.invalid(out, False)
        found[name] = {'changed': sum(changed.values()), 'distance': some(distances(real, out)),
                       'invalid': seen and seen['invalid'] / max(1, seen['seen'])}
    return found


def trained(stream, options, steps, seed, out):
    """Weights from a short training."""
    tool('tc-train', '--threads', '1', '--held', '0', '--steps', str(steps), '--seed', str(seed), *options, '-o', out,
         data=stream)
    return ['--weights', out]
