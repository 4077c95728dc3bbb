#include "codec/refine.h"

#include "neural/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE   0.1f  /* at first: most need a few small steps */
#define GROWTH 0.01f /* of the rate, a step: what is stuck is kicked harder */
#define MOST   1.0f
#define WANT   0.5f /* the hinge's margin, in logits */
#define PATIENCE 100 /* steps: what came no nearer for so long is stuck */

struct refiner {
	const struct network *net;
	enum latent_type type;
	int max, n, taken;
	struct code *code;
	float *z, *best, *rounded, *m, *v, *dz; /* rows that are at work */
	int *row;	   /* which of those that were added each is */
	float *margin, *top; /* top: the largest so far, of all added */
	uint32_t *steps, *since; /* since: the step that came nearest */
	struct activations activations;
};

struct refiner *
refiner_new(const struct network *net, int max, enum latent_type type)
{
	struct refiner *r = calloc(1, sizeof *r);
	size_t n = (size_t)max * net->shape.latent;

	if (!r)
		return NULL;
	*r = (struct refiner){.net = net, .type = type, .max = max};
	r->code = calloc(max, sizeof *r->code);
	r->z = calloc(n, sizeof *r->z);
	r->best = calloc(n, sizeof *r->best);
	r->rounded = calloc(n, sizeof *r->rounded);
	r->m = calloc(n, sizeof *r->m);
	r->v = calloc(n, sizeof *r->v);
	r->dz = calloc(n, sizeof *r->dz);
	r->row = calloc(max, sizeof *r->row);
	r->margin = calloc(max, sizeof *r->margin);
	r->top = calloc(max, sizeof *r->top);
	r->steps = calloc(max, sizeof *r->steps);
	r->since = calloc(max, sizeof *r->since);
	if (r->code && r->z && r->best && r->rounded && r->m && r->v && r->dz && r->row &&
	    r->margin && r->top && r->steps && r->since && activations_init(&r->activations, net, max) == 0)
		return r;
	refiner_free(r);
	return NULL;
}

void
refiner_free(struct refiner *r)
{
	if (!r)
		return;
	activations_free(&r->activations);
	float *all[] = {r->z, r->best, r->rounded, r->m, r->v, r->dz, r->margin, r->top};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(r->code);
	free(r->row);
	free(r->steps);
	free(r->since);
	free(r);
}

void
refiner_add(struct refiner *r, const struct code *code, const float *z)
{
	size_t w = r->net->shape.latent;

	r->code[r->n] = *code;
	r->row[r->n] = r->n;
	r->top[r->n] = -INFINITY;
	r->since[r->n] = 0;
	memcpy(r->z + r->n * w, z, w * sizeof *z);
	memset(r->m + r->n * w, 0, w * sizeof *z);
	memset(r->v + r->n * w, 0, w * sizeof *z);
	r->n++;
}

static void
round_row(struct refiner *r, int i)
{
	int w = r->net->shape.latent;
	uint8_t octets[LATENT_MAX * 4];

	latent_put(r->type, r->z + (size_t)i * w, w, octets);
	latent_get(r->type, octets, w, r->rounded + (size_t)i * w);
}

static void
move(struct refiner *r, int to, int from)
{
	size_t w = r->net->shape.latent;
	float *all[] = {r->z, r->m, r->v};

	for (int k = 0; k < 3; k++)
		memcpy(all[k] + to * w, all[k] + from * w, w * sizeof(float));
	r->code[to] = r->code[from];
	r->row[to] = r->row[from];
}

/* old: what is left of the moments' first values, their factors to the power of the steps. */
static void
descend(struct refiner *r, int n, uint32_t step, float *old)
{
	size_t all = (size_t)n * r->net->shape.latent;
	float c1 = 1 / (1 - (old[0] *= 0.92f)), c2 = 1 / (1 - (old[1] *= 0.9f));
	float rate = fminf(RATE + GROWTH * step, MOST);

	for (size_t i = 0; i < all; i++) {
		r->m[i] = 0.92f * r->m[i] + 0.08f * r->dz[i];
		r->v[i] = 0.9f * r->v[i] + 0.1f * r->dz[i] * r->dz[i];
		r->z[i] -= rate * c1 * r->m[i] / (sqrtf(c2 * r->v[i]) + 1e-6f);
	}
}

void
refiner_run(struct refiner *r, uint32_t steps, float margin)
{
	int w = r->net->shape.latent, n = r->n, taken = 0;
	float old[] = {1, 1};

	for (uint32_t step = 0; n && step <= steps; step++) {
		for (int i = 0; i < n; i++)
			round_row(r, i);
		if (n != taken)
			network_take(&r->activations, r->code, taken = n);
		decode_forced(r->net, &r->activations, r->rounded, w);
		loss_margin(&r->activations, r->margin);
		loss_hinge(&r->activations, WANT);
		decode_backward_few(r->net, &r->activations, r->dz);
		descend(r, n, step, old);
		int left = 0;
		for (int i = 0; i < n; i++) {
			int row = r->row[i];
			r->steps[row] = step;
			if (r->margin[i] > r->top[row]) {
				r->top[row] = r->margin[i];
				r->since[row] = step;
				memcpy(r->best + (size_t)row * w, r->rounded + (size_t)i * w,
				       w * sizeof(float));
			}
			if (!(r->margin[i] >= margin) && step - r->since[row] < PATIENCE)
				move(r, left++, i);
		}
		n = left;
	}
}

uint32_t
refiner_take(struct refiner *r, int k, float *z, float *margin)
{
	size_t w = r->net->shape.latent;
	uint32_t steps = r->steps[k];

	memcpy(z, r->best + k * w, w * sizeof *z);
	*margin = r->top[k];
	if (++r->taken == r->n)
		r->n = r->taken = 0;
	return steps;
}
