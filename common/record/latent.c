#include "record/latent.h"

#include "support/half.h"
#include "support/portable.h"
#include "support/wide.h"


/* Of n halves those that the processor converts by itself, eight at a time; the same octets as half.h gives. */
#if defined __x86_64__ && !defined __clang__
#include <immintrin.h>

__attribute__((target("f16c"))) static int
put_eights(const float *z, int n, uint8_t *p)
{
	int i = 0;

	if (!__builtin_cpu_supports("f16c"))
		return 0;
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(p + 2 * i), _mm256_cvtps_ph(_mm256_loadu_ps(z + i), _MM_FROUND_TO_NEAREST_INT));
	return i;
}

__attribute__((target("f16c"))) static int
get_eights(const uint8_t *p, int n, float *z)
{
	int i = 0;

	if (!__builtin_cpu_supports("f16c"))
		return 0;
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(z + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 2 * i))));
	return i;
}
#else
#define put_eights(z, n, p) 0
#define get_eights(p, n, z) 0
#endif

size_t
latent_size(enum latent_type type, int n)
{
	return (size_t)n * (type == LATENT_F32 ? 4 : 2);
}

WIDE void
latent_put(enum latent_type type, const float *z, int n, uint8_t *p)
{
	if (type == LATENT_F16) {
		for (int i = put_eights(z, n, p); i < n; i++) {
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
	if (type == LATENT_F16) {
		for (int i = get_eights(p, n, z); i < n; i++) {
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
