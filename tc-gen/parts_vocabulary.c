#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_LIMIT (1 << 13) /* of a field */
#define ALL_LIMIT     (1 << 15)
#define SYMBOL_SIZE   (4 + 4 + 4 + 8 + 8 + 2 * EDGES)

size_t
vocabulary_size(const struct vocabulary *v)
{
	return 4 * FIELDS + v->all * SYMBOL_SIZE + 8 * v->words;
}

static void
put_symbol(uint8_t **p, const struct vocabulary *v, const struct symbol *s)
{
	put_u32(p, s->kind | s->class << 8);
	put_u32(p, s->scope);
	put_u32(p, s->n);
	put_u64(p, s->low);
	put_u64(p, s->high);
	for (int i = 0; i < EDGES; i++)
		put_u16(p, s->edge[i]);
	for (uint32_t i = 0; i < s->n; i++)
		put_u64(p, v->word[s->at + i]);
}

void
put_vocabulary(uint8_t **p, const struct vocabulary *v)
{
	for (int f = 0; f < FIELDS; f++) {
		put_u32(p, v->n[f]);
		for (int i = 0; i < v->n[f]; i++)
			put_symbol(p, v, &v->symbol[v->first[f] + i]);
	}
}

/* Whether words are those of an action, so many. */
static bool
words_sound(const uint64_t *w, uint32_t n)
{
	uint64_t left = n ? w[0] : UINT64_MAX;
	uint32_t at = 1;

	if (left >> ACTION_COUNT)
		return false;
	for (; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (action_fields[f].kind == ACTION_REF || at >= n)
			return false;
		if (action_fields[f].kind == ACTION_LIST && w[at] > ACTION_LIST_MAX)
			return false;
		at += action_fields[f].kind == ACTION_LIST ? 1 + w[at] : 1;
	}
	return at == n;
}

static bool
symbol_sound(const struct vocabulary *v, const struct symbol *s)
{
	const uint64_t *w = v->word + s->at;

	switch (s->kind) {
	case SYMBOL_EXACT:
		return words_sound(w, s->n);
	case SYMBOL_FIXED:
		return s->n == (ACTION_TEXT_MAX + 7) / 8 && memchr(w, 0, ACTION_TEXT_MAX);
	case SYMBOL_NAMED:
		return !s->n && s->low >= 0 && s->low < 1 << 30;
	case SYMBOL_RANGE:
		for (int i = 1; i < EDGES; i++)
			if (s->edge[i] < s->edge[i - 1])
				return false;
		return !s->n && s->high > s->low && (s->low >= 0 || s->high <= 0) && (uint64_t)s->high - (uint64_t)s->low <= INT64_MAX;
	case SYMBOL_RECENT:
		return !s->n && s->high > s->low;
	default:
		return !s->n && s->kind < SYMBOL_KINDS;
	}
}

static int
take_symbol(struct octets *o, struct vocabulary *v, char *why)
{
	struct symbol s = {0}, *more;
	uint32_t kind = take_u32(o);

	s.kind = kind;
	s.class = kind >> 8;
	s.scope = take_u32(o);
	s.n = take_u32(o);
	s.low = take_u64(o);
	s.high = take_u64(o);
	for (int i = 0; i < EDGES; i++)
		s.edge[i] = take_u16(o);
	if (s.n > ACTION_WORDS || o->cut)
		return model_fail(why, "model: cut off");
	s.at = v->words;
	uint64_t *word = realloc(v->word, (v->words + s.n + 1) * sizeof *word);
	if (word)
		v->word = word;
	if (!word || !(more = realloc(v->symbol, (v->all + 1) * sizeof *more)))
		return model_fail(why, strerror(ENOMEM));
	v->symbol = more;
	while (v->words < s.at + s.n)
		v->word[v->words++] = take_u64(o);
	v->symbol[v->all++] = s;
	return o->cut || !symbol_sound(v, &s) ? model_fail(why, "model: a symbol that means nothing") : 0;
}

int
take_vocabulary(struct octets *o, struct vocabulary *v, char *why)
{
	for (int f = 0; f < FIELDS; f++) {
		uint32_t n = take_u32(o);
		if (n < 1 || n > SYMBOLS_LIMIT || v->all + n > ALL_LIMIT)
			return model_fail(why, "model: a field without symbols, or with too many");
		v->n[f] = n;
		v->first[f] = v->all;
		for (uint32_t i = 0; i < n; i++)
			if (take_symbol(o, v, why) < 0)
				return -1;
	}
	return 0;
}
