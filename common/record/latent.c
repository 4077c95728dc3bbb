#include "record/latent.h"

#include "record/half.h"


size_t
latent_size(enum latent_type type, int n)
{
	return (size_t)n * (type == LATENT_F32 ? 4 : type == LATENT_F16 ? 2 : 1);
}

/* The nearest number of steps; what is no number is none. */
static int8_t
steps_of(float z)
{
	float steps = z * LATENT_STEPS;

	if (!(steps > -127 && steps < 127))
		return steps >= 127 ? 127 : steps <= -127 ? -127 : 0;
	return (int)(steps + (steps < 0 ? -0.5f : 0.5f));
}

void
latent_put(enum latent_type type, const float *z, int n, uint8_t *p)
{
	for (int i = 0; i < n; i++) {
		uint32_t v;
		if (type == LATENT_I8) {
			*p++ = steps_of(z[i]);
			continue;
		}
		if (type == LATENT_F16)
			v = half_from(z[i]);
		else
			memcpy(&v, &z[i], 4);
		for (unsigned k = 0; k < latent_size(type, 1); k++)
			*p++ = v >> 8 * k;
	}
}

void
latent_get(enum latent_type type, const uint8_t *p, int n, float *z)
{
	for (int i = 0; i < n; i++) {
		uint32_t v = 0;
		if (type == LATENT_I8) {
			z[i] = (int8_t)*p++ / (float)LATENT_STEPS;
			continue;
		}
		for (unsigned k = 0; k < latent_size(type, 1); k++)
			v |= (uint32_t)*p++ << 8 * k;
		if (type == LATENT_F16)
			z[i] = half_to(v);
		else
			memcpy(&z[i], &v, 4);
	}
}
