#include "neural/context.h"

#define QUOTE_FLOW 0 /* where a quote's list has its flow, -1 for none: tc-records(5) */
#define QUOTE_SIZE 13
#define CLASS_V6   8
#define CLASS_V6_GROUP (CLASS_V6 | 4)
#define OPEN_NEW   1

int
context_begin(struct context *c, uint32_t cap)
{
	if (c->flows.cap == cap) {
		recency_clear(&c->flows);
		recency_clear(&c->hosts);
		recency_clear(&c->macs);
		recency_clear(&c->suffixes);
		return 0;
	}
	context_free(c);
	return recency_init(&c->flows, cap) | recency_init(&c->hosts, cap) |
	       recency_init(&c->macs, cap) | recency_init(&c->suffixes, cap);
}

void
context_free(struct context *c)
{
	recency_free(&c->flows);
	recency_free(&c->hosts);
	recency_free(&c->macs);
	recency_free(&c->suffixes);
}

void
context_copy(struct context *to, const struct context *c)
{
	recency_copy(&to->flows, &c->flows);
	recency_copy(&to->hosts, &c->hosts);
	recency_copy(&to->macs, &c->macs);
	recency_copy(&to->suffixes, &c->suffixes);
}

/* One way or the other, or the state alone. */
enum way { RELATE, RESOLVE, FOLLOW };

/* A slot that is known: its rank, or the slot at a rank. */
static bool
pass_known(struct recency *r, enum way way, uint32_t *slot)
{
	uint32_t v = *slot;
	bool good = true;

	if (way == RESOLVE) {
		v = r->n ? recency_at(r, v < r->n ? v : r->n - 1) : 0;
		*slot = v;
	} else if (way == RELATE) {
		good = recency_has(r, v);
		*slot = good ? recency_rank(r, v) : 0;
	}
	if (v < r->cap)
		recency_touch(r, v);
	return good;
}

/* A slot that is named here. */
static bool
pass_new(struct recency *r, enum way way, uint32_t *slot)
{
	uint32_t due = way == FOLLOW ? *slot : recency_fresh(r), v = way == RESOLVE ? due : *slot;

	*slot = way == RELATE ? 0 : v;
	if (v < r->cap)
		recency_touch(r, v);
	return v == due;
}

/* Whether a new reference names an IPv6 suffix, not the scope of a group. */
static bool
has_suffix_slot(const struct action_ref *ref)
{
	return ref->has_suffix && ref->class != CLASS_V6_GROUP;
}

static bool
pass_ref(struct context *c, enum way way, enum action_field f, struct action_ref *ref)
{
	bool mac = f == ACTION_SRC_MAC || f == ACTION_DST_MAC || f == ACTION_SHA || f == ACTION_THA;
	struct recency *r = mac ? &c->macs : &c->hosts;
	bool good = true;

	if (ref->kind == REF_KNOWN)
		return pass_known(r, way, &ref->slot);
	if (ref->kind == REF_NEW) {
		good = pass_new(r, way, &ref->slot);
		if (has_suffix_slot(ref))
			good &= ref->new_suffix ? pass_new(&c->suffixes, way, &ref->suffix)
						: pass_known(&c->suffixes, way, &ref->suffix);
	}
	return good;
}

/* The flow: absent where it is the predicted one. A relative action says 0 for that too. */
static bool
pass_flow(struct context *c, enum way way, struct action *a)
{
	bool opens = action_number(a, ACTION_OPEN) == OPEN_NEW, good = true;
	int64_t v = action_number(a, ACTION_FLOW);
	uint32_t slot = v < 0 || v >= UINT32_MAX ? UINT32_MAX : v;

	if (way != RESOLVE && action_has(a, ACTION_FLOW) && v == 0)
		good = false; /* not canonical */
	if (opens)
		good &= pass_new(&c->flows, way, &slot);
	else
		good &= pass_known(&c->flows, way, &slot);
	if (way == FOLLOW)
		return good;
	a->has &= ~(1ull << ACTION_FLOW);
	if (slot)
		action_set(a, ACTION_FLOW, slot);
	return good;
}

/* A quote's flow comes by its rank and isn't used by that. */
static bool
pass_quote(struct context *c, enum way way, struct action_list *l)
{
	struct recency *r = &c->flows;
	int64_t v = l->n ? l->v[QUOTE_FLOW] : 0;

	if (l->n != QUOTE_SIZE || v < -1)
		return false;
	if (v < 0)
		return true;
	if (way == RESOLVE)
		l->v[QUOTE_FLOW] = r->n ? recency_at(r, v < r->n ? v : r->n - 1) : 0;
	else if (way == RELATE && (v >= r->cap || !recency_has(r, v)))
		return false;
	else if (way == RELATE)
		l->v[QUOTE_FLOW] = recency_rank(r, v);
	return true;
}

static bool
pass(struct context *c, enum way way, struct action *a)
{
	const uint64_t refs = ((2ull << ACTION_QUOTE_DST) - 1) & ~((1ull << ACTION_ORIG_H) - 1);
	bool good = pass_flow(c, way, a);

	for (uint64_t left = a->has & refs; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		good &= pass_ref(c, way, f, action_ref(a, f));
	}
	if (action_has(a, ACTION_QUOTE))
		good &= pass_quote(c, way, action_list(a, ACTION_QUOTE));
	return good;
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
