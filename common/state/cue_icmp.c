/* ICMP against the state. */
#include "state/cue.h"

#include <string.h>

/* Octets 4 to 7: identifier and the next sequence number, or those that are answered. */
static uint32_t
predict_word(const struct cue *c)
{
	const struct packet *p = c->p;

	if (!icmp_is_query(p))
		return p->type == c->me->type ? c->me->word : 0;
	if (icmp_is_reply(p) && c->peer->seen)
		return c->peer->word;
	return (c->me->word & 0xffff0000) | ((c->me->word + 1) & 0xffff);
}

static const struct address *
predict_target(const struct packet *p)
{
	switch (p->type) {
	case 131:
	case 132:
		return &p->dst; /* the group that a listener reports or leaves */
	case 136:
		return &p->src; /* a neighbour advertises itself */
	}
	return NULL;
}

static void
cue_target(struct cue *c)
{
	struct packet *p = c->p;
	unsigned at = icmp_target_at(p), length = p->src.version == 4 ? 4 : 16;

	p->has_target = at && (int64_t)at + length <= p->rest &&
			(int64_t)at + length <= (int64_t)p->caplen - p->transport;
	if (p->has_target)
		cue_host(c, ACTION_TARGET, &p->target, predict_target(p), p->src.version);
}

static void
cue_options(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;

	p->n_options = cue_layout(c, ACTION_OPTS, p->options, p->n_options, s->options,
				  s->n_options, PACKET_OPTIONS);
	cue_remember_layout(p->options, p->n_options, s->options, &s->n_options);
}

/* What the quoted flow's state says of the sender of the quoted packet. */
static bool
quoted_sequence(const struct flow *f, int dir, uint32_t *base)
{
	const struct side *me = &f->side[dir], *peer = &f->side[!dir];

	*base = me->has_next ? me->next : peer->ack;
	return me->has_next || peer->has_ack;
}

static void
lift_quote(struct cue *c)
{
	struct quote *q = &c->p->quote;
	struct action_list *l = action_list(c->a, ACTION_QUOTE);
	int dir = 0;
	uint32_t slot = flow_find_quoted(c->t, q, &dir), base;
	const struct flow *f = slot == SLOT_NONE ? NULL : &c->t->flow[slot];

	c->a->has |= 1ull << ACTION_QUOTE;
	*l = (struct action_list){QUOTE_FIELDS, {f ? (int64_t)slot : -1, dir, f ? 0 : q->proto, q->ttl,
					    q->tos, q->ip_hl, q->ip_len, q->id, q->frag,
					    f ? 0 : q->src_port, f ? 0 : q->dst_port, q->word,
					    q->bits}};
	if (f)
		l->v[QUOTE_ID] = (int16_t)(q->id - f->side[dir].id);
	/* All zeros is a header that was not quoted, or cut off: nobody's sequence number. */
	bool there = q->word || q->src_port || q->dst_port;
	if (q->proto == PROTO_TCP)
		l->v[QUOTE_WORD] =
		    f && there && quoted_sequence(f, dir, &base) ? (int32_t)(q->word - base) : 0;
	if (!f) {
		cue_host(c, ACTION_QUOTE_SRC, &q->src, NULL, 0);
		cue_host(c, ACTION_QUOTE_DST, &q->dst, NULL, 0);
	}
}

static void
compile_quote(struct cue *c)
{
	struct quote *q = &c->p->quote;
	const struct action_list *l = action_list(c->a, ACTION_QUOTE);
	const int64_t *v = l->v;
	const struct flow *f = NULL;
	uint32_t base;
	int dir = l->n > QUOTE_DIR && v[QUOTE_DIR] == 1;

	if (!action_has(c->a, ACTION_QUOTE))
		return;
	if (l->n == QUOTE_FIELDS && v[QUOTE_FLOW] >= 0 && v[QUOTE_FLOW] < c->t->header.cap)
		f = &c->t->flow[v[QUOTE_FLOW]];
	if (l->n != QUOTE_FIELDS || (f && (!f->opened || f->proto > PROTO_IP_MAX)) || (!f && v[QUOTE_FLOW] != -1)) {
		cue_odd(c, ODD_QUOTE);
		return;
	}
	*q = (struct quote){.set = true, .proto = v[QUOTE_PROTO], .ttl = v[QUOTE_TTL], .tos = v[QUOTE_TOS],
			    .ip_hl = v[QUOTE_IP_HL], .ip_len = v[QUOTE_IP_LEN], .id = v[QUOTE_ID],
			    .frag = v[QUOTE_FRAG], .src_port = v[QUOTE_SRC_PORT], .dst_port = v[QUOTE_DST_PORT],
			    .word = v[QUOTE_WORD], .bits = v[QUOTE_BITS]};
	if (f) {
		q->proto = f->proto;
		q->src = f->address[dir];
		q->dst = f->address[!dir];
		q->src_port = f->port[dir];
		q->dst_port = f->port[!dir];
		q->id += f->side[dir].id;
		if (q->proto == PROTO_TCP)
			q->word = quoted_sequence(f, dir, &base) ? base + q->word : 0;
	} else {
		int version = v[QUOTE_IP_HL] ? 4 : 6;
		cue_host(c, ACTION_QUOTE_SRC, &q->src, NULL, version);
		cue_host(c, ACTION_QUOTE_DST, &q->dst, NULL, version);
	}
	if (q->src.version == 4 && (q->ip_hl < 5 || q->ip_hl > 15)) {
		cue_odd(c, ODD_QUOTE);
		q->ip_hl = 5;
	}
}

void
cue_icmp(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;

	if (packet_has(p, ICMP_TYPE_END))
		p->type = cue_number(c, ACTION_TYPE, p->type, s->type, 255);
	if (packet_has(p, ICMP_CODE_END))
		p->code = cue_number(c, ACTION_CODE, p->code, s->code, 255);
	if (packet_has(p, ICMP_REST_END)) {
		p->word = cue_number(c, ACTION_REST, p->word, predict_word(c), UINT32_MAX);
		cue_target(c);
		if (icmp_options_at(p))
			cue_options(c);
		if (c->lift && p->quote.set)
			lift_quote(c);
		else if (!c->lift && icmp_quote_at(p))
			compile_quote(c);
		s->word = p->word;
	}
	s->type = p->type;
	s->code = p->code;
}
