/* Bits in words, from each word's lowest on; and as the network's numbers: +1 a set bit, -1 a clear one. */
#ifndef TC_BITS_H
#define TC_BITS_H

#include <stdint.h>

/* The lowest n. */
static inline uint64_t
bits_ones(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

/* n of v into a row of words, which has clear bits there; 64 at most. */
static inline void
bits_store(uint64_t *word, unsigned at, uint64_t v, unsigned n)
{
	word += at / 64;
	word[0] |= v << at % 64;
	if (at % 64 + n > 64)
		word[1] |= v >> (64 - at % 64);
}

static inline uint64_t
bits_load(const uint64_t *word, unsigned at, unsigned n)
{
	uint64_t v = word[at / 64] >> at % 64;

	if (at % 64 + n > 64)
		v |= word[at / 64 + 1] << (64 - at % 64);
	return v & bits_ones(n);
}

/* Up to the leading one. */
static inline unsigned
bits_length(uint64_t v)
{
	return v ? 64 - __builtin_clzll(v) : 0;
}

/* Gray code. */
static inline uint64_t
bits_gray(uint64_t v)
{
	return v ^ v >> 1;
}

static inline uint64_t
bits_ungray(uint64_t g)
{
	for (unsigned s = 1; s < 64; s *= 2)
		g ^= g >> s;
	return g;
}

/* The lowest n bits in the other order. */
static inline uint64_t
bits_mirror(uint64_t v, unsigned n)
{
	if (n == 0)
		return 0;
	v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
	v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
	v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
	return __builtin_bswap64(v) >> (64 - n);
}

/* n bits as numbers, 0 for those that nobody cares for. */
void bits_out(const uint64_t *bit, const uint64_t *mask, unsigned n, float *x);
/* The twin; the last word is filled up with clear bits. */
void bits_in(uint64_t *bit, unsigned n, const float *x);

#endif
