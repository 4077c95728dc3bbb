/*
 * Products of rows and a matrix, in integers: the same on every machine, in whatever order they are summed and beside whatever
 * other rows. A matrix and each row are rounded to so many steps that no sum can overflow.
 */
#ifndef TC_PRODUCT_H
#define TC_PRODUCT_H

#include <stdint.h>

#define PRODUCT_IN 4672 /* columns of a row, at most */

struct product {
	int in, out;
	float step;    /* of the matrix */
	int16_t *w;    /* (in / 2, out, 2): two rows of the matrix, number by number; owned */
	const float *b; /* (out), not owned */
};

/* Of w, (in, out), and b, (out): 0, or -1 where memory is short. free(p->w) is due. */
int product_init(struct product *p, const float *w, const float *b, int in, int out);
/* y = x w + b, n rows; ldx and ldy are their distances in floats. */
void product(const struct product *p, const float *x, int ldx, int n, float *y, int ldy);

/* A row of a matrix, and how often it is taken. */
struct product_term {
	const float *w;
	float x;
};
/* y += the sum of n terms, for what is mostly 0; there is room for three more. */
void product_add(float *y, struct product_term *t, int n, int columns);

#endif
