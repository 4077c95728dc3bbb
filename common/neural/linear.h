/*
 * Dense layers on blocks of rows, in floats, while they are trained, and what stands between them. The only file that knows BLAS.
 * Matrices are row-major; ld is the distance of rows in floats.
 */
#ifndef TC_LINEAR_H
#define TC_LINEAR_H

#include <stdint.h>

/*
 * Loads OpenBLAS, with one thread unless OPENBLAS_NUM_THREADS says otherwise. Where it doesn't know
 * the processor and would take kernels for shorter vectors than that has (0.3.21: those of AVX2 or
 * even SSE3, on newer ones with AVX-512), the right ones are asked for, unless OPENBLAS_CORETYPE is
 * set. 0, or -1 with *why. Not for several threads at once.
 */
int linear_start(const char **why);
/* Whether there is the memory that products on so many threads take: 0, or -1 with errno. After all else is allocated. */
int linear_room(int threads);

/* A dense layer: w is in x out, b has out. */
struct layer {
	const float *w, *b;
	int in, out;
};

/* y = x w + b, or y += x w + b; n rows. */
void linear_forward(const struct layer *l, const float *x, int ldx, float *y, int ldy, int n,
		    int add);
/* The twin: from dy, the loss's gradient by y, dx = dy w^T or dx += dy w^T unless dx is NULL; and,
 * unless dw is NULL, dw += x^T dy, db += the sum of dy's rows. */
void linear_backward(const struct layer *l, const float *x, int ldx, const float *dy, int lddy,
		     float *dx, int lddx, float *dw, float *db, int n, int add);

/* max(0, y), in place; its twin sets dy to 0 where y, the result, is 0. */
void relu_forward(float *y, int ld, int cols, int n);
void relu_backward(const float *y, int ldy, float *dy, int lddy, int cols, int n);

/* e^x to seven digits, for |x| < 80; a loop of it is vectorized. */
static inline float
fast_exp(float x)
{
	union {
		float f;
		int32_t i;
	} scale;
	float t = x * 1.44269504f, r = __builtin_floorf(t + 0.5f), f = t - r;
	float p = 1.33335581e-3f;

	p = p * f + 9.61812911e-3f;
	p = p * f + 5.55041087e-2f;
	p = p * f + 2.40226507e-1f;
	p = p * f + 6.93147181e-1f;
	p = p * f + 1.0f;
	scale.i = ((int32_t)r + 127) << 23;
	return p * scale.f;
}

#endif
