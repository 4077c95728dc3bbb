#include "steer.h"

#include "generate.h"
#include "openings.h"
#include "scale.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS	  DRAW_ROWS /* of openings, drawn side by side */
#define STEPS	  100	    /* of each, between two corrections */
#define ROUNDS	  40
#define RUNS	  16	/* of flows and openings together */
#define PACKETS	  20000 /* of a run, at most */
#define BY	  0.2f	/* the share of an error that a round, or a run, corrects */
#define FEW	  10	/* draws by which shares are told apart */
#define LATE	  (INT64_C(1) << 59) /* ns: a chain that came so far begins anew */

struct steered {
	struct model *m;
	struct openings *chain;		 /* CHAINS */
	double *learned, *drawn;	 /* of each symbol: how often it came */
	double *sum;			 /* of each symbol: its biases after the later half of the rounds, summed up */
	double slow;			 /* likewise the logarithm of how much longer they wait */
	int64_t most;			 /* ns: longer waits count as that */
	double learned_wait, drawn_wait; /* ns: the mean wait before an opening; the sum of those that were drawn, before m->open_slow */
};

/* --- what is learned --- */

/* ns before each opening; what is left of a trace after its last one was waited for, too. */
static void
find_waits(const struct lesson *l, int64_t *wait)
{
	for (uint32_t t = 0, i = 0; t < l->c->traces; t++) {
		int64_t before = 0, time;
		for (; i < l->opens && l->c->packet[l->open[i]].trace == t; i++, before = time > before ? time : before) {
			time = l->c->packet[l->open[i]].time;
			wait[i] = time > before ? time - before : 0;
		}
		if (i)
			wait[i - 1] += l->c->length[t] - before;
	}
}

/* The mean wait before an opening. The longest hundredth count as the shortest of them, since a few silences say nothing of a
 * rate. 0, or -1 where memory is short. */
static int
find_mean_wait(struct steered *s, const struct lesson *l)
{
	size_t size = l->opens * sizeof(int64_t);
	int64_t *wait = malloc(size), *sorted = malloc(size);
	double sum = 0, all = 0;
	int bad = wait && sorted ? 0 : -1;

	if (!bad) {
		find_waits(l, wait);
		memcpy(sorted, wait, size);
		qsort(sorted, l->opens, sizeof *sorted, scale_order);
		s->most = sorted[l->opens - 1 - l->opens / 100];
	}
	for (uint32_t i = 0; i < l->opens && !bad; i++) {
		sum += lesson_weight(l, i) * fmin(wait[i], s->most);
		all += lesson_weight(l, i);
	}
	s->learned_wait = sum / all;
	free(wait);
	free(sorted);
	return bad;
}

static void
count_learned(struct steered *s, const struct lesson *l)
{
	const int *first = s->m->vocabulary.first;

	for (uint32_t j = 0; j < l->opens; j++)
		for (int f = 0; f < FIELDS; f++) {
			uint16_t t = l->token[(size_t)l->open[j] * FIELDS + f];
			s->learned[first[f] + (t == UNKNOWN ? 0 : t)] += t == UNKNOWN ? 0 : lesson_weight(l, j);
		}
}

static void
set_shares(struct model *m, const double *learned)
{
	const struct vocabulary *v = &m->vocabulary;

	for (int f = 0; f < FIELDS; f++) {
		double all = 0;
		for (int i = 0; i < v->n[f]; i++)
			all += learned[v->first[f] + i];
		for (int i = 0; i < v->n[f] && all > 0; i++)
			m->share[v->first[f] + i] = lrint(65535 * learned[v->first[f] + i] / all);
	}
}

/* --- what is drawn --- */

static void
draw_chains(struct steered *s, struct drawing *d)
{
	struct draw_row row[CHAINS];

	for (int c = 0; c < CHAINS; c++)
		openings_ask(&s->chain[c], s->m, &row[c]);
	draw(d, row, CHAINS);
	for (int c = 0; c < CHAINS; c++) {
		s->drawn_wait += fmin(openings_take(&s->chain[c], s->m, &row[c]), s->most);
		for (int f = 0; f < FIELDS; f++)
			s->drawn[s->m->vocabulary.first[f] + row[c].token[f]]++;
		if (s->chain[c].last > LATE)
			openings_begin(&s->chain[c], s->m, s->chain[c].random);
	}
}

/* --- what is made up for --- */

static void
steer_field(struct steered *s, enum field f)
{
	struct network *net = &s->m->net[HEAD_OPEN];
	const double *learned = s->learned + net->v->first[f], *drawn = s->drawn + net->v->first[f];
	float *bias = tensor(net, OUTPUT_BIAS + f, net->data);
	double all = 0, few = (double)FEW / (CHAINS * STEPS);

	for (int i = 0; i < net->v->n[f]; i++)
		all += learned[i];
	for (int i = 0; i < net->v->n[f] && all > 0; i++)
		bias[i] += BY * logf((learned[i] / all + few) / (drawn[i] / (CHAINS * STEPS) + few));
}

static void
set_slow(struct model *m, float slow)
{
	m->open_slow = slow < 1 / FAST_MOST ? 1 / FAST_MOST : slow > SLOW_MOST ? SLOW_MOST : slow;
}

static void
steer_rate(struct steered *s)
{
	double drawn = s->drawn_wait / (CHAINS * STEPS);

	if (drawn > 0 && s->learned_wait > 0)
		set_slow(s->m, powf(s->m->open_slow, 1 - BY) * powf(s->learned_wait / drawn, BY));
}

/* Corrections run after what they correct, and swing around what is right: the later half's mean is taken. */
static void
take_mean(struct steered *s)
{
	struct network *net = &s->m->net[HEAD_OPEN];
	const int later = ROUNDS - ROUNDS / 2;

	for (int f = 0; f < FIELDS; f++)
		for (int i = 0; i < net->v->n[f] && network_decides(net, f); i++)
			tensor(net, OUTPUT_BIAS + f, net->data)[i] = s->sum[net->v->first[f] + i] / later;
	set_slow(s->m, exp(s->slow / later));
}

static void
add_to_mean(struct steered *s)
{
	struct network *net = &s->m->net[HEAD_OPEN];

	for (int f = 0; f < FIELDS; f++)
		for (int i = 0; i < net->v->n[f] && network_decides(net, f); i++)
			s->sum[net->v->first[f] + i] += tensor(net, OUTPUT_BIAS + f, net->data)[i];
	s->slow += log(s->m->open_slow);
}

static int
steer_round(struct steered *s)
{
	struct network *net = &s->m->net[HEAD_OPEN];
	struct drawing d;

	if (drawing_init(&d, s->m, HEAD_OPEN, 1) < 0)
		return -1;
	memset(s->drawn, 0, net->v->all * sizeof *s->drawn);
	s->drawn_wait = 0;
	for (int k = 0; k < STEPS; k++)
		draw_chains(s, &d);
	drawing_free(&d);
	for (int f = 0; f < FIELDS; f++)
		if (network_decides(net, f))
			steer_field(s, f);
	steer_rate(s);
	return 0;
}

int
steer_openings(struct model *m, const struct lesson *l)
{
	struct steered s = {.m = m};

	m->open_slow = 1;
	if (!(m->share = calloc(m->vocabulary.all, sizeof *m->share)))
		return -1;
	if (!l->opens || m->vocabulary.n[FIELD_OPENED] < 2)
		return 0;
	s.chain = calloc(CHAINS, sizeof *s.chain);
	s.learned = calloc(m->vocabulary.all, sizeof *s.learned);
	s.drawn = calloc(m->vocabulary.all, sizeof *s.drawn);
	s.sum = calloc(m->vocabulary.all, sizeof *s.sum);
	int bad = s.chain && s.learned && s.drawn && s.sum ? find_mean_wait(&s, l) : -1;
	if (!bad) {
		count_learned(&s, l);
		set_shares(m, s.learned);
		for (int c = 0; c < CHAINS && !bad; c++)
			bad = openings_init(&s.chain[c], m, c);
	}
	for (int r = 0; r < ROUNDS && !bad; r++) {
		bad = steer_round(&s);
		if (r >= ROUNDS / 2)
			add_to_mean(&s);
	}
	if (!bad)
		take_mean(&s);
	model_round(m);
	for (int c = 0; c < CHAINS && s.chain; c++)
		openings_free(&s.chain[c]);
	free(s.chain);
	free(s.learned);
	free(s.drawn);
	free(s.sum);
	return bad;
}

/* --- how long flows wait for their next packet --- */

struct waits {
	struct model *m;
	size_t n, all;		       /* symbols of FIELD_NEXT, all of the model's waits */
	uint32_t *learned, *generated; /* all: how many packets waited so long */
	float *lean, *sum;	       /* all: how much likelier a time is made, in eighths of a doubling; summed up as biases are */
};

static void
count_waits(struct waits *w, const struct lesson *l)
{
	for (uint32_t i = 0; i < l->c->packets; i++) {
		const struct packet_seen *p = &l->c->packet[i];
		const uint16_t *opening = l->token + (size_t)l->opening[p->flow] * FIELDS;
		uint16_t t = l->token[(size_t)i * FIELDS + FIELD_NEXT];
		if (p->before != NOBODY && t != UNKNOWN)
			w->learned[model_waits(w->m, opening, l->state[p->before]) - w->m->wait + t]++;
	}
}

static int
generate(struct waits *w, uint64_t seed)
{
	struct generate_options o = {.seed = seed, .temperature = 1, .rate = 1, .hosts = 1, .start = -1};
	struct generator *g = generator_new(w->m, &o);
	struct action a;
	int64_t time;
	int got = 1;

	if (!g)
		return -1;
	memset(w->generated, 0, w->all * sizeof *w->generated);
	generator_count_waits(g, w->generated);
	for (uint64_t i = 0; i < PACKETS && i < w->m->packets && got == 1; i++)
		got = generator_next(g, &a, &time);
	generator_free(g);
	return got < 0 ? -1 : 0;
}

/* The times of one state of a service's flows, from there on; whether nothing more comes is none of them. */
static void
steer_state(struct waits *w, size_t from)
{
	double learned = 0, generated = 0;

	for (size_t i = from + 1; i < from + w->n; i++) {
		learned += w->learned[i];
		generated += w->generated[i];
	}
	if (learned < FEW || generated < FEW)
		return;
	double few = FEW / fmin(learned, generated);
	for (size_t i = from + 1; i < from + w->n; i++)
		w->lean[i] += BY * 8 * log2f((w->learned[i] / learned + few) / (w->generated[i] / generated + few));
}

/* A time that never was stays so. */
static void
set_waits(struct waits *w, const float *lean, float scale)
{
	for (size_t i = 0; i < w->all; i++) {
		float x = DRAW_EVEN + lean[i] * scale;
		if (w->m->wait[i])
			w->m->wait[i] = x < 1 ? 1 : x > 255 ? 255 : lrintf(x);
	}
}

static int
steer_all(struct waits *w)
{
	for (int r = 0; r < RUNS; r++) {
		if (generate(w, r + 1) < 0)
			return -1;
		for (size_t i = 0; i < w->all; i += w->n)
			steer_state(w, i);
		set_waits(w, w->lean, 1);
		for (size_t i = 0; i < w->all && r >= RUNS / 2; i++)
			w->sum[i] += w->lean[i];
	}
	set_waits(w, w->sum, 1.0f / (RUNS - RUNS / 2));
	return 0;
}

int
steer_waits(struct model *m, const struct lesson *l)
{
	struct waits w = {.m = m, .n = m->vocabulary.n[FIELD_NEXT], .all = model_n_waits(m)};
	int bad = -1;

	w.learned = calloc(w.all, sizeof *w.learned);
	w.generated = calloc(w.all, sizeof *w.generated);
	w.lean = calloc(w.all, sizeof *w.lean);
	w.sum = calloc(w.all, sizeof *w.sum);
	if (w.learned && w.generated && w.lean && w.sum) {
		count_waits(&w, l);
		bad = steer_all(&w);
	}
	free(w.learned);
	free(w.generated);
	free(w.lean);
	free(w.sum);
	return bad;
}
