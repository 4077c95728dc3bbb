/* The standard normal distribution. */
#ifndef TC_NORMAL_H
#define TC_NORMAL_H

#include <stddef.h>
#include <stdint.h>

/* n numbers that are drawn from it (Box, Muller 1958). */
void normal_draw(float *x, size_t n, uint64_t *state);

#endif
