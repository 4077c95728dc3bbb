/* IEEE 754 binary16 and back, to the nearest, ties to even; the same octets on every machine. */
#ifndef TC_HALF_H
#define TC_HALF_H

#include "support/wide.h"

#include <string.h>

/* After F. Giesen, "float->half variants". */
static inline uint16_t
half_from(float f)
{
	uint32_t x, sign, low, tiny, normal;
	float sum;

	memcpy(&x, &f, 4);
	sign = x >> 16 & 0x8000;
	x &= 0x7fffffff;
	memcpy(&f, &x, 4);
	sum = f + 0.5f; /* below 2^-14 the sum's last bits are those of the half */
	memcpy(&low, &sum, 4);
	tiny = low - 0x3f000000;
	normal = (x - (112u << 23) + 0xfff + (x >> 13 & 1)) >> 13;
	tiny = wide_choose((int32_t)x < 0x38800000, tiny, normal);
	return sign | wide_choose((int32_t)x < 0x47800000, tiny, wide_choose((int32_t)x > 0x7f800000, 0x7e00, 0x7c00));
}

static inline float
half_to(uint16_t h)
{
	uint32_t x = (h & 0x7fffu) << 13, all = (h & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
	float f;

	memcpy(&f, &x, 4);
	f *= 0x1p112f;
	memcpy(&x, &f, 4);
	x |= all | (uint32_t)(h & 0x8000) << 16;
	memcpy(&f, &x, 4);
	return f;
}

#endif
