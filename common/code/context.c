#include "code/context.h"

#include <stdlib.h>
#include <string.h>


int
context_begin(struct context *c, uint32_t cap, bool counterparts)
{
	memset(c->end, 0, sizeof c->end);
	memset(c->port, 0, sizeof c->port);
	again_begin(&c->again);
	if (c->list[0].in.cap != cap || counterparts != (c->list[0].its != NULL)) {
		context_free(c);
		int bad = manners_init(&c->manners, cap);
		manners_begin(&c->manners);
		for (int k = 0; k < CONTEXT_LISTS; k++) {
			struct context_list *l = &c->list[k];
			bad |= recency_init(&l->in, cap);
			if (!counterparts)
				continue;
			l->its = calloc(cap, sizeof *l->its);
			l->true_of = calloc(cap, sizeof *l->true_of);
			l->class = calloc(cap, sizeof *l->class);
			bad |= l->its && l->true_of && l->class ? 0 : -1;
		}
		return bad;
	}
	manners_begin(&c->manners);
	for (int k = 0; k < CONTEXT_LISTS; k++) {
		struct context_list *l = &c->list[k];
		recency_clear(&l->in);
		if (counterparts) {
			memset(l->its, 0, cap * sizeof *l->its);
			memset(l->true_of, 0, cap * sizeof *l->true_of);
		}
	}
	return 0;
}

void
context_free(struct context *c)
{
	manners_free(&c->manners);
	for (int k = 0; k < CONTEXT_LISTS; k++) {
		recency_free(&c->list[k].in);
		free(c->list[k].its);
		free(c->list[k].true_of);
		free(c->list[k].class);
	}
	*c = (struct context){0};
}

void
context_copy(struct context *to, const struct context *c)
{
	manners_copy(&to->manners, &c->manners);
	to->again = c->again;
	memcpy(to->end, c->end, sizeof c->end);
	memcpy(to->port, c->port, sizeof c->port);
	for (int k = 0; k < CONTEXT_LISTS; k++) {
		const struct context_list *l = &c->list[k];
		recency_copy(&to->list[k].in, &l->in);
		if (l->its) {
			memcpy(to->list[k].its, l->its, l->in.cap * sizeof *l->its);
			memcpy(to->list[k].true_of, l->true_of, l->in.cap * sizeof *l->its);
			memcpy(to->list[k].class, l->class, l->in.cap * sizeof *l->class);
		}
	}
}

/* A true slot stands for one of the list's from now on, and what stood for that one no more. */
static void
pair(struct context_list *l, uint32_t truth, uint32_t its)
{
	if (!l->its || truth >= l->in.cap || its >= l->in.cap)
		return;
	uint32_t before = l->true_of[its];
	if (before && l->its[before - 1] == its + 1)
		l->its[before - 1] = 0;
	l->its[truth] = its + 1;
	l->true_of[its] = truth + 1;
}

/* No slot of the list stands for a true one. */
static void
part(struct context_list *l, uint32_t truth)
{
	if (!l->its || truth >= l->in.cap || !l->its[truth])
		return;
	l->true_of[l->its[truth] - 1] = 0;
	l->its[truth] = 0;
}

/* The list's slot for a true one; the cap where there is none. */
static uint32_t
counterpart(const struct context_list *l, uint32_t truth)
{
	if (!l->its || truth >= l->in.cap)
		return truth;
	return l->its[truth] ? l->its[truth] - 1 : l->in.cap;
}

/* Whether a true slot has no counterpart. */
static bool
missed(const struct context_list *l, uint32_t truth)
{
	return l->its && truth < l->in.cap && !l->its[truth];
}

/* A slot that is known: its rank, or the slot at a rank. */
static bool
pass_known(struct context_list *l, enum passage way, uint32_t *slot)
{
	struct recency *r = &l->in;
	uint32_t v = *slot;
	bool good = true;

	if (way == RESOLVE) {
		v = r->n ? recency_at(r, v < r->n ? v : r->n - 1) : 0;
		*slot = v;
	} else if (way == RELATE) {
		v = counterpart(l, v);
		good = recency_has(r, v);
		*slot = good ? recency_rank(r, v) : 0;
	}
	if (v < r->cap)
		recency_touch(r, v);
	return good;
}

/* A slot that is named here. */
static bool
pass_new(struct context_list *l, enum passage way, uint32_t *slot)
{
	struct recency *r = &l->in;
	uint32_t due = way == FOLLOW ? *slot : recency_fresh(r), v = way == RESOLVE ? due : *slot;

	if (way == RELATE && l->its) {
		pair(l, v, due);
		v = due;
	}
	*slot = way == RELATE ? 0 : v;
	if (v < r->cap)
		recency_touch(r, v);
	return v == due;
}

/* Whether a new reference names an IPv6 suffix, not the scope of a group. */
static bool
has_suffix_slot(const struct action_ref *ref)
{
	return ref->has_suffix && ref->class != (ADDRESS_V6 | ADDRESS_GROUP);
}

static struct context_list *
list_of(struct context *c, enum action_field f)
{
	bool mac = f == ACTION_SRC_MAC || f == ACTION_DST_MAC || f == ACTION_SHA || f == ACTION_THA;

	return &c->list[mac ? CONTEXT_MACS : CONTEXT_HOSTS];
}

/* An IPv6 suffix: a new one, too, where the decoder missed it. */
static bool
pass_suffix(struct context_list *l, enum passage way, struct action_ref *ref)
{
	bool again = way == RELATE && !ref->new_suffix && missed(l, ref->suffix);

	ref->new_suffix |= again;
	return (ref->new_suffix ? pass_new(l, way, &ref->suffix) : pass_known(l, way, &ref->suffix)) && !again;
}

static bool
pass_ref(struct context *c, enum passage way, enum action_field f, struct action_ref *ref)
{
	struct context_list *l = list_of(c, f);
	bool good = true;

	if (ref->kind == REF_KNOWN && (way != RELATE || !missed(l, ref->slot)))
		return pass_known(l, way, &ref->slot);
	if (ref->kind == REF_KNOWN) {
		*ref = (struct action_ref){REF_NEW, .slot = ref->slot, .class = l->class[ref->slot]};
		pass_new(l, way, &ref->slot);
		return false;
	}
	if (ref->kind == REF_NEW) {
		if (l->class && way == RELATE && ref->slot < l->in.cap)
			l->class[ref->slot] = ref->class;
		good = pass_new(l, way, &ref->slot);
		if (has_suffix_slot(ref))
			good &= pass_suffix(&c->list[CONTEXT_SUFFIXES], way, ref);
	}
	return good;
}

static uint32_t
flow_of(const struct action *a)
{
	int64_t v = action_number(a, ACTION_FLOW);

	return v < 0 || v >= UINT32_MAX ? UINT32_MAX : v;
}

/* The flow: absent where it is the predicted one. A relative action says 0 for that too. One whose first packet
 * the decoder took for another's begins with the next. */
static bool
pass_flow(struct context *c, enum passage way, struct action *a)
{
	struct context_list *flows = &c->list[CONTEXT_FLOWS];
	bool opens = action_number(a, ACTION_OPEN) == FLOW_NEW, good = true;
	uint32_t slot = flow_of(a);

	if (way != RESOLVE && action_has(a, ACTION_FLOW) && slot == 0)
		good = false; /* not canonical */
	if (way == RELATE && !opens && missed(flows, slot)) {
		action_set(a, ACTION_OPEN, FLOW_NEW);
		opens = true;
		good = false;
	}
	if (opens)
		good &= pass_new(flows, way, &slot);
	else
		good &= pass_known(flows, way, &slot);
	if (way == FOLLOW)
		return good;
	a->has &= ~(1ull << ACTION_FLOW);
	if (slot)
		action_set(a, ACTION_FLOW, slot);
	return good;
}

#define NEAR 32 /* steps down from a port, and one less up */

/* A port of a flow that opens. */
static bool
pass_port(enum passage way, struct action *a, enum action_field f, uint16_t *last)
{
	bool there = action_has(a, f);
	int64_t v = there ? a->num[f] : 0;
	bool good = there ? v > 0 && v <= UINT16_MAX : true; /* else not canonical, or no port */

	if (way == RESOLVE)
		v = !there ? *last : v >= CONTEXT_NEAR ? *last + v - CONTEXT_NEAR - NEAR : v;
	v &= UINT16_MAX;
	int step = v - *last;
	*last = v;
	if (way == FOLLOW)
		return good;
	a->has &= ~(1ull << f);
	if (way == RESOLVE && v)
		action_set(a, f, v);
	else if (way == RELATE && step)
		action_set(a, f, step >= -NEAR && step < NEAR ? CONTEXT_NEAR + NEAR + step : v);
	return good;
}

/* An end of a flow that opens. */
static bool
pass_end(struct context *c, enum passage way, struct action *a, enum action_field f, uint32_t *last)
{
	struct context_list *l = &c->list[CONTEXT_HOSTS];
	struct action_ref *ref = action_ref(a, f);
	bool good;

	if (way == RESOLVE && !action_has(a, f) && *last) {
		*ref = (struct action_ref){REF_KNOWN, .slot = *last - 1};
		a->has |= 1ull << f;
		recency_touch(&l->in, ref->slot);
		return true;
	}
	if (!action_has(a, f))
		return !*last;
	if (way == RELATE && *last && ref->kind == REF_KNOWN && counterpart(l, ref->slot) == *last - 1) {
		a->has &= ~(1ull << f);
		recency_touch(&l->in, *last - 1);
		return true;
	}
	good = pass_ref(c, way, f, ref);
	*last = ref->kind != REF_FIXED && l->in.n ? recency_at(&l->in, 0) + 1 : 0;
	return good;
}

/* Whether the action opens a flow between hosts. */
static bool
has_ends(const struct action *a)
{
	return action_number(a, ACTION_OPEN) == FLOW_NEW && action_proto(a) < PROTO_FRAME;
}

static bool
pass_ends(struct context *c, enum passage way, struct action *a)
{
	bool good = pass_end(c, way, a, ACTION_ORIG_H, &c->end[0]);

	return good & pass_end(c, way, a, ACTION_RESP_H, &c->end[1]);
}

/* Of a flow that opens. */
static bool
pass_ports(struct context *c, enum passage way, struct action *a)
{
	uint16_t *port = c->port[action_flow_kind(a)];
	bool good = pass_port(way, a, ACTION_ORIG_P, &port[0]);

	return good & pass_port(way, a, ACTION_RESP_P, &port[1]);
}

/* A link address. Some take turns in a direction, as where a balancer has two: the one before the last is 0 then, others are
 * a rank more. */
static bool
pass_mac(struct context *c, enum passage way, struct manner_side *me, enum action_field f, struct action_ref *ref)
{
	struct context_list *l = &c->list[CONTEXT_MACS];
	uint32_t *last = me->mac[f == ACTION_DST_MAC];
	bool turns = ref->kind == REF_KNOWN && last[1] && recency_has(&l->in, last[1] - 1), good = true;
	bool turn = turns && (way == RESOLVE ? ref->slot == 0 : counterpart(l, ref->slot) == last[1] - 1);

	if (way == RESOLVE && turn) {
		ref->slot = last[1] - 1;
		recency_touch(&l->in, ref->slot);
	} else {
		if (way == RESOLVE && turns)
			ref->slot--;
		good = pass_ref(c, way, f, ref);
		if (way == RELATE && turns && ref->kind == REF_KNOWN)
			ref->slot = turn ? 0 : ref->slot + 1;
	}
	uint32_t named = ref->kind != REF_FIXED && l->in.n ? recency_at(&l->in, 0) + 1 : 0;
	if (named != last[0]) {
		last[1] = last[0];
		last[0] = named;
	}
	return good;
}

/* A quote's flow comes by its rank and isn't used by that. */
static bool
pass_quote(struct context *c, enum passage way, struct action_list *l)
{
	struct context_list *flows = &c->list[CONTEXT_FLOWS];
	struct recency *r = &flows->in;
	int64_t v = l->n ? l->v[QUOTE_FLOW] : 0;

	if (l->n != QUOTE_FIELDS || v < -1)
		return false;
	if (v < 0)
		return true;
	if (way == RESOLVE) {
		l->v[QUOTE_FLOW] = r->n ? recency_at(r, v < r->n ? v : r->n - 1) : 0;
	} else if (way == RELATE) {
		v = v < r->cap ? counterpart(flows, v) : v;
		if (v >= r->cap || !recency_has(r, v))
			return false;
		l->v[QUOTE_FLOW] = recency_rank(r, v);
	}
	return true;
}

/* What flows are like, and lists that come again. */
static bool
pass_manners(struct context *c, enum passage way, struct action *a, struct manner *flow)
{
	uint8_t rank[AGAIN_PLACES];
	bool good = true;

	if (way == RESOLVE)
		again_resolve(&c->again, a);
	else
		good &= again_note(&c->again, a, rank);
	good &= manners_pass(&c->manners, way, a, flow);
	if (way == RESOLVE)
		again_note(&c->again, a, rank);
	else if (way == RELATE)
		again_relate(a, rank);
	return good;
}

/* The fields that are references. */
static const uint64_t refs = ((2ull << ACTION_QUOTE_DST) - 1) & ~((1ull << ACTION_ORIG_H) - 1);

static bool
pass(struct context *c, enum passage way, struct action *a)
{
	bool good = pass_flow(c, way, a);
	const struct recency *flows = &c->list[CONTEXT_FLOWS].in;
	struct manner *flow = manners_of(&c->manners, a, flows->n ? recency_at(flows, 0) : 0); /* that, just touched */
	uint64_t left = a->has & refs;

	if (action_number(a, ACTION_OPEN) == FLOW_NEW)
		good &= pass_ports(c, way, a);
	if (has_ends(a)) {
		good &= pass_ends(c, way, a);
		left &= ~(1ull << ACTION_ORIG_H | 1ull << ACTION_RESP_H);
	}
	for (; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		struct action_ref *ref = action_ref(a, f);
		good &= f == ACTION_SRC_MAC || f == ACTION_DST_MAC ? pass_mac(c, way, manner_side(flow, a), f, ref)
								     : pass_ref(c, way, f, ref);
	}
	if (action_has(a, ACTION_QUOTE))
		good &= pass_quote(c, way, action_list(a, ACTION_QUOTE));
	return good & pass_manners(c, way, a, flow);
}

bool
context_relate(struct context *c, struct action *a)
{
	return pass(c, RELATE, a);
}

void
context_resolve(struct context *c, struct action *a)
{
	pass(c, RESOLVE, a);
}

void
context_follow(struct context *c, const struct action *a)
{
	pass(c, FOLLOW, (struct action *)a);
}

void
context_pair(struct context *c, const struct action *truth, const struct action *made)
{
	struct context_list *flows = &c->list[CONTEXT_FLOWS], *suffixes = &c->list[CONTEXT_SUFFIXES];
	bool opens = action_number(truth, ACTION_OPEN) == FLOW_NEW;

	if (opens || missed(flows, flow_of(truth))) {
		part(flows, flow_of(truth));
		if (action_number(made, ACTION_OPEN) == FLOW_NEW)
			pair(flows, flow_of(truth), flow_of(made));
	}
	for (uint64_t left = truth->has & made->has & refs; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		const struct action_ref *t = action_ref((struct action *)truth, f),
					*m = action_ref((struct action *)made, f);
		struct context_list *l = list_of(c, f);
		if (m->kind == REF_FIXED || t->kind == REF_FIXED ||
		    (t->kind == REF_KNOWN && !missed(l, t->slot)))
			continue;
		pair(l, t->slot, m->slot);
		if (t->kind == REF_NEW && has_suffix_slot(t) && m->kind == REF_NEW && has_suffix_slot(m) &&
		    (t->new_suffix || missed(suffixes, t->suffix)))
			pair(suffixes, t->suffix, m->suffix);
	}
}
