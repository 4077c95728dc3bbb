#include "draw.h"

#include "neural/linear.h"
#include "support/random.h"
#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

#define RARE 0.005f /* a time so much less likely than the likeliest is not drawn */

int
drawing_init(struct drawing *d, const struct network *net, float temperature, uint64_t *random)
{
	int most = 0;

	*d = (struct drawing){.net = net, .temperature = temperature, .random = random};
	for (int f = 0; f < FIELDS; f++)
		most = net->v->n[f] > most ? net->v->n[f] : most;
	return (d->p = malloc(most * sizeof *d->p)) ? 0 : -1;
}

void
drawing_free(struct drawing *d)
{
	free(d->p);
	d->p = NULL;
}

/* y += x[i] w[i], of four rows, one after the other. */
WIDE static void
add_rows(float *restrict y, const float *x, const float *const *w, int n)
{
	float a = x[0], b = x[1], c = x[2], d = x[3];
	const float *restrict p = w[0], *restrict q = w[1], *restrict r = w[2], *restrict s = w[3];

	for (int j = 0; j < n; j++)
		y[j] = (((y[j] + a * p[j]) + b * q[j]) + c * r[j]) + d * s[j];
}

/* y = x w + b. Each number of y is a sum in the order of x, however many of them a register holds. */
static void
product(const float *x, const float *w, const float *b, float *y, int in, int out)
{
	const float *row[4];
	float by[4];
	int n = 0;

	memcpy(y, b, out * sizeof *y);
	for (int i = 0; i < in; i++) {
		if (x[i] == 0)
			continue;
		by[n] = x[i];
		row[n++] = w + (size_t)i * out;
		if (n == 4) {
			add_rows(y, by, row, out);
			n = 0;
		}
	}
	for (int k = 0; k < n; k++)
		for (int j = 0; j < out; j++)
			y[j] += by[k] * row[k][j];
}

WIDE static void
add(float *y, const float *e, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += e[j];
}

WIDE static void
rectify(const float *x, float *y)
{
	for (int j = 0; j < HIDDEN; j++)
		y[j] = x[j] > 0 ? x[j] : 0;
}

static const float *
row_of(const struct drawing *d, int t, enum field f, uint16_t token, int columns)
{
	return tensor(d->net, t, d->net->data) + (size_t)(d->net->v->first[f] + token) * columns;
}

static void
begin(struct drawing *d, const uint16_t *const *context, const float *feature)
{
	const struct network *net = d->net;
	int positions = head_context[net->head];

	memset(d->x, 0, positions * EMBED * sizeof *d->x);
	memcpy(d->x + positions * EMBED, feature, FEATURES * sizeof *feature);
	for (int k = 0; k < positions; k++)
		for (int f = 0; context[k] && f < FIELDS; f++)
			if (context[k][f] && context[k][f] != UNKNOWN)
				add(d->x + k * EMBED, row_of(d, EMBEDDING, f, context[k][f], EMBED), EMBED);
	product(d->x, tensor(net, INPUT, net->data), tensor(net, INPUT_BIAS, net->data), d->h,
		positions * EMBED + FEATURES, HIDDEN);
	rectify(d->h, d->h);
	product(d->h, tensor(net, UPPER, net->data), tensor(net, UPPER_BIAS, net->data), d->a, HIDDEN, HIDDEN);
	rectify(d->a, d->a);
}

/* What logits say, as shares of a sum, which it returns. */
static float
weigh(struct drawing *d, int n)
{
	float *p = d->p, most = p[0], sum = 0;

	for (int i = 1; i < n; i++)
		most = p[i] > most ? p[i] : most;
	for (int i = 0; i < n; i++) {
		float x = (p[i] - most) / d->temperature;
		p[i] = x > -30 ? fast_exp(x) : 0;
		sum += p[i];
	}
	return sum;
}

/* Takes away the times that are over, and those that are hardly ever: a network gives everything some chance, and one long
 * silence in a thousand is most of a trace's length. What is left of the sum. */
static float
wait_longer(struct drawing *d, enum field f, int64_t since)
{
	const struct vocabulary *v = d->net->v;
	float sum = d->p[0], most = 0;

	for (int i = 1; i < v->n[f]; i++) {
		if (v->symbol[v->first[f] + i].high <= since)
			d->p[i] = 0;
		most = d->p[i] > most ? d->p[i] : most;
	}
	for (int i = 1; i < v->n[f]; i++) {
		if (f == FIELD_NEXT && (d->p[i] < most * RARE || (d->allowed && !d->allowed[i])))
			d->p[i] = 0;
		sum += d->p[i];
	}
	return sum;
}

static uint16_t
choose(struct drawing *d, int n, float sum)
{
	float r = random_uniform(d->random) * sum, *p = d->p;

	for (int i = 0; i < n; i++)
		if ((r -= p[i]) < 0)
			return i;
	for (int i = n - 1; i > 0; i--)
		if (p[i] > 0)
			return i;
	return 0;
}

static float
decide(struct drawing *d, enum field f)
{
	const struct network *net = d->net;
	int n = net->v->n[f];

	rectify(d->a, d->r);
	product(d->r, tensor(net, OUTPUT + f, net->data), tensor(net, OUTPUT_BIAS + f, net->data), d->p, HIDDEN, n);
	return weigh(d, n);
}

void
draw_next(struct drawing *d, const uint16_t *const *context, const float *feature, int64_t since,
	  uint16_t *token)
{
	const struct network *net = d->net;

	begin(d, context, feature);
	memset(token, 0, FIELDS * sizeof *token);
	for (int f = 0; f < FIELDS; f++) {
		if (!network_decides(net, f))
			continue;
		float sum = decide(d, f);
		if (f == FIELD_NEXT || f == FIELD_OPENED)
			sum = wait_longer(d, f, since);
		token[f] = choose(d, net->v->n[f], sum);
		if (f == FIELD_NEXT && token[f] == 0)
			return;
		if (token[f])
			add(d->a, row_of(d, DECIDED, f, token[f], HIDDEN), HIDDEN);
	}
}

float
draw_goes_on(struct drawing *d, const uint16_t *const *context, const float *feature, int64_t since)
{
	if (d->net->v->n[FIELD_NEXT] < 2)
		return 0;
	begin(d, context, feature);
	decide(d, FIELD_NEXT);
	float sum = wait_longer(d, FIELD_NEXT, since);
	return sum > 0 ? 1 - d->p[0] / sum : 0;
}
