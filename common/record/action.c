#include "record/action.h"

#include <string.h>

const struct action_field_info action_fields[ACTION_COUNT] = {
#define X(id, name, kind, unit) {name, unit, ACTION_##kind},
    ACTION_FIELDS(X)
#undef X
};

bool
action_list_same(const struct action_list *a, const struct action_list *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof *a->v);
}

bool
action_same(const struct action *a, const struct action *b, enum action_field f)
{
	if (action_has(a, f) != action_has(b, f))
		return false;
	if (!action_has(a, f))
		return true;
	if (action_fields[f].kind == ACTION_INT)
		return a->num[f] == b->num[f];
	if (action_fields[f].kind == ACTION_LIST)
		return action_list_same(&a->list[action_place[f]], &b->list[action_place[f]]);
	const struct action_ref *ra = &a->ref[action_place[f]], *rb = &b->ref[action_place[f]];
	if (ra->kind != rb->kind)
		return false;
	if (ra->kind == REF_FIXED)
		return !strcmp(ra->text, rb->text);
	return ra->slot == rb->slot &&
	       (ra->kind == REF_KNOWN ||
		(ra->class == rb->class && ra->has_suffix == rb->has_suffix &&
		 (!ra->has_suffix || ra->suffix == rb->suffix)));
}

#define TEXT_WORDS ((ACTION_TEXT_MAX + 7) / 8)

/* A reference: kind, class, the two flags, slot; the suffix if there is one; the text if fixed. */
static unsigned
ref_pack(const struct action_ref *r, uint64_t *word)
{
	uint64_t *at = word;

	if (r->kind != REF_NEW) {
		*at++ = r->kind | (uint64_t)(r->kind == REF_KNOWN ? r->slot : 0) << 32;
	} else {
		*at++ = r->kind | r->class << 8 | r->has_suffix << 16 | r->new_suffix << 24 |
			(uint64_t)r->slot << 32;
		*at++ = r->has_suffix ? r->suffix : 0;
	}
	if (r->kind == REF_FIXED) {
		memset(at, 0, TEXT_WORDS * sizeof *at);
		memcpy(at, r->text, strlen(r->text));
		at += TEXT_WORDS;
	}
	return at - word;
}

static unsigned
ref_unpack(struct action_ref *r, const uint64_t *word)
{
	r->kind = word[0] & 255;
	r->slot = word[0] >> 32;
	if (r->kind == REF_NEW) {
		r->class = word[0] >> 8 & 255;
		r->has_suffix = word[0] >> 16 & 1;
		r->new_suffix = word[0] >> 24 & 1;
		r->suffix = word[1];
		return 2;
	}
	if (r->kind == REF_FIXED) {
		memcpy(r->text, word + 1, sizeof r->text);
		return 1 + TEXT_WORDS;
	}
	return 1;
}

unsigned
action_pack(const struct action *a, uint64_t *word)
{
	uint64_t *at = word;

	*at++ = a->has;
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (action_fields[f].kind == ACTION_INT) {
			*at++ = a->num[f];
		} else if (action_fields[f].kind == ACTION_LIST) {
			const struct action_list *l = &a->list[action_place[f]];
			*at++ = l->n;
			memcpy(at, l->v, l->n * sizeof *at);
			at += l->n;
		} else {
			at += ref_pack(&a->ref[action_place[f]], at);
		}
	}
	return at - word;
}

const uint64_t *
action_unpack(struct action *a, const uint64_t *word)
{
	a->has = *word++;
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (action_fields[f].kind == ACTION_INT) {
			a->num[f] = *word++;
		} else if (action_fields[f].kind == ACTION_LIST) {
			struct action_list *l = action_list(a, f);
			l->n = *word++;
			memcpy(l->v, word, l->n * sizeof *word);
			word += l->n;
		} else {
			word += ref_unpack(action_ref(a, f), word);
		}
	}
	return word;
}
