/* Hosts and link addresses that a generator has named: symbols to references. */
#ifndef TC_GEN_PEOPLE_H
#define TC_GEN_PEOPLE_H

#include "vocabulary.h"

#define PEOPLE_RECENT 1024

struct people {
	uint32_t cap, named; /* slots, and how many names were given */
	uint32_t suffixes;
	uint32_t *slot, slots;	/* of those that have a symbol; NOBODY: not named yet */
	uint32_t *owner;	/* of each slot, who of them; NOBODY: none */
	uint32_t recent[PEOPLE_RECENT], n;
};

int people_init(struct people *p, const struct vocabulary *v, enum field a, enum field b, uint32_t cap);
void people_free(struct people *p);
void people_name(struct people *p, const struct vocabulary *v, const struct symbol *s, struct action_ref *r,
		 uint64_t *random);

#endif
