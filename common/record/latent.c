#include "record/latent.h"

#include "record/half.h"
#include "record/wide.h"

#include <endian.h>

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

WIDE void
latent_put(enum latent_type type, const float *z, int n, uint8_t *p)
{
	if (type == LATENT_I8) {
		for (int i = 0; i < n; i++)
			p[i] = steps_of(z[i]);
	} else if (type == LATENT_F16) {
		for (int i = 0; i < n; i++) {
			uint16_t v = htole16(half_from(z[i]));
			memcpy(p + 2 * i, &v, 2);
		}
	} else {
		for (int i = 0; i < n; i++) {
			uint32_t v;
			memcpy(&v, &z[i], 4);
			v = htole32(v);
			memcpy(p + 4 * i, &v, 4);
		}
	}
}

WIDE void
latent_get(enum latent_type type, const uint8_t *p, int n, float *z)
{
	if (type == LATENT_I8) {
		for (int i = 0; i < n; i++)
			z[i] = (int8_t)p[i] / (float)LATENT_STEPS;
	} else if (type == LATENT_F16) {
		for (int i = 0; i < n; i++) {
			uint16_t v;
			memcpy(&v, p + 2 * i, 2);
			z[i] = half_to(le16toh(v));
		}
	} else {
		for (int i = 0; i < n; i++) {
			uint32_t v;
			memcpy(&v, p + 4 * i, 4);
			v = le32toh(v);
			memcpy(&z[i], &v, 4);
		}
	}
}

WIDE bool
latent_finite(enum latent_type type, const uint8_t *p, size_t octets)
{
	uint32_t bad = 0;

	for (size_t i = 0; type == LATENT_F16 && i < octets; i += 2) {
		uint16_t v;
		memcpy(&v, p + i, 2);
		bad |= (le16toh(v) & 0x7c00) == 0x7c00;
	}
	for (size_t i = 0; type == LATENT_F32 && i < octets; i += 4) {
		uint32_t v;
		memcpy(&v, p + i, 4);
		bad |= (le32toh(v) & 0x7f800000) == 0x7f800000;
	}
	return !bad;
}
