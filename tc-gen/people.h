/* Hosts and link addresses that a generator has named: symbols to references. */
#ifndef TC_GEN_PEOPLE_H
#define TC_GEN_PEOPLE_H

#include "vocabulary.h"

#define PEOPLE_RECENT 1024

/* Whom a symbol names by the field that it is of: the one who opens, or sends; the other one. */
enum part { PART_FIRST, PART_SECOND, PARTS };

struct people {
	float many; /* so many times as many as were learned from */
	uint32_t copies; /* of each who has a symbol, at most */
	uint32_t *stands[PARTS]; /* who stands for whom where there are fewer */
	uint8_t *class; /* of each slot */
	uint32_t cap, named; /* slots, and how many names were given */
	uint32_t suffixes;
	int64_t *id;		/* of those that have a symbol, in order */
	uint32_t known;
	uint32_t *slot;		/* of their copies; NOBODY: not named yet */
	uint32_t *owner;	/* of each slot, whose of them; NOBODY: none */
	uint32_t recent[PEOPLE_RECENT], n;
};

int people_init(struct people *p, const struct vocabulary *v, enum field a, enum field b, uint32_t cap, float many);
void people_free(struct people *p);
/* other: the slot of the flow's other end, which is another one; NOBODY: of none. family: of IP; 0: any. */
void people_name(struct people *p, const struct vocabulary *v, enum part part, const struct symbol *s, uint32_t other,
		 int family, struct action_ref *r, uint64_t *random);

#endif
