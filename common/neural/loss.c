#include "neural/loss.h"

#include "support/wide.h"

#include <math.h>
#include <string.h>

/* The logits of each row, in turn: the coarse ones, then those of each group that it has. */
typedef void decide(void *arg, int row, const float *truth, float *logit, int n);

static void
each_decision(struct activations *p, decide *f, void *arg)
{
	const struct code_layout *l = code_layout();

	for (int i = 0; i < p->n; i++)
		f(arg, i, p->coarse + i * CODE_COARSE, p->coarse_logit + i * CODE_COARSE, CODE_COARSE);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		for (int i = 0; i < q->n; i++) {
			size_t at = (size_t)i * l->width[g];
			f(arg, q->row[i], q->x + at, q->logit + at, l->width[g]);
		}
	}
}

struct likelihood {
	float scale, *loss;
};

static void
likelihood(void *arg, int row, const float *truth, float *logit, int n)
{
	const struct likelihood *k = arg;
	float sum = 0;

	for (int j = 0; k->loss && j < n; j++)
		if (truth[j] != 0) {
			float m = truth[j] * logit[j];
			sum += (m < 0 ? -m : 0) + log1pf(expf(-fabsf(m)));
		}
	if (k->loss)
		k->loss[row] += sum;
	for (int j = 0; j < n; j++) {
		float m = truth[j] * logit[j];
		m = m > 60 ? 60 : m < -60 ? -60 : m;
		logit[j] = -truth[j] * k->scale / (1 + fast_exp(m));
	}
}

void
loss_likelihood(struct activations *p, float scale, float *loss)
{
	struct likelihood k = {scale, loss};

	if (loss)
		memset(loss, 0, p->n * sizeof *loss);
	each_decision(p, likelihood, &k);
}

/* A float's place among integers, and back: what is no number is below all. */
static inline int32_t
ordinal(float f)
{
	int32_t i;

	memcpy(&i, &f, sizeof i);
	return wide_choose((i & INT32_MAX) > 0x7f800000, INT32_MIN, i ^ (i >> 31 & INT32_MAX));
}

static float
from_ordinal(int32_t i)
{
	float f;

	i ^= i >> 31 & INT32_MAX;
	memcpy(&f, &i, sizeof f);
	return f;
}

WIDE static void
margin(void *arg, int row, const float *truth, float *logit, int n)
{
	float *margin = (float *)arg + row;
	int32_t least = ordinal(*margin);

	for (int j = 0; j < n; j++) {
		int32_t i = wide_choose(truth[j] == 0, INT32_MAX, ordinal(truth[j] * logit[j]));
		least = i < least ? i : least;
	}
	*margin = from_ordinal(least);
}

void
loss_margin(struct activations *p, float *least)
{
	for (int i = 0; i < p->n; i++)
		least[i] = 1e9f;
	each_decision(p, margin, least);
}

/* Where the truth is 0, so is the gradient. */
WIDE static void
hinge(void *arg, int row, const float *truth, float *logit, int n)
{
	float want = *(float *)arg;

	(void)row;
	for (int j = 0; j < n; j++)
		logit[j] = truth[j] * logit[j] < want ? -truth[j] : 0;
}

void
loss_hinge(struct activations *p, float want)
{
	each_decision(p, hinge, &want);
}
