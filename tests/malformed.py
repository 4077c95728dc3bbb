#!/usr/bin/env python3
"""malformed.py CAPTURE...: what tshark finds malformed in captures of whole packets, link to transport layer.

That is a header that breaks off, a field that contradicts another, or a checksum that is wrong. Prints what it finds
by kind, with the first packet of each, and exits 1 if there is any; with how many packets it looked at.
"""
import concurrent.futures
import sys
import tempfile

import judge

NAMES = judge.VERIFY_NAMES


def faults(row):
    """What is wrong with a packet, as tshark tells it."""
    protocols, _, _, *more = row
    lies, statuses = more[:len(judge.LIES)], more[len(judge.LIES):]
    layers = judge.layers_of(protocols)[1]
    if '_ws.malformed' in protocols:
        yield 'malformed: ' + protocols
    for name, value in zip(judge.LIES, lies):
        if value:
            yield name
    for name, value in zip(judge.STATUS, statuses):
        if name.split('.')[0] in layers and judge.STATUS_NAME[value.partition(';')[0]] == 'Bad':
            yield name


def main():
    found, packets = {}, 0
    with tempfile.TemporaryDirectory() as profile, concurrent.futures.ThreadPoolExecutor(2) as pool:
        judge.private_profile(profile)
        paths = sys.argv[1:]
        for path, (rows, _) in zip(paths, pool.map(lambda p: judge.tshark(p, judge.VERIFY, NAMES), paths)):
            packets += len(rows)
            for n, row in enumerate(rows, 1):
                for fault in faults(row):
                    found.setdefault(fault, [0, f'{path}: packet {n}'])[0] += 1
    for fault, (count, first) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(f'{count:8d}  {fault}; first in {first}')
    print(f'{packets} packets, {sum(count for count, _ in found.values())} faults')
    return 1 if found or not packets else 0


if __name__ == '__main__':
    sys.exit(main())
