/* What is drawn at random: from the same seed the same, on every machine. */
#ifndef TC_RANDOM_H
#define TC_RANDOM_H

#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number in [0, 1). */
static inline float
random_uniform(uint64_t *state)
{
	return (random_next(state) >> 40) * 0x1p-24f;
}

#endif
