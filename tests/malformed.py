#!/usr/bin/env python3
"""malformed.py CAPTURE...: what tshark finds malformed in captures of whole packets, link to transport layer.

That is a header that breaks off, a field that contradicts another, or a checksum that is wrong. Prints what it finds
by kind, with the first packet of each, and exits 1 if there is any; with how many packets it looked at. A capture that
tshark can't read is named, and the others go on: exit 2.
"""
import concurrent.futures
import sys
import tempfile

import judge

OVERLAP = [f'{ip}.fragment.overlap' for ip in ('ip', 'ipv6')]
NAMES = [*judge.VERIFY_NAMES, *OVERLAP]


def faults(row):
    """What is wrong with a packet, as tshark tells it."""
    protocols, _, _, *more = row
    lies, statuses, overlaps = more[:len(judge.LIES)], more[len(judge.LIES):-len(OVERLAP)], more[-len(OVERLAP):]
    layers = judge.layers_of(protocols)[1]
    if any(overlaps): # as those of noise do: what they are put together to is no datagram that anybody wrote
        return
    if '_ws.malformed' in protocols:
        yield 'malformed: ' + protocols
    for name, value in zip(judge.LIES, lies):
        if value:
            yield name
    for name, value in zip(judge.STATUS, statuses):
        if name.split('.')[0] in layers and judge.STATUS_NAME[value.partition(';')[0]] == 'Bad':
            yield name


def rows_of(path):
    """What tshark says of a capture, or why it says nothing."""
    try:
        return judge.tshark(path, judge.VERIFY, NAMES)[0]
    except (judge.Trouble, OSError) as reason:
        return str(reason)


def main():
    found, packets, troubled = {}, 0, False
    with tempfile.TemporaryDirectory() as profile, concurrent.futures.ThreadPoolExecutor(2) as pool:
        judge.private_profile(profile)
        paths = sys.argv[1:]
        for path, rows in zip(paths, pool.map(rows_of, paths)):
            if isinstance(rows, str):
                troubled = True
                print(rows, file=sys.stderr)
                continue
            packets += len(rows)
            for n, row in enumerate(rows, 1):
                for fault in faults(row):
                    found.setdefault(fault, [0, f'{path}: packet {n}'])[0] += 1
    for fault, (count, first) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(f'{count:8d}  {fault}; first in {first}')
    print(f'{packets} packets, {sum(count for count, _ in found.values())} faults')
    return 2 if troubled else 1 if found or not packets else 0


if __name__ == '__main__':
    sys.exit(main())
