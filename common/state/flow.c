/*
 * Flow identity: one policy, here and nowhere else. tc-lift(1), section FLOWS, says it in words.
 */
#include "packet/layers.h"
#include "state/trace.h"

#include <string.h>

/* The 5-tuple, ends in an order that depends on them alone: one key for both directions. */
struct flow_key {
	uint8_t end[2][16];
	uint16_t port[2];
	uint32_t proto; /* and behind PROTO_BITS the versions of the ends, four bits each */
};
#define PROTO_BITS 24
_Static_assert(sizeof(struct flow_key) == FLOW_KEY, "without padding, of which nobody knows what is in it");
_Static_assert(PROTO_RUNT >> PROTO_BITS == 0, "the versions stand behind any protocol");

static void
key_make(struct flow_key *k, uint32_t proto, const struct address *src, const struct address *dst,
	 uint16_t src_port, uint16_t dst_port)
{
	uint64_t s[2], d[2];

	memcpy(s, src->octet, sizeof s);
	memcpy(d, dst->octet, sizeof d);
	bool swap = s[0] != d[0]			? s[0] > d[0]
		    : s[1] != d[1]			? s[1] > d[1]
		    : src->version != dst->version ? src->version > dst->version
							: src_port > dst_port;
	memcpy(k->end[swap], s, sizeof s);
	memcpy(k->end[!swap], d, sizeof d);
	k->port[swap] = src_port;
	k->port[!swap] = dst_port;
	k->proto = proto | (uint32_t)(swap ? dst : src)->version << PROTO_BITS |
		   (uint32_t)(swap ? src : dst)->version << (PROTO_BITS + 4);
}

/* A frame's ends are its link addresses. */
static void
ends_of(const struct packet *p, struct address *src, struct address *dst)
{
	*src = p->src;
	*dst = p->dst;
	if (p->kind == PACKET_FRAME) {
		memcpy(src->octet, p->src_mac, 6);
		memcpy(dst->octet, p->dst_mac, 6);
	}
}

/* System ports, registered ports, ephemeral ones (Linux begins them at 32768). */
static int
port_tier(uint16_t port)
{
	return port < 1024 ? 0 : port < 32768 ? 1 : 2;
}

/* The direction of a flow's first packet: 1 if it comes from the responder. */
static int
first_direction(const struct packet *p)
{
	if (p->kind == PACKET_IP && p->proto == PROTO_TCP && p->flags & TCP_SYN)
		return (p->flags & TCP_ACK) != 0;
	return port_tier(p->src_port) < port_tier(p->dst_port);
}

bool
flow_syn_base(const struct side *s, uint32_t *base)
{
	*base = s->isn;
	return s->has_isn;
}

static bool
flow_has_one_end(const struct flow *f)
{
	return f->proto < PROTO_FRAME && f->port[0] == f->port[1] &&
	       address_same(&f->address[0], &f->address[1]);
}

struct side *
flow_side(struct flow *f, int dir)
{
	return &f->side[flow_has_one_end(f) ? 0 : dir];
}

void
flow_renew(struct flow *f)
{
	uint32_t opened = f->opened;

	if (opened) /* else it is all 0 */
		clear(f, sizeof *f);
	f->opened = opened + 1;
}

void
flow_reopen(struct trace *t, uint32_t slot, enum flow_open open)
{
	struct flow *f = &t->flow[slot];

	if (open == FLOW_GOES_ON)
		return;
	f->closed = false;
	if (open != FLOW_REUSED && open != FLOW_REUSED_REVERSED)
		return;
	if (open == FLOW_REUSED_REVERSED) {
		struct side side = f->side[0];
		struct side_link link = t->flow_link[slot][0];
		struct address address = f->address[0];
		uint32_t host = f->host[0], named = f->host_named[0];
		uint16_t port = f->port[0];
		f->side[0] = f->side[1];
		f->side[1] = side;
		t->flow_link[slot][0] = t->flow_link[slot][1];
		t->flow_link[slot][1] = link;
		f->address[0] = f->address[1];
		f->address[1] = address;
		f->host[0] = f->host[1];
		f->host[1] = host;
		f->host_named[0] = f->host_named[1];
		f->host_named[1] = named;
		f->port[0] = f->port[1];
		f->port[1] = port;
	}
	for (int d = 0; d < 2; d++)
		f->side[d].has_next = f->side[d].has_ack = f->side[d].has_isn = false;
}

/* What a segment tells of where an end began: of its own, and of the other's, by what it acknowledges. An acknowledgement of 0
 * where nothing is known tells nothing. */
static void
remember_isn(struct side *s, struct side *peer, const struct packet *p)
{
	/* A connection that was seen in its midst may still get its SYN, late. */
	if (p->flags & TCP_SYN || !s->has_isn)
		s->isn = p->flags & TCP_SYN ? p->seq : p->seq - 1;
	s->has_isn = true;
	if (!peer->has_isn && packet_has(p, TCP_FLAGS_END) && p->flags & TCP_ACK && p->ack) {
		peer->isn = p->ack - 1;
		peer->has_isn = true;
	}
}

void
flow_remember(struct flow *f, int dir, const struct packet *p)
{
	struct side *s = flow_side(f, dir);
	int64_t payload = p->rest - transport_length(p);
	uint32_t end = p->seq + (uint32_t)(payload > 0 ? payload : 0) + !!(p->flags & TCP_SYN) +
		       (p->flags & TCP_FIN);

	remember_isn(s, flow_side(f, !dir), p);
	if (!s->has_next || ((int32_t)(end - s->next) > 0 && !(p->flags & TCP_RST)))
		s->next = end;
	s->has_next = true;
	if (p->flags & (TCP_FIN | TCP_RST))
		f->closed = true;
}

static enum flow_open
known_flow(struct trace *t, struct flow *f, const struct packet *p, int dir)
{
	uint32_t base;
	uint32_t idle = t->header.idle[flow_kind(packet_proto(p))];

	if (p->kind == PACKET_IP && p->proto == PROTO_TCP &&
	    (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		if (flow_syn_base(&f->side[dir], &base) && base != p->seq)
			return dir ? FLOW_REUSED_REVERSED : FLOW_REUSED;
		if (f->closed)
			return FLOW_RESUMED;
	}
	if (flow_is_idle(t->clock - f->last, idle))
		return FLOW_RESUMED;
	return FLOW_GOES_ON;
}

uint32_t
flow_find(struct trace *t, const struct packet *p, int *dir, enum flow_open *open)
{
	struct flow_key key;
	struct address src, dst;
	uint32_t slot = SLOT_NONE;
	struct flow *f;

	if (p->time > t->clock)
		t->clock = p->time;
	ends_of(p, &src, &dst);
	if (p->kind == PACKET_IP && ip_is_later_fragment(p))
		slot = datagram_flow(t, p, dir); /* it has no ports */
	if (slot == SLOT_NONE) {
		key_make(&key, packet_proto(p), &src, &dst, p->src_port, p->dst_port);
		slot = slots_find(&t->flows, &key);
		if (slot != SLOT_NONE) {
			f = &t->flow[slot];
			flow_fetch(f);
			*dir = f->port[0] != p->src_port || !address_same(&f->address[0], &src);
		}
	}
	if (slot != SLOT_NONE) {
		f = &t->flow[slot];
		slots_touch(&t->flows, slot);
		*open = known_flow(t, f, p, *dir);
		if (*open == FLOW_REUSED_REVERSED)
			*dir = 0;
		f->last = t->clock;
		return slot;
	}
	slot = slots_add(&t->flows, &key);
	f = &t->flow[slot];
	*open = FLOW_NEW;
	*dir = first_direction(p);
	flow_renew(f);
	f->proto = packet_proto(p);
	f->last = t->clock;
	f->address[*dir] = src;
	f->address[!*dir] = dst;
	f->port[*dir] = p->src_port;
	f->port[!*dir] = p->dst_port;
	return slot;
}

uint32_t
flow_find_quoted(const struct trace *t, const struct quote *q, int *dir)
{
	struct flow_key key;
	uint32_t slot;

	key_make(&key, q->proto, &q->src, &q->dst, q->src_port, q->dst_port);
	slot = slots_find(&t->flows, &key);
	if (slot != SLOT_NONE)
		*dir = t->flow[slot].port[0] != q->src_port || !address_same(&t->flow[slot].address[0], &q->src);
	return slot;
}
