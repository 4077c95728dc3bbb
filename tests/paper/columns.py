"""A capture's header fields as the columns of a table, which is what tabular autoencoders learn, and rows as packets again.

The fields are those of raw_fields.py. Kinds of packet, TCP flags, and numbers that take few values are choices. Addresses
and ports are said by rank, the most frequent one first, in digits that are choices: each that the capture has can be said
exactly, which is more than their numbers would allow. The other numbers stay numbers; the time step's is its logarithm.
The tables are made of the whole capture, of what is not learned too, so that no value is one that can't be said.

A row becomes the packet that it says, each number at the nearest value that its field can hold. Nothing is repaired. It
becomes none where a rank is that of no address or port, or an address isn't of the packet's kind.
"""
import collections
import math

import numpy as np

import raw_fields
from raw_fields import LATEST, TOP

FEW = 64  # values of a column of choices
NUMBERS = ('seq', 'ack', 'window', 'ttl', 'offset', 'payload', 'rest')
NAMES = ('source', 'target', 'source_port', 'target_port')


def fields(packets):
    """A row for each packet: kind, flags, ends, ports, numbers, and the time step in ns."""
    rows, before = [], packets[0].time
    for p in packets:
        flags = (p.short(p.at + 12) & 511) if p.tcp else 0
        ports, numbers = raw_fields.numbers(p)
        rows.append(((p.ethertype, p.proto), flags, p.ends, ports, numbers, p.time - before))
        before = p.time
    return rows


def by_frequency(values):
    return [v for v, _ in collections.Counter(values).most_common()]


class Choice:
    """A column of few values."""

    def __init__(self, values):
        self.values = by_frequency(values)
        self.index = {v: i for i, v in enumerate(self.values)}


class Ranks:
    """Names by rank, in digits."""

    def __init__(self, values):
        self.values = by_frequency(values)
        self.index = {v: i for i, v in enumerate(self.values)}
        self.digits = 1
        while FEW**self.digits < len(self.values):
            self.digits += 1
        self.sizes = [-(-len(self.values) // FEW**(self.digits - 1))] + [FEW] * (self.digits - 1)
        if self.digits == 1:
            self.sizes = [len(self.values)]

    def split(self, value):
        rank = self.index[value]
        return [rank // FEW**k % FEW for k in reversed(range(self.digits))]

    def value(self, digits):
        rank = 0
        for d in digits:
            rank = rank * FEW + int(d)
        return self.values[rank] if rank < len(self.values) else None


class Columns:
    """Of a capture: `choices`, whole numbers below `sizes`, and `numbers`."""

    def __init__(self, packets):
        rows = fields(packets)
        self.kind, self.flags = Choice(r[0] for r in rows), Choice(r[1] for r in rows)
        ends = Ranks([e for r in rows for e in r[2]])
        ports = Ranks([p for r in rows for p in r[3]])
        self.ranks = [ends, ends, ports, ports]
        columns = np.array([r[4] for r in rows], 'f8')
        few = [len(np.unique(c)) <= FEW for c in columns.T]
        self.few = {i: Choice(int(v) for v in columns[:, i]) for i in range(len(TOP)) if few[i]}
        self.many = [i for i in range(len(TOP)) if not few[i]]
        self.sizes = [len(self.kind.values), len(self.flags.values), *(s for r in self.ranks for s in r.sizes),
                      *(len(c.values) for c in self.few.values())]
        self.choices = np.array([self.chosen(r) for r in rows])
        step = np.array([r[5] for r in rows], 'f8')
        self.numbers = np.concatenate([columns[:, self.many], signed_log(step)[:, None]], 1)
        self.names = ['kind', 'flags', *(n for n, r in zip(NAMES, self.ranks) for _ in r.sizes),
                      *(NUMBERS[i] for i in self.few), *(NUMBERS[i] for i in self.many), 'step']

    def chosen(self, row):
        kind, flags, ends, ports, numbers, _ = row
        digits = [d for r, v in zip(self.ranks, (*ends, *ports)) for d in r.split(v)]
        return [self.kind.index[kind], self.flags.index[flags], *digits,
                *(c.index[int(numbers[i])] for i, c in self.few.items())]

    def packets(self, choices, numbers, start):
        """What the rows say, from a time on; None for a row that is no packet, whose time passes."""
        now, out = start, []
        for chosen, values in zip(np.asarray(choices).tolist(), np.asarray(numbers, 'f8').tolist()):
            now = min(max(0, now + signed_exp(values[-1])), LATEST)
            out.append(self.packet(chosen, values[:-1], now))
        return out

    def packet(self, chosen, values, now):
        chosen = chosen[::-1]
        kind, flags = self.kind.values[chosen.pop()], self.flags.values[chosen.pop()]
        names, ranks = [], []
        for r in self.ranks:
            digits = [chosen.pop() for _ in range(r.digits)]
            names.append(r.value(digits))
            if names[-1] is None:
                return None
            ranks.append(r.index[names[-1]])
        numbers = [0] * len(TOP)
        for i, c in self.few.items():
            numbers[i] = c.values[chosen.pop()]
        for i, v in zip(self.many, values):
            numbers[i] = round(min(max(0, v), TOP[i]))
        return raw_fields.packet_of(kind, flags, ranks[:2], names[:2], names[2:] + numbers, now)


def signed_log(ns):
    return np.sign(ns) * np.log1p(np.abs(ns) / 1e3)


def signed_exp(value):
    return round(math.copysign(math.expm1(min(abs(value), 40)) * 1e3, value))
