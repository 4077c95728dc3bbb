/*
 * What a trace leaves behind when it has gone by: counts in bins, counts by key. Fixed in size, and
 * the same for the same trace, so that equal traces are at a distance of exactly 0.
 */
#ifndef TC_SKETCH_H
#define TC_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bins of one up to 2048, then 1024 an octave: a value is known to 0.1 % (tc-metrics(7), BINS). */
#define HISTOGRAM_BINS (2048 + 53 * 1024)

/* Bins stand in chunks of which most are empty: a bit says where anything was counted. */
#define SKETCH_CHUNK 1024

struct histogram {
	uint64_t n;
	double sum; /* of the values themselves */
	uint64_t used;
	uint32_t bin[HISTOGRAM_BINS]; /* up to UINT32_MAX: 64 bits would be twice the memory */
};

void histogram_count(struct histogram *h, uint64_t v);
/* A value will be counted soon: its bin is hardly in the cache where values vary as times do. */
void histogram_fetch(const struct histogram *h, uint64_t v);
void histogram_add(struct histogram *to, const struct histogram *h);
void histogram_clear(struct histogram *h);
/* The least value of a bin. */
double histogram_edge(unsigned bin);
/* Of the values that a bin may hold. */
double histogram_middle(unsigned bin);
double histogram_mean(const struct histogram *h);
/* The middle of the last bin that holds anything, 0 if none does. */
double histogram_greatest(const struct histogram *h);
/* Total variation, 0 to 1; Kolmogorov-Smirnov, 0 to 1; Wasserstein-1 in the values' unit. An empty
 * histogram is at distance 1 (W1: the other's mean) from any that isn't, 0 from another. */
double histogram_tv(const struct histogram *a, const struct histogram *b);
double histogram_ks(const struct histogram *a, const struct histogram *b);
double histogram_w1(const struct histogram *a, const struct histogram *b);

/* Two traces' hosts side by side by rank, from the busiest down; those of a bin count its middle, which is exact up to 2048. */
struct ranks {
	const struct histogram *h[2]; /* packets by host */
	uint64_t n;		      /* ranks that have the same shares */
	double share[2];	      /* of each's packets; 0 where it has no more hosts */
	/* inside */
	int bin[2]; /* looked at so far, from above */
	uint64_t left[2];
};

struct ranks ranks_begin(const struct histogram *a, const struct histogram *b);
/* The next ones; false where there are no more. */
bool ranks_next(struct ranks *r);

/* Counts by key, of the first TALLY_KEYS keys that come; the rest share one, and so do all new ones where memory is short. */
#define TALLY_KEYS (1 << 15)

struct tally {
	uint64_t n, keys, rest;
	unsigned width; /* of the table: grown so that half of the places stay free */
	struct tally_entry {
		uint64_t key, n;
	} *entry;
};

void tally_count(struct tally *t, uint64_t key, uint64_t n);
void tally_add(struct tally *to, const struct tally *t);
void tally_free(struct tally *t); /* which is empty then */
/* How often a key was counted by itself. */
uint64_t tally_get(const struct tally *t, uint64_t key);
double tally_tv(const struct tally *a, const struct tally *b);

/* Total variation of counts in n classes. */
double counts_tv(const uint64_t *a, const uint64_t *b, size_t n);

#endif
