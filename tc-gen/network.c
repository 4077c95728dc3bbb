#include "network.h"

#include "neural/linear.h"
#include "support/normal.h"
#include "support/random.h"
#include "support/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float dropout[HEADS] = {0.2f, 0.3f};
static const float noise[HEADS] = {0.1f, 0.4f}; /* share of the symbols of what came before that are left away */

void
network_shape(const struct network *net, int t, int *rows, int *columns)
{
	*rows = 1;
	*columns = HIDDEN;
	if (t == EMBEDDING || t == DECIDED)
		*rows = net->v->all;
	else if (t == INPUT)
		*rows = head_context[net->head] * EMBED + FEATURES;
	else if (t == UPPER || (t >= OUTPUT && t < OUTPUT_BIAS))
		*rows = HIDDEN;
	if (t == EMBEDDING)
		*columns = EMBED;
	else if (t >= OUTPUT)
		*columns = network_decides(net, (t - OUTPUT) % FIELDS) ? net->v->n[(t - OUTPUT) % FIELDS] : 0;
}

int
network_init(struct network *net, const struct vocabulary *v, enum head head)
{
	*net = (struct network){.v = v, .head = head};
	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		net->at[t] = net->n;
		net->n += (size_t)rows * columns;
	}
	return (net->data = calloc(net->n, sizeof *net->data)) ? 0 : -1;
}

void
network_randomize(struct network *net, uint64_t seed)
{
	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		float *x = tensor(net, t, net->data);
		if (rows == 1)
			continue;
		normal_draw(x, (size_t)rows * columns, &seed);
		float scale = t == EMBEDDING ? 0.5f : t == DECIDED ? 0.3f : sqrtf((t < OUTPUT ? 1.0f : 0.3f) / rows);
		for (size_t i = 0; i < (size_t)rows * columns; i++)
			x[i] *= scale;
	}
}

void
network_free(struct network *net)
{
	free(net->data);
	*net = (struct network){0};
}

int
activations_init(struct activations *s, const struct network *net, int room)
{
	size_t width = CONTEXT * EMBED + FEATURES, h = (size_t)room * HIDDEN;
	int bad = 0;

	*s = (struct activations){.room = room};
	float **all[] = {&s->x, &s->dx, &s->h, &s->dh, &s->a, &s->da, &s->keep, &s->dr};
	for (int i = 0; i < 8; i++)
		bad |= !(*all[i] = calloc(i < 2 ? room * width : h, sizeof(float)));
	bad |= !(s->p = calloc(FIELDS, sizeof *s->p));
	for (int f = 0; f < FIELDS && !bad; f++) {
		if (!network_decides(net, f))
			continue;
		bad |= !(s->r[f] = calloc(h, sizeof(float)));
		bad |= !(s->p[f] = calloc((size_t)room * net->v->n[f], sizeof(float)));
	}
	return bad ? -1 : 0;
}

void
activations_free(struct activations *s)
{
	float *all[] = {s->x, s->dx, s->h, s->dh, s->a, s->da, s->keep, s->dr};

	for (int i = 0; i < 8; i++)
		free(all[i]);
	for (int f = 0; f < FIELDS && s->p; f++) {
		free(s->r[f]);
		free(s->p[f]);
	}
	free(s->p);
	*s = (struct activations){0};
}

/* y += scale * x */
WIDE static void
add_scaled(float *restrict y, const float *restrict x, float scale, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += scale * x[j];
}

/* y += dy where r, max(0, what y is the gradient of), is not 0 */
WIDE static void
add_rectified(float *restrict y, const float *restrict dy, const float *restrict r, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += r[j] > 0 ? dy[j] : 0;
}

WIDE static void
rectify(const float *restrict x, float *restrict y, int n)
{
	for (int j = 0; j < n; j++)
		y[j] = x[j] > 0 ? x[j] : 0;
}

WIDE static void
multiply(float *x, float by, int n)
{
	for (int j = 0; j < n; j++)
		x[j] *= by;
}

/* --- what came before --- */

static int
width_of(enum head h)
{
	return head_context[h] * EMBED + FEATURES;
}

/* Whether a symbol counts; some are left away while learning, so that no single one is relied on. The draw hangs on the
 * place, so that the way back knows it. */
static bool
counts(uint16_t token, int row, int position, int f, uint64_t draw, float share)
{
	if (token == 0 || token == UNKNOWN)
		return false;
	if (!draw)
		return true;
	uint64_t at = draw + ((uint64_t)row * CONTEXT + position) * FIELDS + f;
	return random_uniform(&at) >= share;
}

static void
embed(const struct network *net, struct activations *s, const struct batch *b)
{
	const float *table = tensor(net, EMBEDDING, net->data);
	int positions = head_context[net->head], width = width_of(net->head);
	float scale = s->noise ? 1 / (1 - noise[net->head]) : 1;

	for (int i = 0; i < b->n; i++) {
		float *x = s->x + (size_t)i * width;
		memset(x, 0, positions * EMBED * sizeof *x);
		memcpy(x + positions * EMBED, b->feature + i * FEATURES, FEATURES * sizeof *x);
		for (int k = 0; k < positions; k++) {
			const uint16_t *token = b->context[i][k];
			for (int f = 0; token && f < FIELDS; f++) {
				if (!counts(token[f], i, k, f, s->noise, noise[net->head]))
					continue;
				const float *e = table + (size_t)(net->v->first[f] + token[f]) * EMBED;
				add_scaled(x + k * EMBED, e, scale, EMBED);
			}
		}
	}
}

static void
embed_backward(const struct network *net, struct activations *s, const struct batch *b, float *grad)
{
	float *table = tensor(net, EMBEDDING, grad);
	int positions = head_context[net->head], width = width_of(net->head);
	float scale = s->noise ? 1 / (1 - noise[net->head]) : 1;

	for (int i = 0; i < b->n; i++) {
		const float *dx = s->dx + (size_t)i * width;
		for (int k = 0; k < positions; k++) {
			const uint16_t *token = b->context[i][k];
			for (int f = 0; token && f < FIELDS; f++) {
				if (!counts(token[f], i, k, f, s->noise, noise[net->head]))
					continue;
				float *e = table + (size_t)(net->v->first[f] + token[f]) * EMBED;
				add_scaled(e, dx + k * EMBED, scale, EMBED);
			}
		}
	}
}

static struct layer
layer_of(const struct network *net, int w, int b, int in, int out)
{
	return (struct layer){tensor(net, w, net->data), tensor(net, b, net->data), in, out};
}

/* --- the decisions --- */

/* What nobody can foretell would drown all else, and be learned by heart: it counts less. */
static float
weight_of(enum field f)
{
	return f == FIELD_ID || f == FIELD_TSVAL || f == FIELD_TSECR || f == FIELD_ORIG_P || f == FIELD_REST ? 0.2f : 1;
}

/* Probabilities from logits, in place. */
WIDE static void
softmax(float *x, int n)
{
	float most = x[0], sum = 0;

	for (int i = 1; i < n; i++)
		most = x[i] > most ? x[i] : most;
	for (int i = 0; i < n; i++)
		x[i] = fast_exp(x[i] - most > -79 ? x[i] - most : -79);
	for (int i = 0; i < n; i++)
		sum += x[i];
	for (int i = 0; i < n; i++)
		x[i] /= sum;
}

/* The trace ended before the flow's next packet: there was none, or it came later. p becomes the gradient. */
static double
loss_open_end(const struct vocabulary *v, float *p, int64_t horizon)
{
	const struct symbol *s = &v->symbol[v->first[FIELD_NEXT]];
	float sum = p[0];

	for (int j = 1; j < v->n[FIELD_NEXT]; j++)
		sum += s[j].low >= horizon ? p[j] : 0;
	sum = sum > 1e-20f ? sum : 1e-20f;
	for (int j = 0; j < v->n[FIELD_NEXT]; j++)
		if (j == 0 || s[j].low >= horizon)
			p[j] -= p[j] / sum;
	return -logf(sum);
}

static double
loss_of(const struct vocabulary *v, float *p, enum field f, const struct batch *b, int i)
{
	const uint16_t *t = b->target[i];

	if (!t && f == FIELD_NEXT)
		return loss_open_end(v, p, b->horizon[i]);
	if (!t || t[f] == UNKNOWN) {
		memset(p, 0, v->n[f] * sizeof *p);
		return 0;
	}
	float q = p[t[f]];
	p[t[f]] -= 1;
	return -logf(q > 1e-20f ? q : 1e-20f);
}

static void
add_decision(const struct network *net, const struct batch *b, enum field f, float *a)
{
	for (int i = 0; i < b->n; i++) {
		if (!b->target[i] || !counts(b->target[i][f], 0, 0, 0, 0, 0))
			continue;
		const float *e = tensor(net, DECIDED, net->data) + (size_t)(net->v->first[f] + b->target[i][f]) * HIDDEN;
		add_scaled(a + (size_t)i * HIDDEN, e, 1, HIDDEN);
	}
}

static void
add_decision_backward(const struct network *net, const struct batch *b, enum field f, const float *da, float *grad)
{
	for (int i = 0; i < b->n; i++) {
		if (!b->target[i] || !counts(b->target[i][f], 0, 0, 0, 0, 0))
			continue;
		float *e = tensor(net, DECIDED, grad) + (size_t)(net->v->first[f] + b->target[i][f]) * HIDDEN;
		add_scaled(e, da + (size_t)i * HIDDEN, 1, HIDDEN);
	}
}

static double
decide(const struct network *net, struct activations *s, const struct batch *b)
{
	double loss = 0;

	for (int f = 0; f < FIELDS; f++) {
		s->loss[f] = 0;
		if (!network_decides(net, f))
			continue;
		int n = net->v->n[f];
		struct layer out = layer_of(net, OUTPUT + f, OUTPUT_BIAS + f, HIDDEN, n);
		rectify(s->a, s->r[f], b->n * HIDDEN);
		linear_forward(&out, s->r[f], HIDDEN, s->p[f], n, b->n, 0);
		for (int i = 0; i < b->n; i++) {
			softmax(s->p[f] + (size_t)i * n, n);
			s->loss[f] += loss_of(net->v, s->p[f] + (size_t)i * n, f, b, i);
		}
		s->loss[f] *= weight_of(f);
		loss += s->loss[f];
		add_decision(net, b, f, s->a);
	}
	return loss;
}

static void
decide_backward(const struct network *net, struct activations *s, const struct batch *b, float scale, float *grad)
{
	memset(s->da, 0, (size_t)b->n * HIDDEN * sizeof *s->da);
	for (int f = FIELDS - 1; f >= 0; f--) {
		if (!network_decides(net, f))
			continue;
		int n = net->v->n[f];
		struct layer out = layer_of(net, OUTPUT + f, OUTPUT_BIAS + f, HIDDEN, n);
		add_decision_backward(net, b, f, s->da, grad);
		multiply(s->p[f], scale * weight_of(f), b->n * n);
		linear_backward(&out, s->r[f], HIDDEN, s->p[f], n, s->dr, HIDDEN, tensor(net, OUTPUT + f, grad),
				tensor(net, OUTPUT_BIAS + f, grad), b->n, 0);
		add_rectified(s->da, s->dr, s->r[f], b->n * HIDDEN);
	}
}

/* --- all of it --- */

static void
drop(struct activations *s, int n, float share, uint64_t *random)
{
	for (int j = 0; j < n * HIDDEN; j++) {
		s->keep[j] = s->a[j] <= 0 ? 0 : !random ? 1 : random_uniform(random) < share ? 0 : 1 / (1 - share);
		s->a[j] *= s->keep[j];
	}
}

double
network_forward(const struct network *net, struct activations *s, const struct batch *b, uint64_t *random)
{
	int width = width_of(net->head);
	struct layer lower = layer_of(net, INPUT, INPUT_BIAS, width, HIDDEN),
		     upper = layer_of(net, UPPER, UPPER_BIAS, HIDDEN, HIDDEN);

	s->noise = random ? random_next(random) | 1 : 0;
	embed(net, s, b);
	linear_forward(&lower, s->x, width, s->h, HIDDEN, b->n, 0);
	relu_forward(s->h, HIDDEN, HIDDEN, b->n);
	linear_forward(&upper, s->h, HIDDEN, s->a, HIDDEN, b->n, 0);
	relu_forward(s->a, HIDDEN, HIDDEN, b->n);
	drop(s, b->n, dropout[net->head], random);
	return decide(net, s, b) / b->n;
}

void
network_backward(const struct network *net, struct activations *s, const struct batch *b, float scale, float *grad)
{
	int width = width_of(net->head);
	struct layer lower = layer_of(net, INPUT, INPUT_BIAS, width, HIDDEN),
		     upper = layer_of(net, UPPER, UPPER_BIAS, HIDDEN, HIDDEN);

	decide_backward(net, s, b, scale, grad);
	for (int j = 0; j < b->n * HIDDEN; j++)
		s->da[j] *= s->keep[j];
	linear_backward(&upper, s->h, HIDDEN, s->da, HIDDEN, s->dh, HIDDEN, tensor(net, UPPER, grad),
			tensor(net, UPPER_BIAS, grad), b->n, 0);
	relu_backward(s->h, HIDDEN, s->dh, HIDDEN, HIDDEN, b->n);
	linear_backward(&lower, s->x, width, s->dh, HIDDEN, s->dx, width, tensor(net, INPUT, grad),
			tensor(net, INPUT_BIAS, grad), b->n, 0);
	embed_backward(net, s, b, grad);
}
