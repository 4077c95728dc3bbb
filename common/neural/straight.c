#include "neural/straight.h"

#include "support/wide.h"

#include <math.h>

static size_t
start(const struct straight_rows *r, int k, int ld)
{
	return (size_t)(r->row ? r->row[k] : k) * ld;
}

/* Where the gradient of a row of weights stands. */
static float *
gradient(const struct straight *s, float *dw, int way, int row)
{
	return dw + (straight_row(s, way, row) - s->w);
}

/* Lists the bits of row k that somebody cares for, and returns how many. Most rows have few of them. */
static int
list(const struct straight *s, const struct straight_rows *r, int k, uint16_t *bit)
{
	const uint64_t *mask = r->mask + start(r, k, r->step);
	int n = 0;

	for (int at = 0; at < s->n; at += 64)
		for (uint64_t left = mask[at / 64]; left; left &= left - 1)
			bit[n++] = at + __builtin_ctzll(left);
	while (n > 0 && bit[n - 1] >= s->n)
		n--;
	return n;
}

void
straight_in(const struct straight *s, const struct straight_rows *r, float *mean, float *logvar, int ld)
{
	uint16_t bit[STRAIGHT_MAX];

	for (int k = 0; k < r->n; k++) {
		const float *x = r->x + (size_t)k * s->n;
		float *m = mean + start(r, k, ld), *v = logvar ? logvar + start(r, k, ld) : NULL;
		int n = list(s, r, k, bit);
		for (int way = 0; way < STRAIGHT_WAYS; way++) {
			const uint16_t *place = s->place[way];
			const float *in = straight_row(s, way, STRAIGHT_IN), *spread = straight_row(s, way, STRAIGHT_SPREAD);
			for (int i = 0; i < n; i++)
				m[place[bit[i]]] += in[bit[i]] * x[bit[i]];
			for (int i = 0; v && i < n; i++)
				v[place[bit[i]]] += spread[bit[i]] * fabsf(x[bit[i]]);
		}
	}
}

void
straight_in_backward(const struct straight *s, const struct straight_rows *r, const float *dmean,
		     const float *dlogvar, int ld, float *dw)
{
	uint16_t bit[STRAIGHT_MAX];

	for (int k = 0; k < r->n; k++) {
		const float *x = r->x + (size_t)k * s->n, *m = dmean + start(r, k, ld), *v = dlogvar + start(r, k, ld);
		int n = list(s, r, k, bit);
		for (int way = 0; way < STRAIGHT_WAYS; way++) {
			const uint16_t *place = s->place[way];
			float *din = gradient(s, dw, way, STRAIGHT_IN), *dspread = gradient(s, dw, way, STRAIGHT_SPREAD);
			for (int i = 0; i < n; i++) {
				int b = bit[i];
				din[b] += m[place[b]] * x[b];
				dspread[b] += v[place[b]] * fabsf(x[b]);
			}
		}
	}
}

/* All bits of a row, both ways at once. */
WIDE static void
add_all(float *restrict logit, int n, const float *restrict from, const uint16_t *restrict first, const float *restrict out,
	const uint16_t *restrict second, const float *restrict again)
{
	for (int b = 0; b < n; b++)
		logit[b] += out[b] * from[first[b]] + again[b] * from[second[b]];
}

void
straight_out(const struct straight *s, const struct straight_rows *r, const float *z, int ld, float *logit)
{
	_Static_assert(STRAIGHT_WAYS == 2, "");
	const uint16_t *first = s->place[0], *second = s->place[1];
	const float *out = straight_row(s, 0, STRAIGHT_OUT), *again = straight_row(s, 1, STRAIGHT_OUT);
	uint16_t bit[STRAIGHT_MAX];

	for (int k = 0; k < r->n; k++, logit += s->n) {
		const float *from = z + start(r, k, ld);
		if (!r->mask) {
			add_all(logit, s->n, from, first, out, second, again);
			continue;
		}
		int n = list(s, r, k, bit);
		for (int i = 0; i < n; i++) {
			int b = bit[i];
			logit[b] += out[b] * from[first[b]] + again[b] * from[second[b]];
		}
	}
}

void
straight_out_backward(const struct straight *s, const struct straight_rows *r, const float *z, int ld,
		      const float *dlogit, float *dz, int lddz, float *dw)
{
	uint16_t bit[STRAIGHT_MAX];

	for (int k = 0; k < r->n; k++) {
		const float *from = z + start(r, k, ld), *d = dlogit + (size_t)k * s->n;
		float *to = dz + start(r, k, lddz);
		int all = list(s, r, k, bit), n = 0;
		for (int i = 0; i < all; i++) /* of a hinge few bits have a gradient */
			if (d[bit[i]] != 0)
				bit[n++] = bit[i];
		for (int way = 0; way < STRAIGHT_WAYS; way++) {
			const uint16_t *place = s->place[way];
			const float *out = straight_row(s, way, STRAIGHT_OUT);
			float *dout = dw ? gradient(s, dw, way, STRAIGHT_OUT) : NULL;
			for (int i = 0; i < n; i++)
				to[place[bit[i]]] += out[bit[i]] * d[bit[i]];
			for (int i = 0; dout && i < n; i++)
				dout[bit[i]] += from[place[bit[i]]] * d[bit[i]];
		}
	}
}
