#!/usr/bin/env python3
"""generation.py PATH... [--list FILE] [--command 'NAME=PIPELINE'] [--seeds 1,2,3] [--json FILE] [--jobs N]: how near
generated traffic is.

Of each capture below a folder that has 5,000 packets and 100 flows (or that FILE names, a line each), and of each that is
named, a generator learns the first 80 % of the packets, and gives as many as there are in the last 20 %, the judge. tc-diff says how far these are
from the judge. Beside it stand
  natural  the block before the judge, as long as that: how far two real blocks are from one another;
  earlier  the three blocks before that one, the median: what real traffic that is not the latest gets;
  packets  a bootstrap of packets, and
  flows    a bootstrap of whole flows, the baseline to beat: tests/bootstrap.py.
A command is run by bash in the repository's root for each seed; it writes a capture or a stream of actions to its standard
output. In it {learn} is the file of actions to learn from, {pcap} a capture of the same, {n} the number of packets, {seed}
the seed, {tmp} a folder. What stands before ";;" is run by itself, and its time is that of learning. Without --command it is
bin/tc-gen, where that is built. Where there are several seeds, each figure is the median; --json has each seed's besides.

The cut. tc-lift and tc-compile render the capture anew, as a pcap file whatever it was, and that is cut between two packets.
Each part is lifted by itself, as a capture that began and ended there: a flow that goes on over the cut begins anew in the
judge, in the midst of it, as in any capture, and as in the block before. Cut actions would lack the names of such flows'
hosts and ports.

Ratios. A distance is divided by natural, which is taken to be no less than 2 %, 1 pp, a TV of .02, a rate of .01: what is
less nobody need tell apart. For the geometric mean the distance too is taken to be no less than that, so that a ratio of 0
can't make up for bad ones. A metric that is 0 for all ways, or has no value, is left out for that capture: nothing there.

c2st counts for no ratio: it is to be at most 5 points above natural's. memorised is the share of flows whose first ten
packets stand in the learned part; for natural, which is a part of that, it is the judge's own share. illegal is the number
of packets with a wrong checksum or length; learning and generating are seconds of the processor. Where a capture has more than
20,000 packets to learn from, what is asked of learning counts by proportion.

The falsifier asks whether transition.tv and interleave.active (the curve of active flows) are within twice natural.

Last comes what DESIGN asks for, each with yes or no. What is done is said on standard error.

Needs python3-msgpack. Exit 1 where a capture or a command failed.
"""
import argparse
import concurrent.futures
import json
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import bootstrap

EARLIER = 3
ROOT = os.path.normpath(os.path.join(bootstrap.BIN, '..'))
METRICS = ('transition.tv', 'tcp.event', 'conn.state', 'conn.history', 'interleave.switch', 'interleave.run', 'time.iat',
           'time.duration', 'rtt.syn', 'rtt.ack', 'mix.protocol', 'mix.port', 'mix.size', 'mix.flow_size', 'volume.flows',
           'volume.octets')
FALSIFIER = ('transition.tv', 'interleave.active')
LEAST = {'%': 2, 'pp': 1, 'TV': .02, 'rate': .01}
TC_GEN = ('tc-gen=bin/tc-gen -q --seed {seed} --learn {tmp}/model {learn} ;; '
          'bin/tc-gen -q --model {tmp}/model -n {n} --seed {seed} | bin/tc-compile -q')
BEGAN = time.monotonic()


class Failed(Exception):
    pass


def say(*what):
    print(f'generation.py: {time.monotonic() - BEGAN:5.0f} s:', *what, file=sys.stderr, flush=True)


def listed(path):
    """The names of a list: the first word of each line, but for comments."""
    with open(path) as f:
        return {line.split()[0] for line in f if line.strip() and not line.startswith('#')}


def captures(paths, packets, flows, names):
    """Those that are named, and those below folders that are large enough, or that the list names."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for name in sorted(os.path.join(d, f) for d, _, fs in os.walk(path) for f in fs):
            if names is not None:
                if os.path.basename(name) in names:
                    yield name
                continue
            done = subprocess.run([os.path.join(bootstrap.BIN, 'tc-lift'), '-q', name], capture_output=True)
            end = done.stdout[done.stdout.rfind(b'\x84\xa3end'):]
            if done.returncode == 0 and end:
                end = bootstrap.msgpack.unpackb(end)
                if end['packets'] >= packets and end['flows'] >= flows:
                    yield name


def distances(a, b):
    """tc-diff's JSON of two traces."""
    done = subprocess.run([os.path.join(bootstrap.BIN, 'tc-diff'), '-q', '--json', a, b], capture_output=True)
    if done.returncode not in (0, 1):
        raise Failed(done.stderr.decode().strip())
    return json.loads(done.stdout)


class Parts:
    """A capture, cut: files of what is learned, of the judge, of the block before it; the blocks before that one."""

    def __init__(self, path, tmp):
        whole = bootstrap.Capture(bootstrap.tool('tc-compile', '-q', data=bootstrap.tool('tc-lift', '-q', path)))
        packets, self.tmp = whole.packets, tmp
        cut = len(packets) * 8 // 10
        self.n = len(packets) - cut
        if self.n < 2:
            raise Failed('too short to be cut')
        for name, block in (('learn', packets[:cut]), ('judge', packets[cut:]), ('natural', packets[cut - self.n:cut])):
            self.write(name, whole.write(block))
        ends = [cut - self.n * i for i in range(1, EARLIER + 1)]
        self.earlier = [whole.write(packets[max(end - self.n, 0):end]) for end in ends]
        with open(self.file('learn'), 'rb') as f:
            octets = f.read()
        self.learn, self.actions = bootstrap.Capture(octets), bootstrap.tool('tc-lift', '-q', data=octets)
        self.write('actions', self.actions)

    def file(self, name):
        return os.path.join(self.tmp, name)

    def write(self, name, octets):
        with open(self.file(name), 'wb') as f:
            f.write(octets)

    def run(self, command, seed):
        """Seconds of the processor; what the command writes is the file out. Failed where it fails."""
        for name, value in (('learn', self.file('actions')), ('pcap', self.file('learn')), ('n', self.n), ('seed', seed),
                            ('tmp', self.tmp)):
            command = command.replace('{%s}' % name, shlex.quote(str(value)))
        with open(self.file('out'), 'wb') as out, open(self.file('said'), 'w+b') as said:
            process = subprocess.Popen(['bash', '-o', 'pipefail', '-c', command], cwd=ROOT, stdout=out, stderr=said)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            if status:
                raise Failed(f'{command}: exit {process.returncode}: {said.read().decode().strip()}')
        return usage.ru_utime + usage.ru_stime

    def generate(self, command, seed):
        """What a command gives, as a file; how long it took."""
        learning, _, generating = command.rpartition(';;')
        out = {'learning': self.run(learning, seed)} if learning else {}
        return dict(out, generating=self.run(generating, seed))

    def judge(self, name):
        """The metrics of one file against the judge, and what it has by heart of the learned part."""
        j = distances(self.file('judge'), self.file(name))
        heart = distances(self.file('learn'), self.file('judge' if name == 'natural' else name))
        out = {m: j['metrics'][m]['value'] for m in dict.fromkeys(METRICS + FALSIFIER + ('c2st',))}
        return dict(out, memorised=heart['memorised']['b'], packets=j['b']['packets'], flows=j['b']['flows'],
                    illegal=sum(j['b']['legality'].get(k) or 0 for k in ('checksum', 'length'))), j['metrics']


def median(rows):
    out = {}
    for key in rows[0]:
        values = [r[key] for r in rows if r[key] is not None]
        out[key] = statistics.median(values) if values else None
    return out


def measure(path, commands, seeds):
    """One capture: {way: {metric: distance}}, and of each metric its unit and group."""
    capture = os.path.basename(path)
    with tempfile.TemporaryDirectory() as tmp:
        parts = Parts(path, tmp)
        natural, about = parts.judge('natural')
        ways, each = {'natural': natural}, {}

        def judged(way, captures):
            rows = []
            for octets in captures:
                parts.write('out', octets)
                rows.append(parts.judge('out')[0])
            ways[way], each[way] = median(rows), rows

        judged('earlier', parts.earlier)
        for way in bootstrap.WAYS:
            judged(way, (bootstrap.bootstrap(way, parts.learn, parts.actions, parts.n, seed) for seed in seeds))
        for way, command in commands.items():
            rows = []
            for seed in seeds:
                took = parts.generate(command, seed)
                rows.append(dict(parts.judge('out')[0], **took))
                say(f'{capture}: {way}, seed {seed}:', ', '.join(f'{k} {v:.1f} s' for k, v in took.items()))
            ways[way], each[way] = median(rows), rows
        return {'capture': capture, 'packets': parts.n, 'learned': len(parts.learn.packets), 'ways': ways, 'seeds': each,
                'about': {m: {k: about[m][k] for k in ('unit', 'group')} for m in METRICS + FALSIFIER}}


def ratios(capture):
    """{way: {metric: ratio to natural}}: the distance as it is; geometric() knows what is too small to tell."""
    out = {}
    ways = capture['ways']
    for m in METRICS:
        values = [w[m] for w in ways.values()]
        if None in values or not any(values):
            continue
        natural = max(ways['natural'][m], LEAST[capture['about'][m]['unit']])
        for way in ways:
            if way != 'natural':
                least = LEAST[capture['about'][m]['unit']] / natural
                out.setdefault(way, {})[m] = (ways[way][m] / natural, least, capture['about'][m]['group'])
    return out


def within(capture, way, m):
    """A metric's ratio to natural."""
    a, natural = capture['ways'][way][m], capture['ways']['natural'][m]
    return None if None in (a, natural) else a / max(natural, LEAST[capture['about'][m]['unit']])


def geometric(pairs):
    pairs = list(pairs)
    return math.exp(statistics.fmean(math.log(max(r, least)) for r, least, _ in pairs)) if pairs else None


def number(x, width=8):
    return f'{"n/a":>{width}s}' if x is None else f'{x:{width}.3g}'


def print_capture(capture):
    ways, found = capture['ways'], ratios(capture)
    others = [w for w in ways if w != 'natural']
    print(f'{capture["capture"]}: {capture["packets"]} packets, {ways["natural"]["flows"]} flows in the block before; '
          'distance, and its ratio to natural')
    print(f'{"":18s} {"":4s} {"natural":>8s}', *(f'{w:>8s} {"":>7s}' for w in others))
    for m in METRICS:
        row = f'{m:18s} {capture["about"][m]["unit"]:4s} {number(ways["natural"][m])}'
        for w in others:
            ratio = found.get(w, {}).get(m)
            row += f' {number(ways[w][m])} {number(ratio[0], 7) if ratio else "      -"}'
        print(row)
    print(f'{"geometric mean":18s} {"":13s}', *(f'{"":8s} {number(geometric(found.get(w, {}).values()), 7)}' for w in others))
    for key, unit, scale in (('interleave.active', '%', 1), ('c2st', 'pp', 1), ('memorised', '%', 100), ('illegal', '', 1),
                             ('learning', 's', 1), ('generating', 's', 1)):
        values = [ways[w].get(key) for w in ways]
        if key not in ('illegal', 'learning', 'generating') or any(values):
            print(f'{key:18s} {unit:4s}', (' ' + 8 * ' ').join(number(v if v is None else scale * v) for v in values))
    print(flush=True)


def summary(done):
    """Over all captures, for each way: the geometric means, over all and by group; the share within twice natural."""
    out = {}
    for way in [w for w in done[0]['ways'] if w != 'natural']:
        pairs = [p for c in done for p in ratios(c).get(way, {}).values()]
        excess = [c['ways'][way]['c2st'] - c['ways']['natural']['c2st'] for c in done
                  if None not in (c['ways'][way]['c2st'], c['ways']['natural']['c2st'])]
        heart = [c['ways'][way]['memorised'] - c['ways']['natural']['memorised'] for c in done
                 if None not in (c['ways'][way]['memorised'], c['ways']['natural']['memorised'])]
        groups = sorted({g for _, _, g in pairs})
        false = [{m: within(c, way, m) for m in FALSIFIER} for c in done]
        learning = [c['ways'][way]['learning'] * min(1, 20000 / c['learned']) for c in done if 'learning' in c['ways'][way]]
        out[way] = {'pairs': len(pairs), 'all': geometric(pairs),
                    'within twice': sum(r <= 2 for r, _, _ in pairs) / len(pairs) if pairs else None,
                    'groups': {g: geometric(p for p in pairs if p[2] == g) for g in groups},
                    'captures': {c['capture']: geometric(ratios(c).get(way, {}).values()) for c in done},
                    'c2st over natural, worst': max(excess, default=None),
                    'memorised over real, worst': max(heart, default=None),
                    'falsifier': {c['capture']: f for c, f in zip(done, false)},
                    'falsifier held': sum(all(v is None or v <= 2 for v in f.values()) for f in false),
                    'learning 20,000 packets, worst': max(learning, default=None)}
    return out


def print_summary(found):
    ways = list(found)
    base = found['flows']

    def line(name, values, note=''):
        print(f'{name[:44]:44s}', *(number(v, 9) for v in values), note)

    print(f'{"all captures: geometric means of ratios":44s}', *(f'{w:>9s}' for w in ways))
    for c in base['captures']:
        line(c, [found[w]['captures'][c] for w in ways])
    print()
    for g in base['groups']:
        line(g, [found[w]['groups'].get(g) for w in ways])
    line('all', [found[w]['all'] for w in ways], f'{base["pairs"]} pairs')
    print()
    line('pairs within twice natural, %', [100 * found[w]['within twice'] for w in ways])
    line('worst group over the bootstrap of flows\'', [max(found[w]['groups'][g] / v for g, v in base['groups'].items())
                                                        for w in ways])
    line('c2st over natural\'s, worst capture, pp', [found[w]['c2st over natural, worst'] for w in ways])
    line('memorised over the judge\'s, worst, pp',
         [None if v is None else 100 * v for v in (found[w]['memorised over real, worst'] for w in ways)])
    line(f'captures that the falsifier passes, of {len(base["captures"])}', [found[w]['falsifier held'] for w in ways])
    line('learning, s of the processor for 20,000 packets', [found[w]['learning 20,000 packets, worst'] for w in ways])


def musts(found, way, captures):
    """What is asked for: (what, figure, whether it is so)."""
    f, base = found[way], found['flows']
    group = max(f['groups'][g] / v for g, v in base['groups'].items())
    excess, heart, learning = (f[k] for k in ('c2st over natural, worst', 'memorised over real, worst',
                                              'learning 20,000 packets, worst'))
    yield 'pairs within twice natural: 90 %', 100 * f['within twice'], f['within twice'] >= .9
    yield 'geometric mean of ratios: at most 2', f['all'], f['all'] <= 2
    yield 'over the bootstrap of flows: less than 1', f['all'] / base['all'], f['all'] < base['all']
    yield 'its worst group: at most 1.2', group, group <= 1.2
    yield 'c2st over natural\'s: at most 5 pp', excess, excess is None or excess <= 5
    yield 'memorised over the judge\'s: no more than 0', heart, heart is None or heart <= 0
    yield f'falsifier: passed by all of {captures}', f['falsifier held'], f['falsifier held'] == captures
    if learning is not None:
        yield 'learning 20,000 packets: at most 60 s', learning, learning <= 60


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('path', nargs='+')
    ap.add_argument('--command', action='append', metavar='NAME=PIPELINE')
    ap.add_argument('--seeds', default='1,2,3')
    ap.add_argument('--packets', type=int, default=5000, help='least, of captures below a folder')
    ap.add_argument('--flows', type=int, default=100, help='likewise')
    ap.add_argument('--list', metavar='FILE', help='names of captures below folders, in the place of those that are large enough')
    ap.add_argument('--json', metavar='FILE')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    o = ap.parse_args()
    if o.command is None:
        o.command = [TC_GEN] if os.path.exists(os.path.join(bootstrap.BIN, 'tc-gen')) else []
    commands = dict(c.partition('=')[::2] for c in o.command)
    if not all(commands.values()) or commands.keys() & {'natural', 'earlier', *bootstrap.WAYS}:
        ap.error('--command is NAME=PIPELINE, and NAME none that is there already')
    seeds, done, failed = [int(s) for s in o.seeds.split(',')], [], False
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = {pool.submit(measure, p, commands, seeds): p
                for p in captures(o.path, o.packets, o.flows, o.list and listed(o.list))}
        for run in concurrent.futures.as_completed(runs):
            try:
                done.append(run.result())
                print_capture(done[-1])
            except (Failed, subprocess.CalledProcessError) as e:
                failed = True
                print(f'{runs[run]}: {e}', file=sys.stderr)
    if not done:
        sys.exit('no capture could be measured')
    done.sort(key=lambda c: c['capture'])
    found = summary(done)
    print_summary(found)
    for way in commands:
        print(f'\n{way}: what is asked for')
        for what, figure, so in musts(found, way, len(done)):
            print(f'{what:44s} {number(figure, 9)} {"yes" if so else "no"}')
    if o.json:
        with open(o.json, 'w') as f:
            json.dump({'captures': [dict(c, ratios={w: {m: p[0] for m, p in r.items()} for w, r in ratios(c).items()})
                                    for c in done], 'summary': found}, f, indent=1)
    sys.exit(failed)


if __name__ == '__main__':
    main()
