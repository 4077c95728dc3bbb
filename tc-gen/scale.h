/* Sizes of numbers, by whole-number arithmetic, so that they are the same on every machine. */
#ifndef TC_GEN_SCALE_H
#define TC_GEN_SCALE_H

#include <stdint.h>

/* A number's range among those that halve (bits 0), quarter (1) ... each power of two; ranges count from 0 on. */
static inline int
scale_range(uint64_t v, int bits)
{
	if (v >> bits == 0)
		return v;
	int e = 63 - __builtin_clzll(v) - bits;
	return (e << bits) + (v >> e);
}

/* Where a range begins. */
static inline uint64_t
scale_low(int range, int bits)
{
	if (range >> bits == 0)
		return range;
	int e = (range >> bits) - 1;
	return ((uint64_t)range - ((uint64_t)e << bits)) << e;
}

/* Near the logarithm to base 2 of 1 + v. */
static inline float
scale_log(uint64_t v)
{
	int e = 63 - __builtin_clzll(v + 1 + !(v + 1));

	return e + (float)((v + 1) << (63 - e) << 1 >> 40) * 0x1p-24f;
}

/* For qsort() and bsearch(): numbers ascend. */
static inline int
scale_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

#endif
