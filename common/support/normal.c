#include "support/normal.h"

#include "support/random.h"

#include <math.h>

void
normal_draw(float *x, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i += 2) {
		float u = random_uniform(state), v = random_uniform(state);
		float r = sqrtf(-2 * logf(1 - u)), angle = 6.2831853f * v;
		x[i] = r * cosf(angle);
		if (i + 1 < n)
			x[i + 1] = r * sinf(angle);
	}
}
