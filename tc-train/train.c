#include "train.h"

#include "init.h"

#include "neural/loss.h"
#include "support/barrier.h"
#include "support/normal.h"
#include "process/io.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 300
#define BEARABLE 180 /* random bits of a packet, at most */
#define CLIP	1.0f
#define MEASURED 20000
#define FIRST	 262144 /* packets that the first weights are set by */

struct worker {
	struct trainer *t;
	pthread_t thread;
	pthread_barrier_t *meet;
	uint32_t number, steps;
	uint64_t random;
	int n; /* packets of a step */
	struct activations activations;
	struct code *code;
	float *grad, *z, *noise, *dz, *dlogvar, *loss;
	double norm, sum[2];
};

/* z = mean + noise * e^(logvar / 2): the draw from the posterior. */
static void
draw(struct worker *w, const float *mean, const float *logvar, int n)
{
	normal_draw(w->noise, n, &w->random);
	for (int i = 0; i < n; i++)
		w->z[i] = mean[i] + w->noise[i] * fast_exp(0.5f * logvar[i]);
}

/* The way back through the draw, with KL(q || N(0, 1)) = (mean^2 + var - 1 - logvar) / 2 times beta
 * added: dz becomes the gradient by the mean. Returns the KL of all rows together. */
static double
draw_backward(struct worker *w, const float *mean, const float *logvar, int n, float beta)
{
	double kl = 0;

	for (int i = 0; i < n; i++) {
		float var = fast_exp(logvar[i]);
		kl += 0.5f * (mean[i] * mean[i] + var - 1 - logvar[i]);
		w->dlogvar[i] = w->dz[i] * w->noise[i] * 0.5f * sqrtf(var) + beta * 0.5f * (var - 1);
		w->dz[i] += beta * mean[i];
	}
	return kl;
}

/* Some packets stay as they are; others get a number of random bits, and some of these gain or lose
 * fields. The network must carry what no training capture holds, but no more than a latent can bear. */
static void
augment(struct worker *w, struct code *c)
{
	float u = random_uniform(&w->random) / w->t->recipe.augment;

	if (u < 1)
		code_augment(c, random_next(&w->random) % BEARABLE, u < 0.6f ? 0 : 5.0f / CODE_FIELDS,
			     &w->random);
}

static void
collect(struct worker *w)
{
	const struct recipe *r = &w->t->recipe;

	for (int i = 0; i < w->n; i++) {
		w->code[i] = *dataset_draw(w->t->data, r->balance, &w->random);
		augment(w, &w->code[i]);
	}
}

static double
total(const float *v, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

/* The loss itself is of interest now and then; its gradient always. */
static bool
watched_step(uint32_t step)
{
	return step % 16 == 0;
}

/* The gradient of this worker's packets. */
static void
learn(struct worker *w, float beta)
{
	struct trainer *t = w->t;
	const struct recipe *r = &t->recipe;
	struct activations *p = &w->activations;
	int z = t->net->shape.latent, n = w->n;
	float scale = 1.0f / r->batch;
	bool watched = watched_step(t->step);

	memset(w->grad, 0, t->net->n * sizeof *w->grad);
	memset(w->loss, 0, n * sizeof *w->loss);
	collect(w);
	network_take(p, w->code, n);
	network_encode(t->net, p, true);
	draw(w, p->mean, p->logvar, n * z);
	decode_forced(t->net, p, w->z, z);
	loss_likelihood(p, scale, watched ? w->loss : NULL);
	w->sum[0] = total(w->loss, n);
	decode_backward(t->net, p, w->dz, w->grad);
	w->sum[1] = draw_backward(w, p->mean, p->logvar, n * z, beta * scale);
	network_encode_backward(t->net, p, w->dz, w->dlogvar, w->grad);
}

/* The learning rate: up at first, then half a cosine down to nothing. */
static float
rate_at(const struct recipe *r, uint32_t step)
{
	float done = (float)step / r->steps;
	float rate = r->rate * (0.5f * (1 + cosf(3.1415927f * done)) + 0.005f);

	return step < WARM_UP ? rate * (step + 1) / WARM_UP : rate;
}

/* AdamW (Loshchilov, Hutter 2019) on a worker's share of the weights. */
static void
descend(struct worker *w, size_t from, size_t to, float clip)
{
	struct trainer *t = w->t;
	float b1 = 0.9f, b2 = 0.98f, rate = rate_at(&t->recipe, t->step);
	float c1 = 1 / (1 - powf(b1, t->step + 1)), c2 = 1 / (1 - powf(b2, t->step + 1));
	float keep = 1 - rate * t->recipe.decay;
	float *g = t->worker[0].grad, *x = t->net->data, *m = t->m, *v = t->v;

	for (size_t i = from; i < to; i++) {
		float d = g[i] * clip;
		m[i] = b1 * m[i] + (1 - b1) * d;
		v[i] = b2 * v[i] + (1 - b2) * d * d;
		x[i] = keep * x[i] - rate * c1 * m[i] / (sqrtf(c2 * v[i]) + 1e-8f);
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct trainer *t = w->t;
	uint32_t threads = t->recipe.threads;
	size_t share = t->net->n / threads + 1, from = share * w->number,
	       to = from + share < t->net->n ? from + share : t->net->n;

	for (uint32_t i = 0; i < w->steps && !t->stop; i++) {
		/* Drawn from the step's number, so that a training that goes on from a checkpoint is the
		 * one that was not broken off. */
		w->random = t->recipe.seed * 0x9e3779b97f4a7c15 + ((uint64_t)t->step << 20) + w->number;
		random_next(&w->random);
		float ramp = (float)t->step / WARM_UP;
		learn(w, t->recipe.beta * (ramp < 1 ? ramp : 1));
		pthread_barrier_wait(w->meet);
		w->norm = 0;
		float *sum = t->worker[0].grad;
		for (uint32_t k = 1; k < threads; k++)
			for (size_t j = from; j < to; j++)
				sum[j] += t->worker[k].grad[j];
		for (size_t j = from; j < to; j++)
			w->norm += sum[j] * sum[j];
		pthread_barrier_wait(w->meet);
		double norm = 0;
		for (uint32_t k = 0; k < threads; k++)
			norm += t->worker[k].norm;
		norm = sqrt(norm);
		descend(w, from, to, norm > CLIP ? CLIP / norm : 1);
		pthread_barrier_wait(w->meet);
		if (w->number == 0) {
			for (uint32_t k = 0; watched_step(t->step) && k < threads; k++)
				for (int j = 0; j < 2; j++)
					t->loss[j] += t->worker[k].sum[j] / t->recipe.batch;
			t->watched += watched_step(t->step);
			t->step++;
			t->stop = io_interrupted;
		}
		pthread_barrier_wait(w->meet);
	}
	return NULL;
}

int
trainer_init_weights(struct trainer *t)
{
	struct worker *w = &t->worker[0];
	struct code *code = calloc(FIRST, sizeof *code);
	int bad = code ? 0 : -1;

	w->random = t->recipe.seed;
	for (int n = 0; !bad && n < FIRST; n += w->n) {
		collect(w);
		memcpy(code + n, w->code, (w->n < FIRST - n ? w->n : FIRST - n) * sizeof *code);
	}
	if (!bad)
		bad = init_weights(t->net, code, FIRST);
	free(code);
	return bad;
}

int
trainer_run(struct trainer *t, uint32_t steps)
{
	pthread_barrier_t meet;
	uint32_t n = t->recipe.threads, started = 1;

	pthread_barrier_init(&meet, NULL, n);
	for (uint32_t k = 0; k < n; k++) {
		t->worker[k].meet = &meet;
		t->worker[k].steps = steps;
	}
	for (; started < n; started++)
		if (pthread_create(&t->worker[started].thread, NULL, work, &t->worker[started]))
			return -1; /* those that wait end with the program */
	work(&t->worker[0]);
	for (uint32_t k = 1; k < n; k++)
		pthread_join(t->worker[k].thread, NULL);
	pthread_barrier_destroy(&meet);
	return 0;
}

int
trainer_init(struct trainer *t, struct network *net, const struct recipe *r,
	     const struct dataset *data, const struct dataset *held)
{
	size_t z = net->shape.latent;
	int bad = 0;

	*t = (struct trainer){.recipe = *r, .net = net, .data = data, .held = held};
	t->m = calloc(net->n, sizeof *t->m);
	t->v = calloc(net->n, sizeof *t->v);
	t->worker = calloc(r->threads, sizeof *t->worker);
	if (!t->m || !t->v || !t->worker)
		return -1;
	for (uint32_t k = 0; k < r->threads; k++) {
		struct worker *w = &t->worker[k];
		w->t = t;
		w->number = k;
		w->n = r->batch / r->threads;
		bad |= activations_init(&w->activations, net, w->n);
		w->code = calloc(w->n, sizeof *w->code);
		w->grad = calloc(net->n, sizeof *w->grad);
		w->z = calloc(w->n * z, sizeof *w->z);
		w->noise = calloc(w->n * z, sizeof *w->noise);
		w->dz = calloc(w->n * z, sizeof *w->dz);
		w->dlogvar = calloc(w->n * z, sizeof *w->dlogvar);
		w->loss = calloc(w->n, sizeof *w->loss);
		bad |= !w->code || !w->grad || !w->z || !w->noise || !w->dz ||
		       !w->dlogvar || !w->loss;
	}
	return bad ? -1 : 0;
}

void
trainer_free(struct trainer *t)
{
	for (uint32_t k = 0; t->worker && k < t->recipe.threads; k++) {
		struct worker *w = &t->worker[k];
		activations_free(&w->activations);
		float *all[] = {w->grad, w->z, w->noise, w->dz, w->dlogvar, w->loss};
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			free(all[i]);
		free(w->code);
	}
	free(t->worker);
	free(t->m);
	free(t->v);
}

/* One block of held-back packets. */
static void
measure_block(struct trainer *t, struct measure *m, int n)
{
	struct worker *w = &t->worker[0];
	struct activations *p = &w->activations;
	int z = t->net->shape.latent;
	struct code got;
	struct code *out = calloc(n, sizeof got);
	float *margin = w->loss;

	if (!out)
		return;
	network_take(p, w->code, n);
	network_encode(t->net, p, true);
	draw(w, p->mean, p->logvar, n * z);
	memset(w->dz, 0, (size_t)n * z * sizeof *w->dz);
	m->kl += draw_backward(w, p->mean, p->logvar, n * z, 0);
	decode_forced(t->net, p, w->z, z);
	loss_margin(p, margin);
	for (int i = 0; i < n; i++)
		m->sampled += margin[i] > 0;
	decode_free(t->net, p, p->mean, z, n, out);
	for (int i = 0; i < n; i++) {
		uint64_t wrong = code_wrong(&w->code[i], &out[i]);
		m->whole += wrong == 0;
		for (; wrong; wrong &= wrong - 1)
			m->wrong[__builtin_ctzll(wrong)]++;
	}
	m->packets += n;
	free(out);
}

int
trainer_measure(struct trainer *t, struct measure *m)
{
	const struct dataset *d = t->held->packets ? t->held : t->data;
	uint64_t step = d->packets / MEASURED + 1;
	struct worker *w = &t->worker[0];
	int n = 0;

	*m = (struct measure){0};
	w->random = t->recipe.seed;
	for (uint64_t i = 0; i < d->packets; i += step) {
		w->code[n++] = d->code[d->which[i]];
		if (n == w->n || i + step >= d->packets) {
			measure_block(t, m, n);
			n = 0;
		}
	}
	if (m->packets) {
		m->whole /= m->packets;
		m->sampled /= m->packets;
		m->kl /= m->packets;
	}
	return m->packets ? 0 : -1;
}
