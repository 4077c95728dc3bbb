#include "parts.h"

#include "record/latent.h"
#include "support/half.h"

#include <math.h>

#define MOST  127	/* of a whole number */
#define LEAST 0x1p-14f /* what one is a multiple of: half floats have all their bits from there on */

static float
half(float x)
{
	return half_to(half_from(x));
}

/* What a row's numbers are multiples of; of rounded ones the same again. */
static float
step_of(const float *x, int n)
{
	float most = 0;

	for (int i = 0; i < n; i++)
		most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
	float step = half(most / MOST);
	return step > LEAST ? step : LEAST;
}

static int
multiple(float x, float step)
{
	long q = lrintf(x / step);

	return q > MOST ? MOST : q < -MOST ? -MOST : q;
}

void
round_weights(struct network *net)
{
	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		float *x = tensor(net, t, net->data);
		for (int i = 0; i < rows; i++, x += columns) {
			float step = step_of(x, columns);
			for (int j = 0; j < columns; j++)
				x[j] = rows == 1 ? half(x[j]) : multiple(x[j], step) * step;
		}
	}
}

size_t
weights_size(const struct network *net)
{
	size_t n = 0;

	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		n += rows == 1 ? 2 * (size_t)columns : rows * ((size_t)columns + 2);
	}
	return n;
}

void
put_weights(uint8_t **p, const struct network *net)
{
	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		const float *x = tensor(net, t, net->data);
		if (rows == 1) {
			latent_put(LATENT_F16, x, columns, *p);
			*p += 2 * columns;
			continue;
		}
		for (int i = 0; i < rows; i++, x += columns) {
			float step = step_of(x, columns);
			latent_put(LATENT_F16, &step, 1, *p);
			*p += 2;
			for (int j = 0; j < columns; j++)
				*(*p)++ = multiple(x[j], step);
		}
	}
}

int
take_weights(struct octets *o, struct network *net, char *why)
{
	for (int t = 0; t < TENSORS; t++) {
		int rows, columns;
		network_shape(net, t, &rows, &columns);
		float *x = tensor(net, t, net->data);
		for (int i = 0; i < rows; i++, x += columns) {
			int halves = rows == 1 ? columns : 1;
			float step;
			const uint8_t *p = take(o, 2 * (size_t)halves), *q = rows == 1 ? p : take(o, columns);
			if (!p || !q)
				return model_fail(why, "model: cut off");
			if (!latent_finite(LATENT_F16, p, 2 * (size_t)halves))
				return model_fail(why, "model: not all weights are finite");
			latent_get(LATENT_F16, p, halves, rows == 1 ? x : &step);
			for (int j = 0; rows > 1 && j < columns; j++)
				x[j] = (int8_t)q[j] * step;
		}
	}
	return 0;
}
