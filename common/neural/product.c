#include "neural/product.h"

#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

#define ROWS  4	   /* at once, or one */
#define STEPS 2047 /* of a row, from 0 to its largest number */

/* Rows as integers, and where their sums go. */
struct rows {
	int n;
	int16_t x[ROWS][PRODUCT_IN + 2] __attribute__((aligned(4)));
	float step[ROWS], *y[ROWS]; /* step: of a sum */
};
typedef int32_t pair __attribute__((may_alias)); /* two numbers */

/* The largest of n numbers, without its sign; 0 for what has no place among integers. */
WIDE static float
largest(const float *x, int n)
{
	int32_t most = 0;
	float f;

	for (int i = 0; i < n; i++) {
		int32_t v;
		memcpy(&v, &x[i], sizeof v);
		v &= INT32_MAX;
		most = v > most ? v : most;
	}
	memcpy(&f, &most, sizeof f);
	return f > 1e-30f && f < 1e30f ? f : 0;
}

/* n numbers to the nearest integers, as a sum of floats rounds them. */
WIDE static void
integers(int16_t *to, const float *x, int n, float scale)
{
	for (int i = 0; i < n; i++) {
		float f = x[i] * scale + 0x1.8p23f;
		int32_t v;
		memcpy(&v, &f, sizeof v);
		to[i] = v - 0x4b400000;
	}
}

int
product_init(struct product *p, const float *w, const float *b, int in, int out)
{
	int pairs = (in + 1) / 2, steps = INT32_MAX / STEPS / (2 * pairs);
	size_t n = (size_t)in * out;
	int16_t *whole = malloc(n * sizeof *whole);
	float most = largest(w, n);

	steps = steps < INT16_MAX ? steps : INT16_MAX;
	*p = (struct product){in, out, most / steps, calloc((size_t)pairs * out * 2, sizeof *p->w), b};
	if (whole && p->w) {
		integers(whole, w, n, most > 0 ? steps / most : 0);
		for (int i = 0; i < in; i++)
			for (int j = 0; j < out; j++)
				p->w[((size_t)(i / 2) * out + j) * 2 + i % 2] = whole[(size_t)i * out + j];
	}
	free(whole);
	return whole && p->w ? 0 : -1;
}

/* The sums of some columns of one or all of the rows, from a column on. */
typedef void tile(const struct product *p, const struct rows *r, int column);

/* 8 columns, or fewer where there are no more. */
static void
tile_any(const struct product *p, const struct rows *r, int column)
{
	int n = p->out < 8 ? p->out : 8;

	for (int k = 0; k < r->n; k++) {
		const int16_t *x = r->x[k], *w = p->w + 2 * column;
		int32_t sum[8] = {0};
		for (int i = 0; i < p->in; i += 2, x += 2, w += 2 * p->out)
			for (int j = 0; j < n; j++)
				sum[j] += x[0] * w[2 * j] + x[1] * w[2 * j + 1];
		for (int j = 0; j < n; j++)
			r->y[k][column + j] = p->b[column + j] + sum[j] * r->step[k];
	}
}

/* The same of as many columns as two registers hold. */
#if defined __x86_64__
#include <immintrin.h>

#define TILE(name, extension, many, width, type, multiply)								\
	__attribute__((target(extension))) static void name(const struct product *p, const struct rows *r, int column)	\
	{														\
		typedef int32_t integers __attribute__((vector_size(4 * (width)), aligned(4), may_alias));		\
		typedef float floats __attribute__((vector_size(4 * (width)), aligned(4), may_alias));			\
		const integers *w = (const integers *)(p->w + 2 * column);						\
		const floats *b = (const floats *)(p->b + column);							\
		integers sum[many][2];											\
		for (int k = 0; k < (many); k++)									\
			sum[k][0] = sum[k][1] = (integers){0};								\
		for (int i = 0; i < (p->in + 1) / 2; i++, w = (const integers *)((const pair *)w + p->out))		\
			for (int k = 0; k < (many); k++)								\
				for (int j = 0; j < 2; j++)								\
					sum[k][j] += (integers)multiply((type)((integers){0} + ((const pair *)r->x[k])[i]), (type)w[j]); \
		for (int k = 0; k < (many); k++)									\
			for (int j = 0; j < 2; j++)									\
				((floats *)(r->y[k] + column))[j] = b[j] + __builtin_convertvector(sum[k][j], floats) * r->step[k]; \
	}
TILE(one_avx2, "avx2", 1, 8, __m256i, _mm256_madd_epi16)
TILE(all_avx2, "avx2", ROWS, 8, __m256i, _mm256_madd_epi16)
TILE(one_avx512, "avx512f,avx512bw", 1, 16, __m512i, _mm512_madd_epi16)
TILE(all_avx512, "avx512f,avx512bw", ROWS, 16, __m512i, _mm512_madd_epi16)
#endif

/* The widest of which the columns fill one, and how many it takes. */
static tile *
choose(int out, int rows, int *columns)
{
	(void)rows; /* which x86-64 alone asks for */
#if defined __x86_64__
	if (out >= 32 && __builtin_cpu_supports("avx512bw")) {
		*columns = 32;
		return rows == 1 ? one_avx512 : all_avx512;
	}
	if (out >= 16 && __builtin_cpu_supports("avx2")) {
		*columns = 16;
		return rows == 1 ? one_avx2 : all_avx2;
	}
#endif
	*columns = out < 8 ? out : 8;
	return tile_any;
}

/* Four terms at a time, so that the sums are fetched and put back a fourth as often. */
WIDEST static void
add_four(float *restrict y, const struct product_term *t, int columns)
{
	const float *a = t[0].w, *b = t[1].w, *c = t[2].w, *d = t[3].w;
	const float p = t[0].x, q = t[1].x, r = t[2].x, s = t[3].x;

	for (int j = 0; j < columns; j++)
		y[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j]);
}

void
product_add(float *y, struct product_term *t, int n, int columns)
{
	for (; n % 4; n++)
		t[n] = (struct product_term){t[0].w, 0};
	for (; n > 0; n -= 4, t += 4)
		add_four(y, t, columns);
}

/* The last tile reaches back into the one before it, with the same numbers. */
void
product(const struct product *p, const float *x, int ldx, int n, float *y, int ldy)
{
	struct rows r;

	for (; n > 0; n -= r.n) {
		int columns;
		r.n = n < ROWS ? 1 : ROWS;
		tile *of = choose(p->out, r.n, &columns);
		for (int k = 0; k < r.n; k++, x += ldx, y += ldy) {
			float most = largest(x, p->in);
			r.x[k][p->in - p->in % 2] = 0;
			integers(r.x[k], x, p->in, most > 0 ? STEPS / most : 0);
			r.step[k] = most / STEPS * p->step;
			r.y[k] = y;
		}
		for (int j = 0; j < p->out; j += columns)
			of(p, &r, j + columns <= p->out ? j : p->out - columns);
	}
}
