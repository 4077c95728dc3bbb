#!/usr/bin/env python3
"""edits.py [-n N] [--seed S] [--only NAME] FILE_OR_FOLDER...: what tc-edit writes lifts to itself.

Each capture is lifted, edited by each operation alone and by N random combinations of them, compiled strictly and lifted
again: that must be what tc-edit wrote, octet for octet. Prints what is not, as a command that repeats it, and a table of how
many held by operation; exit 1 where one did not.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
os.environ['PATH'] = os.path.join(ROOT, 'bin') + ':' + os.environ['PATH']

EXPRESSIONS = ['tcp', 'udp', 'ip', 'ip6', 'tcp[13] & 2 != 0', 'tcp[13] & 2 = 0', 'greater 200', 'less 80', 'icmp', 'ip[0] != 69']


def lift(path, out):
    """False where it is no capture, or no sound one."""
    with open(out, 'wb') as f:
        return subprocess.run(['tc-lift', '-q', path], stdout=f, stderr=subprocess.DEVNULL).returncode == 0


def about(stream):
    """Link type, seconds from the first to the last packet."""
    from msgpack import Unpacker
    link, time, last, first = 0, 0, 0, 0
    with open(stream, 'rb') as f:
        for record in Unpacker(f):
            if isinstance(record, list):
                time += record[1] if record[0] & 1 else 0
                first, last = min(first, time), max(last, time)
            elif 'link' in record:
                link = record['link']
    return link, (last - first) / 1e9


def operations(a, length, others, draw):
    """{name: arguments} of each operation alone."""
    some = lambda: '%.9f' % (draw.random() * length)
    return {
        'nothing': [],
        'from': ['--from', some()],
        'to': ['--to', some()],
        'filter': ['-f', draw.choice(EXPRESSIONS)],
        'flows': ['--flows', draw.choice(EXPRESSIONS)],
        'sample': ['--sample', '%.2f' % draw.uniform(0.2, 0.9), '--seed', str(draw.randrange(100))],
        'faster': ['--speed', draw.choice(['2', '10', '1.7', '1000'])],
        'slower': ['--speed', draw.choice(['0.5', '0.1', '0.37', '0.01'])],
        'copies': ['--copies', str(draw.randrange(2, 5)), '--seed', str(draw.randrange(100))],
        'shift': ['--shift', draw.choice(['3600', '-0.5', '0.123456789'])],
        'merge': ['--merge', draw.choice(others)],
        'merge itself': ['--merge', a, '--shift', some()],
        'share': ['--merge', draw.choice(others), '--share-hosts'],
        'share itself': ['--merge', a, '--shift', some(), '--share-hosts'],
    }


def combination(a, length, others, draw):
    """Some of them at once; no option twice."""
    all_of_them, chosen = operations(a, length, others, draw), {}
    for name in draw.sample(sorted(all_of_them), draw.randrange(2, 7)):
        words = all_of_them[name]
        while words:
            n = 1 if words[0] == '--share-hosts' else 2
            chosen.setdefault(words[0], words[:n])
            words = words[n:]
    return sum(chosen.values(), [])


def holds(arguments, stream, tmp):
    """None, or what went wrong: edit, compile, lift."""
    edited, again, capture = tmp + '/edited', tmp + '/again', tmp + '/capture'
    for out, command in ((edited, ['tc-edit', '-q', *arguments, stream]),
                         (capture, ['tc-compile', '-q', '--strict', edited]), (again, ['tc-lift', '-q', capture])):
        with open(out, 'wb') as f:
            p = subprocess.run(command, stdout=f, stderr=subprocess.PIPE, text=True)
        if p.returncode == 2 and command[0] == 'tc-edit' and ('-f ' in p.stderr or '--flows ' in p.stderr):
            return None  # an expression that this link type hasn't got
        if p.returncode:
            return f'{command[0]}: exit status {p.returncode}: {p.stderr.strip()}'
    with open(edited, 'rb') as f, open(again, 'rb') as g:
        return None if f.read() == g.read() else 'lifts to something else'


def one(job):
    path, stream, others, n, seed, only = job
    draw = random.Random(f'{seed} {path}')
    results = []
    with tempfile.TemporaryDirectory() as tmp:
        length = about(stream)[1]
        todo = list(operations(stream, length, others, draw).items())
        todo += [('combination', combination(stream, length, others, draw)) for _ in range(n)]
        for name, arguments in todo:
            if not only or name == only:
                wrong = holds(arguments, stream, tmp)
                results.append((name, wrong and f'{path}: tc-edit {shlex.join(arguments)}: {wrong}'))
    return results


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('paths', nargs='+')
    ap.add_argument('-n', type=int, default=2, help='combinations for each capture')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--only', help='an operation')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    o = ap.parse_args()
    for p in o.paths:
        os.stat(p)
    paths = sorted(os.path.join(d, f) for p in o.paths for d, _, fs in (os.walk(p) if os.path.isdir(p) else [('', 0, [p])]) for f in fs)
    held, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ProcessPoolExecutor(o.jobs) as pool:
        streams = {p: f'{tmp}/{i}' for i, p in enumerate(paths)}
        streams = {p: s for p, s in streams.items() if lift(p, s)}
        links = {p: about(s)[0] for p, s in streams.items()}
        draw = random.Random(o.seed)
        jobs = []
        for p, s in streams.items():
            like = [streams[q] for q in streams if links[q] == links[p]]
            jobs.append((p, s, draw.sample(like, min(5, len(like))), o.n, o.seed, o.only))
        for results in pool.map(one, jobs, chunksize=4):
            for name, why in results:
                held[name] += not why
                wrong += bool(why)
                if why:
                    print(why, flush=True)
    for name, n in held.items():
        print(f'{n}\t{name}')
    print(f'{len(streams)} captures, {sum(held.values())} held, {wrong} did not')
    sys.exit(wrong > 0 or not streams)


if __name__ == '__main__':
    main()
