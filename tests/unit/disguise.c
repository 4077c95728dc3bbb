#include "disguise.h"

#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET  1
#define PPPOE     0x8864
#define ENDS      (1 << 14) /* of TCP connections, of one instance */
#define GROWTHS   128       /* of one end, that are remembered */
#define GROW_MOST 512       /* octets of payload: beyond lie segments that fill their MSS */

enum { ND_SOURCE = 1, ND_TARGET = 2 };

uint64_t
disguise_draw(uint64_t *state, uint64_t below)
{
	return random_next(state) % below;
}

/*
 * What one end of a TCP connection sent. Its numbers are stretched: from each place where octets
 * were added, numbers are that much higher, whoever names them, and as often as they are sent.
 * Octets are added behind all numbers that were named before, so that none of these changes.
 */
struct sender {
	bool known;
	uint32_t isn, high; /* the highest number that was named, by either end */
	uint32_t n, base;   /* growths so far; what holds before those that are remembered */
	struct growth {
		uint32_t at, shift;
	} *growth; /* GROWTHS of them from the first one on */
};

int
disguise_begin(struct disguise *d, struct fresh *fresh, bool changed, uint64_t *random)
{
	*d = (struct disguise){.changed = changed, .factor = DISGUISE_UNIT};
	if (names_begin(&d->names, fresh) < 0)
		return -1;
	if (!changed)
		return 0;
	d->factor = DISGUISE_UNIT / 2 + disguise_draw(random, DISGUISE_UNIT * 3 / 2 + 1);
	d->win = 1 + disguise_draw(random, 15);
	d->id = 1 + disguise_draw(random, 65534);
	d->port = 1 + disguise_draw(random, 32767);
	d->ttl = 1 + disguise_draw(random, 15);
	d->lengths = disguise_draw(random, UINT64_MAX);
	return slots_init(&d->senders, 2 * sizeof(struct address) + 4, ENDS) < 0 ||
		       !(d->sender = calloc(ENDS, sizeof *d->sender))
		   ? -1
		   : 0;
}

void
disguise_end(struct disguise *d)
{
	names_end(&d->names);
	for (uint32_t i = 0; i < d->senders.used; i++)
		free(d->sender[i].growth);
	slots_free(&d->senders);
	free(d->sender);
	d->sender = NULL;
}

bool
disguise_full(const struct disguise *d)
{
	return names_full(&d->names) || d->senders.used + 4 > ENDS;
}

/* --- addresses --- */

static void
link_rename(struct disguise *d, const struct packet *p, uint8_t *frame)
{
	uint8_t group[6];
	struct address to;

	names_rename_mac(&d->names, frame + 6);
	if (p->kind != PACKET_IP || !mac_of_group(&p->dst, group) || memcmp(group, frame, 6) != 0) {
		names_rename_mac(&d->names, frame);
		return;
	}
	to = names_host(&d->names, &p->dst);
	mac_of_group(&to, frame);
}

static void
arp_rename(struct disguise *d, uint8_t *h)
{
	names_rename_mac(&d->names, h + 8);
	names_rename_host(&d->names, 4, h + 14);
	names_rename_mac(&d->names, h + 18);
	names_rename_host(&d->names, 4, h + 24);
}

/* --- checksums --- */

/* By how much the sum over n octets rose. */
static int64_t
risen(const uint8_t *was, const uint8_t *is, uint32_t n)
{
	return (int64_t)checksum_add(0, is, n) - (int64_t)checksum_add(0, was, n);
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
static void
adjust(uint8_t *checksum, int64_t rise)
{
	uint64_t up = (rise % 65535 + 65535) % 65535;

	put16(checksum, checksum_fold((uint16_t)~get16(checksum) + up));
}

/* RFC 768: 0 is none, and one that would be 0 is 65535. */
static void
adjust_udp(uint8_t *checksum, int64_t rise)
{
	if (get16(checksum) == 0)
		return;
	adjust(checksum, rise);
	if (get16(checksum) == 0)
		put16(checksum, 65535);
}

/* --- behaviour --- */

/* A datagram, that of a packet or one that is quoted. */
struct view {
	const uint8_t *was;	 /* IP header, as it was */
	uint8_t *ip;		 /* as it becomes */
	struct address src, dst; /* as they were */
	uint8_t proto;
	bool headed; /* a transport header begins behind the IP header */
	bool whole;  /* not in fragments, and its length field is right */
	bool quoted;
	uint32_t header; /* octets of the IP header */
	int32_t seen;	 /* octets captured behind it */
	int64_t rest;	 /* octets there are behind it */
	uint32_t more;	 /* octets that its payload grows by */
};

static uint32_t
added(const struct disguise *d, int64_t payload)
{
	uint64_t state = d->lengths + payload;

	return payload < 2 || payload > GROW_MOST ? 0 : disguise_draw(&state, 16);
}

static uint16_t
port_change(const struct disguise *d, uint16_t port)
{
	return port < 32768 ? port : 32768 | (port + d->port);
}

static uint32_t
clock_change(const struct disguise *d, uint32_t t)
{
	int64_t scaled = (int64_t)(int32_t)t * d->factor / DISGUISE_UNIT;

	return t && !(uint32_t)scaled ? 1 : scaled;
}

/* Windows that differ go on to do so. */
static uint16_t
window_change(const struct disguise *d, uint16_t win)
{
	return win < 64 ? win : win ^ d->win;
}

static void
ip_change(const struct disguise *d, const struct view *v)
{
	uint8_t *ttl = v->ip + (v->src.version == 4 ? 8 : 7);

	if (*ttl > 32 && *ttl < 255)
		*ttl -= d->ttl;
	if (v->src.version == 4 && get16(v->ip + 4))
		put16(v->ip + 4, 1 + (get16(v->ip + 4) - 1 + d->id) % 65535);
}

static struct sender *
sender_of(struct disguise *d, const struct view *v, bool peer)
{
	const uint8_t *ports = v->was + v->header;
	struct {
		struct address end[2];
		uint8_t ports[4];
	} key = {.end = {[0] = peer ? v->dst : v->src, [1] = peer ? v->src : v->dst}};
	uint32_t slot;

	memcpy(key.ports, ports + 2 * peer, 2);
	memcpy(key.ports + 2, ports + 2 * !peer, 2);
	slot = slots_find(&d->senders, &key);
	return &d->sender[slot == SLOT_NONE ? slots_add(&d->senders, &key) : slot];
}

static uint32_t
stretched(const struct sender *s, uint32_t number)
{
	for (uint32_t i = s->n; i > 0 && i + GROWTHS > s->n; i--) {
		const struct growth *g = &s->growth[(i - 1) % GROWTHS];
		if ((int32_t)(number - g->at) >= 0)
			return number + g->shift;
	}
	return number + s->base;
}

static void
grow(struct sender *s, uint32_t at, uint32_t more)
{
	if (!s->growth && !(s->growth = calloc(GROWTHS, sizeof *s->growth)))
		return; /* where memory is short, none */
	struct growth *g = &s->growth[s->n % GROWTHS];
	uint32_t shift = s->n ? s->growth[(s->n - 1) % GROWTHS].shift : 0;

	if (s->n >= GROWTHS)
		s->base = g->shift;
	*g = (struct growth){.at = at, .shift = shift + more};
	s->n++;
}

static void
sender_begin(struct sender *s, uint32_t isn)
{
	*s = (struct sender){.known = true, .isn = isn, .high = isn + 1, .growth = s->growth};
}

/* A number was named. */
static void
number_named(struct sender *s, uint32_t number)
{
	if (!s->known)
		sender_begin(s, number - 1);
	else if ((int32_t)(number - s->high) > 0)
		s->high = number;
}

/* Timestamps and SACK blocks (RFC 7323, RFC 2018). */
static void
options_change(const struct disguise *d, struct sender *peer, uint8_t *at, const uint8_t *end)
{
	for (; at < end && *at != OPTION_EOL; at += *at == OPTION_NOP ? 1 : at[1]) {
		if (*at == OPTION_NOP)
			continue;
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return;
		if (*at == OPTION_TIMESTAMPS && at[1] == 10) {
			put32(at + 2, clock_change(d, get32(at + 2)));
			put32(at + 6, clock_change(d, get32(at + 6)));
		}
		for (int i = 2; *at == OPTION_SACK && i + 4 <= at[1]; i += 4) {
			number_named(peer, get32(at + i));
			put32(at + i, stretched(peer, get32(at + i)));
		}
	}
}

/* Stretches a segment; returns by how much it grows. A quoted one is as it was sent. */
static uint32_t
sequence_change(struct disguise *d, const struct view *v, struct sender *me, uint8_t *t,
		unsigned flags, int64_t payload)
{
	uint32_t seq = get32(t + 4), start = seq + (flags & TCP_SYN ? 1 : 0), end = start + payload;

	if (!v->quoted) {
		if (flags & TCP_SYN && (!me->known || seq != me->isn))
			sender_begin(me, seq);
		number_named(me, start);
		if (v->whole && start == me->high && !(flags & TCP_URG) && added(d, payload))
			grow(me, start + 1, added(d, payload));
		number_named(me, end + (flags & TCP_FIN ? 1 : 0));
	}
	put32(t + 4, stretched(me, seq));
	return v->whole ? stretched(me, end) - stretched(me, start) - payload : 0;
}

static void
tcp_change(struct disguise *d, struct view *v)
{
	uint8_t *t = v->ip + v->header;
	int32_t seen = v->seen, header = seen >= 13 && t[12] >> 4 > 5 ? (t[12] >> 4) * 4 : 20;
	unsigned flags = seen >= 14 ? t[13] : TCP_ACK;

	if (seen < 8)
		return;
	struct sender *me = sender_of(d, v, false), *peer = sender_of(d, v, true);
	int64_t payload = v->rest > header ? v->rest - header : 0;
	v->more = sequence_change(d, v, me, t, flags, payload);
	if (seen >= 12 && flags & TCP_ACK) {
		number_named(peer, get32(t + 8));
		put32(t + 8, stretched(peer, get32(t + 8)));
	}
	if (seen >= 16)
		put16(t + 14, window_change(d, get16(t + 14)));
	if (seen > 20)
		options_change(d, peer, t + 20, t + (seen < header ? seen : header));
}

/* Fields of the transport header, and the lengths. */
static void
transport_change(struct disguise *d, struct view *v)
{
	uint8_t *t = v->ip + v->header, *length = v->ip + (v->src.version == 4 ? 2 : 4);
	bool udp = v->proto == PROTO_UDP && v->seen >= 6 && get16(t + 4) == v->rest;
	bool echo =
	    v->seen >= 8 && (v->proto == PROTO_ICMP ? *t == 0 || *t == 8
						    : v->proto == PROTO_ICMP6 && *t >> 1 == 64);

	if (v->proto == PROTO_TCP)
		tcp_change(d, v);
	else if (v->whole && (udp || echo))
		v->more = added(d, v->rest - 8);
	if (v->more > DISGUISE_ROOM / 2 || v->more + get16(length) > 65535)
		v->more = 0; /* numbers without sense: no more octets than there is room for */
	if (v->more)
		put16(length, get16(length) + v->more);
	if (v->more && udp)
		put16(t + 4, v->rest + v->more);
	if ((v->proto == PROTO_TCP || v->proto == PROTO_UDP) && v->seen >= 4) {
		put16(t, port_change(d, get16(t)));
		put16(t + 2, port_change(d, get16(t + 2)));
	}
}

/* --- a datagram --- */

static void
view_adjust(const struct view *v)
{
	bool v4 = v->src.version == 4;
	const uint8_t *was = v->was + v->header;
	uint8_t *t = v->ip + v->header;
	int64_t pseudo =
	    risen(v->was + (v4 ? 12 : 8), v->ip + (v4 ? 12 : 8), v4 ? 8 : 32) + v->more;

	if (v4)
		adjust(v->ip + 10, risen(v->was, v->ip, 20));
	if (!v->headed)
		return;
	if (v->proto == PROTO_TCP && v->seen >= 18)
		adjust(t + 16, pseudo + risen(was, t, v->seen < 60 ? v->seen : 60));
	if (v->proto == PROTO_UDP && v->seen >= 8)
		adjust_udp(t + 6, pseudo + risen(was, t, 6));
	if ((v->proto == PROTO_ICMP || v->proto == PROTO_ICMP6) && v->seen >= 4)
		adjust(t + 2, (v4 ? 0 : pseudo) + risen(was, t, v->seen));
}

/* captured: octets from the transport header on, whether they are of the datagram or not. */
static void
view_see(struct view *v, int64_t captured)
{
	if (captured > v->rest)
		captured = v->rest;
	v->seen = captured < 0 ? 0 : captured;
}

static void
view_rename(struct disguise *d, struct view *v, int version)
{
	unsigned at = version == 4 ? 12 : 8;

	v->src = names_rename_host(&d->names, version, v->ip + at);
	v->dst = names_rename_host(&d->names, version, v->ip + at + (version == 4 ? 4 : 16));
}

/* The header that an ICMP error quotes, at octet `at` of the ICMP message. */
static void
quote_disguise(struct disguise *d, const struct packet *p, const struct view *error, unsigned at)
{
	const struct quote *q = &p->quote;
	bool v4 = q->src.version == 4;
	struct view v = {.was = error->was + error->header + at,
			 .ip = error->ip + error->header + at,
			 .proto = q->proto,
			 .quoted = true,
			 .header = v4 ? q->ip_hl * 4 : 40};

	v.rest = (int64_t)q->ip_len - (v4 ? v.header : 0);
	view_see(&v, (int64_t)error->seen - at - v.header);
	v.headed = (q->proto == PROTO_TCP || q->proto == PROTO_UDP ||
		    q->proto == (v4 ? PROTO_ICMP : PROTO_ICMP6)) &&
		   !(v4 && q->frag & 0x1fff);
	v.whole = v.headed && !(v4 && q->frag & 0x2000) && v.rest > 0;
	view_rename(d, &v, q->src.version);
	if (d->changed)
		ip_change(d, &v);
	if (d->changed && v.headed)
		transport_change(d, &v);
	view_adjust(&v);
}

/* Whom an ICMP message names: a host, link addresses among its options, a packet. */
static void
icmp_disguise(struct disguise *d, const struct packet *p, const struct view *v)
{
	uint8_t *t = v->ip + v->header;
	int32_t at = icmp_options_at(p);

	if (p->has_target)
		names_rename_host(&d->names, p->src.version, t + icmp_target_at(p));
	for (; at && at + 8 <= v->seen && t[at + 1]; at += t[at + 1] * 8)
		if (t[at] == ND_SOURCE || t[at] == ND_TARGET)
			names_rename_mac(&d->names, t + at + 2);
	if (p->quote.set)
		quote_disguise(d, p, v, icmp_quote_at(p));
}

static bool
in_pppoe(const struct packet *p)
{
	for (int i = 0; i < p->n_tags; i++)
		if (p->tags[i] >> 32 == PPPOE)
			return true; /* has a length of its own */
	return false;
}

/* Returns by how many octets the datagram grows. */
static uint32_t
ip_disguise(struct disguise *d, const struct packet *p, const uint8_t *data, uint8_t *frame)
{
	struct view v = {.was = data + p->net,
			 .ip = frame + p->net,
			 .proto = p->proto,
			 .headed = transport_length(p) > 0,
			 .header = p->transport - p->net,
			 .rest = p->rest};

	view_see(&v, (int64_t)p->caplen - p->transport);
	v.whole = v.headed && !ip_is_fragment(p) && p->ip_len && p->rest > 0 &&
		  p->net + ip_end(p) <= p->len && !in_pppoe(p);
	view_rename(d, &v, p->src.version);
	if (d->changed)
		ip_change(d, &v);
	if (d->changed && v.headed)
		transport_change(d, &v);
	if (v.headed && (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6))
		icmp_disguise(d, p, &v);
	view_adjust(&v);
	return v.more;
}

/* Adds zeros where the datagram ends. They take the place of what padded the frame to 60 octets. */
static void
lengthen(struct capture_packet *out, uint8_t *frame, uint32_t end, uint32_t more)
{
	uint32_t pad = out->len - end, kept = out->len > 60 ? pad : pad > more ? pad - more : 0;

	if (out->caplen == out->len) {
		memmove(frame + end + more, frame + end + pad - kept, kept);
		memset(frame + end, 0, more);
		out->caplen = end + more + kept;
	} else if (out->caplen > end) { /* cut in its padding */
		memset(frame + end, 0, out->caplen - end);
	}
	out->len = end + more + kept;
}

void
disguise_packet(struct disguise *d, const struct capture_packet *in, uint8_t *frame,
		struct capture_packet *out)
{
	struct packet p = {.time = in->time, .caplen = in->caplen, .len = in->len};
	uint32_t more = 0;

	packet_parse(&p, ETHERNET, in->data);
	memcpy(frame, in->data, in->caplen);
	out->data = frame;
	out->caplen = in->caplen;
	out->len = in->len;
	if (p.runt)
		return;
	link_rename(d, &p, frame);
	if (p.kind == PACKET_ARP)
		arp_rename(d, frame + p.net);
	if (p.kind == PACKET_IP)
		more = ip_disguise(d, &p, in->data, frame);
	if (more)
		lengthen(out, frame, p.net + ip_end(&p), more);
}
