#include "code/bits.h"

#include "support/wide.h"

#include <string.h>

/* Eight bits a step: bit i of an octet is number i. */
#define SIGN(b, i)   ((b) >> (i) & 1 ? 1 : -1)
#define CARE(b, i)   ((b) >> (i) & 1)
#define EIGHT(f, b)  {f(b, 0), f(b, 1), f(b, 2), f(b, 3), f(b, 4), f(b, 5), f(b, 6), f(b, 7)}
#define FOUR(f, b)   EIGHT(f, b), EIGHT(f, (b) + 1), EIGHT(f, (b) + 2), EIGHT(f, (b) + 3)
#define MANY(f, b)   FOUR(f, b), FOUR(f, (b) + 4), FOUR(f, (b) + 8), FOUR(f, (b) + 12)
#define MORE(f, b)   MANY(f, b), MANY(f, (b) + 16), MANY(f, (b) + 32), MANY(f, (b) + 48)
#define OCTETS(f)    {MORE(f, 0), MORE(f, 64), MORE(f, 128), MORE(f, 192)}

static const float signs[256][8] = OCTETS(SIGN), cares[256][8] = OCTETS(CARE);

typedef float eight __attribute__((vector_size(8 * sizeof(float)), aligned(sizeof(float)), may_alias));

WIDE void
bits_out(const uint64_t *bit, const uint64_t *mask, unsigned n, float *x)
{
	for (unsigned at = 0; at < n; at += 8) {
		const float *s = signs[bit[at / 64] >> at % 64 & 255];
		const float *c = cares[mask[at / 64] >> at % 64 & 255];
		eight v = *(const eight *)s * *(const eight *)c;
		if (at + 8 <= n)
			*(eight *)(x + at) = v;
		else
			memcpy(x + at, &v, (n - at) * sizeof *x);
	}
}

/* Of n numbers those that the processor compares eight at a time: how many. */
#if defined __x86_64__ && !defined __clang__
#include <immintrin.h>

__attribute__((target("avx"))) static unsigned
in_eights(uint64_t *bit, unsigned n, const float *x)
{
	unsigned at = 0;

	if (!__builtin_cpu_supports("avx"))
		return 0;
	for (; at + 8 <= n; at += 8)
		bit[at / 64] |= (uint64_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + at), _mm256_setzero_ps(), _CMP_GT_OQ))
				<< at % 64;
	return at;
}
#else
#define in_eights(bit, n, x) 0
#endif

void
bits_in(uint64_t *bit, unsigned n, const float *x)
{
	for (unsigned k = 0; k < n; k += 64)
		bit[k / 64] = 0;
	for (unsigned at = in_eights(bit, n, x); at < n; at++)
		bit[at / 64] |= (uint64_t)(x[at] > 0) << at % 64;
}
