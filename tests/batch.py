#!/usr/bin/env python3
"""batch.py DIR OUT [JOBS]: all captures below DIR as one batch, by the lines of tracecodec(7), BATCHES, "codec"; then what
became of them, as a table.

OUT gets a link to each capture, and beside it what these lines make: the image that the codec gave, tc-diff's report on
the two, and GNU parallel's log. The same command again does what failed and what it didn't come to. Exit 1 where a
capture failed. Exact is a packet with every field as it was, its time step apart; of a capture that isn't exact the
table counts one packet less for each field that differs, which may be too many.
"""
import collections
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')


def shown(name):
    """The lines of the manual behind "example: NAME"."""
    with open(ROOT + '/man/tracecodec.7') as f:
        text = re.search(rf'^\.\\" example: {name}\n\.Bd.*?\n(.*?)^\.Ed', f.read(), re.S | re.M)[1]
    return text.replace(r'\e', '\\')


def link(folder, out):
    """Each file below the folder, under its name in OUT; the lines look for *.pcap."""
    for d, _, files in os.walk(folder):
        to = os.path.join(out, os.path.relpath(d, folder))
        os.makedirs(to, exist_ok=True)
        for f in files:
            path = os.path.join(to, f if f.endswith('.pcap') else f + '.pcap')
            if not os.path.islink(path):
                os.symlink(os.path.join(d, f), path)


def run(out, jobs):
    """What the runs say goes to standard error as they say it, and is kept."""
    env = {**os.environ, 'PATH': ROOT + '/bin:' + os.environ['PATH']}
    if jobs:
        env['PARALLEL'] = '--jobs ' + jobs
    with open(out + '/said', 'w') as said:
        p = subprocess.Popen(['bash', '-c', shown('codec')], cwd=out, env=env, text=True, stderr=subprocess.PIPE)
        for line in p.stderr:
            said.write(line)
            sys.stderr.write(line)
    p.wait()


def read(out):
    """For each capture of the list: its seconds, and its report or None. Of several tries the last one counts."""
    with open(out + '/captures') as f:
        captures = f.read().split('\0')[:-1]
    with open(out + '/log', newline='') as f:
        last = {int(r['Seq']): r for r in csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE)}
    found = {}
    for i, capture in enumerate(captures, 1):
        r = last.get(i)
        report = None
        if r and r['Exitval'] == r['Signal'] == '0':
            with open(f'{out}/{capture}.json') as f:
                report = json.load(f)
        found[capture] = float(r['JobRuntime']) if r else 0, report
    return found


def inexact(report):
    """How often a field differs, time steps apart; packets that one side alone has."""
    missing = abs(report['a']['packets'] - report['b']['packets'])
    return missing + sum(n for f, n in report['paired'].items() if f not in ('packets', 'different', 'dt'))


def why(out):
    """The first thing that each capture's run said."""
    said = {}
    with open(out + '/said') as f:
        for line in f:
            name, _, text = line.rstrip('\n').partition('\t')
            said.setdefault(name, text)
    return said


def table(found, said, wall):
    done = {c: r for c, (_, r) in found.items() if r}
    packets = {c: r['a']['packets'] for c, r in done.items()}
    wrong = {c: min(inexact(r), packets[c]) for c, r in done.items()}
    seconds = [s for s, _ in found.values()]
    total = sum(packets.values())
    print(f'captures   {len(found)}: {len(done)} done, {len(found) - len(done)} failed')
    print(f'packets    {total}, exact {total - sum(wrong.values())}')
    print(f'exact      {sum(not n for n in wrong.values())} captures')
    print(f'time       {wall:.0f} s; {sum(seconds):.0f} s of runs, median {statistics.median(seconds):.2f} s, '
          f'longest {max(seconds):.1f} s')
    print(f'a second   {total / max(sum(seconds), 1e-9):.0f} packets a run')
    metrics = collections.defaultdict(list)
    for c, r in done.items():
        for name, m in r['metrics'].items():
            if m['value'] is not None:
                metrics[name].append((float(m['value']), m['unit'], c))
    rows = [(name, v) for name, v in metrics.items() if max(v)[0] > 0]
    print(f'\n{"metrics that are not 0":24s} {"unit":5s} {"captures":>8s} {"mean":>9s} {"worst":>9s}')
    for name, v in rows:
        worst, unit, capture = max(v)
        values = [x[0] for x in v]
        print(f'{name:24s} {unit:5s} {sum(x > 0 for x in values):8d} {statistics.fmean(values):9.3g} {worst:9.3g}  {capture}')
    print(f'{len(metrics) - len(rows)} of {len(metrics)} metrics are 0 for all captures')
    for c, n in wrong.items():
        if n:
            print(f'not exact: {c}: {n} of {packets[c]} packets')
    for c in found:
        if c not in done:
            print(f'failed: {c}: {said.get(c, "was not run")}')


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    folder, out = map(os.path.realpath, sys.argv[1:3])
    if not os.path.isdir(folder) or (out + '/').startswith(folder + '/'):
        sys.exit('DIR must be a folder, and OUT outside of it')
    link(folder, out)
    begun = time.monotonic()
    run(out, sys.argv[3] if len(sys.argv) > 3 else '')
    wall = time.monotonic() - begun
    found = read(out)
    if not found:
        sys.exit('no capture')
    table(found, why(out), wall)
    sys.exit(0 if all(r for _, r in found.values()) else 1)


if __name__ == '__main__':
    main()
