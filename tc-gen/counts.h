/* What was seen, counted: keys, which are equal where what they stand for is the same. */
#ifndef TC_GEN_COUNTS_H
#define TC_GEN_COUNTS_H

#include "vocabulary.h"

#define KEY_WORDS 64

/* What a packet has in a field, before it is a symbol: words that are equal where it is the same. */
struct key {
	uint64_t word[KEY_WORDS];
	unsigned n; /* 0: absent, or too long to learn */
	bool absent;
	uint64_t hash;
};

struct count {
	struct key key;
	uint32_t n, real, symbol; /* real: packets that say it */
	struct symbol as; /* whom it names */
};

struct counts {
	struct count *count;
	uint32_t n, mask;
	uint32_t *index;
};

/* The part of an action that a field decides. */
void key_of_action(struct key *k, enum field f, struct action *a);
/* A range as a key: its ends. */
void key_of_range(struct key *k, int64_t low, int64_t high);
/* The words of an exact value. */
void key_of_words(struct key *k, const uint64_t *word, unsigned n);
/* Of a host or link address; word: of one that everyone shares. */
void key_of_symbol(struct key *k, const struct symbol *s, const uint64_t *word);

/* NULL: not there. */
struct count *count_find(struct counts *t, const struct key *k);
/* Once more; NULL where memory is short. */
struct count *count_add(struct counts *t, const struct key *k);
/* Those seen most come first; nothing is found any more. */
void counts_sort(struct counts *t);
void counts_free(struct counts *t);

#endif
