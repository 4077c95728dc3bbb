#include "record/action_msgpack.h"

#include <string.h>

static uint8_t *
list_write(uint8_t *p, const struct action_list *l)
{
	p = wire_put_length(p, WIRE_ARRAY, l->n);
	for (int i = 0; i < l->n; i++)
		p = wire_put_number(p, l->v[i]);
	return p;
}

static bool
list_scan(struct action_list *l, struct wire *w)
{
	uint32_t n;

	if (!wire_get_array(w, &n) || n > ACTION_LIST_MAX)
		return false;
	l->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (!wire_get_number(w, &l->v[i]))
			return false;
	return true;
}

/* A number; what is larger than any field can be is as large as can be. */
static int
number_read(int64_t *v, const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		*v = o->via.u64 > INT64_MAX ? INT64_MAX : (int64_t)o->via.u64;
	else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*v = o->via.i64;
	else
		return -1;
	return 0;
}

static int
list_read(struct action_list *l, const msgpack_object *o)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > ACTION_LIST_MAX)
		return -1;
	l->n = o->via.array.size;
	for (int i = 0; i < l->n; i++)
		if (number_read(&l->v[i], &o->via.array.ptr[i]) < 0)
			return -1;
	return 0;
}

/* Of n numbers. */
static void
ref_new(struct action_ref *r, uint32_t slot, uint32_t class, uint32_t suffix, uint32_t n)
{
	r->kind = REF_NEW;
	r->slot = slot;
	r->class = class > 255 ? 255 : class;
	r->suffix = suffix;
	r->new_suffix = n == 4;
	r->has_suffix = n > 2;
}

/* slot | [slot, class] | [slot, class, suffix or scope] | [slot, class, suffix, 1] | "address" */
static uint8_t *
ref_write(uint8_t *p, const struct action_ref *r)
{
	if (r->kind == REF_KNOWN)
		return wire_put_number(p, r->slot);
	if (r->kind != REF_NEW)
		return wire_put_text(p, r->text);
	p = wire_put_length(p, WIRE_ARRAY, 2 + r->has_suffix + r->new_suffix);
	p = wire_put_number(p, r->slot);
	p = wire_put_number(p, r->class);
	if (r->has_suffix)
		p = wire_put_number(p, r->suffix);
	return r->new_suffix ? wire_put_number(p, 1) : p;
}

static bool
ref_scan(struct action_ref *r, struct wire *w)
{
	const char *text;
	int64_t v[4] = {0};
	uint32_t n;

	if (*w->at >> 5 == 5 || *w->at == 0xd9) {
		if (!wire_get_text(w, &text, &n) || n >= ACTION_TEXT_MAX)
			return false;
		r->kind = REF_FIXED;
		memcpy(r->text, text, n);
		r->text[n] = '\0';
		return true;
	}
	if (*w->at >> 4 != 9) {
		r->kind = REF_KNOWN;
		bool is = wire_get_number(w, v) && v[0] >= 0;
		r->slot = v[0] > UINT32_MAX ? UINT32_MAX : v[0];
		return is;
	}
	if (!wire_get_array(w, &n) || n < 2 || n > 4)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!wire_get_number(w, &v[i]) || v[i] < 0 || v[i] > UINT32_MAX)
			return false;
	ref_new(r, v[0], v[1], v[2], n);
	return true;
}

static int
ref_read(struct action_ref *r, const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
		r->kind = REF_KNOWN;
		r->slot = o->via.u64 > UINT32_MAX ? UINT32_MAX : o->via.u64;
		return 0;
	}
	if (o->type == MSGPACK_OBJECT_STR && o->via.str.size < ACTION_TEXT_MAX) {
		r->kind = REF_FIXED;
		memcpy(r->text, o->via.str.ptr, o->via.str.size);
		r->text[o->via.str.size] = '\0';
		return 0;
	}
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < 2 || o->via.array.size > 4)
		return -1;
	uint32_t v[4] = {0};
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		const msgpack_object *e = &o->via.array.ptr[i];
		if (e->type != MSGPACK_OBJECT_POSITIVE_INTEGER || e->via.u64 > UINT32_MAX)
			return -1;
		v[i] = e->via.u64;
	}
	ref_new(r, v[0], v[1], v[2], o->via.array.size);
	return 0;
}

uint8_t *
action_write(uint8_t *p, const struct action *a)
{
	p = wire_put_length(p, WIRE_ARRAY, 1 + __builtin_popcountll(a->has));
	p = wire_put_number(p, a->has);
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		switch (action_fields[f].kind) {
		case ACTION_INT:
			p = wire_put_number(p, a->num[f]);
			break;
		case ACTION_LIST:
			p = list_write(p, &a->list[action_place[f]]);
			break;
		case ACTION_REF:
			p = ref_write(p, &a->ref[action_place[f]]);
			break;
		}
	}
	return p;
}

static bool
value_scan(struct action *a, int f, struct wire *w)
{
	switch (action_fields[f].kind) {
	case ACTION_INT:
		return wire_get_number(w, &a->num[f]);
	case ACTION_LIST:
		return list_scan(action_list(a, f), w);
	case ACTION_REF:
		return ref_scan(action_ref(a, f), w);
	}
	return false;
}

const uint8_t *
action_scan(struct action *a, struct wire w, const struct action_order *order)
{
	int64_t mask;
	uint32_t n;

	if (!wire_get_array(&w, &n) || n == 0 || !wire_get_number(&w, &mask) || mask < 0 || mask & ~order->known)
		return NULL;
	a->has = 0;
	for (uint64_t left = mask; left; left &= left - 1, n--) {
		int f = order->field[__builtin_ctzll(left)];
		if (!value_scan(a, f, &w))
			return NULL;
		a->has |= 1ull << f;
	}
	return n == 1 ? w.at : NULL;
}

static int
value_read(struct action *a, int f, const msgpack_object *o)
{
	switch (action_fields[f].kind) {
	case ACTION_INT:
		return number_read(&a->num[f], o);
	case ACTION_LIST:
		return list_read(action_list(a, f), o);
	case ACTION_REF:
		return ref_read(action_ref(a, f), o);
	}
	return -1;
}

int
action_read(struct action *a, const msgpack_object *o, const struct action_order *order,
	    const char **why)
{
	const msgpack_object *e = o->via.array.ptr;

	a->has = 0;
	*why = "not an array that begins with a mask";
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < 1 ||
	    e->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return -1;
	uint64_t mask = e->via.u64;
	*why = "the mask names fields that the header doesn't";
	if (order->n < 64 && mask >> order->n)
		return -1;
	*why = "as many values as the mask has bits are wanted";
	if (o->via.array.size != 1 + (uint32_t)__builtin_popcountll(mask))
		return -1;
	for (; mask; mask &= mask - 1) {
		int f = order->field[__builtin_ctzll(mask)];
		e++;
		if (f == ACTION_COUNT)
			continue;
		*why = action_fields[f].name;
		if (value_read(a, f, e) < 0)
			return -1;
		a->has |= 1ull << f;
	}
	return 0;
}
