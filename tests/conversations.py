#!/usr/bin/env python3
"""conversations.py DIR|CAPTURE ...: tc-diff's count of conversations, TCP and UDP, against tshark's.

SOCKS is switched off in tshark, since it makes conversations of what it carries. A line for each capture that differs: name, protocol, ours, tshark's, and why if it is known; then the totals. Exit 0:
the same but for known reasons; 1: not.
"""
import concurrent.futures
import json
import os
import subprocess
import sys


def tsharks(capture):
    """Highest stream of TCP and of UDP, plus one; and whether some of it lies in a quote or a tunnel."""
    out = subprocess.run(['tshark', '-n', '-r', capture, '-T', 'fields', '-e', 'tcp.stream', '-e', 'udp.stream',
                          '-e', 'frame.protocols', '-e', 'ip.frag_offset', '-e', 'ip.flags.mf', '-e', 'ipv6.fraghdr.offset', '--disable-protocol', 'socks'],
                         capture_output=True, text=True).stdout
    count, reasons = [0, 0], set()
    for row in (line.split('\t') for line in out.splitlines()):
        for i in 0, 1:
            streams = [int(s) for s in row[i].split(',') if s]
            count[i] = max([count[i]] + [s + 1 for s in streams])
        layers = row[2].split(':')
        if sum(layer in ('ip', 'ipv6') for layer in layers) > 1 or 'icmp' in layers and 'ip' in layers[layers.index('icmp'):]:
            reasons.add('inside a quote or a tunnel')
        if any(f not in ('', '0') for f in row[3:5]) or row[5]:
            reasons.add('fragments')
    return count, reasons


def compare(capture):
    report = subprocess.run(['bin/tc-diff', '--json', capture, capture], capture_output=True, text=True).stdout
    if not report:
        return capture, None, None, set()
    ours = json.loads(report)['a']['conversations']
    return (capture, [ours['tcp'], ours['udp']], *tsharks(capture))


def main():
    captures = []
    for path in sys.argv[1:]:
        captures += sorted(os.path.join(path, f) for f in os.listdir(path)) if os.path.isdir(path) else [path]
    differ = unexplained = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for capture, ours, theirs, reasons in pool.map(compare, captures):
            if ours != theirs and ours is not None:
                differ += 1
                unexplained += not reasons
                print(os.path.basename(capture), *ours, *theirs, ', '.join(sorted(reasons)) or 'unexplained', sep='\t')
    print(f'{len(captures)} captures, {len(captures) - differ} the same, {differ - unexplained} explained, '
          f'{unexplained} unexplained')
    return unexplained > 0


if __name__ == '__main__':
    sys.exit(main())
