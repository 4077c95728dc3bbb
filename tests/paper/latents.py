"""Latents as what a generator works on: blocks *what* and *when*, decoded and encoded again packet by packet; *who* is
written into the decoded actions."""
import collections
import io
import os
import subprocess
import zlib

import msgpack
import numpy as np

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../bin')
# Fields that name someone: hosts, link addresses.
NAMES = {'orig_h': 'host', 'resp_h': 'host', 'src_mac': 'link', 'dst_mac': 'link', 'target': 'host', 'sha': 'link',
         'tha': 'link', 'quote_src': 'host', 'quote_dst': 'host'}
PEER = {'resp_h': 'orig_h', 'quote_dst': 'quote_src', 'target': 'orig_h'}
V6, SCOPED = 8, 12
LARGEST = 65504  # of f16


# Streams


def tool(name, *args, data=None):
    return subprocess.run([os.path.join(BIN, name), '-q', *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def read(stream):
    """The header and the packets' records."""
    header, *records = msgpack.Unpacker(io.BytesIO(stream))
    return header, records[:-1]


def fields(header, record):
    return dict(zip((f for i, f in enumerate(header['fields']) if record[0] >> i & 1), record[1:]))


def actions(stream):
    header, records = read(stream)
    return header, [fields(header, r) for r in records]


def record(header, action):
    items = sorted((header['fields'].index(f), v) for f, v in action.items())
    return [sum(1 << i for i, _ in items)] + [v for _, v in items]


def stream(header, actions):
    octets = b''.join(map(msgpack.packb, [header] + [record(header, a) for a in actions]))
    flows = sum(1 for a in actions if a.get('open'))
    end = {'end': 'whole', 'packets': len(actions), 'flows': flows, 'crc32': 0}
    end['crc32'] = zlib.crc32(msgpack.packb(end)[:-1], zlib.crc32(octets))
    return octets + msgpack.packb(end)


class Filter:
    """One of the programs, asked record by record."""

    def __init__(self, name, weights, header):
        self.process = subprocess.Popen([os.path.join(BIN, name), '-q', *weights], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.answers = msgpack.Unpacker()
        self.header = self.ask(header)

    def ask(self, question):
        os.write(self.process.stdin.fileno(), msgpack.packb(question))
        while True:
            for answer in self.answers:
                return answer
            octets = os.read(self.process.stdout.fileno(), 1 << 16)
            if not octets:
                raise SystemExit(f'{self.process.args[0]} ended')
            self.answers.feed(octets)

    def close(self):
        self.process.kill()
        self.process.communicate()


# Latents


def flow_of(action):
    """The flow, and whether it is a new one."""
    return action.get('flow', 0), action.get('open') == 1


def blocks(header):
    """How long a latent is, and where *what* and *when* stand in it."""
    n = header['blocks']
    size = sum(n.values())
    return size, slice(0, n['what']), slice(size - n['when'], size)


class Names:
    """Who has been named, the last one first, and how far back the names of a field reach."""

    def __init__(self, cap):
        self.cap, self.recent, self.family = cap, collections.defaultdict(list), {}
        self.next, self.ranks = collections.Counter(), collections.defaultdict(list)

    def use(self, kind, slot):
        if slot in self.recent[kind]:
            self.recent[kind].remove(slot)
        self.recent[kind].insert(0, slot)
        self.next[kind] = max(self.next[kind], slot + 1)

    def take(self, action):
        for field, kind in NAMES.items():
            name = action.get(field)
            if isinstance(name, int):
                if name in self.recent[kind]:
                    self.ranks[field].append(self.recent[kind].index(name))
                self.use(kind, name)
            elif isinstance(name, list):
                self.use(kind, name[0])
                if kind == 'host':
                    self.family[name[0]] = name[1] & V6
                if len(name) > 2 and name[1] != SCOPED:
                    self.use('suffix', name[2])

    def fresh(self, kind):
        return self.next[kind] if self.next[kind] < self.cap else self.recent[kind][-1]

    def draw(self, action, rng):
        """Gives the names in an action slots of this trace: who is new is, who is known is drawn."""
        families = {}
        for field, kind in NAMES.items():
            name = action.get(field)
            if isinstance(name, int):
                known = self.recent[kind]
                if PEER.get(field) in families:
                    known = [s for s in known if self.family.get(s) == families[PEER[field]]] or known
                rank = rng.choice(self.ranks[field]) if self.ranks[field] else 0
                name = known[min(rank, len(known) - 1)] if known else [0, 0]
            elif isinstance(name, list):
                name = [self.fresh(kind), *name[1:]]
                if len(name) > 3:
                    name[2] = self.fresh('suffix')
                elif len(name) > 2 and name[1] != SCOPED:
                    name = name[:2] + ([self.recent['suffix'][0]] if self.recent['suffix'] else [0, 1])
            if name is None or isinstance(name, str):
                continue
            if kind == 'host':
                families[field] = name[1] & V6 if isinstance(name, list) else self.family.get(name)
            action[field] = name
            self.take({field: name})


class Latents:
    """Of a stream of actions, in its order or in none."""

    def __init__(self, lifted, seed, weights, shuffled):
        self.rng, self.made = np.random.default_rng(seed), []
        self.header, learned = actions(lifted)
        header, records = read(tool('tc-enc', *weights, data=lifted))
        self.layout = {'f32': '<f4', 'f16': '<f2'}[header['type']]
        self.size, self.of_what, self.of_when = blocks(header)
        z = np.array([np.frombuffer(r[0], self.layout) for r in records]).astype('f4')
        self.slots = 0
        self.names = Names(self.header['cap'])
        for a in learned:
            self.slots = max(self.slots, a.get('flow', 0) + 1)
            self.names.take(a)
        order = self.rng.permutation(len(z)) if shuffled else np.arange(len(z))
        self.what, self.when = z[order][:, self.of_what], z[order][:, self.of_when]
        self.steps = np.array([a.get('dt', 0) for a in learned])[order] / 1e9
        self.flows = [flow_of(learned[i]) for i in order]
        self.decoder, self.encoder = Filter('tc-dec', weights, header), Filter('tc-enc', weights, self.header)

    def place(self, what, when, flow, last_try, history):
        z = np.zeros(self.size, self.layout)
        z[self.of_what], z[self.of_when] = np.clip(what, -LARGEST, LARGEST), np.clip(when, -LARGEST, LARGEST)
        action = fields(self.header, self.decoder.ask([z.tobytes()]))
        new = action.get('open') == 1
        if new != (flow is None) and not last_try:
            return None
        if new:
            flow = self.slots if self.slots < self.header['cap'] else history.order[-1]
            self.slots = max(self.slots, flow + 1)
        elif flow is None:
            flow = history.order[0]
        action['flow'] = flow
        if action.get('quote', [-1])[0] >= 0:
            action['quote'][0] = history.order[0]
        self.names.draw(action, self.rng)
        self.made.append(action)
        z = np.frombuffer(self.encoder.ask(record(self.header, action))[0], self.layout).astype('f4')
        return z[self.of_what], z[self.of_when], action.get('dt', 0) / 1e9, flow, new

    def close(self):
        self.decoder.close()
        self.encoder.close()
