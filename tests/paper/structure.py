"""The structure of a trace as figures show it, and tests of whether two traces could be of the same traffic.

Flows and events are those of tests/distort.py, which has the rules of tc-diff once more.
"""
import itertools
import statistics

import numpy as np

import columns  # noqa: F401, which finds the folder above
from raw_fields import distort

EVENTS = tuple(d + ' ' + e for d in '><' for e in distort.EVENTS)
SHOWN = 240  # packets of a raster
BLOCK = 50  # packets that stay together where packets are exchanged
DRAWS = 499


class Trace:
    """Flow by flow how often which event came after which; and packet by packet whether the flow is another one."""

    def __init__(self, path):
        _, packets = distort.read(path)
        flows = distort.follow(packets)
        number = {id(f): i for i, f in enumerate(flows)}
        order = [number[id(p.flow)] for p in packets]
        self.pairs = np.zeros((len(flows), len(EVENTS), len(EVENTS)), 'f4')
        index, last = {e: i for i, e in enumerate(EVENTS)}, {}
        for p, flow in zip(packets, order):
            if not p.tcp:
                continue
            event = index['><'[p.dir] + ' ' + p.event]
            if flow in last:
                self.pairs[flow, last[flow], event] += 1
            last[flow] = event
        self.changes = np.array([a != b for a, b in zip(order, order[1:])], 'f4')
        self.order = order

    def shown(self):
        """What figures need."""
        runs = [len(list(g)) for _, g in itertools.groupby(self.order)]
        seen = {}
        raster = [seen.setdefault(f, len(seen)) for f in self.order[:SHOWN]]
        lengths = [sum(lo <= r < hi for r in runs) / len(runs) for lo, hi in ((1, 2), (2, 3), (3, 5), (5, 9), (9, 17), (17, 1e9))]
        return {'matrix': self.pairs.sum(0).astype(int).tolist(), 'switch': float(self.changes.mean()) if len(self.changes) else 0,
                'run_mean': len(self.order) / len(runs), 'runs': lengths, 'raster': raster}


def row_distance(a, b, weights):
    """Row TV of matrices of counts (…, 14, 14), rows weighed."""
    rows_a, rows_b = a.sum(-1, keepdims=True), b.sum(-1, keepdims=True)
    tv = np.abs(a / np.maximum(rows_a, 1) - b / np.maximum(rows_b, 1)).sum(-1) / 2
    tv = np.where((rows_a[..., 0] > 0) != (rows_b[..., 0] > 0), 1, tv)
    return (tv * weights).sum(-1)


def same_transitions(a, b, seed):
    """p of what two traces differ by in their transitions, were their flows drawn from the same: flows are exchanged.
    None where one of them has no transition."""
    pairs = np.concatenate([t.pairs[t.pairs.sum((1, 2)) > 0] for t in (a, b)])
    n = int((a.pairs.sum((1, 2)) > 0).sum())
    if n == 0 or n == len(pairs):
        return None
    flat, total = pairs.reshape(len(pairs), -1), pairs.sum(0)
    weights = total.sum(-1) / total.sum()
    rng = np.random.default_rng(seed)
    mine = np.zeros((DRAWS + 1, len(pairs)), 'f4')
    mine[0, :n] = 1
    for row in mine[1:]:
        row[rng.permutation(len(pairs))[:n]] = 1
    of_a = (mine @ flat).reshape(-1, len(EVENTS), len(EVENTS))
    found = row_distance(of_a, total - of_a, weights)
    return share_as_far(found)


def same_interleaving(a, b, seed):
    """The same of the switch rate; blocks of packets are exchanged."""
    blocks = [t.changes[:len(t.changes) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(1) for t in (a, b)]
    n, both = len(blocks[0]), np.concatenate(blocks)
    if n == 0 or n == len(both):
        return None
    rng = np.random.default_rng(seed)
    orders = [np.arange(len(both))] + [rng.permutation(len(both)) for _ in range(DRAWS)]
    found = np.array([abs(both[o[:n]].mean() - both[o[n:]].mean()) for o in orders])
    return share_as_far(found)


def share_as_far(found):
    """p: the share of the draws that are as far as the first one, itself among them."""
    return float((found >= found[0] - 1e-9).mean())


def interval(values, seed=1):
    """The mean over captures, and where 95 % of its bootstraps lie."""
    values = np.array(values, 'f8')
    means = np.random.default_rng(seed).choice(values, (2000, len(values))).mean(1)
    return {'mean': float(values.mean()), 'low': float(np.quantile(means, .025)), 'high': float(np.quantile(means, .975)),
            'worst': float(values.max()), 'n': len(values)}


def signs(differences, seed=1):
    """p of paired differences' mean, were each as likely to be the other way: exact up to 12 of them, else by draws."""
    d = np.array(differences, 'f8')
    if not len(d):
        return None
    if len(d) <= 12:
        turned = np.array(list(itertools.product((1, -1), repeat=len(d))))
    else:
        turned = np.random.default_rng(seed).choice((1, -1), (4096, len(d)))
        turned[0] = 1
    means = np.abs((turned * d).mean(1))
    return float((means >= means[0] - 1e-12).mean())


def spread(values):
    """Mean, standard deviation and number of those that there are."""
    values = [v for v in values if v is not None]
    if not values:
        return {'mean': None, 'sd': None, 'n': 0}
    return {'mean': statistics.fmean(values), 'sd': statistics.stdev(values) if len(values) > 1 else None, 'n': len(values)}
