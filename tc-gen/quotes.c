#include "quotes.h"

#include <string.h>

enum { UNREACHABLE = 3, UNREACHABLE6 = 1 };

void
quotes_take(struct quotes *s, const struct trace *t, const struct packet *p)
{
	struct quotable *e = &s->ring[s->n % QUOTES];

	if (p->kind != PACKET_IP || t->at.slot == SLOT_NONE || p->frag & 0x3fff)
		return;
	struct quote *q = &e->quote;
	*q = (struct quote){.set = true, .proto = p->proto, .ttl = p->ttl, .tos = p->tos, .ip_hl = p->ip_hl, .ip_len = p->ip_len,
			    .id = p->id, .frag = p->src.version == 4 ? p->frag : 0, .src = p->src, .dst = p->dst,
			    .src_port = p->src_port, .dst_port = p->dst_port};
	if (p->proto == PROTO_TCP) {
		q->word = p->seq;
		q->bits = p->tcp_off << 12 | (p->flags & 0xfff);
	} else if (p->proto == PROTO_UDP) {
		q->word = p->udp_len;
	} else {
		return; /* an error quotes no error */
	}
	e->slot = t->at.slot;
	e->opened = t->flow[e->slot].opened;
	e->dir = t->at.dir;
	s->n++;
}

/* The errors are those of icmp_quote_at(). */
static bool
is_error(uint32_t proto, int64_t type)
{
	if (proto == PROTO_ICMP)
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	return proto == PROTO_ICMP6 && type >= 1 && type <= 4;
}

/* The latest one to that family that `to` sent (NULL: anybody that has a name), of UDP if that is wanted; NULL: none. */
static const struct quotable *
find(const struct quotes *s, const struct trace *t, int family, const struct address *to, bool udp)
{
	for (uint32_t i = s->n; i > 0 && s->n - i < QUOTES; i--) {
		const struct quotable *e = &s->ring[(i - 1) % QUOTES];
		const struct flow *f = &t->flow[e->slot];
		if (f->opened != e->opened || e->quote.src.version != family || (udp && e->quote.proto != PROTO_UDP))
			continue;
		if (to ? address_same(&e->quote.src, to) : f->host[e->dir] != SLOT_NONE)
			return e;
	}
	return NULL;
}

/* Relative to the flow as it is now (cue_icmp.c). */
static void
put(const struct trace *t, const struct quotable *e, struct action *a)
{
	const struct quote *q = &e->quote;
	const struct side *me = &t->flow[e->slot].side[e->dir], *peer = &t->flow[e->slot].side[!e->dir];
	int64_t word = q->word;

	if (q->proto == PROTO_TCP)
		word = me->has_next ? (int32_t)(q->word - me->next) : peer->has_ack ? (int32_t)(q->word - peer->ack) : 0;
	a->has |= 1ull << ACTION_QUOTE;
	*action_list(a, ACTION_QUOTE) = (struct action_list){QUOTE_FIELDS, {e->slot, e->dir, 0, q->ttl, q->tos, q->ip_hl, q->ip_len,
		(int16_t)(q->id - me->id), q->frag, 0, 0, word, q->bits}};
}

static struct action_ref
end_of(const struct flow *f, int dir)
{
	struct action_ref r = {.kind = f->host[dir] == SLOT_NONE ? REF_FIXED : REF_KNOWN, .slot = f->host[dir]};

	if (r.kind == REF_FIXED)
		address_text(&f->address[dir], r.text, sizeof r.text);
	return r;
}

void
quotes_answer(const struct quotes *s, const struct trace *t, struct action *a, uint32_t slot)
{
	uint32_t of = action_number(a, ACTION_FLOW);
	int dir = action_number(a, ACTION_DIR) == 1;
	const struct flow *f = &t->flow[of];

	action_set(a, ACTION_FLOW, slot);
	action_set(a, ACTION_OPEN, FLOW_NEW);
	action_set(a, ACTION_DIR, 0);
	bool four = f->address[0].version == 4;
	action_set(a, ACTION_PROTO, four ? PROTO_ICMP : PROTO_ICMP6);
	if (!is_error(action_proto(a), a->num[ACTION_TYPE])) { /* of the other version: the port is closed */
		action_set(a, ACTION_TYPE, four ? UNREACHABLE : UNREACHABLE6);
		action_set(a, ACTION_CODE, four ? 3 : 4);
	}
	a->has |= 1ull << ACTION_ORIG_H | 1ull << ACTION_RESP_H;
	*action_ref(a, ACTION_ORIG_H) = end_of(f, dir);
	*action_ref(a, ACTION_RESP_H) = end_of(f, !dir);
	for (uint32_t i = s->n; i > 0 && s->n - i < QUOTES; i--) {
		const struct quotable *e = &s->ring[(i - 1) % QUOTES];
		if (e->slot == of && e->opened == f->opened && e->dir == !dir) {
			put(t, e, a);
			if (!action_has(a, ACTION_LEN))
				action_set(a, ACTION_LEN, quotes_whole(&e->quote));
			return;
		}
	}
}

/* Who opens the error's flow is the one who can't be reached, or one on the way. */
static void
choose_ends(const struct trace *t, const struct quotable *e, struct action *a, bool at_end)
{
	const struct flow *f = &t->flow[e->slot];

	a->has |= 1ull << ACTION_RESP_H;
	*action_ref(a, ACTION_RESP_H) = (struct action_ref){.kind = REF_KNOWN, .slot = f->host[e->dir]};
	if (!at_end || f->host[!e->dir] == SLOT_NONE)
		return;
	a->has |= 1ull << ACTION_ORIG_H;
	*action_ref(a, ACTION_ORIG_H) = (struct action_ref){.kind = REF_KNOWN, .slot = f->host[!e->dir]};
}

void
quotes_set(const struct quotes *s, const struct trace *t, struct action *a)
{
	const struct flow *f = &t->flow[action_number(a, ACTION_FLOW)];
	bool opens = action_number(a, ACTION_OPEN) == FLOW_NEW;
	int dir = action_number(a, ACTION_DIR) == 1;
	uint32_t proto = opens ? action_proto(a) : f->proto;
	int64_t type = action_has(a, ACTION_TYPE) ? a->num[ACTION_TYPE] : opens ? 0 : f->side[dir].type;
	int64_t code = action_has(a, ACTION_CODE) ? a->num[ACTION_CODE] : opens ? 0 : f->side[dir].code;

	if (!is_error(proto, type))
		return;
	int family = proto == PROTO_ICMP ? 4 : 6;
	bool port = family == 4 ? type == UNREACHABLE && code == 3 : type == UNREACHABLE6 && code == 4;
	const struct quotable *e;
	if (opens && dir == 0) {
		e = find(s, t, family, NULL, port);
		if (e)
			choose_ends(t, e, a, port);
	} else {
		const struct address *to = &f->address[!dir];
		e = find(s, t, family, to, port);
		e = e ? e : find(s, t, family, to, false);
	}
	if (e)
		put(t, e, a);
}
