/* Shares of symbols, reckoned in one fixed order, the same on every machine. */
#ifndef TC_GEN_SHARES_H
#define TC_GEN_SHARES_H

#include <stdint.h>

#define SHARES_LANES 16 /* sums that are taken side by side */

/* Room for so many, in whole lanes. */
static inline int
shares_width(int n)
{
	return (n + SHARES_LANES - 1) / SHARES_LANES * SHARES_LANES;
}

/* Logits times `cold` to shares; then their sums, of each lane. p has room for whole lanes. */
void shares_weigh(float *p, int n, float cold);
void shares_sum(float *p, int n, float *lane);

#endif
