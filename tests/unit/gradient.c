/* The networks of tc-gen: that the gradient is what the loss changes by. */
#include "tc-gen/network.h"

#include "neural/linear.h"
#include "support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 6

static struct symbol symbol[3 * FIELDS];
static uint16_t token[ROWS + CONTEXT][FIELDS];

/* Three symbols a field; of time: none, short, long. */
static void
make_vocabulary(struct vocabulary *v)
{
	*v = (struct vocabulary){.all = 3 * FIELDS, .symbol = symbol};
	for (int f = 0; f < FIELDS; f++) {
		v->n[f] = 3;
		v->first[f] = 3 * f;
		symbol[3 * f + 1] = (struct symbol){.kind = SYMBOL_RANGE, .low = 0, .high = 10};
		symbol[3 * f + 2] = (struct symbol){.kind = SYMBOL_RANGE, .low = 10, .high = 100};
	}
}

static void
make_batch(struct batch *b, uint64_t *random)
{
	static const uint16_t *context[ROWS][CONTEXT], *target[ROWS];
	static int64_t horizon[ROWS];
	static float feature[ROWS * FEATURES];

	for (int i = 0; i < ROWS + CONTEXT; i++)
		for (int f = 0; f < FIELDS; f++)
			token[i][f] = random_next(random) % 3;
	for (int i = 0; i < ROWS; i++) {
		for (int k = 0; k < CONTEXT; k++)
			context[i][k] = i == 1 && k < 2 ? NULL : token[(i + k) % (ROWS + CONTEXT)];
		target[i] = i == 2 ? NULL : token[i];
		horizon[i] = 5;
	}
	token[3][FIELD_LEN] = UNKNOWN;
	for (int i = 0; i < ROWS * FEATURES; i++)
		feature[i] = random_uniform(random);
	*b = (struct batch){.n = ROWS, .context = context, .target = target, .horizon = horizon, .feature = feature};
}

static bool
is_near(double slope, double grad)
{
	return fabs(slope - grad) <= 2e-3 + 0.05 * fabs(slope);
}

/* How many of some weights have another gradient than the loss, which is a sum of single floats, shows. Where a unit is about to
 * begin or to end there are two slopes, to either side, and the gradient is one of them. */
static int
check(const struct vocabulary *v, enum head head)
{
	uint64_t random = 7;
	struct network net;
	struct activations s;
	struct batch b;
	int bad = 0;

	make_batch(&b, &random);
	if (network_init(&net, v, head) < 0 || activations_init(&s, &net, ROWS) < 0)
		return 1;
	network_randomize(&net, 3);
	float *grad = calloc(net.n, sizeof *grad);
	double here = network_forward(&net, &s, &b, NULL);
	network_backward(&net, &s, &b, 1.0f / ROWS, grad);
	for (int t = 0; t < TENSORS; t++)
		for (int k = 0; k < 12; k++) {
			size_t size = (t + 1 < TENSORS ? net.at[t + 1] : net.n) - net.at[t];
			if (!size)
				break;
			size_t i = net.at[t] + random_next(&random) % size;
			float was = net.data[i], step = 1e-3f;
			net.data[i] = was + step;
			double up = (network_forward(&net, &s, &b, NULL) - here) / step;
			net.data[i] = was - step;
			double down = (here - network_forward(&net, &s, &b, NULL)) / step;
			net.data[i] = was;
			if (!is_near(up, grad[i]) && !is_near(down, grad[i])) {
				printf("head %d, tensor %d: %g, and not %g or %g\n", head, t, grad[i], down, up);
				bad++;
			}
		}
	free(grad);
	activations_free(&s);
	network_free(&net);
	return bad;
}

int
main(void)
{
	struct vocabulary v;
	const char *why;

	if (linear_start(&why) < 0) {
		puts(why);
		return 1;
	}
	make_vocabulary(&v);
	return check(&v, HEAD_FLOW) + check(&v, HEAD_OPEN) > 0;
}
