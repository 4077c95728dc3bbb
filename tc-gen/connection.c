#include "connection.h"

#include "packet/packet.h"

#define ANY (INT64_C(1) << 40) /* what a number of an action is always within */
#define BEHIND 66000 /* octets that an acknowledgement lags behind, at most, as Linux conntrack has it */

static const struct bounds unbound = {-ANY, ANY};

enum kind { KIND_SYN, KIND_SYN_ACK, KIND_FIN, KIND_ACK, KIND_RST, KIND_NONE };

/* Flags that no TCP sends together are of no kind. */
static enum kind
kind_of(unsigned flags)
{
	switch (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) {
	case TCP_SYN:
		return KIND_SYN;
	case TCP_SYN | TCP_ACK:
		return KIND_SYN_ACK;
	case TCP_FIN | TCP_ACK:
		return KIND_FIN;
	case TCP_ACK:
		return KIND_ACK;
	case TCP_RST:
	case TCP_RST | TCP_ACK:
		return KIND_RST;
	default:
		return KIND_NONE;
	}
}

/* --- what came --- */

static struct segment
segment_of(const struct action *a)
{
	return (struct segment){.dir = action_number(a, ACTION_DIR) == 1, .open = action_number(a, ACTION_OPEN),
				.flags = action_has(a, ACTION_FLAGS) ? a->num[ACTION_FLAGS] : TCP_ACK,
				.len = action_number(a, ACTION_LEN), .seq = action_number(a, ACTION_SEQ),
				.ack = action_number(a, ACTION_ACK), .ack_same = action_number(a, ACTION_ACK_SAME)};
}

static bool
anew(const struct segment *s)
{
	return s->open == FLOW_REUSED || s->open == FLOW_REUSED_REVERSED;
}

/* How many numbers it takes. */
static int64_t
size(const struct segment *s)
{
	return s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

/* What the fields are counted from, as cue_tcp.c has it. */
static int64_t
sequence_base(const struct connection_end *me, const struct connection_end *peer)
{
	return me->known ? me->next : peer->acks ? peer->ack : 0;
}

static int64_t
ack_base(const struct connection_end *me, const struct connection_end *peer)
{
	return !peer->known || (me->acks && me->ack > peer->next) ? me->ack : peer->next;
}

static void
forget(struct connection *c, bool turned)
{
	uint16_t win[2] = {c->end[turned].win, c->end[!turned].win};
	bool said[2] = {c->end[turned].said, c->end[!turned].said};

	*c = (struct connection){0};
	for (int d = 0; d < 2; d++) {
		c->end[d].win = win[d];
		c->end[d].said = said[d];
	}
}

static void
take_syn(struct connection_end *me, const struct action *a, int64_t seq, bool plain)
{
	const struct action_list *opts = &a->list[ACTION_LIST_OPTS];

	me->syn = true;
	me->plain |= plain;
	me->isn = seq;
	me->scaled = false;
	for (int i = 0; action_has(a, ACTION_OPTS) && i < opts->n; i++)
		me->scaled |= opts->v[i] == OPTION_WSCALE;
	me->scale = action_has(a, ACTION_WSCALE) ? a->num[ACTION_WSCALE] : USUAL_SCALE;
	me->scale = me->scale < 14 ? me->scale : 14;
}

/* What it acknowledges. */
static int64_t
ack_of(const struct connection_end *me, const struct connection_end *peer, const struct segment *s)
{
	return s->ack_same && me->acks ? me->ack : ack_base(me, peer) + s->ack;
}

/* The acknowledgement, and the window from there on. */
static void
take_ack(struct connection *c, const struct segment *s)
{
	struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];

	me->ack = ack_of(me, peer, s);
	me->acks = true;
	int64_t win = me->win;
	if (!(s->flags & TCP_SYN) && me->scaled && peer->scaled)
		win <<= me->scale;
	int64_t edge = me->ack + (win ? win : 1); /* an octet that asks for a window is always let in */
	peer->edge = edge > peer->edge ? edge : peer->edge;
}

void
connection_take(struct connection *c, const struct action *a)
{
	struct segment s = segment_of(a);

	if (anew(&s))
		forget(c, s.open == FLOW_REUSED_REVERSED);
	struct connection_end *me = &c->end[s.dir], *peer = &c->end[!s.dir];
	enum kind kind = kind_of(s.flags);
	int64_t seq = sequence_base(me, peer) + s.seq;
	if (!c->begun) {
		c->open = c->middle = kind != KIND_SYN;
		c->reset = false;
	}
	c->begun = true;
	c->unseen = false;
	if (s.flags & TCP_SYN)
		take_syn(me, a, seq, kind == KIND_SYN);
	c->open |= kind == KIND_SYN_ACK;
	if (!me->known || (seq + size(&s) > me->next && !(s.flags & TCP_RST)))
		me->next = seq + size(&s);
	me->known = me->said = true;
	me->fin |= kind == KIND_FIN;
	c->reset |= kind == KIND_RST;
	if (action_has(a, ACTION_WIN))
		me->win = a->num[ACTION_WIN];
	if (s.flags & TCP_ACK)
		take_ack(c, &s);
	if (kind == KIND_RST && !c->open)
		c->begun = false; /* refused: what comes is another attempt */
}

/* --- what may come --- */

enum rule
connection_kind_rule(const struct connection *c)
{
	return c->reset || (c->end[0].fin && c->end[1].fin) ? RULE_OVER : RULE_KIND;
}

bool
connection_over(const struct connection *c)
{
	return !c->begun || connection_kind_rule(c) == RULE_OVER;
}

bool
connection_kind(const struct connection *c, const struct segment *s)
{
	const struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];
	enum kind kind = kind_of(s->flags);

	if (kind == KIND_NONE)
		return false;
	if (anew(s))
		return kind == KIND_SYN;
	if (c->unseen && (kind == KIND_FIN || kind == KIND_SYN_ACK))
		return false; /* alone they are of no connection */
	if (!c->begun)
		return kind == KIND_SYN || (kind == KIND_ACK && !c->reset);
	switch (kind) {
	case KIND_SYN:
		return me->syn ? me->plain && me->next == me->isn + 1 : !c->open; /* once more only where it had no octets */
	case KIND_SYN_ACK:
		return c->open ? me->syn && (!me->plain || peer->plain) && me->next == me->isn + 1 : peer->syn;
	case KIND_RST:
		return true;
	default:
		return c->open;
	}
}

bool
connection_says_window(const struct connection *c, const struct segment *s)
{
	return !c->end[s->dir].said && !(s->flags & TCP_RST);
}

/* Behind the last number that may be sent. */
static int64_t
last_number(const struct connection *c, int dir)
{
	const struct connection_end *me = &c->end[dir];

	if (me->fin)
		return me->next;
	return c->middle || !c->end[!dir].acks ? ANY : me->edge > me->next ? me->edge : me->next;
}

/* New octets, or, once more, some that aren't acknowledged. */
struct bounds
connection_len(const struct connection *c, const struct segment *s)
{
	const struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];
	int64_t room = last_number(c, s->dir) - me->next - !!(s->flags & TCP_FIN);
	int64_t waiting = peer->acks ? me->next - peer->ack : ANY;

	if (!me->known || s->flags & TCP_SYN)
		return unbound;
	room = room > waiting ? room : waiting;
	return (struct bounds){-ANY, room > 0 ? room : 0};
}

/* A SYN that is said again has its own number; an RST, before either end is through, none that was acknowledged. */
struct bounds
connection_seq(const struct connection *c, const struct segment *s)
{
	const struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];
	struct bounds b = unbound;

	if (!c->begun || !me->known || anew(s))
		return b;
	if (s->flags & TCP_SYN)
		return me->syn ? (struct bounds){me->isn - me->next, me->isn - me->next} : b;
	b.most = last_number(c, s->dir) - me->next - size(s);
	if (s->flags & TCP_RST && peer->acks && !me->fin && !peer->fin)
		b.least = peer->ack - me->next;
	return b;
}

struct bounds
connection_ack(const struct connection *c, const struct segment *s)
{
	const struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];

	if (!peer->known || anew(s) || !(s->flags & TCP_ACK))
		return unbound;
	int64_t base = ack_base(me, peer), least = peer->syn && peer->isn + 1 > base - BEHIND ? peer->isn + 1 - base : -BEHIND;
	return (struct bounds){least < 0 ? least : 0, peer->next - base};
}

struct bounds
connection_sack(const struct connection *c, const struct segment *s)
{
	const struct connection_end *me = &c->end[s->dir], *peer = &c->end[!s->dir];

	return peer->known && !anew(s) ? (struct bounds){-ANY, peer->next - ack_of(me, peer, s)} : unbound;
}

int64_t
connection_last_edge(const struct action_list *sack)
{
	int64_t last = -ANY;

	for (int i = 0; i + 1 < sack->n; i += 2)
		last = sack->v[i] + sack->v[i + 1] > last ? sack->v[i] + sack->v[i + 1] : last;
	return last;
}

static bool
outside(struct bounds b, int64_t v)
{
	return v < b.least || v > b.most;
}

unsigned
connection_asks(const struct connection *c, struct action *a)
{
	struct segment s = segment_of(a);
	unsigned always = 1u << RULE_SEQ | 1u << RULE_ACK | 1u << RULE_SACK | 1u << RULE_WIN;

	return always | 1u << connection_kind_rule(c) | anew(&s) << RULE_AGAIN;
}

unsigned
connection_breaks(const struct connection *c, struct action *a)
{
	struct segment s = segment_of(a);
	unsigned broken = 0;

	broken |= !connection_kind(c, &s) << connection_kind_rule(c);
	broken |= (anew(&s) && !connection_over(c)) << RULE_AGAIN;
	broken |= outside(connection_seq(c, &s), s.seq) << RULE_SEQ;
	if (!s.ack_same)
		broken |= outside(connection_ack(c, &s), s.ack) << RULE_ACK;
	if (action_has(a, ACTION_SACK))
		broken |= outside(connection_sack(c, &s), connection_last_edge(action_list(a, ACTION_SACK))) << RULE_SACK;
	broken |= (connection_says_window(c, &s) && !action_has(a, ACTION_WIN)) << RULE_WIN;
	return broken;
}
