/* Loops that gain by wide registers are compiled twice where compiler and loader can: for any x86-64, and for AVX2,
 * without FMA, so that both give the same numbers. The loader chooses. */
#ifndef TC_WIDE_H
#define TC_WIDE_H

#include <stdint.h>

#if defined __x86_64__ && defined __linux__ && defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && \
	!defined __SANITIZE_THREAD__ && !defined __clang__
#define WIDE __attribute__((target_clones("avx2", "default")))
/* And for AVX-512, where multiplications and additions stay apart: -ffp-contract=off, since that has FMA. */
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#define WIDEST
#endif

/* yes ? a : b, without a branch: GCC vectorizes no loop that has one. */
static inline uint32_t
wide_choose(int yes, uint32_t a, uint32_t b)
{
	uint32_t all = -(uint32_t)yes;

	return (a & all) | (b & ~all);
}

#endif
