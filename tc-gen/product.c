#include "product.h"

#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

/* As many numbers as the widest registers hold; narrower ones take several for it. */
typedef float lanes __attribute__((vector_size(PRODUCT_LANES * sizeof(float)), aligned(4)));
typedef int32_t exponents __attribute__((vector_size(PRODUCT_LANES * sizeof(int32_t))));
#define WIDTH PRODUCT_LANES

float *
product_pack(const float *w, const float *b, int in, int out)
{
	size_t tile = (size_t)(in + 1) * WIDTH, n = tile * (product_width(out) / WIDTH) * sizeof(float);
	float *packed = aligned_alloc(64, (n + 63) / 64 * 64);

	if (!packed)
		return NULL;
	memset(packed, 0, n);
	for (int j = 0; j < out; j++) {
		float *to = packed + j / WIDTH * tile + j % WIDTH;
		to[0] = b[j];
		for (int i = 0; i < in; i++)
			to[(size_t)(i + 1) * WIDTH] = w[(size_t)i * out + j];
	}
	return packed;
}

void
product_list(struct product_list *l, const float *x, int in)
{
	int n = 0;

	for (int i = 0; i < in; i++) {
		l->at[n] = i;
		l->v[n] = x[i];
		n += x[i] != 0;
	}
	l->n = n;
}

void
product_list_positive(struct product_list *l, const float *x, int in)
{
	int n = 0;

	for (int i = 0; i < in; i++) {
		l->at[n] = i;
		l->v[n] = x[i];
		n += x[i] > 0;
	}
	l->n = n;
}

/* Columns of two tiles: two sums each, which take turns, so that none waits for the one before. */
WIDEST static void
two(const struct product_list *x, int n, const float *w, size_t tile, float *y, int ld)
{
	for (int i = 0; i < n; i++, x++, y += ld) {
		const lanes *p = (const lanes *)w, *q = (const lanes *)(w + tile);
		lanes s = *p++, t = *q++, u = {0}, v = {0};
		int k = 0;
		for (; k + 2 <= x->n; k += 2) {
			s += x->v[k] * p[x->at[k]];
			t += x->v[k] * q[x->at[k]];
			u += x->v[k + 1] * p[x->at[k + 1]];
			v += x->v[k + 1] * q[x->at[k + 1]];
		}
		if (k < x->n) {
			s += x->v[k] * p[x->at[k]];
			t += x->v[k] * q[x->at[k]];
		}
		*(lanes *)y = s + u;
		*(lanes *)(y + WIDTH) = t + v;
	}
}

/* Of one: four. */
WIDEST static void
one(const struct product_list *x, int n, const float *w, float *y, int ld)
{
	for (int i = 0; i < n; i++, x++, y += ld) {
		const lanes *p = (const lanes *)w;
		lanes s = *p++, t = {0}, u = {0}, v = {0};
		int k = 0;
		for (; k + 4 <= x->n; k += 4) {
			s += x->v[k] * p[x->at[k]];
			t += x->v[k + 1] * p[x->at[k + 1]];
			u += x->v[k + 2] * p[x->at[k + 2]];
			v += x->v[k + 3] * p[x->at[k + 3]];
		}
		for (; k < x->n; k++)
			s += x->v[k] * p[x->at[k]];
		*(lanes *)y = (s + t) + (u + v);
	}
}

/* Tile by tile, so that each stays near while all vectors go through it. */
void
product(const struct product_list *x, int n, const float *packed, int in, int out, float *y)
{
	size_t tile = (size_t)(in + 1) * WIDTH;
	int width = product_width(out), j = 0;

	for (; j + 2 * WIDTH <= width; j += 2 * WIDTH)
		two(x, n, packed + j / WIDTH * tile, tile, y + j, width);
	if (j < width)
		one(x, n, packed + j / WIDTH * tile, y + j, width);
}

WIDEST void
product_add(float *y, const float *e, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += e[j];
}

/* e^x to seven digits, for -40 < x <= 0: a power of two by the exponent's bits, and a polynomial, as fast_exp() (linear.h). */
WIDEST static void
power(float *y, int n)
{
	for (int i = 0; i < n; i += WIDTH) {
		lanes t = *(lanes *)(y + i) * 1.44269504f;
		exponents r = __builtin_convertvector(t + 64.5f, exponents) - 64;
		lanes f = t - __builtin_convertvector(r, lanes), p = 1.33335581e-3f * f + 9.61812911e-3f;
		union {
			exponents i;
			lanes f;
		} scale = {(r + 127) << 23};
		p = p * f + 5.55041087e-2f;
		p = p * f + 2.40226507e-1f;
		p = p * f + 6.93147181e-1f;
		*(lanes *)(y + i) = (p * f + 1) * scale.f;
	}
}

WIDEST void
product_weigh(float *p, int n, float cold)
{
	float most[WIDTH], top;

	for (int i = n; i % WIDTH; i++)
		p[i] = p[0];
	memcpy(most, p, sizeof most);
	for (int i = WIDTH; i < n; i += WIDTH)
		for (int j = 0; j < WIDTH; j++)
			most[j] = p[i + j] > most[j] ? p[i + j] : most[j];
	top = most[0];
	for (int j = 1; j < WIDTH; j++)
		top = most[j] > top ? most[j] : top;
	for (int i = 0; i < n; i += WIDTH)
		for (int j = 0; j < WIDTH; j++) {
			float x = (p[i + j] - top) * cold;
			p[i + j] = x > -30 ? x : -30;
		}
	power(p, n);
}

WIDEST void
product_sum(float *p, int n, float *lane)
{
	memset(lane, 0, WIDTH * sizeof *lane);
	for (int i = n; i % WIDTH; i++)
		p[i] = 0;
	for (int i = 0; i < n; i += WIDTH)
		for (int j = 0; j < WIDTH; j++)
			lane[j] += p[i + j];
}
