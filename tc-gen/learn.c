#include "learn.h"

#include "succession.h"

#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS	  512 /* at once, at most */
static const float head_rate[HEADS] = {2e-3f, 1e-3f};
#define WARM_UP	  30
#define CLIP	  5.0f
#define DECAY	  0.05f
#define MEAN	  0.98f /* of the weights: the share that a step leaves of those before */
#define PATIENCE  150
#define MORE	  400  /* last steps of flows, at least: what is held back may be of another kind, and stop it too early */
#define HELD	  0.08f
#define MEASURE	  25   /* steps between measurements of what is held back */
#define FEW	  20   /* rows held back that say too little */
#define BLIND	  120  /* steps then */
#define SETTLES	  8    /* to so many steps comes one more in which biases settle */
#define SETTLE_RATE 0.02f
#define MEASURED  4096 /* rows, at most */

/* --- rows --- */

static void
follow(struct lesson *l, uint32_t i, struct dialogue *d, const struct pace *pace, const struct succession *next)
{
	const struct packet_seen *p = &l->c->packet[i];
	struct action a;

	corpus_action(l->c, i, &a);
	if (p->before == NOBODY) {
		d[p->flow] = (struct dialogue){0};
		l->opening[p->flow] = i;
	}
	dialogue_take(&d[p->flow], &a, p->time);
	l->state[i] = dialogue_state(&d[p->flow]);
	d[p->flow].after = next->after;
	struct coming coming = {.any = p->opening, .host = p->of_host, .same = next->next};
	dialogue_features(&d[p->flow], pace, &coming, l->feature + (size_t)i * FEATURES);
	l->recent[i][0] = l->opening[p->flow];
	for (int k = HISTORY - 1, at = i; k > 0; k--) {
		l->recent[i][k] = at;
		at = (uint32_t)at == NOBODY ? NOBODY : l->c->packet[at].before;
	}
}

/* What a flow is for. */
static uint32_t
service_of(const struct lesson *l, uint32_t i)
{
	const uint16_t *t = l->token + (size_t)l->opening[l->c->packet[i].flow] * FIELDS;

	return t[FIELD_PROTO] * 65537u + t[FIELD_RESP_P];
}

/*
 * Services with few packets are drawn more often than they come, by the square root, or one that most of a trace is of
 * would be all that is learned. The network knows a flow's service, so that no decision is learned wrong by it.
 */
static int
share_out(struct lesson *l)
{
	enum { SERVICES = 1 << 16 };
	uint32_t *n = calloc(SERVICES, sizeof *n);
	double sum = 0;

	if (!n)
		return -1;
	for (uint32_t i = 0; i < l->c->packets; i++)
		n[service_of(l, i) * 0x9e3779b9u >> 16]++;
	for (uint32_t i = 0; i < l->c->packets; i++)
		l->share[i] = sum += 1 / sqrt(n[service_of(l, i) * 0x9e3779b9u >> 16]);
	free(n);
	return 0;
}

/* A packet that is learned from. */
static uint32_t
draw_packet(const struct lesson *l, uint32_t packets, uint64_t *random)
{
	double at = (random_next(random) >> 11) * 0x1p-53 * l->share[packets - 1];
	uint32_t low = 0, high = packets - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (l->share[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int
lesson_init(struct lesson *l, const struct vocabulary *v, const struct corpus *c)
{
	size_t n = c->packets;
	struct pace openings = {.n = 0};

	*l = (struct lesson){.c = c, .token = vocabulary_tokens(v, c)};
	l->feature = calloc(n + 1, FEATURES * sizeof *l->feature);
	l->opening = calloc(c->flows + 1, sizeof *l->opening);
	l->recent = calloc(n + 1, sizeof *l->recent);
	l->pace = calloc(n + 1, FEATURES * sizeof *l->pace);
	l->open = calloc(n + 1, sizeof *l->open);
	l->state = calloc(n + 1, sizeof *l->state);
	l->share = calloc(n + 1, sizeof *l->share);
	l->dialogue = calloc(c->flows + 1, sizeof *l->dialogue);
	if (!l->dialogue || !l->token || !l->feature || !l->opening || !l->recent || !l->pace || !l->open || !l->state || !l->share)
		return -1;
	l->held = n - n * HELD;
	struct succession *next = succession_find(c, v, l->token);
	if (!next)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		if (i && c->packet[i].trace != c->packet[i - 1].trace)
			openings = (struct pace){.n = 0};
		follow(l, i, l->dialogue, &openings, &next[i]);
		if (!c->packet[i].opens)
			continue;
		pace_features(&openings, openings.n ? openings.time[(openings.n - 1) % PACE] : 0, l->pace + (size_t)l->opens * FEATURES);
		pace_take(&openings, c->packet[i].time);
		l->held_open += i < l->held;
		l->open[l->opens++] = i;
	}
	free(next);
	return share_out(l);
}

void
lesson_free(struct lesson *l)
{
	free(l->token);
	free(l->feature);
	free(l->opening);
	free(l->dialogue);
	free(l->recent);
	free(l->pace);
	free(l->open);
	free(l->state);
	free(l->share);
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

static const int head_rows[HEADS] = {512, 128}; /* a step */

static void
end_at(struct descent *d, uint32_t step)
{
	d->settle = step;
	d->last = step + step / SETTLES + 1;
}

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
	d->mean = calloc(net->n, sizeof *d->mean);
	if (!d->mean || !b->context || !b->target || !b->horizon || !b->feature || !d->grad || !d->m || !d->v || !d->best)
		return -1;
	memcpy(d->best, net->data, net->n * sizeof *d->best);
	memcpy(d->mean, net->data, net->n * sizeof *d->mean);
	d->rows = net->head == HEAD_FLOW ? l->c->packets : l->opens;
	d->held_from = net->head == HEAD_FLOW ? l->held : l->held_open;
	if (d->rows - d->held_from < FEW)
		d->held_from = d->rows;
	d->from = d->held_from;
	if (d->held_from == d->rows)
		end_at(d, steps < BLIND ? steps : BLIND);
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
	free(d->mean);
	activations_free(&d->s);
	*d = (struct descent){0};
}

/* AdamW (Loshchilov, Hutter 2019), of the weights from there on, which had so many steps before. */
static void
adam(struct descent *d, size_t from, uint32_t steps, float rate, float decay)
{
	float b1 = 0.9f, b2 = 0.98f, *x = d->net->data;
	float c1 = 1 / (1 - powf(b1, steps + 1)), c2 = 1 / (1 - powf(b2, steps + 1));
	double norm = 0;

	for (size_t i = from; i < d->net->n; i++)
		norm += d->grad[i] * d->grad[i];
	float clip = sqrt(norm) > CLIP ? CLIP / sqrt(norm) : 1;
	for (size_t i = from; i < d->net->n; i++) {
		float g = d->grad[i] * clip;
		d->m[i] = b1 * d->m[i] + (1 - b1) * g;
		d->v[i] = b2 * d->v[i] + (1 - b2) * g * g;
		x[i] -= rate * decay * x[i] + rate * c1 * d->m[i] / (sqrtf(c2 * d->v[i]) + 1e-8f);
	}
}

/* Adds the weights to their mean; the first ones, which nothing was learned by, soon count for nothing. */
static void
add_to_mean(struct descent *d)
{
	float left = (1.0f + d->step) / (10 + d->step);

	left = left < MEAN ? left : MEAN;
	for (size_t i = 0; i < d->net->n; i++)
		d->mean[i] = left * d->mean[i] + (1 - left) * d->net->data[i];
}

static void
descend(struct descent *d)
{
	float left = d->settle ? (float)(d->settle - d->step) / (d->settle - d->turn) : 1;

	adam(d, 0, d->step, head_rate[d->net->head] * left * (d->step < WARM_UP ? (d->step + 1.0f) / WARM_UP : 1), DECAY);
	add_to_mean(d);
}

/*
 * The last steps are without the noise of learning, as what is drawn later is, which shifts its shares: what is rare comes too often
 * or too seldom. The biases of the decisions alone are set anew, so that nothing is learned by heart.
 */
static void
settle(struct descent *d)
{
	size_t from = d->net->at[OUTPUT_BIAS];

	if (d->step == d->settle) {
		memcpy(d->net->data, d->mean, d->net->n * sizeof *d->mean);
		memset(d->m + from, 0, (d->net->n - from) * sizeof *d->m);
		memset(d->v + from, 0, (d->net->n - from) * sizeof *d->v);
	}
	adam(d, from, d->step - d->settle, SETTLE_RATE * (d->last - d->step) / (d->last - d->settle), 0);
	memcpy(d->mean + from, d->net->data + from, (d->net->n - from) * sizeof *d->mean);
}

static void
add_row(struct descent *d, uint32_t i)
{
	d->net->head == HEAD_FLOW ? add_flow_row(d->l, &d->batch, i) : add_open_row(d->l, &d->batch, i);
}

/* The loss on the rows that are held back, or some of them where they are many. */
static double
measure(struct descent *d)
{
	struct batch *b = &d->batch;
	uint32_t step = (d->rows - d->held_from) / MEASURED + 1, rows = 0;
	double loss = 0;

	memset(d->field, 0, sizeof d->field);
	b->n = 0;
	for (uint32_t i = d->held_from; i < d->rows; i += step) {
		add_row(d, i);
		if (b->n < ROWS && i + step < d->rows)
			continue;
		loss += b->n * network_forward(d->net, &d->s, b, NULL);
		for (int f = 0; f < FIELDS; f++)
			d->field[f] += d->s.loss[f];
		rows += b->n;
		b->n = 0;
	}
	for (int f = 0; f < FIELDS && rows; f++)
		d->field[f] /= rows;
	return rows ? loss / rows : 0;
}

/* Measures the mean of the weights, and keeps it if it is the best so far, or the last. */
static void
keep_best(struct descent *d)
{
	float *now = d->net->data;

	d->net->data = d->mean;
	d->held = measure(d);
	d->net->data = now;
	if (d->held < d->least || d->from == d->rows) {
		d->least = d->held;
		d->least_at = d->step;
		memcpy(d->best, d->mean, d->net->n * sizeof *d->best);
	}
}

bool
descent_measured(const struct descent *d)
{
	return d->turn ? descent_done(d) : d->step % MEASURE == 0 || descent_done(d);
}

bool
descent_done(const struct descent *d)
{
	return !d->rows || (d->last && d->step >= d->last);
}

/* Once what is held back gets no better, or two thirds of the steps are done: from the best weights on the rate goes down,
 * and all is learned from, since what comes last is nearest to what comes next. */
static void
turn_down(struct descent *d)
{
	uint32_t most = d->steps - d->steps / 3;

	if (d->last || (d->step < most && d->step < d->least_at + d->least_at / 2 + PATIENCE))
		return;
	uint32_t more = d->net->head == HEAD_OPEN ? PATIENCE : d->least_at > MORE ? d->least_at : MORE;
	d->turn = d->step;
	d->from = d->rows;
	end_at(d, d->step + (more < d->steps - d->step ? more : d->steps - d->step));
	memcpy(d->net->data, d->best, d->net->n * sizeof *d->best);
	memcpy(d->mean, d->best, d->net->n * sizeof *d->best);
}

/* The later openings are drawn more often, since what opens changes more than how flows go on. */
static uint32_t
draw_open(struct descent *d)
{
	uint32_t a = random_next(&d->random) % d->from, b = random_next(&d->random) % d->from;

	return a > b ? a : b;
}

double
lesson_weight(const struct lesson *l, uint32_t j)
{
	return 2 * (j + 0.5) / l->opens;
}

void
descent_step(struct descent *d)
{
	struct batch *b = &d->batch;

	memset(d->grad, 0, d->net->n * sizeof *d->grad);
	b->n = 0;
	while (b->n < head_rows[d->net->head])
		add_row(d, d->net->head == HEAD_FLOW ? draw_packet(d->l, d->from, &d->random) : draw_open(d));
	bool settles = d->settle && d->step >= d->settle;
	d->loss = network_forward(d->net, &d->s, b, settles ? NULL : &d->random);
	network_backward(d->net, &d->s, b, 1.0f / b->n, d->grad);
	settles ? settle(d) : descend(d);
	d->step++;
	if (descent_measured(d))
		keep_best(d);
	turn_down(d);
}

void
descent_finish(struct descent *d)
{
	memcpy(d->net->data, d->best, d->net->n * sizeof *d->best);
}
