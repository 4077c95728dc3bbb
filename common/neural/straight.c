#include "neural/straight.h"

#include "record/wide.h"

#include <math.h>
#include <stddef.h>

static size_t
start(const int *row, int k, int ld)
{
	return (size_t)(row ? row[k] : k) * ld;
}

void
straight_in(const struct straight *s, const float *x, const int *row, int n, float *mean, float *logvar, int ld)
{
	for (int k = 0; k < n; k++, x += s->n) {
		float *to = mean + start(row, k, ld);
		for (int b = 0; b < s->n; b++)
			to[s->place[b]] += s->in[b] * x[b];
		if (!logvar)
			continue;
		to = logvar + start(row, k, ld);
		for (int b = 0; b < s->n; b++)
			to[s->place[b]] += s->spread[b] * fabsf(x[b]);
	}
}

void
straight_in_backward(const struct straight *s, const float *x, const int *row, int n, const float *dmean,
		     const float *dlogvar, int ld, float *din, float *dspread)
{
	for (int k = 0; k < n; k++, x += s->n) {
		const float *m = dmean + start(row, k, ld), *v = dlogvar + start(row, k, ld);
		for (int b = 0; b < s->n; b++) {
			din[b] += m[s->place[b]] * x[b];
			dspread[b] += v[s->place[b]] * fabsf(x[b]);
		}
	}
}

void
straight_out(const struct straight *s, const float *z, int ld, const int *row, int n, float *logit)
{
	for (int k = 0; k < n; k++, logit += s->n) {
		const float *from = z + start(row, k, ld);
		for (int b = 0; b < s->n; b++)
			logit[b] += s->out[b] * from[s->place[b]];
	}
}

void
straight_out_backward(const struct straight *s, const float *z, int ld, const int *row, int n,
		      const float *dlogit, float *dz, int lddz, float *dout)
{
	for (int k = 0; k < n; k++, dlogit += s->n) {
		const float *from = z + start(row, k, ld);
		float *to = dz + start(row, k, lddz);
		for (int b = 0; b < s->n; b++)
			to[s->place[b]] += s->out[b] * dlogit[b];
		for (int b = 0; dout && b < s->n; b++)
			dout[b] += from[s->place[b]] * dlogit[b];
	}
}
