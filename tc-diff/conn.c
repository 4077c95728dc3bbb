/*
 * The rules are Zeek's, looked up in its sources of 2025 and told here anew. In brackets: where
 * each is from. [adapter] src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc, [endpoint] and
 * [reassembler] src/analyzer/protocol/tcp/TCP_Endpoint.cc, TCP_Reassembler.cc, [tcp], [udp],
 * [icmp] src/packet_analysis/protocol, [conn.log] scripts/base/protocols/conn/main.zeek.
 *
 * Not Zeek's: no packet is dropped for its checksum (so no letter C), and fragments aren't put
 * together (a datagram is its first one).
 */
#include "conn.h"

#include "packet/layers.h"

#include <string.h>

#define SECOND INT64_C(1000000000)

enum { INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET };
enum { ACTIVE = 1 }; /* not TCP */

/* Bits of letters. */
enum { SAW_SYN = 1, SAW_FIN = 2, SAW_RST = 4, SAW_FIN_RST = 8, SAW_DATA = 16, SAW_ACK = 32,
       SAW_MULTI = 64 };

/* [adapter] A jump in a SYN's or RST's number that can't be believed. */
#define TOO_FAR 1048576
/* [reassembler] tcp_max_initial_window and tcp_max_above_hole_without_any_acks;
 * tcp_excessive_data_without_further_acks. */
#define UNACKED_MAX 16384
#define KEPT_MAX    (10 << 20)

const char *const conn_state_names[CONN_STATES] = {
    "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"};

/* likely_server_ports as Zeek's base scripts fill it, in order. */
static const uint16_t tcp_servers[] = {
    21,   22,   25,   53,   79,   80,   81,   88,   110,  113,  135,  139,  143,  389,   443,
    445,  502,  563,  585,  587,  614,  631,  636,  989,  990,  992,  993,  995,  1080,  1434,
    1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668,  6669,
    8000, 8080, 8888, 20000};
static const uint16_t udp_servers[] = {53,   67,   68,   88,   123,  137,  161,  162,
				       389,  443,  514,  1812, 2123, 2152, 3389, 3544,
				       4011, 4789, 5060, 5072, 5353, 5355, 6081, 20000};

static bool
is_server(int proto, uint16_t port)
{
	const uint16_t *at = proto == PROTO_TCP ? tcp_servers : udp_servers;
	size_t n = proto == PROTO_TCP ? sizeof tcp_servers / 2 : sizeof udp_servers / 2;

	while (n && *at < port)
		at++, n--;
	return n && *at == port;
}

static void
letter(struct conn *c, const struct conn_end *e, char upper)
{
	if (c->n_history == CONN_HISTORY)
		c->lost_history++;
	else
		c->history[c->n_history++] = e == &c->end[c->orig] ? upper : upper | 32;
}

/* False the first time. */
static bool
again(struct conn *c, struct conn_end *e, int bit, char upper)
{
	if (e->letters & bit)
		return true;
	e->letters |= bit;
	letter(c, e, upper);
	return false;
}

/* The first, tenth, hundredth ... time. [Session.cc, ScaledHistoryEntry] */
static void
counted(struct conn *c, const struct conn_end *e, uint32_t *count, char upper)
{
	uint32_t n = ++*count;

	while (n % 10 == 0 && n)
		n /= 10;
	if (n == 1)
		letter(c, e, upper);
}

static void
flip(struct conn *c)
{
	c->orig ^= 1;
	c->partial = false;
	letter(c, &c->end[c->orig], '^');
}

/* A number near one that is known, as a count from the start: no wrap is noticed. */
static int64_t
count_from(const struct conn_end *e, uint32_t number, int64_t near)
{
	return near + (int32_t)(number - (uint32_t)(e->start + (uint64_t)near));
}

static void
set_state(struct conn_end *e, int state)
{
	if (state != e->state) {
		e->before = e->state;
		e->state = state;
	}
}

/* [endpoint, Size] */
static int64_t
size(const struct conn *c, const struct conn_end *e)
{
	const struct conn_end *peer = &c->end[e == &c->end[0]];
	int64_t n = e->next > e->acked ? e->next : e->acked;

	if (e->before == SYN_SENT && e->state == RESET && peer->state == INACTIVE && e->acked > 1)
		return 0;
	n -= n > 0;
	n -= n > 0 && e->fin;
	return n < 0 ? 0 : n;
}

/* Holes and their closing: [reassembler] and Reassem.cc, without the octets. */

static bool
keeps_data(const struct conn_end *e)
{
	return e->top > e->trimmed;
}

static bool
is_pending(const struct conn_end *e, const struct conn_end *peer)
{
	if (e->deaf || e->next < e->delivered)
		return false;
	/* All but the FIN's own number. */
	if (e->delivered != e->next - 1 && e->delivered != e->next)
		return true;
	return e->state != RESET && keeps_data(peer);
}

static void
close_end(struct conn *c, struct conn_end *e, struct conn_end *peer)
{
	c->deferred = is_pending(e, peer);
	if (c->deferred || e->closed)
		return;
	e->closed = true;
	if (e->state == RESET || peer->closed || peer->state == INACTIVE)
		c->over = c->last;
}

static void
check_end(struct conn *c, struct conn_end *e, struct conn_end *peer)
{
	if (e->whole || !(e->fin || e->state >= CLOSED) || is_pending(e, peer))
		return;
	e->whole = true;
	if (c->deferred) {
		close_end(c, e, peer);
		c->deferred = false;
	}
}

static bool
is_clean(const struct conn_end *e)
{
	return e->state == ESTABLISHED || (e->state == CLOSED && e->before == ESTABLISHED);
}

/* Octets that nobody will see again. */
static void
gap(struct conn *c, struct conn_end *e, const struct conn_end *peer)
{
	if (is_clean(e) && is_clean(peer))
		counted(c, e, &e->gaps, 'G');
}

/* What waited behind a hole that is no more. */
static void
deliver_blocks(struct conn_end *e)
{
	int i = 0;

	for (; i < e->blocks && e->block[i].from <= e->delivered; i++)
		if (e->block[i].to > e->delivered)
			e->delivered = e->block[i].to;
	if (i) {
		e->blocks -= i;
		memmove(e->block, e->block + i, e->blocks * sizeof *e->block);
	}
}

/* Puts a block in its place. Where there's no room the hole before it, or the one after it if that
 * is smaller, counts as filled. */
static void
keep_block(struct conn_end *e, int64_t from, int64_t to)
{
	int i = 0, n;

	while (i < e->blocks && e->block[i].to < from)
		i++;
	if (e->blocks == CONN_BLOCKS && (i == CONN_BLOCKS || e->block[i].from > to)) {
		if (i == CONN_BLOCKS || (i && from - e->block[i - 1].to < e->block[i].from - to))
			i--;
		from = from < e->block[i].to ? from : e->block[i].to;
		to = to > e->block[i].from ? to : e->block[i].from;
	}
	for (n = i; n < e->blocks && e->block[n].from <= to; n++) {
		from = from < e->block[n].from ? from : e->block[n].from;
		to = to > e->block[n].to ? to : e->block[n].to;
	}
	memmove(e->block + i + 1, e->block + n, (e->blocks - n) * sizeof *e->block);
	e->blocks += 1 + i - n;
	e->block[i].from = from;
	e->block[i].to = to;
}

static void
data_sent(struct conn *c, struct conn_end *e, int64_t from, int64_t n)
{
	int64_t to = from + n;

	if (e->deaf || to <= e->acked || to <= e->trimmed)
		return;
	from = from < e->acked ? e->acked : from;
	e->top = to > e->top ? to : e->top;
	if (from <= e->delivered) {
		e->delivered = to > e->delivered ? to : e->delivered;
		deliver_blocks(e);
		if (e->acked <= 1 && size(c, e) > UNACKED_MAX)
			e->trimmed = e->delivered;
	} else {
		keep_block(e, from, to);
	}
	if ((e->acked <= 1 && e->blocks && e->top - e->delivered > UNACKED_MAX) ||
	    e->top - e->trimmed > KEPT_MAX) {
		e->deaf = true;
		e->blocks = 0;
		e->top = 0;
	}
}

/* The peer says that it has everything up to here. */
static void
data_acked(struct conn *c, struct conn_end *e, struct conn_end *peer, int64_t to)
{
	if (e->fin && to >= e->fin_end)
		to = e->fin_end - 1;
	if (to <= e->trimmed)
		return;
	/* Where no SYN was seen the first octet's number is a guess. */
	if (to > e->delivered && !(to <= 2 && c->partial)) {
		while (!e->deaf && e->blocks && e->block[0].from < to) {
			gap(c, e, peer);
			e->delivered = e->block[0].from;
			deliver_blocks(e);
		}
		if (to > e->delivered) {
			if (!e->deaf)
				gap(c, e, peer);
			e->delivered = to;
		}
		deliver_blocks(e);
	}
	e->trimmed = to;
	check_end(c, e, peer);
}

/* TCP, a step of [adapter, Process] each */

static void
restart_numbers(struct conn_end *e, uint32_t start, int64_t next)
{
	e->start = start;
	e->next = next;
	e->acked = 0;
}

/* [adapter, init_endpoint] */
static void
expect_numbers(struct conn_end *e, const struct packet *p, int64_t length)
{
	if (e->state == INACTIVE && !(p->flags & TCP_SYN))
		/* As if there had been a SYN; and the octets are no repetition. */
		restart_numbers(e, p->seq - 1, 1);
	else if (e->state == INACTIVE || e->state == ESTABLISHED || e->state == PARTIAL ||
		 (e->state == RESET && e->before == INACTIVE) ||
		 (e->state <= SYN_ACK_SENT && p->seq != e->start)) {
		if (p->flags & TCP_SYN)
			restart_numbers(e, p->seq, length);
	}
}

/* [adapter, update_history, update_window] */
static void
write_history(struct conn *c, struct conn_end *e, const struct conn_end *peer,
	      const struct packet *p, uint32_t at, int64_t payload)
{
	int flags = p->flags & (TCP_SYN | TCP_FIN | TCP_RST);
	char l;

	if (flags & (flags - 1)) {
		if ((flags & (TCP_FIN | TCP_RST)) == (TCP_FIN | TCP_RST))
			again(c, e, SAW_FIN_RST, 'I');
		else
			again(c, e, SAW_MULTI, 'Q');
	} else if (flags == TCP_SYN) {
		l = p->flags & TCP_ACK ? 'H' : 'S';
		if (again(c, e, SAW_SYN, l) && at != e->last_syn)
			letter(c, e, l);
		e->last_syn = at;
	} else if (flags == TCP_FIN) {
		at += payload;
		if (again(c, e, SAW_FIN, 'F') && at != e->last_fin)
			letter(c, e, 'F');
		e->last_fin = at;
	} else if (flags == TCP_RST) {
		if (again(c, e, SAW_RST, 'R') && at != e->last_rst)
			letter(c, e, 'R');
		e->last_rst = at;
	} else if (payload) {
		again(c, e, SAW_DATA, 'D');
	} else if (p->flags & TCP_ACK) {
		again(c, e, SAW_ACK, 'A');
	}
	/* Who has heard a FIN needs no window. */
	if (p->win == 0 && !(p->flags & TCP_RST) && peer->state != CLOSED && e->state != RESET)
		counted(c, e, &e->zeros, 'W');
}

/* [adapter, update_last_seq] */
static void
advance(struct conn *c, struct conn_end *e, const struct packet *p, int64_t end, int64_t payload)
{
	int64_t step = end - e->next;

	if (p->flags & (TCP_SYN | TCP_RST) && (step > TOO_FAR || step < -TOO_FAR))
		return;
	if (p->flags & TCP_FIN && e->next == 1)
		e->next = end;
	else if (e->state == RESET)
		return;
	else if (step > 0)
		e->next = end;
	else if (payload > 0)
		counted(c, e, &e->rexmits, 'T');
}

/* What an acknowledgement says of the peer's numbers; returns it as a count. */
static int64_t
note_ack(struct conn_end *peer, const struct packet *p)
{
	int64_t ack;

	if (peer->state == INACTIVE) {
		restart_numbers(peer, p->ack - 1, 0);
		return 1;
	}
	ack = count_from(peer, p->ack, peer->acked);
	if (ack < 0)
		return 0;
	/* Not a RST's; nor a 0 that is no number. */
	if (ack > peer->acked && !(p->flags & TCP_RST) &&
	    !(p->ack == 0 && ack - peer->acked > TOO_FAR))
		peer->acked = ack;
	return ack;
}

/* [adapter, UpdateInactiveState]; whether this closes, as of the others below. */
static bool
from_inactive(struct conn *c, struct conn_end *e, struct conn_end *peer, const struct packet *p,
	      int64_t payload)
{
	bool is_orig = e == &c->end[c->orig];

	if (p->flags & TCP_SYN && is_orig) {
		set_state(e, p->flags & TCP_ACK ? SYN_ACK_SENT : SYN_SENT);
	} else if (p->flags & TCP_SYN) {
		if (!(p->flags & TCP_ACK) && peer->state == SYN_ACK_SENT && p->seq == e->start) {
			/* SYN-ACK and SYN in the wrong order. */
			flip(c);
			set_state(peer, ESTABLISHED);
		} else if (peer->state == SYN_SENT) {
			set_state(peer, ESTABLISHED);
		}
		set_state(e, ESTABLISHED);
	}
	if (p->flags & TCP_FIN)
		set_state(e, CLOSED);
	if (p->flags & TCP_RST)
		set_state(e, RESET);
	if (e->state != INACTIVE)
		return p->flags & (TCP_FIN | TCP_RST);
	if (!is_orig && payload == 0 && peer->state == SYN_SENT)
		return false; /* some acknowledge a SYN before they answer it */
	if (p->flags & TCP_ACK && peer->state == ESTABLISHED) {
		/* Just the SYN was missed. */
		set_state(e, ESTABLISHED);
		c->partial = false;
	} else {
		set_state(e, PARTIAL);
	}
	return false;
}

/* [adapter, UpdateStateMachine] */
static bool
change_state(struct conn *c, struct conn_end *e, struct conn_end *peer, const struct packet *p,
	     int64_t payload)
{
	if (e->state == INACTIVE)
		return from_inactive(c, e, peer, p, payload);
	if (e->state == CLOSED) {
		/* After both FINs a RST is nothing new. */
		if (!(p->flags & TCP_RST) || peer->state == CLOSED)
			return false;
		set_state(e, RESET);
		return !e->closed;
	}
	if (e->state == RESET)
		return false;
	if (e->state == PARTIAL && peer->state == INACTIVE &&
	    (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		set_state(e, SYN_SENT);
	if (p->flags & TCP_FIN && !(p->flags & TCP_RST && e->state >= PARTIAL)) {
		/* FIN and RST of the peer, then a FIN: closed as should be. */
		if (e->state >= PARTIAL && peer->state == RESET && peer->before == CLOSED)
			set_state(peer, CLOSED);
		set_state(e, CLOSED);
	}
	if (p->flags & TCP_RST)
		set_state(e, RESET);
	return p->flags & (TCP_FIN | TCP_RST);
}

/* [adapter, SetPartialStatus] */
static void
note_first(struct conn *c, int dir, const struct packet *p)
{
	if (c->seen & 1 << dir)
		return;
	if (dir == c->orig)
		c->partial = (p->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
	else if (!c->partial)
		c->partial = !(p->flags & TCP_SYN);
}

/* A SYN-ACK came first and is followed by an acknowledgement or by data: no scan, so its sender is
 * the responder. [pull request 2191; its code was not at hand] */
static void
flip_late(struct conn *c, const struct packet *p)
{
	struct conn_end *e = &c->end[c->orig];

	if (e->state != SYN_ACK_SENT || c->end[!c->orig].state != INACTIVE ||
	    p->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return;
	c->n_history = 0;
	flip(c);
	letter(c, e, 'H');
	set_state(e, ESTABLISHED);
}

static void
tcp_packet(struct conn *c, int dir, const struct packet *p)
{
	struct conn_end *e = &c->end[dir], *peer = &c->end[!dir];
	int64_t payload = p->rest - p->tcp_off * 4;
	int64_t length = !!(p->flags & TCP_SYN) + (p->flags & TCP_FIN) +
			 (p->flags & TCP_RST ? 0 : payload);

	/* [tcp, ExtractTCP_Header], but that options may have been cut: nothing here hangs on them. */
	if (p->tcp_off < 5 || !packet_has(p, TCP_URGENT_END) || payload < 0)
		return;
	flip_late(c, p);
	note_first(c, dir, p);
	expect_numbers(e, p, length);
	int64_t at = count_from(e, p->seq, e->next), ack = 0;
	write_history(c, e, peer, p, at, payload);
	if (!e->closed || !peer->closed)
		c->last = p->time;
	if (p->flags & TCP_FIN) {
		e->fin = true;
		e->fin_end = at + length;
	}
	if (p->flags & TCP_ACK)
		ack = note_ack(peer, p);
	advance(c, e, p, at + length, payload);
	bool closes = change_state(c, e, peer, p, payload);
	/* After the state: what a RST or FIN leaves open is no gap. */
	if (p->flags & TCP_ACK)
		data_acked(c, peer, e, ack);
	c->seen |= 1 << dir;
	/* [endpoint, DataSent] A payload that a snap length cut is missing as a whole. */
	if (payload > 0 && !(p->flags & TCP_RST) && at >= 0 &&
	    (int64_t)p->caplen - p->transport >= p->rest)
		data_sent(c, e, at + !!(p->flags & TCP_SYN), payload);
	check_end(c, e, peer);
	if (closes)
		close_end(c, e, peer);
	e->packets++;
}

/* [udp], [icmp], unknown_ip_transport: an end that was heard of is active. */
static void
datagram(struct conn *c, int dir, const struct packet *p)
{
	struct conn_end *e = &c->end[dir];

	c->last = p->time;
	if (ip_is_later_fragment(p)) {
		if (c->proto == PROTO_ICMP && p->rest > 0)
			e->octets += p->rest;
		return;
	}
	if (c->proto == PROTO_UDP)
		again(c, e, SAW_DATA, 'D');
	if (c->proto == PROTO_UDP && p->udp_len > 8)
		e->octets += p->udp_len - 8;
	else if (c->proto == PROTO_ICMP && p->rest > 8)
		e->octets += p->rest - 8;
	e->state = ACTIVE;
	e->packets++;
}

/* [tcp, udp: WantConnection; ip/IPBasedAnalyzer.cc, NewConn] */
static bool
comes_from_server(const struct packet *p)
{
	static const struct address broadcast = {4, {255, 255, 255, 255}};
	bool to_server = is_server(p->proto, p->dst_port);

	if (!is_server(p->proto, p->src_port) || !memcmp(&p->dst, &broadcast, sizeof broadcast))
		return false;
	if (p->proto == PROTO_UDP)
		return !to_server;
	if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return false;
	return !to_server || (!(p->flags & TCP_SYN) && p->src_port < p->dst_port);
}

bool
conn_begin(struct conn *c, int dir, const struct packet *p)
{
	/* [CheckHeaderTrunc] */
	if (p->kind != PACKET_IP || ip_is_later_fragment(p) ||
	    p->seen < (p->proto == PROTO_TCP    ? 20
		       : transport_length(p) > 8 ? 8
						 : transport_length(p)))
		return false;
	clear(c, sizeof *c);
	c->start = c->last = p->time;
	c->over = INT64_MIN;
	c->proto = p->proto == PROTO_ICMP6 ? PROTO_ICMP : p->proto;
	c->orig = dir;
	for (int d = 0; d < 2; d++)
		c->end[d].delivered = c->end[d].trimmed = 1;
	if ((p->proto == PROTO_TCP || p->proto == PROTO_UDP) && comes_from_server(p))
		flip(c);
	return true;
}

void
conn_packet(struct conn *c, int dir, const struct packet *p)
{
	if (c->proto != PROTO_TCP)
		datagram(c, dir, p);
	else if (!ip_is_later_fragment(p))
		tcp_packet(c, dir, p);
}

/* [adapter, IsReuse] */
static bool
is_reuse(const struct conn *c, const struct packet *p)
{
	const struct conn_end *o = &c->end[c->orig], *r = &c->end[!c->orig];

	if (p->tcp_off < 5 || !(p->flags & TCP_SYN))
		return false;
	if (p->flags & TCP_ACK) {
		if (o->state != INACTIVE)
			return false;
		o = r;
	}
	if (o->closed || r->closed || c->end[c->orig].closed)
		return true;
	return p->seq != o->start && !(!(p->flags & TCP_ACK) && o->state == SYN_ACK_SENT &&
				       r->state == INACTIVE && p->seq == r->start);
}

bool
conn_is_over(const struct conn *c, int dir, const struct packet *p)
{
	const struct conn_end *o = &c->end[c->orig], *r = &c->end[!c->orig];
	bool handshake = o->state < PARTIAL && r->state < PARTIAL;

	(void)dir;
	/* tcp_inactivity_timeout; those of UDP, which a handshake has too, and of ICMP. */
	if (p->time - c->last >= (c->proto == PROTO_TCP && !handshake ? 300 : 60) * SECOND)
		return true;
	if (c->proto != PROTO_TCP || ip_is_later_fragment(p))
		return false;
	/* tcp_close_delay, tcp_attempt_delay */
	if (c->over != INT64_MIN && p->time - c->over >= 5 * SECOND)
		return true;
	if ((o->state == SYN_SENT || o->state == SYN_ACK_SENT) && r->state == INACTIVE &&
	    p->time - c->start >= 5 * SECOND)
		return true;
	return is_reuse(c, p);
}

/* [conn.log]: /\^?S[^HAFGIQ]*R.*\/ */
static bool
is_syn_and_reset(const char *history)
{
	history += *history == '^';
	return *history == 'S' && history[strcspn(history, "HAFGIQR")] == 'R';
}

static enum conn_state
tcp_state(const struct conn *c)
{
	const struct conn_end *o = &c->end[c->orig], *r = &c->end[!c->orig];
	bool o_absent = o->state == INACTIVE || o->state == PARTIAL;
	bool r_absent = r->state == INACTIVE || r->state == PARTIAL;

	if (r->state == RESET) {
		if (o->state == SYN_SENT || o->state == SYN_ACK_SENT ||
		    (o->state == RESET && size(c, o) == 0 && size(c, r) == 0))
			return CONN_REJ;
		return o_absent ? CONN_RSTRH : CONN_RSTR;
	}
	if (o->state == RESET) {
		if (!r_absent)
			return CONN_RSTO;
		return is_syn_and_reset(c->history) ? CONN_RSTOS0 : CONN_OTH;
	}
	if (o->state == CLOSED)
		return r->state == CLOSED ? CONN_SF : r_absent ? CONN_SH : CONN_S2;
	if (r->state == CLOSED)
		return o_absent ? CONN_SHR : CONN_S3;
	if (o->state == SYN_SENT && r->state == INACTIVE)
		return CONN_S0;
	return o->state == ESTABLISHED && r->state == ESTABLISHED ? CONN_S1 : CONN_OTH;
}

enum conn_state
conn_state(const struct conn *c)
{
	bool o = c->end[c->orig].state, r = c->end[!c->orig].state;

	if (c->proto == PROTO_TCP)
		return tcp_state(c);
	if (c->proto == PROTO_UDP)
		return o ? (r ? CONN_SF : CONN_S0) : r ? CONN_SHR : CONN_OTH;
	return CONN_OTH;
}

uint64_t
conn_octets(const struct conn *c, int dir)
{
	return c->proto == PROTO_TCP ? size(c, &c->end[dir]) : c->end[dir].octets;
}
