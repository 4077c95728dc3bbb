/* IEEE 754 binary16 and back, to the nearest, ties to even; the same octets on every machine. */
#ifndef TC_HALF_H
#define TC_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint16_t
half_from(float f)
{
	uint32_t x, sign, m;
	int e;

	memcpy(&x, &f, 4);
	sign = x >> 16 & 0x8000;
	e = (int)(x >> 23 & 255) - 127;
	m = x & 0x7fffff;
	if (e == 128)
		return sign | 0x7c00 | (m ? 0x200 : 0);
	if (e > 15)
		return sign | 0x7c00;
	if (e >= -14) {
		uint32_t h = (uint32_t)(e + 15) << 10 | m >> 13, rest = m & 0x1fff;
		h += rest > 0x1000 || (rest == 0x1000 && h & 1);
		return sign | h;
	}
	if (e < -25)
		return sign;
	m |= 0x800000;
	unsigned shift = -e - 1; /* of 2^-24, the least there is */
	uint32_t h = m >> shift, rest = m & ((1u << shift) - 1), tie = 1u << (shift - 1);
	h += rest > tie || (rest == tie && h & 1);
	return sign | h;
}

static inline float
half_to(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff, x;
	float f;

	if (e == 0) {
		f = m * 0x1p-24f;
		return sign ? -f : f;
	}
	x = sign | (e == 31 ? 255u << 23 : (e + 112) << 23) | m << 13;
	memcpy(&f, &x, 4);
	return f;
}

#endif
