/*
 * Slots by how lately they were used: rank 0 the latest. Ranks of tens of thousands cost little more
 * than small ones: each use takes the next place in a row of bits, and a rank is the number of set
 * bits behind a place, counted by words and by sums of 64 words.
 */
#ifndef TC_RECENCY_H
#define TC_RECENCY_H

#include <stdbool.h>
#include <stdint.h>

struct recency {
	uint32_t cap, n; /* slots there may be, slots that are in use */
	/* inside */
	uint32_t width, top;   /* places, the next free one */
	uint32_t unused;       /* the lowest slot that may not be in use */
	uint32_t *place;       /* of a slot, plus one; 0: not in use */
	uint32_t *slot;        /* at a place */
	uint64_t *bits;        /* places that are taken */
	uint16_t *sums;        /* of 64 words */
};

/* cap: 1 to 2^20. 0, or -1 where memory is short. */
int recency_init(struct recency *r, uint32_t cap);
void recency_free(struct recency *r);
/* Forgets all slots: as after recency_init(), in time for those that were used. */
void recency_clear(struct recency *r);
/* Makes *to, of the same cap, equal to *r. */
void recency_copy(struct recency *to, const struct recency *r);

static inline bool
recency_has(const struct recency *r, uint32_t slot)
{
	return slot < r->cap && r->place[slot];
}

/* How many were used since this one, which must be in use. */
uint32_t recency_rank(const struct recency *r, uint32_t slot);
/* The slot at a rank, which must be below n. */
uint32_t recency_at(const struct recency *r, uint32_t rank);
/* The slot was used: it has rank 0 now. */
void recency_touch(struct recency *r, uint32_t slot);
/* The slot that something new gets: the lowest that is not in use, else the one longest unused. */
uint32_t recency_fresh(struct recency *r);

#endif
