#include "vocabulary.h"

#include "counts.h"
#include "field.h"

#include <stdlib.h>

/* All symbols of a field, to be found by what they mean. */
static int
index_field(const struct vocabulary *v, enum field f, struct counts *t)
{
	struct key k;

	*t = (struct counts){0};
	for (int i = 1; i < v->n[f]; i++) {
		const struct symbol *s = &v->symbol[v->first[f] + i];
		if (s->kind == SYMBOL_RANGE) {
			key_of_range(&k, s->low, s->high);
		} else if (s->kind == SYMBOL_EXACT) {
			key_of_words(&k, v->word + s->at, s->n);
		} else {
			key_of_symbol(&k, s, v->word + s->at);
		}
		struct count *c = count_add(t, &k);
		if (!c)
			return -1;
		c->symbol = i;
	}
	return 0;
}

static uint16_t
symbol_find(struct counts *t, const struct key *k)
{
	const struct count *c = count_find(t, k);

	return c ? c->symbol : UNKNOWN;
}

static uint16_t
token_of(enum field f, const struct corpus *c, struct counts *t, uint32_t i, uint32_t opened)
{
	const struct packet_seen *p = &c->packet[i];
	struct action a;
	struct key k;
	uint64_t word[KEY_WORDS];
	int64_t low, high, number;

	if (is_time(f)) {
		number = time_of(f, c, i, opened);
		if (number == NO_TIME)
			return 0;
		range_of_time(c, number, &low, &high);
		key_of_range(&k, low, high);
		return symbol_find(t, &k);
	}
	corpus_action(c, i, &a);
	if (field_specs[f].who >= 0) {
		if (!p->opens && !p->alive)
			return 0;
		struct symbol s = who_symbol(c, f, p, &a, word);
		if (s.kind == SYMBOL_ABSENT)
			return 0;
		key_of_symbol(&k, &s, word);
		return symbol_find(t, &k);
	}
	key_of_action(&k, f, &a);
	if (k.absent)
		return 0;
	uint16_t found = symbol_find(t, &k);
	if (found != UNKNOWN || !number_of(f, &a, &number))
		return found;
	range_of(number, &low, &high);
	key_of_range(&k, low, high);
	return symbol_find(t, &k);
}

uint16_t *
vocabulary_tokens(const struct vocabulary *v, const struct corpus *c)
{
	uint16_t *token = malloc((size_t)c->packets * FIELDS * sizeof *token + 1);

	for (int f = 0; token && f < FIELDS; f++) {
		struct counts t;
		uint32_t opened = NOBODY;
		if (index_field(v, f, &t) < 0) {
			free(token);
			token = NULL;
		}
		for (uint32_t i = 0; token && i < c->packets; i++) {
			token[(size_t)i * FIELDS + f] = token_of(f, c, &t, i, opened);
			if (c->packet[i].opens)
				opened = i;
		}
		counts_free(&t);
	}
	return token;
}
