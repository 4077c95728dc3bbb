#!/usr/bin/env python3
"""The outside judge: does tshark see the same behaviour in two captures?

  judge.py A.pcap B.pcap [--full FULL_B.pcap] [--quotes] [--tsv]
  judge.py --folder DIR [-j N] [--limit K] [--bin bin] [--quotes] [--tsv]

B is what `tc-lift A | tc-compile` wrote, FULL_B what `tc-compile --full` wrote. Exit 0: same; 1: not; 2: trouble.
With --folder the programs are run over every capture of DIR, and each round trip is judged.
"""
import argparse
import collections
import concurrent.futures
import functools
import ipaddress
import os
import re
import shutil
import subprocess
import sys
import tempfile

# How a field is compared:
#   all    every occurrence, as text
#   first  the outermost occurrence, as text: what an ICMP error quotes comes after it
#   inner  the occurrences after the first, which are a quote's: as text, addresses one to one (--quotes)
#   text   every occurrence, as text, of a field that another layer has too
#   time   as ns, modulo 2^32: of a fraction of more than a second, which B carries over, tshark keeps an int32; where
#          A says none (a Simple Packet Block), B has that of the packet before it, or 0: tc-lift(1), TIMES
#   zero   zero in both or in neither
#   map    the values correspond one to one over the trace (stream numbers: a quote may have taken one)
#   host   likewise, and the class of the address is kept; IP addresses of every field share one table
#   link   likewise for link addresses
#   step   the difference to the value before it on the same clock, modulo 2^bits; zero may stay zero
#   same   whether it is the value of the packet before it in the same flow and direction
#   options  as text, as far as the end-of-options mark: tshark reads on behind it
#   seq    as text, but in a first fragment: tshark knows no length there, and subtracts no base
#   ack    likewise where the ACK flag is set, elsewhere zero or not
#   acked  as text, until a packet without ACK flag crosses the peer's: tshark takes its acknowledgement of 0 as it
#          stands, so that what it then holds for acknowledged depends on which half of the circle the ISN lies in
# A layer's fields are looked at only where that layer stands outermost (see layers_of).
FIELDS = {
    'frame': {'time': 'frame.time_epoch', 'all': 'frame.len frame.cap_len frame.encap_type'},
    'link': {'first': 'eth.type eth.len null.family sll.pkttype sll.hatype sll.halen sll.etype',
             'all': 'vlan.id vlan.priority vlan.dei vlan.etype ieee8021ad.id ieee8021ad.priority ieee8021ad.dei',
             'link': 'eth.src eth.dst sll.src.eth'},
    'arp': {'first': 'arp.opcode arp.hw.type arp.proto.type arp.hw.size arp.proto.size',
            'link': 'arp.src.hw_mac arp.dst.hw_mac', 'host': 'arp.src.proto_ipv4 arp.dst.proto_ipv4'},
    'ip': {'first': 'ip.version ip.hdr_len ip.dsfield ip.len ip.flags ip.frag_offset ip.ttl ip.proto',
           'host': 'ip.src ip.dst', 'step': 'ip.id'},
    'ip unquoted': {'all': 'ip.opt.type ip.opt.len'},
    'ipv6': {'first': 'ipv6.version ipv6.tclass ipv6.plen ipv6.nxt ipv6.hlim',
             'zero': 'ipv6.flow', 'same': 'ipv6.flow', 'host': 'ipv6.src ipv6.dst'},
    'ipv6 unquoted': {'all': 'ipv6.hopopts.nxt ipv6.hopopts.len ipv6.dstopts.nxt ipv6.dstopts.len ipv6.fraghdr.nxt '
                             'ipv6.fraghdr.offset ipv6.fraghdr.more ipv6.routing.nxt ipv6.routing.len'},
    'tcp': {'all': 'tcp.srcport tcp.dstport tcp.len tcp.hdr_len tcp.flags tcp.window_size_value tcp.window_size '
                   'tcp.urgent_pointer tcp.completeness tcp.options.mss_val '
                   'tcp.options.wscale.shift tcp.options.sack_le tcp.options.sack_re '
                   'tcp.options.sack.dsack_le tcp.options.sack.dsack_re '
                   + ' '.join('tcp.analysis.' + name for name in (
                       'retransmission fast_retransmission spurious_retransmission out_of_order duplicate_ack '
                       'duplicate_ack_num duplicate_ack_frame zero_window zero_window_probe zero_window_probe_ack '
                       'window_full window_update keep_alive keep_alive_ack lost_segment ack_lost_segment reused_ports '
                       'tfo_syn tfo_ack tfo_ignored push_bytes_sent').split()),
            'acked': 'tcp.analysis.bytes_in_flight tcp.analysis.initial_rtt tcp.analysis.ack_rtt '
                     'tcp.analysis.acks_frame tcp.analysis.rto tcp.analysis.rto_frame',
            'options': 'tcp.option_kind tcp.option_len', 'seq': 'tcp.seq', 'ack': 'tcp.ack', 'map': 'tcp.stream',
            'step': 'tcp.options.timestamp.tsval tcp.options.timestamp.tsecr'},
    'udp': {'all': 'udp.srcport udp.dstport udp.length', 'zero': 'udp.checksum', 'map': 'udp.stream'},
    'sctp': {'all': 'sctp.srcport sctp.dstport'},
    'icmp': {'first': 'icmp.type icmp.code icmp.mtu'},
    'icmp unquoted': {'first': 'icmp.ident icmp.seq'},
    'icmpv6': {'first': 'icmpv6.type icmpv6.code icmpv6.mtu'},
    'icmpv6 unquoted': {'first': 'icmpv6.echo.identifier icmpv6.echo.sequence_number',
                        'host': 'icmpv6.nd.ns.target_address icmpv6.nd.na.target_address'},
    'quote': {'inner': 'ip.proto ipv6.nxt ip.src ip.dst ipv6.src ipv6.dst',
              'text': 'tcp.srcport tcp.dstport udp.srcport udp.dstport'},
}
# Asked for, never compared: tshark's words for lengths that lie, which excuse a checksum that can't be right.
FIELDS['lies'] = {'all': 'ip.bogus_ip_length ip.bogus_header_length ip.bogus_ip_version ipv6.plen_exceeds_framing '
                         'ipv6.plen_zero ipv6.bogus_ipv6_version ipv6.invalid_header udp.length.bad '
                         'udp.length.bad_zero tcp.bogus_header_length tcp.short_segment'}
LIES = FIELDS['lies']['all'].split()
PLAIN = ('all', 'first')    # compared as one slice, looked at field by field only where the slice differs
STATUS = ['ip.checksum.status', 'tcp.checksum.status', 'udp.checksum.status', 'sctp.checksum.status',
          'icmp.checksum.status', 'icmpv6.checksum.status']
# absent: the header ends before it
STATUS_NAME = {'0': 'Bad', '1': 'Good', '2': 'Unverified', '3': 'Not present', '': 'absent'}

# Every other protocol is switched off: their guesses about a payload differ once it is zeros, they cost time,
# and the tunnels among them would take stream numbers. IP in IP is part of ip itself: OPTIONS hand it to "data".
KEEP = re.compile(r'(frame|eth|ethertype|vlan|ieee8021ad|sll|null|raw|ip|ipv6(\..*)?|arp|tcp|udp|sctp|icmp|icmpv6|data'
                  r'|_ws\..*)$')
OPTIONS = ('-n -d ip.proto==4,data -d ip.proto==41,data -o tcp.desegment_tcp_streams:FALSE '
           '-o tcp.try_heuristic_first:FALSE -o ipv6.tso_support:TRUE -T fields '
           '-E separator=/t -E occurrence=a -E aggregator=; '
           '-Y frame.encap_type')       # pcapng's blocks that aren't packets are frames to it too
# No reassembly where packets are compared: each is judged by its own header, a first fragment by its ports too, and a
# capture that is snapped (so that nothing can be put together) is judged like a whole one. Where checksums are judged
# it must be on: only the whole datagram has one.
COMPARE = '-o ip.defragment:FALSE -o ipv6.defragment:FALSE'
VERIFY = ('-o ip.defragment:TRUE -o ipv6.defragment:TRUE -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE '
          '-o udp.check_checksum:TRUE -o udp.ignore_ipv6_zero_checksum:TRUE -o sctp.checksum:CRC-32c')


class Trouble(Exception):
    pass


# ---- running tshark

def private_profile(folder):
    """A configuration of our own: nobody's preferences, and the protocols of KEEP alone."""
    listing = subprocess.run(['tshark', '-G', 'protocols'], capture_output=True, text=True).stdout
    names = [line.split('\t')[2] for line in listing.splitlines() if line.count('\t') >= 2]
    if len(names) < 1000:
        raise Trouble('tshark -G protocols: no list')
    with open(os.path.join(folder, 'disabled_protos'), 'w') as out:
        out.writelines(name + '\n' for name in names if not KEEP.match(name))
    os.environ['WIRESHARK_CONFIG_DIR'] = folder


def columns():
    """The fields to ask for, and for each layer its plain columns (from, to, how) and the rest (column, field, how)."""
    names, layout = ['frame.protocols'], {}
    for layer, kinds in FIELDS.items():
        plain = [(field, how) for how in PLAIN for field in kinds.get(how, '').split()]
        low = len(names)
        names += [field for field, _ in plain]
        rest = []
        for how, fields in kinds.items():
            for field in fields.split() if how not in PLAIN else []:
                if field not in names:      # tshark fills only the last of two columns of one name
                    names.append(field)
                rest.append((names.index(field), field, how))
        layout[layer] = (low, low + len(plain), [how for _, how in plain], rest)
    return names, layout


NAMES, LAYOUT = columns()
AT = {name: i for i, name in enumerate(NAMES)}
assert len(AT) == len(NAMES)
VERIFY_NAMES = ['frame.protocols', 'frame.len', 'frame.cap_len', *LIES, *STATUS]


def tshark(path, options, names):
    """One list of texts a packet, and whether the capture breaks off."""
    command = ['tshark', '-r', path, *OPTIONS.split(), *options.split()]
    for name in names:
        command += ['-e', name]
    done = subprocess.run(command, capture_output=True, text=True, errors='replace')
    words = [line for line in done.stderr.splitlines() if 'could be dangerous' not in line]
    cut = any('cut short' in line or 'damaged' in line for line in words)
    rows = [line.split('\t') for line in done.stdout.split('\n')[:-1]]
    if done.returncode != 0 and not cut or any(len(row) != len(names) for row in rows):
        raise Trouble(f'{path}: tshark: {words[-1] if words else done.returncode}')
    return rows, cut


# ---- what a packet is, and what an address is

LAYERS = re.compile(r'(?:raw:|ip:(?=ipv6))?((?:eth|sll|null|:?ethertype|:?vlan|:?ieee8021ad)*):?'
                    r'(?:(arp|ip|ipv6)\b)?((?::ipv6\.\w+)*)(?::(tcp|udp|sctp|icmp|icmpv6)\b)?(.*)')


@functools.cache
def layers_of(protocols, bogus=False):
    """The link and extension headers; the layers that stand outermost, directly upon each other; is another quoted?"""
    link, network, extensions, transport, rest = LAYERS.match(protocols).groups()
    if bogus or network == 'ip' and (extensions or rest.startswith(':ipv6')):   # neither is what its ethertype says
        return link, ['frame', 'link'], False
    found = ['frame', network] if rest.startswith('eth') else ['frame', 'link', network]    # ISL is eth in eth
    if transport and (network, transport) not in (('ip', 'icmpv6'), ('ipv6', 'icmp')):
        found.append(transport)
    return link + extensions, [layer for layer in LAYOUT if layer in found], ':ip' in rest


CLASSES = [(ipaddress.ip_network(text), kind) for kind, texts in {     # the first that holds the address
    'itself': '0.0.0.0/32 255.255.255.255/32 ::/128 ::1/128 224.0.0.0/23 239.255.255.250/32 '
              + ' '.join(f'ff0{scope:x}::/111' for scope in range(16)),         # registered groups
    'solicited-node': 'ff02::1:ff00:0/104', 'multicast': '224.0.0.0/4 ff00::/8',
    'loopback': '127.0.0.0/8', 'link-local': '169.254.0.0/16 fe80::/10',
    'private': '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7',
    'any': '0.0.0.0/8 100.64.0.0/10 ::/16 fec0::/10',       # class left open: carrier-grade NAT, v4-mapped, site-local
    'global': '0.0.0.0/0 ::/0'}.items() for text in texts.split()]


@functools.cache
def host_class(text):
    address = ipaddress.ip_address(text)
    kind = next(kind for network, kind in CLASSES if address in network)
    return text if kind == 'itself' else kind


@functools.cache
def link_class(text):
    if text in ('00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff') or text.startswith(('01:80:c2', '01:00:0c')):
        return text
    return 'group' if int(text[:2], 16) & 1 else 'unicast'


def nanoseconds(text):
    """Before 1970 too, where tshark writes -S.F for F behind second -S."""
    seconds, _, fraction = text.partition('.')
    return int(seconds) * 10**9 + int(fraction)


# ---- comparing

class Judge:
    def __init__(self, quotes=False):
        self.differ = {}            # field: [count, packet, value in A, value in B]
        self.pairs = collections.defaultdict(dict)      # table: {value in A: value in B, and the other way}
        self.shifts = {}            # clock: B minus A
        self.labels = {}            # flow and direction: flow labels in A and B
        self.spoken = set()         # (stream, source, port) that sent a packet
        self.unsound = set()        # streams that "acked" excuses
        self.before = '0.000000000'     # the time of B's packet before
        self.quotes = quotes

    def say(self, field, packet, a, b):
        self.differ.setdefault(field, [0, packet, a, b])[0] += 1

    def one_to_one(self, table, a, b):
        there, back = self.pairs[table, 'A'], self.pairs[table, 'B']
        return there.setdefault(a, b) == b and back.setdefault(b, a) == a

    def step(self, clock, bits, a, b):
        if a == b == 0:
            return True
        shift = (b - a) % (1 << bits)
        same = self.shifts.get(clock, shift) == shift
        self.shifts[clock] = shift      # after a wrong step go on from there: one fault is counted once
        return same

    def special(self, how, field, a, b, flow, row):
        """Whether a and b, values of `field` in `row` of A and its twin, agree in the sense of `how`."""
        if how == 'inner':
            a, b = a.split(';')[1:], b.split(';')[1:]
            if field.endswith(('.src', '.dst')):
                return len(a) == len(b) and all(self.one_to_one('host', x, y) for x, y in zip(a, b))
            return a == b
        if how == 'text':
            return a == b
        if how == 'time':
            before, self.before = self.before, b
            if not a:
                return b == before
            return a == b or (nanoseconds(a) - nanoseconds(b)) % (1 << 32) == 0
        if how == 'options':
            kinds = row[AT['tcp.option_kind']].split(';')
            end = kinds.index('0') if '0' in kinds else len(kinds)
            if field == 'tcp.option_len':       # which one-byte options have none
                end = sum(kind != '1' for kind in kinds[:end])
            return a.split(';')[:end] == b.split(';')[:end]
        if how == 'acked':
            return a == b or row[AT['tcp.stream']] in self.unsound
        a, b = a.partition(';')[0], b.partition(';')[0]
        if a == '' or b == '':
            return a == b
        if how == 'map':
            return self.one_to_one(field, a, b)
        if how in ('host', 'link'):
            mapped = field == 'eth.dst' and a.startswith(('01:00:5e', '33:33')) and flow[1]
            if mapped and host_class(flow[1]) == flow[1]:
                return a == b       # a registered group's
            kind_a, kind_b = (host_class(x) if how == 'host' else link_class(x) for x in (a, b))
            return self.one_to_one(how, a, b) and (kind_a == kind_b or 'any' in (kind_a, kind_b))
        if how == 'seq':
            return a == b or row[AT['tcp.len']] == ''
        if how == 'ack':
            return a == b if int(row[AT['tcp.flags']], 16) & 0x10 and row[AT['tcp.len']] else (a == '0') == (b == '0')
        if how == 'same':
            before = self.labels.get(flow, (a, b))
            self.labels[flow] = a, b
            return (a == before[0]) == (b == before[1])
        a, b = int(a, 0), int(b, 0)
        if how == 'zero':
            return (a == 0) == (b == 0)
        if field == 'ip.id':
            return self.step(flow[0], 16, a, b)
        # A timestamp's clock is its sender's, an echo's the other end's; no echo yet is no matter of the clock.
        stream, (source, target, port, target_port) = row[AT['tcp.stream']], flow
        if field.endswith('tsval'):
            return self.step((stream, source, port), 32, a, b)
        clock = stream, target, target_port
        if (a == 0) != (b == 0):
            return self.shifts.get(clock) == (b - a) % (1 << 32)
        return self.step(clock, 32, a, b)

    def flow(self, row, layers):
        """Source, destination and ports of a row of A; the ports of a quote are not its own."""
        fields = ('ip.src', 'ip.dst') if row[AT['ip.src']] else ('ipv6.src', 'ipv6.dst')
        name = next((name for name in ('tcp', 'udp') if name in layers), None)
        ports = (name + '.srcport', name + '.dstport') if name else ()
        return tuple(row[AT[field]].partition(';')[0] for field in fields + ports) + ('', '')[len(ports):]

    def packet(self, n, a, b):
        bogus = [row[AT['ip.bogus_ip_version']] + row[AT['ipv6.bogus_ipv6_version']] != '' for row in (a, b)]
        (head, layers, quoting), (head_b, layers_b, _) = layers_of(a[0], bogus[0]), layers_of(b[0], bogus[1])
        if (head, layers) != (head_b, layers_b):
            self.say('layers', n, a[0], b[0])
            layers = [layer for layer in layers if layer in layers_b]
        if '_ws.malformed' in b[0] and '_ws.malformed' not in a[0] and not quoting:
            self.say('_ws.malformed', n, a[0], b[0])
        flow = self.flow(a, layers)
        if 'tcp' in layers:
            stream, (source, target, port, target_port) = a[AT['tcp.stream']], flow
            self.spoken.add((stream, source, port))
            acks = int(a[AT['tcp.flags']] or '0', 16) & 0x10 or a[AT['tcp.ack']] != '0'
            if not acks and (stream, target, target_port) in self.spoken:
                self.unsound.add(stream)
        if quoting:
            layers = layers + ['quote'] * self.quotes
        else:
            layers = layers + [layer + ' unquoted' for layer in layers if layer + ' unquoted' in LAYOUT]
        for layer in layers:
            low, high, hows, rest = LAYOUT[layer]
            if a[low:high] != b[low:high]:
                for i in range(low, high):
                    x, y = a[i], b[i]
                    if hows[i - low] == 'first':
                        x, y = x.partition(';')[0], y.partition(';')[0]
                    if x != y:
                        self.say(NAMES[i], n, x, y)
            for i, field, how in rest:
                if (a[i] or b[i]) and not self.special(how, field, a[i], b[i], flow, a):
                    name = {'inner': field + ' quoted', 'same': field + ' changes'}.get(how, field)
                    self.say(name, n, a[i], b[i])

    def checksums(self, rows_a, rows):
        """B written whole: every checksum that stands outermost is there and right, unless A's lengths lie."""
        if len(rows_a) != len(rows):
            self.say('full packets', min(len(rows_a), len(rows)) + 1, len(rows_a), len(rows))
        for n, (a, row) in enumerate(zip(rows_a, rows), 1):
            protocols, length, captured, *more = row
            lies, statuses = more[:len(LIES)], more[len(LIES):]
            # A datagram put together from fragments can be seen to lie only here, in its last fragment.
            reassembled = (a[AT['ip.frag_offset']] or a[AT['ipv6.fraghdr.offset']] or '0').partition(';')[0] != '0'
            lies = '_ws.malformed' in a[0] or any(a[AT[lie]] for lie in LIES) or reassembled and any(lies)
            if '_ws.malformed' in protocols and not lies:
                self.say('full _ws.malformed', n, a[0], protocols)
            if int(captured) < min(int(length), 262144):
                self.say('full frame.cap_len', n, length, captured)
            if lies:
                continue
            for name, value in zip(STATUS, statuses):
                status = STATUS_NAME[value.partition(';')[0]]
                if name.split('.')[0] in layers_of(protocols)[1] and status not in ('Good', 'absent') and (
                        status != 'Not present' or not name.startswith('udp')):
                    self.say(name, n, '', status)


def judge(path_a, path_b, path_full, quotes):
    """Packets of A, what differs, and whether A breaks off."""
    jobs = [(path_a, COMPARE, NAMES), (path_b, COMPARE, NAMES)]
    if path_full:
        jobs.append((path_full, VERIFY, VERIFY_NAMES))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        (rows_a, cut), (rows_b, _), *full = pool.map(lambda job: tshark(*job), jobs)
    verdict = Judge(quotes)
    if len(rows_a) != len(rows_b):
        verdict.say('packets', min(len(rows_a), len(rows_b)) + 1, len(rows_a), len(rows_b))
    for n, (a, b) in enumerate(zip(rows_a, rows_b), 1):
        verdict.packet(n, a, b)
    if full:
        verdict.checksums(rows_a, full[0][0])
    return len(rows_a), verdict.differ, cut


# ---- a folder of captures

def round_trip(path, bin_folder, quotes):
    """(path, packets, what differs, trouble) of one capture through the programs."""
    with tempfile.TemporaryDirectory() as folder:
        once, full = os.path.join(folder, 'b.pcap'), os.path.join(folder, 'full.pcap')
        command = (f'set -o pipefail; "$1"/tc-lift "$0" | "$1"/tc-compile > "{once}"; first=$?; '
                   f'"$1"/tc-lift "$0" | "$1"/tc-compile --full > "{full}"; exit $((first | $?))')
        try:
            done = subprocess.run(['bash', '-c', command, path, bin_folder], capture_output=True, text=True,
                                  errors='replace', timeout=600)
            packets, differ, cut = judge(path, once, full, quotes)
            if done.returncode == 0 or cut:     # the programs exit 1 for a capture that breaks off, as they must
                return path, packets, differ, None
            return path, packets, differ, (done.stderr.strip().splitlines() or [f'exit {done.returncode}'])[-1]
        except (Trouble, OSError, subprocess.SubprocessError) as reason:
            return path, 0, {}, str(reason)
        except Exception as reason:     # what tshark says of it is nothing that a judge knows: the others go on
            return path, 0, {}, f'not judged: {reason!r}'


def tell(path, packets, differ, tsv):
    if tsv:
        print(path, packets, len(differ), sep='\t')
    elif not differ:
        print('same', packets)
    for field, (count, packet, a, b) in sorted(differ.items(), key=lambda item: -item[1][0]):
        if tsv:
            print(path, field, count, packet, a, b, sep='\t')
        else:
            print(f'{field}: {count} of {packets} packets; first packet {packet}: A {a or "-"}, B {b or "-"}')


def judge_folder(options):
    paths = sorted(entry.path for entry in os.scandir(options.folder) if entry.is_file())[:options.limit]
    if not paths:
        raise Trouble(f'{options.folder}: no captures')
    fields, same, troubled = {}, 0, 0
    with tempfile.TemporaryDirectory() as programs, concurrent.futures.ProcessPoolExecutor(options.j) as pool:
        for name in 'tc-lift', 'tc-compile':        # a copy: somebody may run make meanwhile
            shutil.copy(os.path.join(options.bin, name), programs)
        trip = functools.partial(round_trip, bin_folder=programs, quotes=options.quotes)
        for path, packets, differ, trouble in pool.map(trip, paths):
            name = os.path.basename(path)
            if options.tsv:
                tell(name, packets, differ, True)
            if trouble:
                troubled += 1
                print(f'{name}: {trouble}', file=sys.stderr)
            same += not differ and not trouble
            for field, (count, packet, a, b) in differ.items():
                entry = fields.setdefault(field, [0, 0, f'{name}:{packet}: A {a or "-"}, B {b or "-"}'])
                entry[0] += 1
                entry[1] += count
    if not options.tsv:
        if fields:
            print(f'{"captures":>8} {"packets":>8}  field, first example')
        for field, (captures, packets, example) in sorted(fields.items(), key=lambda item: -item[1][0]):
            print(f'{captures:8} {packets:8}  {field}: {example}')
        print(f'{len(paths)} captures, {same} same, {len(paths) - same - troubled} differ'
              + (f', {troubled} troubled' if troubled else ''))
    return 2 if troubled else 0 if same == len(paths) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('captures', nargs='*', metavar='A.pcap B.pcap')
    parser.add_argument('--full', metavar='FULL_B.pcap', help='B with whole packets: its checksums are judged too')
    parser.add_argument('--folder', metavar='DIR', help='judge the round trip of every capture here')
    parser.add_argument('--bin', default='bin', help='where tc-lift and tc-compile are')
    parser.add_argument('-j', type=int, default=os.cpu_count(), metavar='N', help='captures at a time')
    parser.add_argument('--limit', type=int, metavar='K', help='the first K captures of the folder')
    parser.add_argument('--quotes', action='store_true', help='compare what ICMP errors quote: hosts and ports')
    parser.add_argument('--tsv', action='store_true')
    options = parser.parse_args()
    if len(options.captures) != (0 if options.folder else 2):
        parser.error('two captures, or --folder')
    try:
        with tempfile.TemporaryDirectory() as profile:
            private_profile(profile)
            if options.folder:
                return judge_folder(options)
            packets, differ, _ = judge(*options.captures, options.full, options.quotes)
            tell(options.captures[0], packets, differ, options.tsv)
            return 1 if differ else 0
    except (Trouble, OSError) as reason:
        print(f'judge.py: {reason}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    sys.exit(main())
