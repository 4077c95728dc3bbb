#include "neural/straight.h"

#include <math.h>
#include <stddef.h>

static size_t
start(const int *row, int k, int ld)
{
	return (size_t)(row ? row[k] : k) * ld;
}

/* Where the gradient of a row of weights stands. */
static float *
gradient(const struct straight *s, float *dw, int way, int row)
{
	return dw + (straight_row(s, way, row) - s->w);
}

void
straight_in(const struct straight *s, const float *x, const int *row, int n, float *mean, float *logvar, int ld)
{
	for (int way = 0; way < STRAIGHT_WAYS; way++) {
		const uint16_t *place = s->place[way];
		const float *in = straight_row(s, way, STRAIGHT_IN), *spread = straight_row(s, way, STRAIGHT_SPREAD);
		for (int k = 0; k < n; k++) {
			const float *bit = x + (size_t)k * s->n;
			float *to = mean + start(row, k, ld);
			for (int b = 0; b < s->n; b++)
				to[place[b]] += in[b] * bit[b];
			if (!logvar)
				continue;
			to = logvar + start(row, k, ld);
			for (int b = 0; b < s->n; b++)
				to[place[b]] += spread[b] * fabsf(bit[b]);
		}
	}
}

void
straight_in_backward(const struct straight *s, const float *x, const int *row, int n, const float *dmean,
		     const float *dlogvar, int ld, float *dw)
{
	for (int way = 0; way < STRAIGHT_WAYS; way++) {
		const uint16_t *place = s->place[way];
		float *din = gradient(s, dw, way, STRAIGHT_IN), *dspread = gradient(s, dw, way, STRAIGHT_SPREAD);
		for (int k = 0; k < n; k++) {
			const float *bit = x + (size_t)k * s->n;
			const float *m = dmean + start(row, k, ld), *v = dlogvar + start(row, k, ld);
			for (int b = 0; b < s->n; b++) {
				din[b] += m[place[b]] * bit[b];
				dspread[b] += v[place[b]] * fabsf(bit[b]);
			}
		}
	}
}

void
straight_out(const struct straight *s, const float *z, int ld, const int *row, int n, float *logit)
{
	/* Both ways at once: this is the decoder's longest loop outside of the products. */
	_Static_assert(STRAIGHT_WAYS == 2, "");
	const uint16_t *first = s->place[0], *second = s->place[1];
	const float *out = straight_row(s, 0, STRAIGHT_OUT), *again = straight_row(s, 1, STRAIGHT_OUT);

	for (int k = 0; k < n; k++, logit += s->n) {
		const float *from = z + start(row, k, ld);
		for (int b = 0; b < s->n; b++)
			logit[b] += out[b] * from[first[b]] + again[b] * from[second[b]];
	}
}

void
straight_out_backward(const struct straight *s, const float *z, int ld, const int *row, int n,
		      const float *dlogit, float *dz, int lddz, float *dw)
{
	for (int way = 0; way < STRAIGHT_WAYS; way++) {
		const uint16_t *place = s->place[way];
		const float *out = straight_row(s, way, STRAIGHT_OUT);
		float *dout = dw ? gradient(s, dw, way, STRAIGHT_OUT) : NULL;
		for (int k = 0; k < n; k++) {
			const float *from = z + start(row, k, ld), *d = dlogit + (size_t)k * s->n;
			float *to = dz + start(row, k, lddz);
			for (int b = 0; b < s->n; b++)
				to[place[b]] += out[b] * d[b];
			for (int b = 0; dout && b < s->n; b++)
				dout[b] += from[place[b]] * d[b];
		}
	}
}
