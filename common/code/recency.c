#include "code/recency.h"

#include <stdlib.h>
#include <string.h>

#define SPAN 4096 /* places a sum counts */

int
recency_init(struct recency *r, uint32_t cap)
{
	uint32_t width = (2 * cap + SPAN - 1) / SPAN * SPAN;

	*r = (struct recency){.cap = cap, .width = width};
	r->place = calloc(cap, sizeof *r->place);
	r->slot = calloc(width, sizeof *r->slot);
	r->bits = calloc(width / 64, sizeof *r->bits);
	r->sums = calloc(width / SPAN, sizeof *r->sums);
	return r->place && r->slot && r->bits && r->sums ? 0 : -1;
}

void
recency_free(struct recency *r)
{
	free(r->place);
	free(r->slot);
	free(r->bits);
	free(r->sums);
	*r = (struct recency){0};
}

void
recency_clear(struct recency *r)
{
	for (uint32_t i = 0; i < r->top; i++)
		r->place[r->slot[i]] = 0;
	memset(r->bits, 0, (r->top + 63) / 64 * sizeof *r->bits);
	memset(r->sums, 0, (r->top + SPAN - 1) / SPAN * sizeof *r->sums);
	r->n = r->top = r->unused = 0;
}

void
recency_copy(struct recency *to, const struct recency *r)
{
	memcpy(to->place, r->place, r->cap * sizeof *r->place);
	memcpy(to->slot, r->slot, r->top * sizeof *r->slot);
	memcpy(to->bits, r->bits, r->width / 64 * sizeof *r->bits);
	memcpy(to->sums, r->sums, r->width / SPAN * sizeof *r->sums);
	to->n = r->n;
	to->top = r->top;
	to->unused = r->unused;
}

uint32_t
recency_rank(const struct recency *r, uint32_t slot)
{
	uint32_t place = r->place[slot] - 1, word = place / 64, last = (r->top - 1) / 64;
	uint32_t rank = __builtin_popcountll(r->bits[word] >> place % 64) - 1;

	for (word++; word <= last && word % 64; word++)
		rank += __builtin_popcountll(r->bits[word]);
	for (word /= 64; word <= last / 64 && word * SPAN > place; word++)
		rank += r->sums[word];
	return rank;
}

uint32_t
recency_at(const struct recency *r, uint32_t rank)
{
	uint32_t word = (r->top - 1) / 64, n;

	/* Words of the last span, then whole spans, then words again. */
	while ((n = __builtin_popcountll(r->bits[word])) <= rank) {
		rank -= n;
		if (word % 64) {
			word--;
			continue;
		}
		uint32_t span = word / 64 - 1;
		while (r->sums[span] <= rank)
			rank -= r->sums[span--];
		word = span * 64 + 63;
	}
	uint64_t bits = r->bits[word];
	while (rank--)
		bits ^= 1ull << (63 - __builtin_clzll(bits));
	return r->slot[word * 64 + 63 - __builtin_clzll(bits)];
}

/* Moves what is in use down to the first places, in order. */
static void
close_up(struct recency *r)
{
	uint32_t to = 0;

	for (uint32_t word = 0; word < r->width / 64; word++)
		for (uint64_t bits = r->bits[word]; bits; bits &= bits - 1) {
			uint32_t slot = r->slot[word * 64 + __builtin_ctzll(bits)];
			r->slot[to++] = slot;
			r->place[slot] = to;
		}
	r->top = to;
	memset(r->bits, 0, r->width / 64 * sizeof *r->bits);
	memset(r->sums, 0, r->width / SPAN * sizeof *r->sums);
	for (uint32_t i = 0; i < to; i++) {
		r->bits[i / 64] |= 1ull << i % 64;
		r->sums[i / SPAN]++;
	}
}

void
recency_touch(struct recency *r, uint32_t slot)
{
	uint32_t place = r->place[slot];

	if (place && place == r->top)
		return;
	if (place) {
		place--;
		r->bits[place / 64] &= ~(1ull << place % 64);
		r->sums[place / SPAN]--;
		r->place[slot] = 0;
	} else {
		r->n++;
	}
	if (r->top == r->width)
		close_up(r);
	place = r->top++;
	r->bits[place / 64] |= 1ull << place % 64;
	r->sums[place / SPAN]++;
	r->slot[place] = slot;
	r->place[slot] = r->top;
}

uint32_t
recency_fresh(struct recency *r)
{
	while (r->unused < r->cap && r->place[r->unused])
		r->unused++;
	return r->unused < r->cap ? r->unused : recency_at(r, r->n - 1);
}
