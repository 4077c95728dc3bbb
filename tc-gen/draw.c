#include "draw.h"

#include "neural/linear.h"
#include "support/random.h"
#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

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

/* y = x w + b. Each number of y is a sum in the order of x, however many of them a register holds. */
WIDE static void
product(const float *x, const float *w, const float *b, float *y, int in, int out)
{
	memcpy(y, b, out * sizeof *y);
	for (int i = 0; i < in; i++) {
		if (x[i] == 0)
			continue;
		for (int j = 0; j < out; j++)
			y[j] += x[i] * w[(size_t)i * out + j];
	}
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
begin(struct drawing *d, enum head head, const uint16_t *const *context, const float *feature)
{
	const struct network *net = d->net;
	int positions = head_context[head];

	memset(d->x, 0, positions * EMBED * sizeof *d->x);
	memcpy(d->x + positions * EMBED, feature, FEATURES * sizeof *feature);
	for (int k = 0; k < positions; k++)
		for (int f = 0; context[k] && f < FIELDS; f++)
			if (context[k][f] && context[k][f] != UNKNOWN)
				add(d->x + k * EMBED, row_of(d, EMBED_FLOW + head, f, context[k][f], EMBED), EMBED);
	product(d->x, tensor(net, INPUT_FLOW + head, net->data), tensor(net, BIAS_FLOW + head, net->data), d->h,
		positions * EMBED + FEATURES, HIDDEN);
	rectify(d->h, d->h);
	product(d->h, tensor(net, UPPER, net->data), tensor(net, UPPER_BIAS, net->data), d->a, HIDDEN, HIDDEN);
	rectify(d->a, d->a);
}

/* One symbol of logits in p. */
static uint16_t
choose(struct drawing *d, int n)
{
	float *p = d->p, most = p[0], sum = 0;

	for (int i = 1; i < n; i++)
		most = p[i] > most ? p[i] : most;
	for (int i = 0; i < n; i++) {
		float x = (p[i] - most) / d->temperature;
		p[i] = x > -30 ? fast_exp(x) : 0;
		sum += p[i];
	}
	float r = random_uniform(d->random) * sum;
	for (int i = 0; i < n; i++)
		if ((r -= p[i]) < 0)
			return i;
	for (int i = n - 1; i > 0; i--)
		if (p[i] > 0)
			return i;
	return 0;
}

void
draw_next(struct drawing *d, enum head head, const uint16_t *const *context, const float *feature, uint16_t *token)
{
	const struct network *net = d->net;

	begin(d, head, context, feature);
	memset(token, 0, FIELDS * sizeof *token);
	for (int f = 0; f < FIELDS; f++) {
		int n = net->v->n[f];
		if (n < 2 || !field_is_of(f, head))
			continue;
		rectify(d->a, d->r);
		product(d->r, tensor(net, OUTPUT + f, net->data), tensor(net, OUTPUT_BIAS + f, net->data), d->p, HIDDEN, n);
		token[f] = choose(d, n);
		if (f == FIELD_NEXT && token[f] == 0)
			return;
		if (token[f])
			add(d->a, row_of(d, DECIDED, f, token[f], HIDDEN), HIDDEN);
	}
}
