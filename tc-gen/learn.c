#include "learn.h"

#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS	  512  /* of flows, a step */
#define OPEN_ROWS 128
#define OPEN_WEIGHT 0.3f
#define RATE	  2e-3f
#define WARM_UP	  30
#define CLIP	  5.0f
#define HELD	  0.08f
#define MEASURE	  50   /* steps between measurements of what is held back */
#define MEASURED  4096 /* rows, at most */

/* --- rows --- */

static void
follow(struct lesson *l, uint32_t i, struct dialogue *d, struct pace *pace)
{
	const struct packet_seen *p = &l->c->packet[i];
	struct action a;

	corpus_action(l->c, i, &a);
	if (p->before == NOBODY) {
		d[p->flow] = (struct dialogue){0};
		l->opening[p->flow] = i;
	}
	dialogue_take(&d[p->flow], &a, p->time);
	pace_take(pace, p->time);
	dialogue_features(&d[p->flow], pace, l->feature + (size_t)i * FEATURES);
	l->recent[i][0] = l->opening[p->flow];
	for (int k = HISTORY - 1, at = i; k > 0; k--) {
		l->recent[i][k] = at;
		at = (uint32_t)at == NOBODY ? NOBODY : l->c->packet[at].before;
	}
}

int
lesson_init(struct lesson *l, const struct vocabulary *v, const struct corpus *c)
{
	size_t n = c->packets;
	struct dialogue *d = calloc(c->flows + 1, sizeof *d);
	struct pace pace = {.n = 0}, openings = {.n = 0};

	*l = (struct lesson){.c = c, .token = vocabulary_tokens(v, c)};
	l->feature = calloc(n + 1, FEATURES * sizeof *l->feature);
	l->opening = calloc(c->flows + 1, sizeof *l->opening);
	l->recent = calloc(n + 1, sizeof *l->recent);
	l->pace = calloc(n + 1, FEATURES * sizeof *l->pace);
	l->open = calloc(n + 1, sizeof *l->open);
	if (!d || !l->token || !l->feature || !l->opening || !l->recent || !l->pace || !l->open) {
		free(d);
		return -1;
	}
	l->held = n - n * HELD;
	for (uint32_t i = 0; i < n; i++) {
		if (i && c->packet[i].trace != c->packet[i - 1].trace)
			pace = openings = (struct pace){.n = 0};
		follow(l, i, d, &pace);
		if (!c->packet[i].opens)
			continue;
		pace_features(&openings, openings.n ? openings.time[(openings.n - 1) % 64] : 0, l->pace + (size_t)l->opens * FEATURES);
		pace_take(&openings, c->packet[i].time);
		l->held_open += i < l->held;
		l->open[l->opens++] = i;
	}
	free(d);
	return 0;
}

void
lesson_free(struct lesson *l)
{
	free(l->token);
	free(l->feature);
	free(l->opening);
	free(l->recent);
	free(l->pace);
	free(l->open);
	*l = (struct lesson){0};
}

static const uint16_t *
tokens(const struct lesson *l, uint32_t packet)
{
	return packet == NOBODY ? NULL : l->token + (size_t)packet * FIELDS;
}

static void
add_flow_row(const struct lesson *l, struct batch *b, uint32_t i)
{
	const struct packet_seen *p = &l->c->packet[i];
	int n = b->n++;

	for (int k = 0; k < HISTORY; k++)
		b->context[n][k] = tokens(l, l->recent[i][k]);
	b->target[n] = tokens(l, p->next);
	b->horizon[n] = l->c->length[p->trace] - p->time;
	memcpy(b->feature + n * FEATURES, l->feature + (size_t)i * FEATURES, FEATURES * sizeof *b->feature);
}

static void
add_open_row(const struct lesson *l, struct batch *b, uint32_t j)
{
	const struct packet_seen *all = l->c->packet;
	int n = b->n++;

	for (int k = 0; k < OPENINGS; k++) {
		uint32_t back = OPENINGS - k;
		bool there = back <= j && all[l->open[j - back]].trace == all[l->open[j]].trace;
		b->context[n][k] = there ? tokens(l, l->open[j - back]) : NULL;
	}
	b->target[n] = tokens(l, l->open[j]);
	memcpy(b->feature + n * FEATURES, l->pace + (size_t)j * FEATURES, FEATURES * sizeof *b->feature);
}

/* --- descent --- */

int
descent_init(struct descent *d, struct network *net, const struct lesson *l, uint32_t steps, uint64_t seed)
{
	struct batch *b = &d->batch;

	*d = (struct descent){.net = net, .l = l, .steps = steps, .random = seed, .least = INFINITY};
	b->context = calloc(ROWS, sizeof *b->context);
	b->target = calloc(ROWS, sizeof *b->target);
	b->horizon = calloc(ROWS, sizeof *b->horizon);
	b->feature = calloc(ROWS, FEATURES * sizeof *b->feature);
	d->grad = calloc(net->n, sizeof *d->grad);
	d->m = calloc(net->n, sizeof *d->m);
	d->v = calloc(net->n, sizeof *d->v);
	d->best = calloc(net->n, sizeof *d->best);
	if (!b->context || !b->target || !b->horizon || !b->feature || !d->grad || !d->m || !d->v || !d->best)
		return -1;
	memcpy(d->best, net->data, net->n * sizeof *d->best);
	return activations_init(&d->s, net, ROWS);
}

void
descent_free(struct descent *d)
{
	free(d->batch.context);
	free(d->batch.target);
	free(d->batch.horizon);
	free(d->batch.feature);
	free(d->grad);
	free(d->m);
	free(d->v);
	free(d->best);
	activations_free(&d->s);
	*d = (struct descent){0};
}

static void
begin_batch(struct batch *b, enum head h)
{
	b->head = h;
	b->n = 0;
}

static double
learn_rows(struct descent *d, float weight)
{
	double loss = network_forward(d->net, &d->s, &d->batch, &d->random);

	network_backward(d->net, &d->s, &d->batch, weight / d->batch.n, d->grad);
	return loss * weight;
}

/* Adam (Kingma, Ba 2015). */
static void
descend(struct descent *d)
{
	float b1 = 0.9f, b2 = 0.98f, left = 1 - (float)d->step / d->steps, *x = d->net->data;
	float rate = RATE * (left > 0.03f ? left : 0.03f) * (d->step < WARM_UP ? (d->step + 1.0f) / WARM_UP : 1);
	float c1 = 1 / (1 - powf(b1, d->step + 1)), c2 = 1 / (1 - powf(b2, d->step + 1));
	double norm = 0;

	for (size_t i = 0; i < d->net->n; i++)
		norm += d->grad[i] * d->grad[i];
	float clip = sqrt(norm) > CLIP ? CLIP / sqrt(norm) : 1;
	for (size_t i = 0; i < d->net->n; i++) {
		float g = d->grad[i] * clip;
		d->m[i] = b1 * d->m[i] + (1 - b1) * g;
		d->v[i] = b2 * d->v[i] + (1 - b2) * g * g;
		x[i] -= rate * c1 * d->m[i] / (sqrtf(c2 * d->v[i]) + 1e-8f);
	}
}

/* The loss on rows from a to b - 1, some of them where they are many; a packet's worth of it. */
static double
measure(struct descent *d, enum head h, uint32_t from, uint32_t to)
{
	struct batch *b = &d->batch;
	uint32_t step = (to - from) / MEASURED + 1, rows = 0;
	double loss = 0;

	begin_batch(b, h);
	for (uint32_t i = from; i < to; i += step) {
		h == HEAD_FLOW ? add_flow_row(d->l, b, i) : add_open_row(d->l, b, i);
		if (b->n < ROWS && i + step < to)
			continue;
		loss += b->n * network_forward(d->net, &d->s, b, NULL);
		rows += b->n;
		begin_batch(b, h);
	}
	return rows ? loss / rows * (to - from) : 0;
}

bool
descent_measured(const struct descent *d)
{
	return d->step % MEASURE == 0 || d->step == d->steps;
}

void
descent_step(struct descent *d)
{
	const struct lesson *l = d->l;
	uint32_t packets = l->held ? l->held : l->c->packets, opens = l->held_open ? l->held_open : l->opens;

	memset(d->grad, 0, d->net->n * sizeof *d->grad);
	begin_batch(&d->batch, HEAD_FLOW);
	while (d->batch.n < ROWS)
		add_flow_row(l, &d->batch, random_next(&d->random) % packets);
	d->loss = learn_rows(d, 1);
	begin_batch(&d->batch, HEAD_OPEN);
	while (opens && d->batch.n < OPEN_ROWS)
		add_open_row(l, &d->batch, random_next(&d->random) % opens);
	if (opens)
		d->loss += learn_rows(d, OPEN_WEIGHT);
	descend(d);
	d->step++;
	if (!descent_measured(d))
		return;
	uint32_t n = l->c->packets - l->held;
	d->held = (measure(d, HEAD_FLOW, l->held, l->c->packets) + measure(d, HEAD_OPEN, l->held_open, l->opens)) / (n ? n : 1);
	if (d->held < d->least || !n) {
		d->least = d->held;
		d->least_at = d->step;
		memcpy(d->best, d->net->data, d->net->n * sizeof *d->best);
	}
}

void
descent_finish(struct descent *d)
{
	memcpy(d->net->data, d->best, d->net->n * sizeof *d->best);
}
