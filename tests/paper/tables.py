"""Tables and figures, as numbers, of what was measured piece by piece."""
import collections
import statistics

from baselines import OPTIONS
from ours import ABLATIONS, METRICS, SHARES, WAYS
from structure import interval, signs, spread

# CICIDS2017 Monday in arXiv 2605.29941. Counts of packets and flows, protocols, times: %.
PAPER = {
    'TVAE, raw fields': {'tcp.event': 72.73, 'volume.packets': 37.83, 'mix.protocol': 5.16, 'time.iat': 14.83,
                         'volume.flows': 25.19, 'time.duration': 45.36},
    'TabSyn-VAE, raw fields': {'tcp.event': 66.74, 'volume.packets': 2.97, 'mix.protocol': .62, 'time.iat': 1.08,
                               'volume.flows': 46.32, 'time.duration': 34.76},
    'TTVAE, raw fields': {'tcp.event': 53.19, 'volume.packets': 37.65, 'mix.protocol': 5.34, 'time.iat': 14.40,
                          'volume.flows': 104.98, 'time.duration': 51.03},
    'TraceCodec': {'tcp.event': 14.51, 'volume.packets': 0., 'mix.protocol': 0., 'time.iat': .84, 'volume.flows': .03,
                   'time.duration': 9.23, 'transition.tv': 2.76e-5},
    'its oracle': {'tcp.event': 2.85, 'volume.packets': 0., 'mix.protocol': 0., 'time.iat': .04, 'volume.flows': 0.,
                   'time.duration': .01, 'transition.tv': 3.66e-5},
    'TraceCodec on MAWI 202004071400': {'tcp.event': 2.54, 'volume.packets': 0., 'mix.protocol': 0., 'time.iat': 9.57,
                                        'volume.flows': .06, 'time.duration': 2.62},
}
PAPER_ELSE = {'switch': .396, 'run mean': 2.53, 'raw switch, least': .77, 'raw switch, most': .90,
              'raw row TV, least': .23, 'raw row TV, most': .35, 'without cues, TCP event': 138.85,
              'right actions': .9973, 'nats': 167.91}
MODELS = {'tvae': 'TVAE', 'tabsyn': 'TabSyn-VAE', 'ttvae': 'TTVAE', 'goggle': 'GOGGLE-like'}
MADE = {'latents': 'on latents', 'raw': 'on raw fields', 'shuffled': 'on shuffled latents'}
OURS = {'oracle': 'lift, compile', 'default': 'default', 'no-patch': '--no-patch', 'bare': 'bare network'}
NATURAL = 'the block before'
WITHIN = {'transition.tv': .01, 'interleave.active': 1.}  # of decoded traces
LEAST = {'transition.tv': .02, 'interleave.active': 2.}  # of natural distances: what is less nobody need tell apart
TIMES = 2
TESTED = 'transition.tv', 'tcp.event', 'volume.flows', 'time.iat', 'time.duration', 'interleave.switch', 'interleave.active'


class Runs:
    """Results by row, each with its capture and seed."""

    def __init__(self, found):
        self.rows = collections.defaultdict(list)
        for r in found:
            name, a, result = r['unit'], r['arguments'], r['result']
            if name == 'baseline':
                self.rows[MODELS[a[2]]].append((a[0], a[4], result))
            elif name == 'generator':
                self.rows[MADE[a[2]]].append((a[0], a[4], result))
            elif name == 'gen':
                self.rows['tc-gen'].append((a[0], a[2], result))
            elif name == 'bootstrap':
                self.rows['packets drawn singly'].append((a[0], a[2], result))
            elif name == 'real':
                self.real(a[0], result)

    def real(self, capture, result):
        self.rows['real'].append((capture, 1, result['real']))
        self.rows[NATURAL].append((capture, 1, result['natural']))
        self.rows['raw fields, no network'].append((capture, 1, result['fields']))
        for way, name in OURS.items():
            self.rows[name].append((capture, 1, result['ours'][way]))

    def spread(self, row, value):
        """Over seeds, of the means over captures."""
        by_seed = collections.defaultdict(list)
        for _, seed, result in self.rows[row]:
            by_seed[seed].append(value(result))
        means = [statistics.fmean(known) for v in by_seed.values() if (known := [x for x in v if x is not None])]
        return spread(means)

    def distances(self, row, part=None):
        of = (lambda r: r.get(part) or {}) if part else (lambda r: r)
        return {m: self.spread(row, lambda r: of(r).get('distance', {}).get(m)) for m in METRICS}

    def there(self, names):
        return [n for n in names if self.rows[n]]

    def last(self, row):
        """What is about the last fifth, whatever the row is."""
        return [(c, s, r.get('last', r)) for c, s, r in self.rows[row]]


def table3(runs):
    out = {}
    for part in ('last', 'learned'):
        rows = runs.there([*MODELS.values(), *OURS.values()] + ['raw fields, no network'] * (part == 'last'))
        out[part] = {name: {**runs.distances(name, part), **{k: runs.spread(name, lambda r: r[part].get(k))
                                                             for k in ('right', 'lost', 'whole', 'patched', 'kl')}} for name in rows}
    out['last'].update({NATURAL: runs.distances(NATURAL)} if runs.rows[NATURAL] else {})
    return out


def codec(found):
    """Over all captures: means with intervals, the worst; shares pooled over packets."""
    rows = [c for r in found if r['unit'] == 'codec' for c in r['result']['captures']]
    out = {'captures': len(rows), 'left out': sum(r['result']['left out'] for r in found if r['unit'] == 'codec'), 'ways': {}}
    if not rows:
        return out
    packets = [c['bare']['packets'] for c in rows]
    out['packets'] = sum(packets)
    for way in WAYS:
        known = {m: [v for c in rows if (v := c[way]['distance'][m]) is not None] for m in METRICS}
        out['ways'][way] = {m: interval(v) for m, v in known.items() if v}
        for k in ('whole', 'patched', 'kl'):
            if way != 'oracle':
                out['ways'][way][k] = sum(c[way][k] * n for c, n in zip(rows, packets)) / sum(packets)
    return out


def table4(runs):
    out = {}
    for name in runs.there(['real', NATURAL, 'packets drawn singly', *MADE.values(), 'tc-gen']):
        row = runs.distances(name)
        for k in ('malformed', 'invalid', 'reached'):
            row[k] = runs.spread(name, lambda r: r['complaints'][k])
        row['usable'], row['changed'] = (runs.spread(name, lambda r: r.get(k)) for k in ('usable', 'changed'))
        out[name] = row
    return out


def table5(runs, found):
    trainings = {}
    for name in ABLATIONS:
        rows = [r['result'] for r in found if r['unit'] == 'ablation' and r['arguments'][3] == name]
        if rows:
            trainings[name] = {way: {k: spread([statistics.fmean(values) for r in rows if (values := part(r[way], k))])
                                     for k in ('whole', 'patched', 'kl', *METRICS)} for way in ('bare', 'default')}
    shares = {'our actions': runs_of_shares([r['result']['shares'] for r in found if r['unit'] == 'real'])}
    for name in runs.there(MODELS.values()):
        shares[name] = runs_of_shares([r['last']['shares'] for _, _, r in runs.rows[name] if 'shares' in r['last']])
        shares[name]['as rendered'] = {**runs.distances(name, 'last'),
                                       'invalid': runs.spread(name, lambda r: r['last'].get('complaints', {}).get('invalid'))}
    return {'trainings': trainings, 'shares': shares}


def part(rows, key):
    values = [r['distance'][key] if key in METRICS else r[key] for r in rows]
    return [v for v in values if v is not None]


def runs_of_shares(found):
    return {step: {**{m: spread([s[step]['distance'][m] for s in found]) for m in METRICS},
                   'invalid': spread([s[step]['invalid'] for s in found])} for step in SHARES} if found else {}


def tests(runs):
    """p of each row: medians, and how many of the runs are below 5 %; paired differences between rows."""
    out = {'p': {}, 'signs': {}}
    rows = runs.there([NATURAL, 'default', 'bare network', 'raw fields, no network', *MODELS.values(), 'packets drawn singly',
                       *MADE.values(), 'tc-gen'])
    for name in rows:
        found = [r['p'] for _, _, r in runs.last(name) if 'p' in r]
        out['p'][name] = {}
        for k in ('transition', 'interleaving'):
            p = [f[k] for f in found if f[k] is not None]
            out['p'][name][k] = {'median': statistics.median(p) if p else None, 'runs': len(p), 'below': sum(x < .05 for x in p)}
    pairs = [(n, 'bare network') for n in MODELS.values()] + [('on raw fields', 'on latents'), ('on shuffled latents', 'on latents'),
                                                              ('on latents', 'tc-gen'), ('packets drawn singly', 'tc-gen')]
    for a, b in pairs:
        if runs.rows[a] and runs.rows[b]:
            out['signs'][f'{a}, less {b}'] = {m: paired(runs, a, b, m) for m in TESTED}
    return out


def paired(runs, a, b, metric):
    """Of the same capture and seed, or, where one of them has no seeds, of the same capture."""
    def value(r):
        return r.get('distance', {}).get(metric)
    other = {(c, s): value(r) for c, s, r in runs.last(b)}
    one_seed = len({s for _, s in other}) == 1
    d = [value(r) - o for c, s, r in runs.last(a)
         if value(r) is not None and (o := other.get((c, 1 if one_seed else s))) is not None]
    return {'mean': statistics.fmean(d) if d else None, 'p': signs(d), 'n': len(d)}


def falsifier(runs, found):
    rows = [c for r in found if r['unit'] == 'codec' for c in r['result']['captures']]
    out = {'decoded': {}, 'last': {}, 'generated': {}}
    for way in WAYS if rows else ():
        d = [c[way]['distance'] for c in rows]
        out['decoded'][way] = {'captures': len(d), 'within': sum(map(near, d)),
                               **{m: max([x[m] for x in d if x[m] is not None], default=None) for m in WITHIN}}
    for name in runs.there([*OURS.values(), *MODELS.values(), 'raw fields, no network', NATURAL]):
        d = [r['distance'] for _, _, r in runs.last(name) if 'distance' in r]
        out['last'][name] = {'runs': len(d), 'within': sum(map(near, d)),
                             **{m: spread([x[m] for x in d]) for m in WITHIN}}
    natural = {c: r['distance'] for c, _, r in runs.rows[NATURAL]}
    for name in runs.there(['packets drawn singly', *MADE.values(), 'tc-gen', *MODELS.values()]):
        out['generated'][name] = times_natural(runs.last(name), natural)
    return out


def near(distance):
    return all(distance[m] is None or distance[m] <= most for m, most in WITHIN.items())


def times_natural(rows, natural):
    """How many times the natural distance; within: captures of which the medians of the seeds are at most twice that."""
    ratios = collections.defaultdict(lambda: collections.defaultdict(list))
    for capture, _, r in rows:
        for m in WITHIN:
            if capture in natural and 'distance' in r and None not in (r['distance'][m], natural[capture][m]):
                ratios[capture][m].append(r['distance'][m] / max(natural[capture][m], LEAST[m]))
    medians = [{m: statistics.median(v) for m, v in of.items()} for of in ratios.values()]
    return {'captures': len(medians), 'within': sum(all(v <= TIMES for v in of.values()) for of in medians),
            **{m: spread([of[m] for of in medians if m in of]) for m in WITHIN}}


def figures(runs):
    """Of the first capture and seed of each row."""
    names = ['real', 'default', 'bare network', *MODELS.values(), *MADE.values(), 'tc-gen']
    return {n: min(known, key=lambda r: r[1])[2]['figure'] for n in names
            if (known := [r for r in runs.last(n) if 'figure' in r[2] and r[0] == runs.rows['real'][0][0]])}


def spent(found):
    """Processor and clock time, s, and the most memory, octets, of each kind of piece."""
    out = collections.defaultdict(lambda: {'pieces': 0, 'processor': 0., 'wall': 0., 'memory': 0})
    for r in found:
        name = r['unit'] + (f', {r["arguments"][2]}' if r['unit'] in ('baseline', 'generator') else '')
        for k in ('processor', 'wall'):
            out[name][k] += r[k]
        out[name]['pieces'] += 1
        out[name]['memory'] = max(out[name]['memory'], r['memory'])
    return dict(out)


def gathered(found, said):
    runs = Runs(found)
    captures = [{'name': r['arguments'][0].rsplit('/', 1)[-1], **{k: r['result'][k] for k in ('packets', 'count', 'flows')}}
                for r in found if r['unit'] == 'real']
    training = [r['result']['training'] for r in found if r['unit'] == 'generator']
    return {'about': {**said, 'captures': captures, 'spent': spent(found), 'total': sum(r['processor'] for r in found)},
            'paper': {'table3': PAPER, 'else': PAPER_ELSE},
            'baselines': {MODELS[m]: {**OPTIONS[m], **{k: v for r in found if r['unit'] == 'baseline' and r['arguments'][2] == m
                                                      for k, v in (*r['arguments'][3].items(), ('parameters', r['result']['parameters']))}}
                          for m in MODELS},
            'generator': training[0] if training else {},
            'table3': table3(runs), 'codec': codec(found), 'table4': table4(runs), 'table5': table5(runs, found),
            'tests': tests(runs), 'falsifier': falsifier(runs, found), 'figures': figures(runs) if runs.rows['real'] else {}}
