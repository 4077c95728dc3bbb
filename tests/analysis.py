#!/usr/bin/env python3
"""Holds the analysis of TCP (tc-diff/analysis.c) against tshark's tcp.analysis, packet by packet.

  analysis.py DIR [-j N] [--limit K] [--bin build/tests/analysis] [--skip FIELD,...]

DIR may be a capture. A line for each field of a capture that differs: capture, field, ours, tshark's (how many packets
have it), how many packets differ, the first of them; then the totals. Exit 0: all the same; 1: not; 2: trouble.
"""
import argparse
import collections
import concurrent.futures
import os
import subprocess
import sys

# The order of tc-diff/analysis.h.
VERDICTS = ('retransmission fast_retransmission spurious_retransmission out_of_order duplicate_ack zero_window '
            'zero_window_probe zero_window_probe_ack window_full window_update keep_alive keep_alive_ack lost_segment '
            'ack_lost_segment reused_ports').split()
NUMBERS = ['duplicate_ack_num', 'bytes_in_flight']
TIMES = ['initial_rtt', 'ack_rtt']
FIELDS = VERDICTS + NUMBERS + TIMES + ['completeness']


def lines(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # tshark says 2 of a capture that breaks off; what it read before that counts.
    if result.returncode not in (0, 2):
        raise RuntimeError('%s: %s' % (' '.join(command), result.stderr.decode().strip()))
    return [line.split('\t') for line in result.stdout.decode().splitlines()]


def nanoseconds(text):
    sign, text = (-1, text[1:]) if text.startswith('-') else (1, text)
    whole, _, part = text.partition('.')
    return sign * (int(whole) * 10 ** 9 + int(part.ljust(9, '0')))


def ours(binary, capture):
    """Packet number to field to value; fields that aren't there are left out."""
    packets = {}
    for number, bits, duplicate, flight, completeness, initial, rtt in lines([binary, '-p', capture]):
        p = {name: 1 for i, name in enumerate(VERDICTS) if int(bits) >> i & 1}
        p.update((name, int(v)) for name, v in zip(NUMBERS, (duplicate, flight)) if v != '0')
        p.update((name, int(v)) for name, v in zip(TIMES, (initial, rtt)) if v not in '-0')
        packets[int(number)] = dict(p, completeness=int(completeness))
    return packets


def tsharks(capture):
    names = ['tcp.analysis.' + name for name in VERDICTS + NUMBERS + TIMES]
    # FTP begins its data connections' conversations before their SYN, which then doesn't count in tcp.completeness.
    command = ['tshark', '-n', '-r', capture, '-Y', 'tcp', '--disable-protocol', 'ftp', '-o', 'tcp.desegment_tcp_streams:FALSE', '-T', 'fields']
    for name in ['frame.number', 'tcp.stream', 'tcp.completeness', 'tcp.analysis'] + names:
        command += ['-e', name]
    packets = {}
    for number, stream, completeness, any_, *values in lines(command):
        p = {}
        for name, value in zip(VERDICTS + NUMBERS + TIMES, values):
            value = value.split(',')[0]
            if value:
                p[name] = 1 if name in VERDICTS else int(value) if name in NUMBERS else nanoseconds(value)
        packets[int(number)] = dict(p, stream=stream, any=any_, completeness=completeness)
    return packets


def align(mine, other):
    """What the two tell at different times: tshark shows the completeness before the packet, and the initial RTT with
    whatever else it has to say of it."""
    before = {}
    for number, o in other.items():
        m = mine.get(number)
        if m is None:
            continue
        last = before.get(o['stream'])
        before[o['stream']] = m['completeness']
        if last is None or ',' in o['stream'] or not o['completeness']:
            del o['completeness'], m['completeness']
        else:
            m['completeness'], o['completeness'] = last, int(o['completeness'])
        if not o['any']:
            m.pop('initial_rtt', None)


def compare(binary, capture, skip):
    try:
        mine, other = ours(binary, capture), tsharks(capture)
    except (OSError, RuntimeError, ValueError) as e:
        return str(e)
    align(mine, other)
    result = {}
    for field in FIELDS:
        if field in skip:
            continue
        differ = [n for n in mine if mine[n].get(field) != other.get(n, {}).get(field)
                  and not (field == 'completeness' and field not in other.get(n, {}))]
        result[field] = (sum(field in p for p in mine.values()), sum(field in other.get(n, {}) for n in mine),
                         len(differ), min(differ, default=0))
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('dir')
    parser.add_argument('-j', type=int, default=os.cpu_count())
    parser.add_argument('--limit', type=int)
    parser.add_argument('--bin', default='build/tests/analysis')
    parser.add_argument('--skip', default='', help='fields that are known to differ, with a comma between')
    args = parser.parse_args()
    skip = args.skip.split(',')
    captures = [args.dir]
    if os.path.isdir(args.dir):
        captures = sorted(os.path.join(args.dir, f) for f in os.listdir(args.dir) if f.endswith(('.pcap', '.pcapng')))
    captures = captures[:args.limit]
    totals = collections.defaultdict(lambda: [0, 0, 0, 0])
    same, trouble = 0, not captures
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for capture, result in zip(captures, pool.map(lambda c: compare(args.bin, c, skip), captures)):
            name = os.path.basename(capture)
            if isinstance(result, str):
                print('%s\t%s' % (name, result), file=sys.stderr)
                trouble = True
                continue
            same += not any(r[2] for r in result.values())
            for field, r in result.items():
                if r[2]:
                    print(name, field, *r, sep='\t')
                for i, n in enumerate((r[0], r[1], r[2], r[2] > 0)):
                    totals[field][i] += n
    print('# field\tours\ttshark\tpackets that differ\tcaptures that differ')
    for field in FIELDS:
        print(field, *totals[field], sep='\t')
    print('captures\t%d\tsame\t%d' % (len(captures), same))
    return 2 if trouble else 0 if same == len(captures) else 1


if __name__ == '__main__':
    sys.exit(main())
