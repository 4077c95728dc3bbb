/* Products of vectors and a matrix, in one fixed order of sums: the same on every machine, and beside whatever others. */
#ifndef TC_GEN_PRODUCT_H
#define TC_GEN_PRODUCT_H

#include <stdint.h>

#define PRODUCT_LANES 16 /* numbers that are reckoned at once: of as many registers as it takes */
#define PRODUCT_IN    512 /* of a vector, at most */

/* What is not 0 in a vector. */
struct product_list {
	int n;
	uint16_t at[PRODUCT_IN + 1];
	float v[PRODUCT_IN + 1];
};

/* Columns, in whole lanes. */
static inline int
product_width(int columns)
{
	return (columns + PRODUCT_LANES - 1) / PRODUCT_LANES * PRODUCT_LANES;
}

/* A matrix of `in` by `out` and its bias, lanes by lanes; NULL where memory is short. To be freed. */
float *product_pack(const float *w, const float *b, int in, int out);
void product_list(struct product_list *l, const float *x, int in);
/* Of max(0, x). */
void product_list_positive(struct product_list *l, const float *x, int in);
/* y = x w + b, n of them; y is product_width(out) apart. */
void product(const struct product_list *x, int n, const float *packed, int in, int out, float *y);

/* y += e */
void product_add(float *y, const float *e, int n);
/* Logits times `cold` to shares; then their sums, of each lane. p has room for whole lanes. */
void product_weigh(float *p, int n, float cold);
void product_sum(float *p, int n, float *lane);

#endif
