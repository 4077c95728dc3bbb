#!/usr/bin/env python3
"""live.py [--rate N] [--seconds N] [--to lift,enc,dec,compile] [--capture PATH] [--buffer KIB]: a replay, captured and
taken through the pipe while it goes on.

In a network namespace with two ends of a wire, tcpreplay sends RATE packets a second on one end; on the other

    tcpdump --immediate-mode -U -s 128 -B BUFFER -i eth -w - | tc-lift | tc-enc | tc-dec | tc-compile

captures them. Once for each program named by --to the pipe goes that far, and what comes out is read as it comes. Prints
packets sent, captured and dropped by the kernel, those that each program had, how long each was under way, from the time
that the kernel gave it to its record's arrival at the end of the pipe, and the processor time of each program. While the
last packets are under way the sender is silent and the wire open: what then doesn't come doesn't count.

The packets are those of PATH, a capture or a folder of them (the sample), made new by build/tests/big where there are not enough of them, so that
no cache has seen them. Exit 1 where a packet is lost or one was under way for 100 ms, 77 where there can be no namespace.
Needs root, and of Debian's packages: iproute2 tcpdump tcpreplay util-linux.
"""
import argparse
import os
import re
import resource
import signal
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from array import array

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
os.environ['PATH'] = ':'.join([ROOT + '/bin', ROOT + '/build/tests', os.environ['PATH']])
STAGES = {'lift': 'actions', 'enc': 'latents', 'dec': 'actions', 'compile': 'capture'}
LATENCY = 0.1  # seconds, at most
PATIENCE = 20  # seconds for what is under way when the sender has ended


def can_not(why):
    print(why, file=sys.stderr)
    sys.exit(77)


def inside():
    """This script again, in a network namespace of its own; the kernel takes it away whatever happens."""
    if os.environ.get('LIVE_INSIDE') == 'yes':
        return
    if os.getuid():
        can_not('network namespaces need root')
    for program in 'ip', 'tcpdump', 'tcpreplay', 'unshare':
        shutil.which(program) or can_not(program + ' is not installed')
    own = ['unshare', '--net', '--pid', '--fork', '--kill-child']
    if subprocess.run([*own, 'true'], stderr=subprocess.DEVNULL).returncode:
        can_not('no namespaces can be made here')
    os.environ['LIVE_INSIDE'] = 'yes'
    os.execvp(own[0], [*own, sys.executable, *sys.argv])


def wire():
    """Nothing but what is sent is on it: no addresses, so no answers."""
    def ip(*args):
        subprocess.run(['ip', 'link', *args], check=True)
    with open('/proc/sys/net/ipv6/conf/default/disable_ipv6', 'w') as f:
        f.write('1')
    ip('add', 'sender', 'type', 'veth', 'peer', 'name', 'eth')
    for end in 'sender', 'eth':
        ip('set', end, 'mtu', '9000', 'up')


def make(trace, packets, capture):
    """Packets of the capture, or of all below a folder, that a wire takes: of the length of its header at least."""
    files = [capture] if os.path.isfile(capture) else sorted(
        os.path.join(d, f) for d, _, fs in os.walk(capture) for f in fs)
    subprocess.run(['big', '-n', str(packets), '-o', trace, *files], check=True, stderr=subprocess.DEVNULL)
    with open(trace, 'rb') as f:
        octets = memoryview(f.read())
    with open(trace, 'wb') as f:
        f.write(octets[:24])
        at = 24
        while at < len(octets):
            length = int.from_bytes(octets[at + 8:at + 12], 'little')
            if length >= 14:
                f.write(octets[at:at + 16 + length])
            at += 16 + length


class Pipe:
    """The programs from tcpdump to the one named, and what reads behind it."""

    def __init__(self, last, o, tmp):
        names = list(STAGES)
        names = ['tc-' + s for s in names[:names.index(last) + 1]]
        self.tmp, self.kind, self.programs = tmp, STAGES[last], {}
        tcpdump = ['tcpdump', '--immediate-mode', '-U', '-s', '128', '-B', str(o.buffer), '-i', 'eth', '-w', '-']
        at = self.start('tcpdump', tcpdump, None)
        for name in names:
            at = self.start(name, [name, '-v'], at)
            if name == 'tc-lift' and self.kind == 'latents':  # where their times are looked up
                at = self.start('tee', ['tee', tmp + '/actions'], at)
        with open(tmp + '/arrivals', 'wb') as out:
            self.start('arrivals', ['arrivals', self.kind], at, out)
        while 'listening on' not in self.said('tcpdump'):
            if self.programs['tcpdump'].poll() is not None:
                sys.exit(self.said('tcpdump'))
            time.sleep(0.01)

    def start(self, name, args, stdin, stdout=subprocess.PIPE):
        with open(f'{self.tmp}/{name}.err', 'w') as err:
            p = self.programs[name] = subprocess.Popen(args, stdin=stdin, stdout=stdout, stderr=err)
        if stdin:
            stdin.close()  # this process's end
        return p.stdout

    def said(self, name):
        with open(f'{self.tmp}/{name}.err') as f:
            return f.read()

    def arrived(self):
        return os.path.getsize(self.tmp + '/arrivals') // 16

    def close(self):
        """Ends tcpdump, and so all of them: the processor time of each."""
        gone = [f'{n}: exit {p.returncode}: {self.said(n)}' for n, p in self.programs.items() if p.poll() is not None]
        if gone:
            sys.exit('ended by themselves: ' + '\n'.join(gone))
        self.programs['tcpdump'].send_signal(signal.SIGINT)
        cpu = {}
        for name, p in self.programs.items():
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            if p.returncode:
                sys.exit(f'{name}: exit {p.returncode}: {self.said(name)}')
            cpu[name] = usage.ru_utime + usage.ru_stime
        return cpu

    def latencies(self):
        """Seconds that each packet was under way."""
        with open(self.tmp + '/arrivals', 'rb') as f:
            pairs = array('q', f.read())
        arrival, own = pairs[::2], pairs[1::2]
        if self.kind == 'latents':
            with open(self.tmp + '/actions', 'rb') as f:
                own = array('q', subprocess.run(['arrivals', 'actions'], stdin=f, capture_output=True).stdout)[1::2]
        return sorted((a - t) / 1e9 for a, t in zip(arrival, own, strict=True))

    def counted(self, name):
        """Packets that a program had."""
        return int(re.findall(r'(\d+) packets (?:captured|in)', self.said(name))[-1])


def send(trace, rate):
    """Packets sent, how many a second that was, and the processor time of it, which has the wire's in it."""
    def seconds():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = seconds()
    out = subprocess.run(['tcpreplay', '-q', '-i', 'sender', '--preload-pcap', f'--pps={rate}', trace],
                         capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr)
    return (int(re.search(r'Successful packets:\s+(\d+)', out.stdout)[1]),
            float(re.search(r'([\d.]+) pps', out.stdout)[1]), seconds() - before)


def trial(last, o, trace, tmp):
    """Whether it kept up, after it is told."""
    pipe = Pipe(last, o, tmp)
    sent, rate, sending = send(trace, o.rate)
    end = time.monotonic() + PATIENCE
    while pipe.arrived() < sent and time.monotonic() < end:
        time.sleep(0.01)
    in_time = pipe.arrived()
    cpu = pipe.close()
    took = pipe.latencies()
    dropped = int(re.search(r'(\d+) packets dropped by kernel', pipe.said('tcpdump'))[1])
    stages = [n for n in pipe.programs if n.startswith('t') and n != 'tee']
    ok = dropped == 0 and {sent} == {in_time, len(took), *map(pipe.counted, stages)} and took[-1] < LATENCY
    print(f'{"ok" if ok else "not ok"} to tc-{last}: {sent} packets sent, {rate:.0f} a second; '
          f'{dropped} dropped by the kernel; {in_time} at the end before the wire was closed')
    print('  packets:   ' + ', '.join(f'{n} {pipe.counted(n)}' for n in stages) + f'; arrived {len(took)}')
    print(f'  under way: median {1e3 * statistics.median(took):.2f} ms, 99 % below '
          f'{1e3 * took[len(took) * 99 // 100]:.1f} ms, worst {1e3 * took[-1]:.1f} ms')
    print('  processor: ' + ', '.join(f'{n} {1e6 * s / sent:.2f}' for n, s in cpu.items()) +
          f'; together {1e6 * sum(cpu.values()) / sent:.2f} us a packet; sender and wire {1e6 * sending / sent:.2f}')
    return ok


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--rate', type=int, default=100000, help='packets a second')
    ap.add_argument('--seconds', type=int, default=5)
    ap.add_argument('--to', default='lift,enc,compile', help='where the pipe ends')
    ap.add_argument('--capture', default=ROOT + '/tests/fixtures/sample.pcap')
    ap.add_argument('--buffer', type=int, default=16384, help="KiB, the kernel's for tcpdump")
    o = ap.parse_args()
    inside()
    wire()
    with tempfile.TemporaryDirectory() as tmp:
        trace = tmp + '/trace.pcap'
        make(trace, o.rate * o.seconds, o.capture)
        print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before')
        ok = [trial(last, o, trace, tmp) for last in o.to.split(',')]
    sys.exit(0 if all(ok) else 1)


if __name__ == '__main__':
    main()
