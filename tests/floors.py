#!/usr/bin/env python3
"""floors.py DIR [--keep FOLDER]: how often tc-diff's floor tells captures apart that are, and leaves those that aren't.

Forty pairs, made of the captures below DIR by this rule. The pool: classic pcap, Ethernet, 5,000 packets and 20 flows or
more; the largest first, at most two of a kind (what stands before the first "_" of a name, or the folder).
To be told apart, twenty:
- eight pairs of the pool's captures, each with the next one of another kind;
- six distortions (tests/distort.py) of two captures each against what they were made of: those with the most flows of
  which half of the packets or more are TCP, and to which distort.py can do it.
Not to be told apart, twenty:
- captures whose names are the same but for digits at the end: recordings of one device, all pairs, five at most;
- adjacent fifths of one capture, by packets: the second and the third, the third and the fourth, of captures in the
  pool's order until there are twenty.

A pair is apart where a metric of some group stands out in tc-diff's verdict.
Volume is left out, as a fifth has no more to say about it. A line a pair; the last line counts.
"""
import argparse
import collections
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import distort

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
TC_DIFF = os.path.join(ROOT, 'bin/tc-diff')
PACKETS, FLOWS, OF_A_KIND = 5000, 20, 2
APART, TOGETHER, DIFFERENT, DEVICES = 20, 20, 8, 5


def records(path):
    """The header and the packets' records, as octets; none where it isn't classic pcap of Ethernet."""
    with open(path, 'rb') as f:
        data = f.read()
    if len(data) < 24 or data[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') or data[20:24] != b'\1\0\0\0':
        return b'', []
    found, at = [], 24
    while at + 16 <= len(data):
        end = at + 16 + struct.unpack_from('<I', data, at + 8)[0]
        found.append(data[at:end])
        at = end
    return data[:24], found


def diff(a, b):
    p = subprocess.run([TC_DIFF, '-q', '--json', a, b], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(p.stdout) if p.returncode < 2 else None


def kind(path):
    name = os.path.basename(path)
    return name.split('_')[0] if '_' in name else os.path.dirname(path)


def pool(folder):
    """(path, report of itself), the largest first."""
    found = []
    for d, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(d, name)
            n = len(records(path)[1])
            report = diff(path, path) if n >= PACKETS else None
            if report and report['a']['flows'] >= FLOWS:
                found.append((path, report['a']))
    found.sort(key=lambda x: (-x[1]['packets'], x[0]))
    kinds = collections.Counter()
    for path, trace in found:
        kinds[kind(path)] += 1
        if kinds[kind(path)] <= OF_A_KIND:
            yield path, trace


def different(captures):
    """Each with the next one of another kind."""
    left = [path for path, _ in captures]
    while len(left) > 1:
        a = left.pop(0)
        b = next((x for x in left if kind(x) != kind(a)), None)
        if b:
            left.remove(b)
            yield 'other', a, b


def distorted(captures, folder):
    def is_tcp(trace):
        return sum(trace['tcp_event'].values()) * 2 >= trace['packets']

    done = collections.Counter()
    for path, _ in sorted((c for c in captures if is_tcp(c[1])), key=lambda c: -c[1]['flows']):
        for name in distort.DISTORTIONS:
            out = os.path.join(folder, f'{name}-{os.path.basename(path)}')
            if name == 'nothing' or done[name] == 2:
                continue
            if not os.path.exists(out):
                if subprocess.run([sys.executable, distort.__file__, name, path, out + '.part'],
                                  stderr=subprocess.DEVNULL).returncode:
                    continue
                os.rename(out + '.part', out)
            done[name] += 1
            yield name, path, out


def devices(folder):
    names = collections.defaultdict(list)
    for d, _, files in os.walk(folder):
        for name in sorted(files):
            stem, extension = os.path.splitext(name)
            if re.search(r'[-_]\d\d?$', stem) and len(records(os.path.join(d, name))[1]) >= PACKETS:
                names[re.sub(r'\d+$', '', stem), extension].append(os.path.join(d, name))
    for key in sorted(names):
        for a, b in itertools.combinations(names[key], 2):
            yield 'device', a, b


def fifths(captures, folder):
    for path, _ in captures:
        header, found = records(path)
        parts = []
        for i in (1, 2, 3):
            parts.append(os.path.join(folder, f'fifth{i + 1}-{os.path.basename(path)}'))
            with open(parts[-1], 'wb') as f:
                f.write(header + b''.join(found[i * len(found) // 5:(i + 1) * len(found) // 5]))
        yield 'fifths', parts[0], parts[1]
        yield 'fifths', parts[1], parts[2]


def pairs(folder, keep):
    """(whether they are to be told apart, how they were made, A, B)"""
    captures = list(pool(folder))
    a = list(itertools.islice(different(captures), DIFFERENT))
    a += itertools.islice(distorted(captures, keep), APART - len(a))
    b = list(itertools.islice(devices(folder), DEVICES))
    b += itertools.islice(fifths(captures, keep), TOGETHER - len(b))
    return [(True, *x) for x in a] + [(False, *x) for x in b]


def groups(report):
    """{group: its metrics that stand out}"""
    found = collections.defaultdict(list)
    for name in report['verdict']['differs']:
        group = report['metrics'][name]['group']
        if group != 'volume':
            found[group].append(name)
    return dict(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('dir')
    parser.add_argument('--keep', help='a folder for what is made')
    o = parser.parse_args()
    right = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        if o.keep:
            os.makedirs(o.keep, exist_ok=True)
        all_pairs = pairs(o.dir, o.keep or folder)
        for apart, how, a, b in all_pairs:
            found = groups(diff(a, b))
            right[apart] += bool(found) == apart
            print('right' if bool(found) == apart else 'WRONG', 'apart' if apart else 'together', how,
                  os.path.basename(a), os.path.basename(b),
                  ' '.join(f'{g}:{",".join(v)}' for g, v in found.items()) or '-', sep='\t', flush=True)
    n = collections.Counter(p[0] for p in all_pairs)
    print(f'to be told apart: {right[True]} of {n[True]} right; not to be: {right[False]} of {n[False]}')
    sys.exit(n[True] < APART or n[False] < TOGETHER)


if __name__ == '__main__':
    main()
