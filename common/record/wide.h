/* Loops that gain by wide registers are compiled twice where the compiler can: for any x86-64, and for AVX2,
 * without FMA, so that both give the same numbers. The loader chooses. */
#ifndef TC_WIDE_H
#define TC_WIDE_H

#if defined __x86_64__ && defined __linux__ && !defined __SANITIZE_ADDRESS__ && !defined __clang__
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

#endif
