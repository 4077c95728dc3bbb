#include "counts.h"

#include "field.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

static void
key_hash(struct key *k)
{
	k->hash = k->n;
	for (unsigned i = 0; i < k->n; i++) {
		k->hash ^= k->word[i];
		k->hash = random_next(&k->hash);
	}
}

void
key_of_action(struct key *k, enum field f, struct action *a)
{
	uint64_t has = a->has, word[ACTION_WORDS];

	a->has &= field_specs[f].mask;
	if (f == FIELD_AGAIN && action_number(a, ACTION_OPEN) <= FLOW_RESUMED)
		a->has = 0;
	k->absent = !a->has;
	k->n = a->has ? action_pack(a, word) : 0;
	a->has = has;
	if (k->n > KEY_WORDS)
		k->n = 0;
	memcpy(k->word, word, k->n * sizeof *word);
	key_hash(k);
}

void
key_of_range(struct key *k, int64_t low, int64_t high)
{
	*k = (struct key){.word = {0, low, high}, .n = 3}; /* no mask is 0 */
	key_hash(k);
}

void
key_of_words(struct key *k, const uint64_t *word, unsigned n)
{
	*k = (struct key){.n = n};
	memcpy(k->word, word, n * sizeof *word);
	key_hash(k);
}

void
key_of_symbol(struct key *k, const struct symbol *s, const uint64_t *word)
{
	*k = (struct key){.word = {(uint64_t)s->kind | s->class << 8 | (uint64_t)s->scope << 32, s->low, s->high}, .n = 3};
	memcpy(k->word + 3, word, s->n * sizeof *word);
	k->n += s->n;
	key_hash(k);
}

/* --- the table --- */

struct count *
count_find(struct counts *t, const struct key *k)
{
	for (uint32_t i = k->hash & t->mask; t->index && t->index[i]; i = (i + 1) & t->mask) {
		struct count *c = &t->count[t->index[i] - 1];
		if (c->key.hash == k->hash && c->key.n == k->n && !memcmp(c->key.word, k->word, k->n * sizeof *k->word))
			return c;
	}
	return NULL;
}

static int
count_room(struct counts *t)
{
	if (t->mask && 2 * t->n < t->mask)
		return 0;
	uint32_t room = t->mask ? 2 * (t->mask + 1) : 256, *index = calloc(room, sizeof *index);
	struct count *more = realloc(t->count, room / 2 * sizeof *more);
	if (more)
		t->count = more;
	if (!index || !more) {
		free(index);
		return -1;
	}
	free(t->index);
	t->index = index;
	t->mask = room - 1;
	for (uint32_t j = 0; j < t->n; j++) {
		uint32_t i = t->count[j].key.hash & t->mask;
		while (index[i])
			i = (i + 1) & t->mask;
		index[i] = j + 1;
	}
	return 0;
}

struct count *
count_add(struct counts *t, const struct key *k)
{
	struct count *c = count_find(t, k);

	if (!c) {
		if (count_room(t) < 0)
			return NULL;
		uint32_t i = k->hash & t->mask;
		while (t->index[i])
			i = (i + 1) & t->mask;
		t->index[i] = t->n + 1;
		c = &t->count[t->n++];
		*c = (struct count){.key = *k, .symbol = UNKNOWN};
	}
	c->n++;
	return c;
}

void
counts_free(struct counts *t)
{
	free(t->count);
	free(t->index);
}

static int
by_count(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	return memcmp(x->key.word, y->key.word, x->key.n * sizeof *x->key.word);
}

void
counts_sort(struct counts *t)
{
	if (t->n)
		qsort(t->count, t->n, sizeof *t->count, by_count);
}
