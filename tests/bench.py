#!/usr/bin/env python3
"""bench.py [DIR] [--big N,N,...] [--runs R] [--json FILE]: how fast each program is, beside what others take.

On one file F, the captures of DIR of one link type joined and repeated up to a million packets (or the sample that
ships): tcpdump -r F -w /dev/null, libpcap's own floor, and tc-lift, tc-compile, tc-edit and tc-diff as ratios to it
(merged with itself, a packet that is written). On every capture once, caches cold at the start: the codec, beside the
same floor a packet, with how often the cache knew (of a run that --stats asks for rates too), and the same without a cache; and all
four programs in a pipe. With --big: each program alone, and the pipe, on traces of N packets that tests/big.sh makes of DIR,
beside other people's tools that are installed. Of both: each program with --jobs 1 and 2, what its roles take, what more cores
would bring by a model of that, and how far each program is from what no program can save: the copies and the checksum of the
octets that must move.

CPU seconds are user and system, medians of R turns, in each of which every command runs once; a ratio is that to tcpdump's
CPU seconds in the same turn, a packet: the median, the lowest and the highest. Packets a second are of CPU seconds. Seconds by
the clock stand only where the machine had nothing else to do before. Peak memory is in MiB. What is printed is written
as JSON too (build/bench.json).
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from origins import lift

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
os.environ['PATH'] = os.path.join(ROOT, 'bin') + ':' + os.environ['PATH']


def run(command, out=None):
    """CPU seconds, seconds and peak MiB of one process."""
    start = time.monotonic()
    with open(out or os.devnull, 'wb') as f:
        p = subprocess.Popen(command, stdout=f, stderr=subprocess.DEVNULL)
        status, used = os.wait4(p.pid, 0)[1:]
        p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in (0, 1):
        sys.exit(f'{" ".join(command)}: exit status {p.returncode}')
    return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss / 1024


def idle():
    """Whether all processors have nothing to do for a second."""
    def ticks():
        with open('/proc/stat') as f:
            n = [int(x) for x in f.readline().split()[1:9]]
        return n[3] + n[4], sum(n)
    before = ticks()
    time.sleep(1)
    after = ticks()
    return after[0] - before[0] > 0.97 * (after[1] - before[1])


Took = collections.namedtuple('Took', 'cpu wall mib ratio')


def measure(commands, runs, each=1):
    """{name: Took}, medians; the commands take turns, so that all see the same machine. The first is the floor; a packet of it
    counts as many times as `each` says."""
    took = {name: [] for name in commands}
    quiet = idle()
    for _ in range(runs):
        for name, command in commands.items():
            took[name].append(run(command))
    floor = [t[0] for t in next(iter(took.values()))]
    result = {}
    for name, v in took.items():
        ratios = [t[0] / f * (each if name != next(iter(took)) else 1) for t, f in zip(v, floor)]
        result[name] = Took(statistics.median(t[0] for t in v), statistics.median(t[1] for t in v) if quiet else '-',
                            max(t[2] for t in v), (statistics.median(ratios), min(ratios), max(ratios)))
    return result


def join(source, path):
    """The captures of one link type in one file, and that up to a million packets long: packets of both."""
    files = [source] if os.path.isfile(source) else sorted(
        os.path.join(d, f) for d, _, fs in os.walk(source) for f in fs)
    kinds = {}
    for f in files:
        with open(f, 'rb') as h:
            data = h.read()
        if len(data) > 24 and data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'):
            kinds.setdefault((data[:4], data[20:24]), []).append(data)
    joined = max(kinds.values(), key=lambda v: sum(map(len, v)))
    body = b''.join(d[24:] for d in joined)
    packets, at = 0, 0
    while at + 16 <= len(body):
        at += 16 + struct.unpack_from('<I', body, at + 8)[0]
        packets += 1
    times = -(-1_000_000 // packets)
    for name, n in ((path, times), (path + '.once', 1)):
        with open(name, 'wb') as f:
            f.write(joined[0][:16] + struct.pack('<I', 262144) + joined[0][20:24])
            for _ in range(n):
                f.write(body)
    print(f'{len(joined)} captures, {packets} packets, {times} times: {packets * times} packets')
    return packets * times, packets


def apart(f, *args):
    """f(*args) in a process of its own: what is measured later begins as a copy of this one, with its memory."""
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        return pool.submit(f, *args).result()


def table(title, head, rows):
    print(f'\n{title}\n' + ' '.join(f'{h:>{24 if i == 0 else 10}s}' for i, h in enumerate(head)))
    for row in rows:
        print(' '.join(f'{v:>{24 if i == 0 else 10}s}' if isinstance(v, str) else f'{v:10.4g}' if v < 1000 else f'{v:10.0f}'
                       for i, v in enumerate(row)), flush=True)
    return {'title': title, 'rows': [dict(zip(head, row)) for row in rows]}


RATIO = ['CPU s', 'ratio', 'lowest', 'highest']


def tcpdump(path):
    # -Z: as root it would give /dev/null away to its own user.
    return ['tcpdump', '-Z', os.environ.get('USER') or 'root', '-r', path, '-w', '/dev/null']


def ratios(tmp, path, n, runs):
    subprocess.run(['tc-lift', '-q', '-o', tmp + '/F.act', path], check=True)
    subprocess.run(['tc-compile', '-q', '-o', tmp + '/B', tmp + '/F.act'], check=True)
    edit = ['tc-edit', '-q', tmp + '/F.act']
    took = measure({'tcpdump': tcpdump(path), 'tc-lift': ['tc-lift', '-q', path],
                    'tc-compile': ['tc-compile', '-q', tmp + '/F.act'], 'tc-edit --from 1': [*edit, '--from', '1'],
                    'tc-edit --flows tcp': [*edit, '--flows', 'tcp'], 'tc-edit --merge': [*edit, '--merge', tmp + '/F.act'],
                    'tc-diff': ['tc-diff', path, tmp + '/B']}, runs)
    merged = took['tc-edit --merge']
    took['tc-edit --merge'] = merged._replace(cpu=merged.cpu / 2, ratio=[r / 2 for r in merged.ratio])
    return table(f'{n} packets, beside tcpdump -r F -w /dev/null', ['program', *RATIO, 'packets/s', 'peak MiB', 'seconds'],
                 [(k, t.cpu, *t.ratio, n / t.cpu, t.mib, t.wall) for k, t in took.items()])


def stats(command):
    return json.loads(subprocess.run([*command, '--stats'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr)


def codec(tmp, source, floor_packets, runs):
    paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(source) for f in fs) if os.path.isdir(source) else [source]
    with open(tmp + '/all', 'wb') as f:
        f.writelines(lift(paths).values())
    subprocess.run(['tc-enc', '-q', '-o', tmp + '/latents', tmp + '/all'], check=True)
    ways = {f'{" ".join((*way, *cache))}': [*way, '-q', *cache, tmp + ('/latents' if way[0] == 'tc-dec' else '/all')]
            for cache in ((), ('--no-cache',)) for way in (('tc-enc',), ('tc-enc', '--no-refine'), ('tc-dec',))}
    said = {name: stats(command) for name, command in ways.items()}
    n = said['tc-enc']['packets']
    took = measure({'tcpdump': tcpdump(tmp + '/F'), **ways}, runs, floor_packets / n)
    return table(f'the codec: {n} packets, each capture once', ['program', *RATIO, 'packets/s', 'hits %', 'peak MiB'],
                 [(name, took[name].cpu, *took[name].ratio, n / took[name].cpu, 100 * s['cache_found'] / s['cache_asked'],
                  took[name].mib) for name, s in said.items()])


PIPE = 'tc-lift -q "$0" | tc-enc -q | tc-dec -q | tc-compile -q >/dev/null'


def pipe(tmp, floor_packets, once, runs):
    """The four together: what the shell waits for counts as its own."""
    took = measure({'tcpdump': tcpdump(tmp + '/F'), 'pipe': ['sh', '-c', PIPE, tmp + '/F.once']}, runs, floor_packets / once)['pipe']
    return table(f'lift, enc, dec and compile in a pipe, {os.cpu_count()} cores, each capture once',
                 ['packets', *RATIO, 'packets/s', 'seconds'], [(str(once), took.cpu, *took.ratio, once / took.cpu, took.wall)])


CORES = 1, 2, 4, 8, 16
MODEL = """ns: processor time a packet, medians. Roles: their shares, as -v says them, of the time at --jobs 1; what it costs to hand blocks
over shows in the time at --jobs 2, the more the busier the machine. The model: on N cores a program takes, a packet, its time at
--jobs 2 over N, but no less than its longest role that is one thread's: reading, writing, and working where that is the state of
the trace (tc-lift, tc-compile: it includes writing); tc-diff no less than what is left without one of its traces. The pipe: all
times over N, but no less than the longest role of any. M/s@N: million packets a second so; at 1: the time at --jobs 1. 9@16: @16
where tcpdump does 9 million."""


def roles(command):
    """Shares of reading, working and writing, by what -v says."""
    said = subprocess.run([*command, '-v'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    seconds = [float(x) for x in re.search('processor time: (.*) s reading, (.*) s working, (.*) s writing', said).groups()]
    return [s / sum(seconds) for s in seconds]


def cores(tmp, f, n, runs):
    """Each program with one and two jobs, and a model of more: F.pcap and what is made of it stand there."""
    one = tmp + '/one.pcap'
    subprocess.run(['tcpdump', '-Z', os.environ.get('USER') or 'root', '-r', f + '.pcap', '-c', '1', '-w', one], check=True,
                   stderr=subprocess.DEVNULL)
    programs = {'tc-lift': ['tc-lift', f + '.pcap'], 'tc-enc': ['tc-enc', f + '.act'], 'tc-dec': ['tc-dec', f + '.lat'],
                'tc-compile': ['tc-compile', f + '.act2'], 'tc-diff': ['tc-diff', f + '.pcap', f + '.again']}
    commands = {'tcpdump': tcpdump(f + '.pcap')}
    for k, command in programs.items():
        for jobs in '12':
            commands[f'{k} {jobs}'] = [*command, '-q', '--jobs', jobs]
    commands['tc-diff of one'] = ['tc-diff', '-q', f + '.pcap', one]
    took = measure(commands, runs)
    ns = {k: t.cpu / n * 1e9 for k, t in took.items()}
    rows, pipe, longest = [], [0, 0], 0

    def row(name, one_job, two_jobs, parts, serial):
        model = [1e3 / (max(serial, two_jobs / c) if c > 1 else one_job) for c in CORES]
        walls = [took[f'{name} {j}'].wall if f'{name} {j}' in took else '-' for j in '12']
        rows.append((name, one_job, two_jobs, *walls, *parts, *model, model[-1] * ns['tcpdump'] * 9e-3))

    for k, command in programs.items():
        one_job, two_jobs = ns[k + ' 1'], ns[k + ' 2']
        if k == 'tc-diff':
            row(k, one_job, two_jobs, '---', two_jobs - ns['tc-diff of one'])
            continue
        said = [statistics.median(v) * one_job for v in zip(*(roles(command) for _ in range(runs)))]
        serial = max(said if k in ('tc-lift', 'tc-compile') else said[::2])
        row(k, one_job, two_jobs, said, serial)
        pipe, longest = [pipe[0] + one_job, pipe[1] + two_jobs], max(longest, serial)
    row('the pipe', *pipe, '---', longest)
    t = table(f'{n} packets on several cores', ['program', 'ns', 'ns, 2 jobs', 's', 's, 2 jobs', 'reading', 'working', 'writing',
                                                *(f'M/s@{c}' for c in CORES), '9@16'], rows)
    print(MODEL)
    return [t, floors(f, n, ns)]


STAGES = ('tc-lift', 'pcap', 'act'), ('tc-enc', 'act', 'lat'), ('tc-dec', 'lat', 'act2'), ('tc-compile', 'act2', 'again')


def through(f):
    """What each program makes of f.pcap, in turn."""
    for tool, a, b in STAGES:
        subprocess.run([tool, '-q', '-o', f'{f}.{b}', f'{f}.{a}'], check=True)


def floors(f, n, ns):
    """What a program can't save: each octet that it reads and writes goes through the kernel once, and actions and latents
    through a checksum; of tc-compile's packets the headers go through another, which is not counted."""
    def seconds(work):
        start = time.process_time()
        work()
        return time.process_time() - start
    size, piece = 1 << 28, bytes(1 << 18)
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(r)
        for _ in range(size >> 18):
            os.write(w, piece)
        os._exit(0)
    os.close(w)
    copy = seconds(lambda: [None for _ in iter(lambda: os.read(r, 1 << 18), b'')]) / size
    os.close(r)
    os.waitpid(child, 0)
    check = seconds(lambda: [zlib.crc32(piece) for _ in range(size >> 18)]) / size
    octets = {k: os.path.getsize(f + '.' + k) / n for k in ('pcap', 'act', 'lat', 'act2', 'again')}
    rows = []
    for k, a, b in STAGES:
        summed = sum(octets[o] for o in (a, b) if o not in ('pcap', 'again'))
        floor = ((octets[a] + octets[b]) * copy + summed * check) * 1e9
        rows.append((k, octets[a], octets[b], floor, ns[k + ' 1'], ns[k + ' 1'] / floor))
    t = table('from the floor: copies through a pipe, and CRC-32', ['program', 'octets in', 'octets out', 'floor, ns', 'ns', 'times'], rows)
    print(f'A copy takes {copy * 1e9:.3f} ns an octet, the checksum (zlib) {check * 1e9:.3f}.')
    return t


def big(tmp, source, sizes, runs):
    """Each stage alone and all in a pipe on traces of growing size, and what others take on the same."""
    rows, tables = [], []
    for n in sizes:
        f = f'{tmp}/big'
        print(f'\nmaking {n} packets', flush=True)
        subprocess.run([os.path.join(ROOT, 'tests/big.sh'), str(n), source, f + '.pcap'], check=True)
        through(f)
        stages = {'tcpdump': tcpdump(f + '.pcap'), 'tc-lift': ['tc-lift', '-q', f + '.pcap'],
                  'tc-enc': ['tc-enc', '-q', f + '.act'], 'tc-dec': ['tc-dec', '-q', f + '.lat'],
                  'tc-compile': ['tc-compile', '-q', f + '.act2'], 'tc-diff': ['tc-diff', '-q', f + '.pcap', f + '.again'],
                  'the pipe': ['sh', '-c', PIPE, f + '.pcap']}
        others = {'tcprewrite': ['tcprewrite', '--seed=1', '-i', f + '.pcap', '-o', '/dev/null'],
                  'argus': ['argus', '-r', f + '.pcap', '-w', '/dev/null'],
                  'tshark': ['tshark', '-r', f + '.pcap', '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'ip.src', '-e',
                             'ip.dst', '-e', 'tcp.flags', '-e', 'tcp.seq', '-e', 'tcp.ack', '-e', 'tcp.len']}
        if n == min(sizes):
            for k, v in others.items():
                if not shutil.which(k):
                    print(f'{k}: not installed')
                elif subprocess.run(v, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
                    print(f'{k}: gives up on this trace')
                else:
                    stages[k] = v
        took = measure(stages, runs)
        rows += [(k, str(n), t.cpu, *t.ratio, n / t.cpu, t.cpu / n * 1e9, t.mib, t.wall) for k, t in took.items()]
        tables += cores(tmp, f, n, runs)
    return [table('big traces, each program alone', ['program', 'packets', *RATIO, 'packets/s', 'ns a packet', 'peak MiB',
                                                    'seconds'], rows), *tables]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('dir', nargs='?', default=os.path.join(ROOT, 'tests/fixtures/sample.pcap'))
    ap.add_argument('--big', help='packets of the traces that are made')
    ap.add_argument('--runs', type=int, default=7)
    ap.add_argument('--json', default=os.path.join(ROOT, 'build/bench.json'))
    o = ap.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        if o.big:
            tables = big(tmp, o.dir, [int(n) for n in o.big.split(',')], min(o.runs, 3))
        else:
            n, once = apart(join, o.dir, tmp + '/F')
            tables = [ratios(tmp, tmp + '/F', n, o.runs), codec(tmp, o.dir, n, o.runs), pipe(tmp, n, once, o.runs)]
            os.rename(tmp + '/F.once', tmp + '/once.pcap')
            through(tmp + '/once')
            tables += cores(tmp, tmp + '/once', once, o.runs)
    with open(o.json, 'w') as f:
        json.dump({'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), 'cores': os.cpu_count(),
                   'load': os.getloadavg(), 'tables': tables}, f, indent=1)


if __name__ == '__main__':
    main()
