#include "code/manner.h"

#include "support/hugepages.h"

#include <string.h>

/* What flows have in common, in the order of the bits of MANNER_WITHOUT. */
static const uint8_t common[MANNER_WITHOUT_BITS] = {
    ACTION_FLAGS, ACTION_WIN,   ACTION_OPTS, ACTION_MSS,  ACTION_WSCALE, ACTION_ACK,
    ACTION_LEN,   ACTION_PAD,   ACTION_FRAG, ACTION_TOS,  ACTION_LINK,   ACTION_TYPE,
    ACTION_CODE,  ACTION_LABEL, ACTION_EXT,  ACTION_TAGS, ACTION_NO_CHECKSUM};

int
manners_init(struct manners *m, uint32_t cap)
{
	*m = (struct manners){.cap = cap, .flow = hugepages_new(cap * sizeof *m->flow)};
	return m->flow ? 0 : -1;
}

void
manners_free(struct manners *m)
{
	hugepages_free(m->flow, m->cap * sizeof *m->flow);
	m->flow = NULL;
}

void
manners_begin(struct manners *m)
{
	m->trace++;
	m->top = 0;
	m->cut = (struct manner_cut){0};
	for (int k = 0; k < FLOW_KINDS; k++)
		m->first[k][0].has = m->first[k][1].has = 0;
}

void
manners_copy(struct manners *to, const struct manners *m)
{
	struct manner *flow = to->flow;
	uint32_t most = to->most > m->top ? to->most : m->top;

	memcpy(flow, m->flow, m->top * sizeof *flow);
	for (uint32_t i = m->top; i < most; i++)
		flow[i].trace = 0;
	*to = *m;
	to->flow = flow;
	to->most = most;
}

static void
copy_field(struct action *to, const struct action *a, enum action_field f)
{
	if (action_fields[f].kind == ACTION_INT)
		to->num[f] = a->num[f];
	else
		*action_list(to, f) = *action_list((struct action *)a, f);
	to->has |= 1ull << f;
}

/* A direction's first packet, beside the last one. */
static void
pass_first(struct action *last, enum passage way, struct action *a)
{
	uint64_t without = way == RESOLVE ? action_number(a, MANNER_WITHOUT) : 0, before = last->has;

	last->has = 0;
	for (int i = 0; i < MANNER_WITHOUT_BITS; i++) {
		enum action_field f = common[i];
		uint64_t bit = 1ull << f, had = before & bit;
		if (way == RESOLVE && had && !(a->has & bit) && !(without >> i & 1))
			copy_field(a, last, f);
		if (way == RELATE && had && !(a->has & bit))
			without |= 1ull << i;
		if (!(a->has & bit))
			continue;
		last->has |= had; /* for the comparison */
		if (way == RELATE && action_same(a, last, f)) {
			a->has &= ~bit;
		} else {
			copy_field(last, a, f);
		}
	}
	if (way == RELATE && without)
		action_set(a, MANNER_WITHOUT, without);
}

/* What the state of a connection expects of the flags (RFC 9293, section 3.5); with data, those of the last segment
 * of its size: PSH ends what was written at once (section 3.9.1.2). */
static uint16_t
expected_flags(const struct manner_side *me, const struct manner_side *peer, int64_t len)
{
	bool most = me->most && len >= me->most;

	if (len > 0)
		return me->flags[most] ? me->flags[most] : most ? TCP_ACK : TCP_PSH | TCP_ACK;
	return peer->syn ? TCP_SYN | TCP_ACK : TCP_ACK;
}

/* A number that is present unless it is `usual`, in an absolute action; unless it is `expected`, in a relative one. */
static bool
pass_number(enum passage way, struct action *a, enum action_field f, int64_t usual, int64_t expected)
{
	int64_t v = action_has(a, f) ? a->num[f] : way == RESOLVE ? expected : usual;
	bool good = !action_has(a, f) || v != usual; /* else not canonical */

	a->has &= ~(1ull << f);
	if (v != (way == RELATE ? expected : usual))
		action_set(a, f, v);
	return good;
}

static bool
pass_length(const struct manner_side *me, enum passage way, struct action *a, int64_t expected)
{
	int64_t *v = &a->num[ACTION_LEN];
	int rank = 0;

	if (way == RESOLVE && action_has(a, ACTION_LEN) && *v >= 0)
		*v = *v >= MANNER_LENGTHS ? *v - MANNER_LENGTHS + 1 : *v == 0 && expected ? 0 : me->length[*v];
	bool good = pass_number(way, a, ACTION_LEN, 0, expected);
	if (way == RELATE && action_has(a, ACTION_LEN) && *v > 0) {
		while (rank < MANNER_LENGTHS && me->length[rank] != *v)
			rank++;
		*v = rank < MANNER_LENGTHS ? rank : *v < INT64_MAX - MANNER_LENGTHS ? *v + MANNER_LENGTHS - 1 : *v;
	}
	return good;
}

static bool
pass_window(const struct manner_side *me, enum passage way, struct action *a)
{
	int64_t *v = &a->num[ACTION_WIN];

	if (!action_has(a, ACTION_WIN))
		return true;
	bool good = way == RESOLVE || (*v >= 0 && *v <= UINT16_MAX);
	*v = good ? *v : 0;
	*v = way == RELATE ? *v - me->win : (*v + me->win) & UINT16_MAX;
	return good;
}

static bool
pass_cap(const struct manner_cut *cut, enum passage way, struct action *a, int64_t len)
{
	bool there = action_has(a, ACTION_CAP), due = cut->cap && len >= cut->least;
	int64_t v = a->num[ACTION_CAP];
	bool good = !there || way == RESOLVE || (v >= 0 && v < UINT32_MAX);

	if (way == RESOLVE) {
		bool cutting = there ? v != 1 : due;
		a->has &= ~(1ull << ACTION_CAP);
		if (cutting)
			action_set(a, ACTION_CAP, there && v > 1 ? v - 2 : cut->cap);
	} else {
		bool last = there && v == cut->cap;
		a->has &= ~(1ull << ACTION_CAP);
		if (due ? !last : there)
			action_set(a, ACTION_CAP, !there ? 1 : last ? 0 : good ? v + 2 : 0);
	}
	return good;
}

/* What an absolute action says that later ones are seen beside; -1: nothing. */
struct facts {
	int64_t len, win, cap, step; /* step: of the identification */
	uint16_t flags;
};

static struct facts
facts_of(const struct action *a)
{
	return (struct facts){.len = action_number(a, ACTION_LEN),
			      .win = action_has(a, ACTION_WIN) ? a->num[ACTION_WIN] : -1,
			      .cap = action_has(a, ACTION_CAP) ? a->num[ACTION_CAP] : -1,
			      .step = action_has(a, ACTION_ID) ? a->num[ACTION_ID] : -1,
			      .flags = action_has(a, ACTION_FLAGS) ? a->num[ACTION_FLAGS] : TCP_ACK};
}

/* What 32 bits don't hold is at their ends: no packet is as long. */
static uint32_t
size_of(int64_t v)
{
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : v;
}

static void
note_cut(struct manner_cut *cut, const struct facts *x)
{
	if (x->cap >= 0) {
		if (!cut->cap || x->len < cut->least)
			cut->least = size_of(x->len);
		cut->cap = size_of(x->cap);
	} else if (cut->cap && x->len >= cut->least) {
		cut->least = size_of(x->len) + (x->len < UINT32_MAX);
	}
}

static void
note_length(struct manner_side *me, uint32_t len)
{
	int rank = 0;

	if (len > me->most)
		me->most = len;
	while (rank < MANNER_LENGTHS - 1 && me->length[rank] != len)
		rank++;
	for (; rank > 0; rank--)
		me->length[rank] = me->length[rank - 1];
	me->length[0] = len;
}

static void
note(struct manner_side *me, const struct facts *x)
{
	me->seen = true;
	me->syn = (x->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if (x->win >= 0)
		me->win = x->win;
	me->still = x->step ? 0 : me->still + (me->still < 2);
	note_cut(&me->cut, x);
	if (x->len <= 0)
		return;
	me->flags[me->most && x->len >= me->most] = x->flags;
	note_length(me, size_of(x->len));
}

/* An identification that stands still is expected to go on so: none and 0 change their meanings. */
static void
pass_identification(const struct manner_side *me, struct action *a)
{
	if (me->still < 2)
		return;
	if (!action_has(a, ACTION_ID))
		action_set(a, ACTION_ID, 0);
	else if (a->num[ACTION_ID] == 0)
		a->has &= ~(1ull << ACTION_ID);
}

/* What is beside this direction's packets before. */
static bool
pass_next(struct manner *f, enum passage way, struct action *a, int dir)
{
	struct manner_side *me = &f->side[dir];
	int64_t due = f->kind == FLOW_TCP ? 0 : me->length[0];
	bool good = true;

	pass_identification(me, a);
	if (way == RESOLVE)
		good &= pass_length(me, way, a, due);
	if (f->kind == FLOW_TCP)
		good &= pass_number(way, a, ACTION_FLAGS, TCP_ACK,
				    expected_flags(me, &f->side[!dir], action_number(a, ACTION_LEN)));
	if (way == RELATE)
		good &= pass_length(me, way, a, due);
	return good & pass_window(me, way, a);
}

struct manner *
manners_of(struct manners *m, const struct action *a, uint32_t slot)
{
	struct manner *f = &m->flow[slot];

	if (slot >= m->top)
		m->top = slot + 1;
	if (m->top > m->most)
		m->most = m->top;
	if (action_number(a, ACTION_OPEN) == FLOW_NEW || f->trace != m->trace)
		*f = (struct manner){.trace = m->trace, .kind = action_flow_kind(a)};
	return f;
}

bool
manners_pass(struct manners *m, enum passage way, struct action *a, struct manner *f)
{
	struct manner_side *me = manner_side(f, a);
	int dir = me - f->side;
	struct facts x = facts_of(a);
	bool good = true;

	if (!me->seen)
		me->cut = m->cut;
	if (way == RELATE) {
		a->has &= ~(1ull << ACTION_DT);
		good &= pass_cap(&me->cut, way, a, x.len);
	}
	if (!me->seen)
		pass_first(&m->first[f->kind][dir], way, a);
	else if (way != FOLLOW)
		good &= pass_next(f, way, a, dir);
	if (way == RESOLVE) {
		a->has &= ~(1ull << MANNER_WITHOUT);
		good &= pass_cap(&me->cut, way, a, action_number(a, ACTION_LEN));
		x = facts_of(a);
	}
	note(me, &x);
	if (x.cap >= 0)
		m->cut = me->cut;
	return good;
}
