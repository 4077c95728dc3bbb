/* What an assigned coordinate takes. */
#ifndef TC_RATE_H
#define TC_RATE_H

#include <math.h>

/* -log of the probability by N(0, 1) of a cell so wide, at z; nats. */
static inline float
cell_rate(float z, float width)
{
	return 0.5f * (z * z + 1.8378771f) - logf(width);
}

#endif
