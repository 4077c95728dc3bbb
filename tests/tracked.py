#!/usr/bin/env python3
"""tracked.py CAPTURE...: how many TCP packets Linux conntrack would call INVALID, and why; no kernel is asked, no root needed.

The rules of net/netfilter/nf_conntrack_proto_tcp.c (Linux 6.18), by which tests/conntrack.py's counters go: a table of states,
then a window, after Guido van Rooij, Real Stateful TCP Packet Filtering in IP Filter (2000). Time-outs are left out, as in a
replay at top speed. A line for each capture: TCP packets, INVALID ones, then each reason with how many there are.
"""
import argparse
import collections
import os

import conntrack

SYN, SYNACK, FIN, ACK, RST, NONE = range(6)
NO, SS, SR, ES, FW, CW, LA, TW, CL, S2, IV, IG = range(12)
NAMES = 'none', 'SYN sent', 'SYN received', 'established', 'FIN wait', 'close wait', 'last ACK', 'time wait', 'close', 'SYN sent 2'
KINDS = 'SYN', 'SYN-ACK', 'FIN', 'ACK', 'RST', 'no flags'
#            NO  SS  SR  ES  FW  CW  LA  TW  CL  S2
STATES = ((((SS, SS, IG, IG, IG, IG, IG, SS, SS, S2)),
           ((IV, IV, SR, IV, IV, IV, IV, IV, IV, SR)),
           ((IV, IV, FW, FW, LA, LA, LA, TW, CL, IV)),
           ((ES, IV, ES, ES, CW, CW, TW, TW, CL, IV)),
           ((IV, CL, CL, CL, CL, CL, CL, CL, CL, CL)),
           (IV,) * 10),
          (((IV, S2, IV, IV, IV, IV, IV, SS, IV, S2)),
           ((IV, SR, IG, IG, IG, IG, IG, IG, IG, SR)),
           ((IV, IV, FW, FW, LA, LA, LA, TW, CL, IV)),
           ((IV, IG, SR, ES, CW, CW, TW, TW, CL, IG)),
           ((IV, CL, CL, CL, CL, CL, CL, CL, CL, CL)),
           (IV,) * 10))
SOUND_FLAGS = {0x02, 0x22, 0x12, 0x04, 0x14, 0x11, 0x31, 0x10, 0x30}  # of FIN, SYN, RST, ACK, URG
MAX_ACK_WINDOW = 66000
IGNORED = 'ignored'


def minus(a, b):
    """a - b, modulo 2^32, signed: a is after b where this is above 0."""
    return (a - b + (1 << 31) & 0xffffffff) - (1 << 31)


class Segment:
    def __init__(self, datagram, at, end):
        at_options, past = at + 20, at + 4 * (datagram[at + 12] >> 4)
        self.flags = datagram[at + 13]
        self.seq, self.ack = (int.from_bytes(datagram[at + k:at + k + 4], 'big') for k in (4, 8))
        self.win = int.from_bytes(datagram[at + 14:at + 16], 'big')
        self.len = end - past
        self.end = self.seq + self.len + (self.flags & 1) + (self.flags >> 1 & 1) & 0xffffffff
        self.kind = (RST if self.flags & 4 else (SYNACK if self.flags & 16 else SYN) if self.flags & 2 else
                     FIN if self.flags & 1 else ACK if self.flags & 16 else NONE)
        self.scale, self.sack_permitted, self.edges = None, False, []
        while at_options < past and datagram[at_options]:
            kind = datagram[at_options]
            size = 1 if kind == 1 else datagram[at_options + 1] if at_options + 1 < past else 0
            if not size or at_options + size > past or (kind != 1 and size < 2):
                break
            if kind == 3 and size == 3:
                self.scale = min(datagram[at_options + 2], 14)
            self.sack_permitted |= kind == 4 and size == 2
            if kind == 5 and size >= 10:
                self.edges = [int.from_bytes(datagram[k:k + 4], 'big') for k in range(at_options + 6, at_options + size, 8)]
            at_options += size

    def sound(self):
        return self.flags & 0x37 in SOUND_FLAGS


class End:
    """What one end of a connection has sent, and may."""
    end = maxend = maxwin = scale = maxack = 0
    scaled = sack = liberal = closes = acked = False

    def begin(self, other, s):
        """By a SYN."""
        self.end = self.maxend = s.end
        self.maxwin = s.win or 1
        self.scale, self.scaled, self.sack = s.scale or 0, s.scale is not None, s.sack_permitted
        if other and not (self.scaled and other.scaled):
            self.scale = other.scale = 0


class Connection:
    def __init__(self, key, s):
        self.key, self.state, self.ends = key, NO, (End(), End())
        self.last, self.last_way, self.last_end, self.last_syn = None, None, 0, None
        self.replied = self.assured = False
        if s.kind == SYN:
            self.ends[0].begin(None, s)
        else:  # in the middle of one
            a = self.ends[0]
            a.end, a.maxwin = s.end, s.win or 1
            a.maxend = a.end + a.maxwin & 0xffffffff
            for e in self.ends:
                e.sack = e.liberal = True

    def resync(self, way, s):
        """This SYN-ACK answers a SYN that went by as one that means nothing."""
        e = self.ends[not way]
        e.begin(None, self.last_syn)
        e.liberal = False
        self.ends[way].__init__()
        for k in ('end', 'maxend', 'maxwin', 'scale', 'maxack', 'scaled', 'sack', 'liberal', 'closes', 'acked'):
            self.ends[way].__dict__.pop(k, None)

    def rst(self, way, s):
        """(reason, new state, whether the window says nothing) of an RST."""
        peer, new, established = self.ends[not way], CL, self.state == ES
        if self.assured and self.state in (FW, LA, TW, CL, CW):
            return None, new, True
        if peer.acked and self.last != SYN and not (s.seq == 0 and not established):
            if minus(s.seq, peer.maxack) < 0:
                return 'RST before what was acknowledged', new, False
            train = self.last == ACK and self.last_way == way and s.seq == self.last_end
            if not (not established or s.seq == peer.maxack or train):
                new = self.state
            elif established:
                return None, new, False
        let_through = (self.replied and self.last == SYN) or (not self.assured and self.last == ACK)
        return None, new, let_through and s.ack == self.last_end

    def window(self, way, s):
        """Why the segment is out of window; None: it isn't, and the ends have taken it."""
        me, peer, seq, end = self.ends[way], self.ends[not way], s.seq, s.end
        ack = s.ack
        sack = max([ack] + s.edges, key=lambda x: minus(x, ack)) if peer.sack else ack
        if not me.maxwin:
            if s.flags & 2:
                me.begin(peer, s)
                if not s.flags & 16:
                    return None
            else:
                me.end, me.maxwin = end, s.win << me.scale or 1
                me.maxend = end + me.maxwin & 0xffffffff
                if not peer.maxwin:
                    peer.end = peer.maxend = sack
                elif sack == peer.end + 1 & 0xffffffff:
                    peer.end = sack
        elif s.flags & 2 and minus(end, me.end) > 0 and (self.state, way) in ((SS, 0), (SR, 1)):
            me.begin(peer, s)
            if way and not s.flags & 16:
                return None
        if not s.flags & 16 or (s.flags & 4 and ack == 0):
            ack = sack = peer.end
        if s.flags & 4 and seq == 0 and self.state == SS:
            seq = end = me.end
        why = self.outside(me, peer, seq, end, sack)
        if why and not me.liberal:
            return why
        self.take(me, peer, s, end, ack, sack)
        return None

    @staticmethod
    def outside(me, peer, seq, end, sack):
        """What conntrack lets pass although it isn't in window changes nothing but, where it is data, what was sent."""
        acknowledges = minus(sack, peer.end) <= 0
        arrives = not peer.maxwin or minus(end, me.end - peer.maxwin) >= 0
        recent = minus(sack, peer.end - max(me.maxwin, MAX_ACK_WINDOW)) >= 0
        if minus(seq, me.maxend) > 0:
            if not (peer.maxwin and arrives and recent and acknowledges and minus(end, me.maxend) + 1 <= peer.maxwin):
                return 'data beyond the window'
            me.end = end
            return IGNORED
        if not acknowledges:
            return 'acknowledges what was not sent'
        return None if arrives and recent else IGNORED

    @staticmethod
    def take(me, peer, s, end, ack, sack):
        win = s.win if s.flags & 2 else s.win << me.scale
        me.maxwin = max(me.maxwin, win + minus(sack, ack))
        if minus(end, me.end) > 0:
            me.end = end
        if s.flags & 16 and (not me.acked or minus(ack, me.maxack) > 0):
            me.acked, me.maxack = True, ack
        if peer.maxwin and minus(end, me.maxend) > 0:
            peer.maxwin += minus(end, me.maxend)
        if minus(sack + win, peer.maxend - 1) > 0:
            peer.maxend = sack + win + (win == 0) & 0xffffffff


class Tracker:
    def __init__(self):
        self.connections = {}

    def take(self, key, s):
        """Why conntrack would call a segment INVALID; None: it wouldn't."""
        turned = key[1], key[0]
        way = key not in self.connections and turned in self.connections
        c = self.connections.get(turned if way else key)
        if not s.sound():
            return 'flags that nobody sends together'
        if not c:
            if STATES[0][s.kind][NO] >= IV:
                return f'{KINDS[s.kind]} of no connection'
            c = Connection(key, s)
        return self.go_on(c, way, s)

    def go_on(self, c, way, s):
        new, passes = STATES[way][s.kind][c.state], False
        if new == SS and c.state >= TW:
            if c.ends[0].closes or c.ends[1].closes or (c.last_way == way and c.last == RST):
                del self.connections[c.key]
                key = c.key if not way else (c.key[1], c.key[0])
                return self.take(key, s)
            new = IG
        if new == IG:
            if s.kind == SYNACK and c.last == SYN and c.last_way != way and s.ack == c.last_end and c.last_syn:
                c.resync(way, s)
                c.state, new = SS, SR
            else:
                c.last, c.last_way, c.last_end = s.kind, way, s.end
                if s.kind == SYN and not way:
                    c.last_syn = s
                return None
        if new == IV:
            return f'{KINDS[s.kind]} while {NAMES[c.state]}'
        if s.kind == RST:
            why, new, passes = c.rst(way, s)
            if why:
                return why
        why = None if passes else c.window(way, s)
        if why:
            return None if why is IGNORED else why
        c.last, c.last_way = s.kind, way
        if new == FW and c.state != FW:
            c.ends[way].closes = True
        if not c.replied and s.kind == RST:
            self.connections.pop(c.key, None)
            return None
        c.assured |= c.replied and c.state in (SR, ES) and new == ES
        c.state = new
        c.replied |= way
        c.last_end = s.end if s.kind == ACK else c.last_end
        self.connections[c.key] = c
        return None


def judged(path):
    """Of each TCP segment of a capture that is captured whole: (its number, its ends, the segment, why it is INVALID or None)."""
    link, packets = conntrack.records(path)
    tracker = Tracker()
    for n, (frame, whole) in enumerate(packets, 1):
        at = conntrack.datagram_at(link, frame)
        if at is None:
            continue
        datagram = frame[at:]
        found = conntrack.transport(datagram)
        if not found or found[0] != 6 or found[3] or found[1] + 20 > len(datagram):
            continue
        hosts = (datagram[12:16], datagram[16:20]) if datagram[0] >> 4 == 4 else (datagram[8:24], datagram[24:40])
        ports = datagram[found[1]:found[1] + 2], datagram[found[1] + 2:found[1] + 4]
        key = tuple(zip(hosts, ports))
        s = Segment(datagram, found[1], found[2])
        yield n, key, s, tracker.take(key, s)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('captures', nargs='+', metavar='CAPTURE')
    for path in parser.parse_args().captures:
        reasons = collections.Counter(why for *_, why in judged(path))
        total = sum(reasons.values())
        good = reasons.pop(None, 0)
        print(f'{os.path.basename(path)}: {total} {total - good}', *(f'{n} {why}' for why, n in reasons.most_common()), sep='; ')


if __name__ == '__main__':
    main()
