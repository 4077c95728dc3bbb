#include "code/time_code.h"

#include "code/bits.h"
#include "support/random.h"

struct time_code
time_put(int64_t step)
{
	uint64_t v = step < 0 ? -(uint64_t)step : (uint64_t)step;
	unsigned length = bits_length(v);

	if (length > TIME_MANTISSA + 1) { /* the nearest that has as few bits */
		unsigned over = length - TIME_MANTISSA - 1;
		v = (v + (1ull << (over - 1))) >> over << over;
		length = bits_length(v);
	}
	if (length > 63) {
		length = 63;
		v = INT64_MAX;
	}
	unsigned behind = length ? length - 1 : 0;
	uint64_t mantissa = bits_gray(v) & bits_ones(behind), care;
	if (behind > TIME_MANTISSA) {
		mantissa >>= behind - TIME_MANTISSA;
		care = bits_ones(TIME_MANTISSA);
	} else {
		mantissa <<= TIME_MANTISSA - behind;
		care = bits_ones(behind) << (TIME_MANTISSA - behind);
	}
	return (struct time_code){
	    .bit = (v && step < 0) | bits_gray(length) << 1 | mantissa << 7,
	    .care = (v != 0) | 63 << 1 | care << 7,
	};
}

int64_t
time_get(uint32_t bit)
{
	unsigned length = bits_ungray(bit >> 1 & 63), behind = length ? length - 1 : 0;
	uint64_t g = bit >> 7 & bits_ones(TIME_MANTISSA), v;

	if (length == 0)
		return 0;
	if (behind > TIME_MANTISSA)
		/* Below the bits that are there the number is even, as it was rounded to be. */
		v = bits_ungray(1ull << TIME_MANTISSA | g) << (behind - TIME_MANTISSA);
	else
		v = bits_ungray(1ull << behind | g >> (TIME_MANTISSA - behind));
	return bit & 1 ? -(int64_t)v : (int64_t)v;
}

int64_t
time_ns(uint32_t bit, int unit)
{
	int64_t step = time_get(bit), ns;

	if (__builtin_mul_overflow(step, (int64_t)unit, &ns))
		return step < 0 ? -INT64_MAX : INT64_MAX;
	return ns;
}

void
time_out(struct time_code c, float *x)
{
	uint64_t bit = c.bit, care = c.care;

	bits_out(&bit, &care, TIME_BITS, x);
}

uint32_t
time_in(const float *x)
{
	uint64_t bit;

	bits_in(&bit, TIME_BITS, x);
	return bit;
}

int64_t
time_draw(uint64_t *state)
{
	uint64_t length = random_next(state) % 64, v = random_next(state) & bits_ones(length);

	return random_next(state) & 1 ? -(int64_t)v : (int64_t)v;
}
