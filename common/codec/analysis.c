#include "codec/analysis.h"

#include "codec/posterior.h"
#include "codec/refine.h"
#include "neural/loss.h"

#include <stdlib.h>

#define ROWS 64 /* that go through the network together: few, so that all of a pass stays in a core's caches */

/* Rows of the network. */
struct rows {
	int n;
	struct code code[ROWS];
	struct analysis *outcome[ROWS];
	float *z; /* (n, latent); of those to be refined, what came of it */
};

struct analyst {
	const struct network *net;
	struct analysis_options options;
	struct rows row, narrow; /* narrow: those that are to be refined */
	struct code got[ROWS];
	struct activations activations;
	struct refiner *refiner;
	uint64_t random, steps;
};

struct analyst *
analyst_new(const struct network *net, const struct analysis_options *o)
{
	struct analyst *a = calloc(1, sizeof *a);
	size_t z = net->shape.latent;

	if (!a)
		return NULL;
	a->net = net;
	a->options = *o;
	a->row.z = calloc(ROWS, z * sizeof *a->row.z);
	a->narrow.z = calloc(ROWS, z * sizeof *a->narrow.z);
	a->refiner = refiner_new(net, ROWS, o->type);
	if (a->row.z && a->narrow.z && a->refiner && activations_init(&a->activations, net, ROWS) == 0)
		return a;
	analyst_free(a);
	return NULL;
}

void
analyst_free(struct analyst *a)
{
	if (!a)
		return;
	activations_free(&a->activations);
	refiner_free(a->refiner);
	free(a->row.z);
	free(a->narrow.z);
	free(a);
}

static void
encode_rows(struct analyst *a)
{
	struct rows *r = &a->row;
	int z = a->net->shape.latent;
	bool spread = a->options.sample || a->options.stats;
	struct activations *p = &a->activations;

	network_encode(a->net, p, spread);
	for (int i = 0; i < r->n; i++) {
		float *mean = p->mean + (size_t)i * z, *logvar = p->logvar + (size_t)i * z;
		struct analysis *o = r->outcome[i];
		if (spread)
			o->kl = kl_divergence(mean, logvar, z);
		if (a->options.sample)
			posterior_draw(mean, logvar, z, &a->random);
		latent_put(a->options.type, mean, z, o->octets);
		latent_get(a->options.type, o->octets, z, r->z + (size_t)i * z);
	}
}

/* Which fields rows decode wrong, where the margin says that some are; which ones matters to statistics alone. */
static void
tell_wrong(struct analyst *a, const struct rows *r)
{
	bool any = false;

	for (int i = 0; i < r->n; i++)
		any |= r->outcome[i]->margin <= 0;
	if (any && a->options.stats)
		decode_free(a->net, &a->activations, r->z, a->net->shape.latent, r->n, a->got);
	for (int i = 0; i < r->n; i++)
		r->outcome[i]->wrong_after = r->outcome[i]->margin > 0 ? 0
					     : a->options.stats	       ? code_wrong(&r->code[i], &a->got[i])
								       : (1ull << ACTION_COUNT) - 1;
}

/* The narrow rows get the margin that they have then. */
static void
refine_narrow(struct analyst *a)
{
	struct rows *r = &a->narrow;
	int z = a->net->shape.latent;

	refiner_run(a->refiner, a->options.steps, ANALYSIS_MARGIN);
	for (int i = 0; i < r->n; i++) {
		struct analysis *o = r->outcome[i];
		o->refined = true;
		a->steps += refiner_take(a->refiner, i, r->z + (size_t)i * z, &o->margin);
		latent_put(a->options.type, r->z + (size_t)i * z, z, o->octets);
	}
	tell_wrong(a, r);
	r->n = 0;
}

/* Rows are refined together: most steps are those of few that take long. */
static void
keep_narrow(struct analyst *a, int row)
{
	struct rows *r = &a->narrow;

	r->code[r->n] = a->row.code[row];
	r->outcome[r->n] = a->row.outcome[row];
	refiner_add(a->refiner, &a->row.code[row], a->row.z + (size_t)row * a->net->shape.latent);
	if (++r->n == ROWS)
		refine_narrow(a);
}

/* The latents of the rows and what the decoder will make of them. */
static void
see_rows(struct analyst *a)
{
	struct rows *r = &a->row;
	float margin[ROWS];

	network_take(&a->activations, r->code, r->n);
	encode_rows(a);
	decode_forced(a->net, &a->activations, r->z, a->net->shape.latent);
	loss_margin(&a->activations, margin);
	for (int i = 0; i < r->n; i++)
		r->outcome[i]->margin = margin[i];
	tell_wrong(a, r);
	for (int i = 0; i < r->n; i++) {
		r->outcome[i]->wrong = r->outcome[i]->wrong_after;
		if (a->options.refine && margin[i] < ANALYSIS_MARGIN)
			keep_narrow(a, i);
	}
}

uint64_t
analyst_see(struct analyst *a, const struct analysed *of, int n, uint64_t seed)
{
	struct action action;

	a->random = seed;
	a->steps = 0;
	for (int done = 0; done < n; done += a->row.n) {
		a->row.n = n - done < ROWS ? n - done : ROWS;
		for (int i = 0; i < a->row.n; i++) {
			struct analysis *o = a->row.outcome[i] = of[done + i].outcome;
			action_unpack(&action, of[done + i].action);
			*o = (struct analysis){.encodable = code_put(&a->row.code[i], &action)};
		}
		see_rows(a);
	}
	if (a->narrow.n)
		refine_narrow(a);
	return a->steps;
}
