#!/usr/bin/env python3
"""Whether anything of a capture is left in what is made of it.

  privacy.py make DIR             captures in DIR with a marker in every field and payload that can hold one, and the
                                  list of markers, DIR/markers
  privacy.py search LIST FILE...  the markers of LIST that are in the files: as octets in either order, as hex, decimal
                                  or address text, or less or more by up to four, or (of eight octets and more) five
                                  octets of them in a row. Exit 1 if any is.
  privacy.py kept LIST FILE...    of the values that stay, those that tracecodec(7), PRIVACY, doesn't name, or that none of
                                  these JSON streams holds in their field. Exit 1 if there is any.

A marker is made from its name by SHAKE256, so that none is there by chance, and the captures are the same each time.
"""
import hashlib
import ipaddress
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MANUAL = os.path.join(HERE, '..', 'man', 'tracecodec.7')
sys.path.insert(0, os.path.join(HERE, 'fixtures'))
from wire import (AH, Layer, arp, ether, fragment6, icmp, icmp6, ip, ip4, ip6, llc, mpls, mss, option4,  # noqa: E402
                  options6, pcap, pppoe, routing, sack, scale, sctp, sll, sll2, stamp, tcp, udp, vlan, wrap)

markers, kept = {}, []


def mark(name, size=16, head=b''):
    """The marker of this name: so many octets, the first ones given."""
    octets = (head + hashlib.shake_256(name.encode()).digest(size))[:size]
    markers[name] = octets.hex()
    return octets


def number(name):
    return int.from_bytes(mark(name, 4), 'big')


def stays(name, field, value):
    """A value that tracecodec(7) says is kept, and in which field of an action."""
    kept.append((name, field, value))
    return value


def v4(name, head=b'\x5d'):
    return str(ipaddress.IPv4Address(mark(name, 4, head)))


def v6(name, head=b'\x26\x07'):
    return str(ipaddress.IPv6Address(mark(name, 16, head)))


def mac(name, first=b'\x00'):
    return mark(name, 6, first)


def text(name):
    """A host name: of letters that no number has, in whatever base."""
    octets = bytes(ord('g') + octet % 20 for octet in hashlib.shake_256(name.encode()).digest(20))
    markers[name] = octets.hex()
    return octets


def dns():
    name = b''.join(bytes([len(label)]) + label for label in (text('host name'), b'example', b'com')) + b'\0'
    return udp(40001, 53, struct.pack('>HHHHHH', 0x1234, 256, 1, 0, 0, 0) + name + struct.pack('>HH', 1, 1))


# ---- the captures

def connection(version):
    """A TCP connection, with markers in its options, numbers, payload and padding."""
    name = f'TCP over IPv{version}, '
    a, b = ((v4(name + 'client', b'\x0a'), v4(name + 'server')) if version == 4 else
            (v6(name + 'client'), v6(name + 'server')))
    macs = mac(name + 'client mac'), mac(name + 'server mac')
    seq, clock = [number(name + 'ISN'), number(name + 'other ISN')], [number(name + 'TSval'), number(name + 'other TSval')]
    ports = stays('ports', 'orig_p', 50123), 443
    frames = []

    def send(side, flags, payload=b'', options=b'', ack=None, trailer=b'', **fields):
        order = 1 - 2 * side
        clock[side] += 3
        segment = tcp(*ports[::order], payload, seq=seq[side], flags=flags, options=options +
                      stamp(clock[side], 0 if flags == 'S' else clock[1 - side]),
                      ack=ack if ack is not None else seq[1 - side] if 'A' in flags else 0)
        if version == 4:
            fields['ident'] = stays('IPv4 identifications', 'id', 0x5abc) if len(frames) == 0 else 0x5abc + len(frames)
        else:
            fields['label'] = int.from_bytes(mark(name + 'flow label', 3), 'big') & 0xfffff
        whole = (ip4 if version == 4 else ip6)(*(a, b)[::order], segment, **fields)
        frames.append(ether(whole, src=macs[side], dst=macs[1 - side]) + trailer)
        seq[side] += len(payload) + ('S' in flags) + ('F' in flags)

    send(0, 'S', options=mss() + scale() + option4(34, mark(name + 'Fast Open cookie', 8)))
    send(1, 'SA', options=mss() + option4(30, mark(name + 'MPTCP key', 10)))
    send(0, 'A', options=option4(253, mark(name + 'experimental option', 12)))
    send(0, 'PA', b'GET /' + mark(name + 'payload', 40) + b' Host: ' + text(name + 'host name'))
    send(1, 'PA', mark(name + 'answer', 900), option4(19, mark(name + 'MD5 signature', 16)))
    send(0, 'A', options=sack(seq[1] + 1000, seq[1] + 2000), trailer=mark(name + 'trailer', 20))
    send(1, 'R', mark(name + 'words of a reset', 30), ack=0)
    return frames


def alone():
    """Segments of connections of which nothing else is seen: no base for their numbers."""
    frames = []
    for n, (flags, more) in enumerate((('SA', {}), ('A', {}), ('', {}), ('R', {}), ('S', {}), ('F', {}))):
        for with_sack in False, True:
            name = f'alone {flags}{" SACK" * with_sack}, '
            options = sack(*(number(name + edge) for edge in ('left edge', 'right edge'))) if with_sack else b''
            options += stamp(number(name + 'TSval'), number(name + 'TSecr'))
            ack = 0 if with_sack and flags != 'SA' else number(name + 'acknowledgement')
            segment = tcp(41000 + n, 8080 + with_sack, mark(name + 'payload', 24), seq=number(name + 'sequence number'),
                          ack=ack, flags=flags, options=options)
            frames.append(ether(ip4(v4(name + 'source'), v4(name + 'destination', b'\xac\x10'), segment)))
    return frames


def datagrams():
    a, b, c, d = v4('UDP source', b'\xc0\xa8'), v4('UDP destination'), v6('UDP source 6', b'\xfd'), v6('UDP destination 6')
    frames = [ether(ip(a, b, dns())), ether(ip(c, d, dns()))]
    for kind in 7, 68, 131, 137, 130, 148, 25:      # routes, timestamps, security, router alert, unknown
        frames.append(ether(ip4(a, b, udp(1000, 2000, mark(f'beside option {kind}')),
                                options=option4(kind, b'\x04' + mark(f'IPv4 option {kind}', 12)))))
    chain = {
        'hop-by-hop': lambda x: options6(0, x, b'\x3e\x10' + mark('hop-by-hop option')),
        'destination': lambda x: options6(60, x, b'\xc9\x10' + mark('home address')),
        'segments': lambda x: routing(x, 4, 1, v6('segment'), v6('other segment')),
        'authentication': lambda x: wrap(AH, struct.pack('>BBHII', x.kind, 4, 0, number('SPI'), number('AH number'))
                                         + mark('ICV', 12), x),
        'fragment': lambda x: fragment6(x, stays('IPv6 fragment identifications', 'frag_id', 0x7a6b5c4d)),
    }
    for name, header in chain.items():
        frames.append(ether(ip6(c, d, header(udp(1000, 2000, mark('behind ' + name))))))
    frames += [
        ether(ip4(a, b, Layer(bytes(8) + mark('first fragment', 16), 17), mf=True, df=False, ident=0x1111)),
        ether(ip4(a, b, Layer(mark('later fragment', 24), 17), offset=24, df=False, ident=0x1111)),
        ether(ip4(a, b, sctp(2000, 3000, number('verification tag'), (0, 3, mark('SCTP data', 24))))),
        ether(ip4(a, b, Layer(mark('ESP', 40), 50))), ether(ip4(a, b, Layer(mark('GRE key and all', 40), 47))),
        ether(ip4(a, b, Layer(ip4(v4('inner source'), v4('inner destination'), udp(1, 2, mark('inner payload'))), 4))),
        ether(ip6(c, d, Layer(mark('unknown protocol', 40), 253))),
        ether(ip4(a, b, Layer(mark('header too short', 40), 6), ihl=3)),
        ether(ip4(a, b, tcp(7, 8, mark('offset beyond', 40), seq=number('seq of a bad offset'), offset=15))),
        ether(ip4(a, b, tcp(7, 9, mark('offset below', 40), seq=number('seq of a low offset'), offset=3))),
        ether(ip4(a, b, udp(9, 10, mark('UDP trailer', 40), length=12))),
        ether(ip4(v4('group source'), v4('group', b'\xef\x11'), udp(1, 2, mark('to a group')))),
        ether(ip6(v6('group source 6', b'\xfe\x80'), v6('group 6', b'\xff\x15'), udp(1, 2, mark('to a group 6')))),
        ether(ip6(v6('source of a group of a node', b'\xfe\x80'), 'ff02::1:ff' + mark('node', 3).hex()[:2] + ':' +
                  mark('node', 3).hex()[2:], udp(1, 2, mark('to a node')))),
        ether(Layer(mark('unknown ethertype', 50), 0x88b5), src=mac('source'), dst=mac('link group', b'\x03')),
        ether(llc(Layer(mark('LLC', 40))), src=mac('LLC source'), dst=mac('LLC destination')),
        ether(ip4(a, b, udp(1, 2, 40)), src=mac('source of a cut packet'))[:15],
        ether(ip4(a, b, tcp(1, 2, seq=number('cut behind the seq'))))[:43],
        ether(Layer(bytes(40), 0x88b5), dst=mac('destination of a runt'))[:11],
    ]
    return frames


def tags():
    a, b = v4('tagged source'), v4('tagged destination')
    packet = ip4(a, b, udp(1, 2, mark('tagged payload')))
    vid, label, session = stays('VLAN identifiers', 'tags', 0x8100 << 32 | 0x0abc), 0x9abcd, 0xbeef
    stays('MPLS labels', 'tags', 0x8847 << 32 | label << 12 | 0x140)
    stays('PPPoE sessions', 'tags', 0x8864 << 32 | session << 16)
    return [ether(vlan(packet, vid & 0xfff), src=mac('tagged mac'), dst=mac('other tagged mac')),
            ether(mpls(packet, label)), ether(pppoe(packet, session))]


def control():
    a, b, c, d = v4('ping source'), v4('ping target'), v6('ping source 6'), v6('ping target 6')
    asked = v4('ARP target', b'\x0a')
    quoted = ip4(b, a, tcp(4000, 5000, mark('quoted payload'), seq=number('quoted seq'), ack=number('quoted ack')))
    stranger = ip4(v4('quoted source'), v4('quoted destination'), udp(1, 2, mark('quoted datagram', 40)))
    word = stays('octets 4 to 7 of ICMP', 'rest', 0x6a7b8c9d)
    frames = [
        ether(arp(1, a, asked, sender_mac=mac('ARP sender')), src=mac('ARP source'), dst='ff:ff:ff:ff:ff:ff', pad=28)
        + mark('ARP padding', 18),
        ether(arp(2, asked, a, sender_mac=mac('ARP answerer'), target_mac=mac('ARP asker'))),
        ether(arp(1, a, asked, hardware=7, sender_mac=mark('other hardware', 8), target_mac=bytes(8))),
        ether(ip4(a, b, icmp(8, 0, word, mark('ping', 48)))), ether(ip6(c, d, icmp6(128, 0, 7, mark('ping 6', 48)))),
        ether(ip4(b, a, icmp(13, 0, 8, mark('ICMP times', 12)))), ether(ip4(b, a, icmp(18, 0, 8, mark('mask', 4)))),
        ether(ip4(v4('router'), a, icmp(5, 1, number('gateway'), quoted))),
        ether(ip4(v4('router'), a, icmp(3, 3, 0, stranger))), ether(ip4(b, a, icmp(9, 0, 0x01020708, mark('routers', 8)))),
        ether(ip6(v6('router 6'), c, icmp6(1, 4, 0, ip6(c, d, udp(3, 4, mark('quoted 6', 40)))))),
    ]
    host, link = v6('ND host', b'\xfe\x80'), b'\1\1' + mac('ND link address')
    frames += [
        ether(ip6(host, c, icmp6(135, 0, 0, ipaddress.IPv6Address(v6('ND target')).packed + link), ttl=255)),
        ether(ip6(host, 'ff02::1', icmp6(134, 0, 0x40000708, bytes(8) + link + b'\3\4' + mark('prefix option', 30)
                                         + b'\x19\3\0\0' + mark('name server option', 20)), ttl=255)),
        ether(ip6(host, c, icmp6(137, 0, 0, ipaddress.IPv6Address(v6('redirect target')).packed
                                 + mark('redirected')), ttl=255)),
        ether(ip6(host, 'ff02::16', icmp6(143, 0, 1, b'\4\0\0\0' + mark('listener report')), ttl=1)),
        ether(ip6(host, c, icmp6(139, 0, 1, mark('node information', 32)))),
    ]
    return frames


def pcapng(frames):
    """All the places of the format that hold what somebody wrote, or a system knew."""
    def option(code, value):
        return struct.pack('<HH', code, len(value)) + value + bytes(-len(value) % 4)

    def block(kind, body, *options):
        body += bytes(-len(body) % 4) + b''.join(options) + (bytes(4) if options else b'')
        size = struct.pack('<I', len(body) + 12)
        return struct.pack('<I', kind) + size + body + size

    secrets, custom = mark('TLS secrets', 48), mark('custom block', 32)
    names = struct.pack('<HH', 1, 4 + 21) + mark('resolved address', 4) + text('resolved name') + b'\0' + bytes(3) + bytes(4)
    out = block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1), option(1, mark('section comment')),
                option(2, mark('hardware')), option(3, mark('operating system')), option(4, mark('application')))
    out += block(1, struct.pack('<HHI', 1, 0, 0), option(1, mark('interface comment')), option(2, text('interface name')),
                 option(3, mark('interface description')), option(4, mark('interface address', 8)),
                 option(5, mark('interface address 6', 17)), option(6, mac('interface mac')),
                 option(11, b'\0' + mark('filter')), option(12, mark('interface system')))
    out += block(4, names) + block(10, struct.pack('<II', 0x544c534b, len(secrets)) + secrets)
    out += block(0xbad, struct.pack('<I', 32473) + custom)
    for n, frame in enumerate(frames):
        out += block(6, struct.pack('<IIIII', 0, 0x60000, 1000 * n, len(frame), len(frame)) + frame,
                     option(1, mark(f'packet comment {n}')), option(2988, struct.pack('<I', 32473) + mark(f'packet option {n}')))
    return out + block(5, struct.pack('<III', 0, 0x60000, 0), option(1, mark('statistics comment')))


def make(folder):
    payload = udp(5, 6, mark('cooked payload'))
    packet = ip4(v4('cooked source'), v4('cooked destination'), payload)
    index = stays('interface indices', 'link', 0x3b4c5d6e)
    odd = mark('cooked address of eight octets', 8)
    captures = {
        'tcp4.pcap': pcap(connection(4)), 'tcp6.pcap': pcap(connection(6), nano=True, order='>'),
        'alone.pcap': pcap(alone()), 'datagrams.pcap': pcap(datagrams()), 'tags.pcap': pcap(tags()),
        'control.pcap': pcap(control()), 'blocks.pcapng': pcapng(tags()),
        'snapped.pcap': pcap(connection(4) + datagrams() + control(), snap=60),
        'sll.pcap': pcap([sll(packet, address=mac('cooked mac')), sll(packet, address=odd, arphrd=27)], link=113),
        'sll2.pcap': pcap([sll2(packet, address=mac('cooked mac 2'), interface=index)], link=276),
        'raw.pcap': pcap([packet], link=101),
    }
    for name, octets in captures.items():
        with open(os.path.join(folder, name), 'wb') as out:
            out.write(octets)
    with open(os.path.join(folder, 'markers'), 'w') as out:
        json.dump({'markers': markers, 'kept': kept}, out, indent=1)


# ---- searching

def octet_forms(marker):
    """Rows of octets that give the marker away."""
    size, forms = len(marker), [marker]
    if size == 4:
        value = int.from_bytes(marker, 'big')
        forms = [((value + off) % 2**32).to_bytes(4, 'big') for off in range(-4, 5)]
        forms += [(-value % 2**32).to_bytes(4, 'big')]
    elif size >= 8:
        forms = [marker[i:i + 5] for i in range(size - 4)]
    return forms + [form[::-1] for form in forms]


def text_forms(marker):
    yield marker.hex()
    yield marker.hex(':')
    yield str(int.from_bytes(marker, 'big'))
    yield str(int.from_bytes(marker, 'little'))
    if len(marker) in (4, 16):
        yield str(ipaddress.ip_address(marker))


def search(listed, paths):
    leaks = 0
    for path in paths:
        with open(path, 'rb') as file:
            data = file.read()
        words = set(re.findall(rb'[0-9a-f.:]+', data.lower()))
        for name, octets in listed['markers'].items():
            marker = bytes.fromhex(octets)
            found = next((form for form in octet_forms(marker) if len(form) > 3 and form in data), None)
            found = found or next((form for form in text_forms(marker) if form.encode() in words), None)
            if found:
                leaks += 1
                print(f'{path}: {name} ({octets}), as {found if isinstance(found, str) else found.hex()}')
    return 1 if leaks else 0


def numbers(value):
    if isinstance(value, list):
        return {number for part in value for number in numbers(part)}
    return {value} if isinstance(value, int) else set()


def not_kept(listed, paths):
    there = {}
    for path in paths:
        with open(path) as file:
            for line in file:
                for field, value in json.loads(line).items():
                    there.setdefault(field, set()).update(numbers(value))
    with open(MANUAL) as file:
        manual = file.read().partition('.Sh PRIVACY')[2].partition('.Sh ')[0].replace('\n', ' ')
    lost = [(name, field) for name, field, value in listed['kept']
            if value not in there.get(field, ()) or name not in manual]
    for name, field in lost:
        print(f'{name}: not in the field {field}, or not in the manual')
    return 1 if lost else 0


def main():
    if sys.argv[1] == 'make':
        return make(sys.argv[2])
    with open(sys.argv[2]) as file:
        listed = json.load(file)
    return {'search': search, 'kept': not_kept}[sys.argv[1]](listed, sys.argv[3:])


if __name__ == '__main__':
    sys.exit(main())
