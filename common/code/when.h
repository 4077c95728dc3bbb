/*
 * When: a time step as coordinates of a latent, which are assigned, not learned. The first is its sign. Then come ramps:
 * together they are the logarithm of the step, each of them some octaves, on an even scale where the step lies in its octaves
 * and beyond its end where it is longer or shorter; so noise that all of them get moves a step to its neighbours, wherever it
 * is. The last is where the step lies within a 64th of an octave.
 *
 * A step is kept to 17 bits: exact to the ns below 131 us, else to 1 part in 131072.
 */
#ifndef TC_WHEN_H
#define TC_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_RAMPS	 6
#define WHEN_COORDINATES (1 + WHEN_RAMPS + 1)

/* A step in ns to WHEN_COORDINATES. */
void when_put(int64_t step, float *z);
/* From any coordinates to the nearest step, a multiple of unit (ns): what when_put() made comes back as when_rounded() says. */
int64_t when_get(const float *z, int unit);
/* What becomes of a step on the way. */
int64_t when_rounded(int64_t step, int unit);
/* What a step's coordinates take, in nats: -log of their cells' probability by N(0, 1). */
float when_rate(int64_t step);

#endif
