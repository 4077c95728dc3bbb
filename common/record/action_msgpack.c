#include "record/action_msgpack.h"

#include <string.h>

static void
list_write(msgpack_packer *pk, const struct action_list *l)
{
	msgpack_pack_array(pk, l->n);
	for (int i = 0; i < l->n; i++)
		msgpack_pack_int64(pk, l->v[i]);
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

/* slot | [slot, class] | [slot, class, suffix or scope] | [slot, class, suffix, 1] | "address" */
static void
ref_write(msgpack_packer *pk, const struct action_ref *r)
{
	if (r->kind == REF_KNOWN) {
		msgpack_pack_uint32(pk, r->slot);
	} else if (r->kind == REF_NEW) {
		msgpack_pack_array(pk, 2 + r->has_suffix + r->new_suffix);
		msgpack_pack_uint32(pk, r->slot);
		msgpack_pack_uint8(pk, r->class);
		if (r->has_suffix)
			msgpack_pack_uint32(pk, r->suffix);
		if (r->new_suffix)
			msgpack_pack_uint8(pk, 1);
	} else {
		size_t n = strlen(r->text);
		msgpack_pack_str(pk, n);
		msgpack_pack_str_body(pk, r->text, n);
	}
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
	r->kind = REF_NEW;
	r->slot = v[0];
	r->class = v[1] > 255 ? 255 : v[1];
	r->suffix = v[2];
	r->new_suffix = o->via.array.size == 4;
	r->has_suffix = o->via.array.size > 2;
	return 0;
}

void
action_write(msgpack_packer *pk, const struct action *a)
{
	msgpack_pack_array(pk, 1 + __builtin_popcountll(a->has));
	msgpack_pack_uint64(pk, a->has);
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		switch (action_fields[f].kind) {
		case ACTION_INT:
			msgpack_pack_int64(pk, a->num[f]);
			break;
		case ACTION_LIST:
			list_write(pk, &a->list[action_place[f]]);
			break;
		case ACTION_REF:
			ref_write(pk, &a->ref[action_place[f]]);
			break;
		}
	}
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
