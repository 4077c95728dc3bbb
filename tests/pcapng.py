#!/usr/bin/env python3
"""pcapng files made to measure, and what becomes of their times.

  pcapng.py [N [SEED]]: the files of N seeds (20) from SEED (1), judged; exit 1 if any is read otherwise than it is written
  pcapng.py --file WORD... : one file to standard output, of these blocks:
    little, big           a section begins
    if[=RESOLUTION[,OFFSET[,SNAPLEN[,LINKTYPE]]]]   an interface: 6, 10 ... for 10^-6, 10^-10; 2^10 for 2^-10
    packet=UNITS[,INTERFACE], old=UNITS[,INTERFACE]   an Enhanced Packet Block, an obsolete Packet Block: a datagram
    simple[=LENGTH]       a Simple Packet Block
    other=OCTETS          a block of secrets with so many octets
  pcapng.py --times: of the stream of actions on standard input, ns since 1970, in one line, and the resolution

The random files have sections of both byte orders, interfaces of resolutions from 10^-1 to 10^-12 s and 2^-1 to 2^-40 s,
offsets of either sign, and blocks before them that fill up to 20,000 octets. Each is lifted and compiled. The times of
the actions are those that the blocks say, in exact arithmetic, cut (towards the past) to the nanosecond. tshark says
the same of the file, and of the capture that is compiled, where that can hold them; where it can't, tc-compile counts it.
Of the file tshark is asked where its own product of a fraction and 10^9 has 64 bits at most.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import judge

NANO = 10**9
LIMIT = 53375 * 86400 * NANO        # what tc-lift holds: tc-lift(1), changed
DATAGRAM = bytes.fromhex('020000000001 020000000002 0800 4500001c 0000 4000 4011 b82c c0000201 c6336407 1388 0035 0008 0000')


def block(kind, body, order):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + 'I', len(body) + 12)
    return struct.pack(order + 'I', kind) + size + body + size


class File:
    """Blocks one after the other, and the times of the packets: ns since 1970, None where a block has none."""

    def __init__(self):
        self.octets, self.times, self.order, self.interfaces = bytearray(), [], '<', []
        self.nano = False           # whether an interface before the first packet has times that us can't tell
        self.plain = []             # whether tshark's arithmetic is up to it

    def add(self, kind, body):
        self.octets += block(kind, body, self.order)

    def section(self, order):
        self.order, self.interfaces = order, []
        self.add(0x0a0d0d0a, struct.pack(order + 'IHHq', 0x1a2b3c4d, 1, 0, -1))

    def other(self, kind, octets):
        """TLS secrets, somebody's own block, one that nobody knows."""
        head = {10: (0x544c534b, len(octets)), 0xbad: (32473,)}.get(kind, ())
        self.add(kind, struct.pack(f'{self.order}{len(head)}I', *head) + octets)

    def interface(self, base=10, exponent=6, offset=0, snaplen=0, link=1, always=False):
        options = b''
        if (base, exponent) != (10, 6) or always:
            options += struct.pack(self.order + 'HHB3x', 9, 1, exponent | (0x80 if base == 2 else 0))
        if offset or always:
            options += struct.pack(self.order + 'HHq', 14, 8, offset)
        options += struct.pack(self.order + 'HH', 0, 0) if options else b''
        self.add(1, struct.pack(self.order + 'HHI', link, 0, snaplen) + options)
        self.interfaces.append((base**exponent, offset, snaplen))
        self.nano |= exponent > 6 and not self.times

    def packet(self, units, number=0, old=False):
        head = struct.pack(self.order + ('HH' if old else 'I'), *(number, 0)[:1 + old])
        frame = DATAGRAM[:self.interfaces[number][2] or None]
        self.add(2 if old else 6, head + struct.pack(self.order + 'IIII', units >> 32, units & 0xffffffff, len(frame),
                                                     len(DATAGRAM)) + frame)
        second, offset, _ = self.interfaces[number]
        self.times.append((units // second + offset) * NANO + units % second * NANO // second)
        self.plain.append(units % second * NANO < 2**64)

    def simple(self, length=len(DATAGRAM)):
        frame = DATAGRAM[:length] + bytes(max(0, length - len(DATAGRAM)))
        self.add(3, struct.pack(self.order + 'I', length) + frame[:self.interfaces[0][2] or None])
        self.times.append(None)
        self.plain.append(True)


def written(words):
    """The file that the words of --file say."""
    file = File()
    for word in words:
        kind, _, rest = word.partition('=')
        values = rest.split(',') if rest else []
        if kind in ('little', 'big'):
            file.section('<' if kind == 'little' else '>')
        elif kind == 'if':
            base, _, exponent = (values or ['6'])[0].rpartition('^')
            file.interface(int(base or 10), int(exponent), *map(int, values[1:]))
        elif kind in ('packet', 'old'):
            file.packet(*map(int, values), old=kind == 'old')
        elif kind == 'simple':
            file.simple(*map(int, values))
        elif kind == 'other':
            file.other(10, bytes(int(rest)))
        else:
            sys.exit(f'pcapng.py: {word}: no such block')
    return file


# ---- random files

def some_interface(draw, file):
    base, exponent = draw.choice([(10, draw.randint(1, 12)), (2, draw.randint(1, 40))])
    offset = draw.choice([0, 0, draw.randint(-4 * 10**9, 4 * 10**9), draw.randint(-10**5, 10**5)])
    file.interface(base, exponent, offset, draw.choice([0, 0, 262144, 34]), always=draw.random() < 0.5)


def some_packet(draw, file):
    number = draw.randrange(len(file.interfaces))
    second, offset, _ = file.interfaces[number]
    # Of our days, or any that 64 bits of units and the range hold.
    seconds = draw.choice([draw.randint(0, 2 * 10**9), 1600000000 + draw.randint(0, 5), draw.randint(0, 10**10)])
    fraction = draw.choice([0, 1, second - 1, draw.randrange(second), draw.randrange(min(second, 2**34))])
    units = min(seconds, (2**64 - second) // second) * second + fraction % second
    file.packet(units, number, old=draw.random() < 0.2)


def some_file(draw):
    file = File()
    for _ in range(draw.randint(1, 3)):
        file.section(draw.choice('<>'))
        for _ in range(draw.choice([0, 1, 3])):
            file.other(draw.choice([10, 0xbad, 0x80000001]), draw.randbytes(draw.choice([0, 8, 4084, 5000, 20000])))
        for _ in range(draw.randint(1, 4)):
            some_interface(draw, file)
        for _ in range(draw.randint(1, 8)):
            if draw.random() < 0.15:
                some_interface(draw, file)
            if draw.random() < 0.1:
                file.simple()
            else:
                some_packet(draw, file)
    return file


# ---- judging

def said(command, **how):
    """Standard output, and the count of what standard error says was changed."""
    done = subprocess.run(command, capture_output=True, check=True, **how)
    words = done.stderr.decode().split()
    return done.stdout, int(words[words.index('changed:') + 1]) if 'changed:' in words else 0


def tshark(path):
    """(time, captured, original length) of the packets, ns, None without a time. -S.F is F behind second -S to tshark, and
    other blocks are frames to it, without Ethernet."""
    fields = [word for name in ('time_epoch', 'cap_len', 'len') for word in ('-e', 'frame.' + name)]
    rows = []
    for line in said(['tshark', '-n', '-r', path, '-Y', 'eth', '-T', 'fields', *fields])[0].decode().splitlines():
        time, *lengths = line.split('\t')
        seconds, _, fraction = time.partition('.')
        rows.append((int(seconds) * NANO + int(fraction) if time else None, *lengths))
    return rows


def lifted(stream):
    """Resolution, and the times of the actions."""
    lines = said(['bin/tc-show'], input=stream)[0].splitlines()
    header, times = json.loads(lines[0]), []
    seconds, fraction = header['start'].lstrip('-').split('.')
    time = (int(seconds) * NANO + int(fraction)) * (-1 if header['start'][0] == '-' else 1)
    for line in lines[1:-1]:
        time += json.loads(line).get('dt', 0)
        times.append(time)
    return header['resolution'], times


def kept(times):
    """The times as they are to be lifted: one that a block doesn't have is that before it, 0 first; and how many are cut."""
    result, beyond = [], 0
    for time in times:
        inside = max(-LIMIT, min(LIMIT - 1, time)) if time is not None else result[-1] if result else 0
        beyond += time is not None and inside != time
        result.append(inside)
    return result, beyond


def in_pcap(times, nano):
    """The times as a pcap file has them, and how many of them are changed, by either reason."""
    result = [0 if time < 0 else min(time, 0xffffffff * NANO) if time // NANO > 0xffffffff else time for time in times]
    changed = sum(time < 0 or time // NANO > 0xffffffff for time in times)
    if nano:
        return result, changed
    return [time // 1000 * 1000 for time in result], changed + sum(time % 1000 != 0 for time in times)


def faults(file, path):
    """What is wrong with what becomes of a file."""
    with open(path, 'wb') as out:
        out.write(file.octets)
    stream, beyond = said(['bin/tc-lift', path])
    image, changed = said(['bin/tc-compile'], input=stream)
    with open(path + '.image', 'wb') as out:
        out.write(image)
    resolution, times = lifted(stream)
    right, right_beyond = kept(file.times)
    right_image, right_changed = in_pcap(right, file.nano)
    rows, rows_image = tshark(path), tshark(path + '.image')
    if resolution != ('ns' if file.nano else 'us'):
        yield f'resolution {resolution}'
    if (beyond, changed) != (right_beyond, right_changed):
        yield f'changed: {beyond} lifted, {changed} compiled; should be {right_beyond}, {right_changed}'
    if not len(file.times) == len(times) == len(rows) == len(rows_image):
        yield f'{len(file.times)} packets, {len(times)} lifted, {len(rows)} and {len(rows_image)} to tshark'
        return
    for n, time in enumerate(file.times):
        if times[n] != right[n]:
            yield f'packet {n + 1}: lifted {times[n]}, should be {right[n]}'
        if file.plain[n] and rows[n][0] != time:
            yield f'packet {n + 1}: {rows[n][0]} to tshark, should be {time}'
        if rows_image[n][0] != right_image[n]:
            yield f'packet {n + 1}: compiled {rows_image[n][0]}, should be {right_image[n]}'
        if rows[n][1:] != rows_image[n][1:]:
            yield f'packet {n + 1}: lengths {rows[n][1:]}, compiled {rows_image[n][1:]}'


def random_files(count, seed):
    """A line for each that is wrong, and one for all of them."""
    wrong, packets, judged = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        judge.private_profile(profile)
        path = os.path.join(folder, 'a.pcapng')
        for n in range(seed, seed + count):
            file = some_file(random.Random(n))
            try:
                found = list(faults(file, path))
            except subprocess.CalledProcessError as failed:
                found = [f'{failed.cmd[0]}: {failed.stderr.decode(errors="replace").strip()}']
            wrong += bool(found)
            packets += len(file.times)
            judged += sum(file.plain)
            if found:
                print(f'seed {n}: {found[0]}' + f', and {len(found) - 1} more' * (len(found) > 1))
    print(f'{count} files, {packets} packets, {judged} of them judged by tshark in the file itself, {wrong} files wrong')
    return wrong


def main():
    if sys.argv[1:2] == ['--file']:
        sys.stdout.buffer.write(written(sys.argv[2:]).octets)
        return 0
    if sys.argv[1:] == ['--times']:
        resolution, times = lifted(sys.stdin.buffer.read())
        print(*times, resolution)
        return 0
    numbers = [int(word) for word in sys.argv[1:]]
    return 1 if random_files(*(numbers + [20, 1][len(numbers):])) else 0


if __name__ == '__main__':
    sys.exit(main())
