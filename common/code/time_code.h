/* Features: a time step as the bits that the network for time takes and gives. */
#ifndef TC_TIME_CODE_H
#define TC_TIME_CODE_H

#include <stdint.h>

/*
 * A time step: sign, length (Gray, 6 bits) and TIME_MANTISSA bits behind the leading one (Gray). Of
 * steps that are longer the nearest is taken.
 */
#define TIME_MANTISSA 12
#define TIME_BITS     (1 + 6 + TIME_MANTISSA)
struct time_code {
	uint32_t care, bit;
};
struct time_code time_put(int64_t step);
int64_t time_get(uint32_t bit);
/* The same in ns, at so many a unit of the trace; what is out of range is at its end. */
int64_t time_ns(uint32_t bit, int unit);
void time_out(struct time_code c, float *x);
uint32_t time_in(const float *x);
/* Any step, by its length in bits. */
int64_t time_draw(uint64_t *state);

#endif
