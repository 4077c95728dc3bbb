/*
 * The classifier two-sample test (Lopez-Paz, Oquab: Revisiting Classifier Two-Sample Tests, 2017): how well can somebody
 * who has seen flows of either tell of others whose they are? tc-metrics(7).
 */
#ifndef TC_C2ST_H
#define TC_C2ST_H

#include <stddef.h>
#include <stdint.h>

#define C2ST_MOST 2000 /* rows of a class */

/* Accuracy above 50 %, in percentage points, 0 where there is none: of telling n rows of a from n of b. The same rows
 * in both are at exactly 0. NAN where memory is short. */
double c2st(const uint32_t *const *a, const uint32_t *const *b, size_t n);

#endif
