#include "neural/network.h"

#include "support/normal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
set_tensor(struct network *net, int i, int rows, int columns, const char *name, const char *of)
{
	struct tensor *t = &net->tensor[i];

	t->rows = rows;
	t->columns = columns;
	snprintf(t->name, sizeof t->name, "%s%s", name, of);
	net->n += (size_t)rows * columns;
}

static void
set_layer(struct network *net, int i, int in, int out, const char *name, const char *of)
{
	set_tensor(net, i, in + 1, out, name, of);
}

static void
lay_out(struct network *net)
{
	const struct shape *s = &net->shape;
	const struct code_layout *l = code_layout();
	int rows = STRAIGHT_WAYS * STRAIGHT_ROWS;

	set_layer(net, ENC_COARSE, CODE_COARSE, s->encoder, "encoder.coarse", "");
	set_layer(net, ENC_HIDDEN, s->encoder, s->encoder, "encoder.hidden", "");
	set_layer(net, ENC_MEAN, s->encoder, s->latent, "encoder.mean", "");
	set_layer(net, ENC_LOGVAR, s->encoder, s->latent, "encoder.logvar", "");
	set_layer(net, DEC_TRUNK, s->latent, s->trunk, "decoder.trunk", "");
	set_layer(net, DEC_COARSE, s->trunk, CODE_COARSE, "decoder.coarse", "");
	set_layer(net, DEC_DETAIL, s->latent + s->trunk + CODE_COARSE, s->detail, "decoder.detail", "");
	set_tensor(net, STRAIGHT, rows, CODE_COARSE, "straight.coarse", "");
	for (int g = 0; g < CODE_GROUPS; g++) {
		const char *of = code_group_names[g];
		set_layer(net, ENC_GROUP + g, l->width[g], s->encoder, "encoder.", of);
		set_layer(net, DEC_OUT + g, s->detail, l->width[g], "decoder.", of);
		set_tensor(net, STRAIGHT + 1 + g, rows, l->width[g], "straight.", of);
	}
}

/* A part of the bits: 0 the coarse ones, 1 + g a group's. */
static void
set_straight(struct network *net, int part)
{
	_Static_assert(NETWORK_BITS <= STRAIGHT_MAX, "");
	const struct tensor *t = &net->tensor[STRAIGHT + part];
	struct straight *s = &net->straight[part];
	unsigned first = part ? CODE_COARSE + code_layout()->first[part - 1] : 0;

	s->w = t->at;
	s->n = t->columns;
	for (int way = 0; way < STRAIGHT_WAYS; way++)
		s->place[way] = net->place + way * NETWORK_BITS + first;
}

int
network_init(struct network *net, const struct shape *s)
{
	*net = (struct network){.shape = *s};
	lay_out(net);
	float *at = net->data = calloc(net->n, sizeof *at);
	net->place = calloc(NETWORK_PLACES, sizeof *net->place);
	if (!at || !net->place) {
		network_free(net);
		return -1;
	}
	for (int i = 0; i < TENSORS; i++) {
		struct tensor *t = &net->tensor[i];
		t->at = at;
		at += (size_t)t->rows * t->columns;
		if (i < LAYERS)
			net->layer[i] = (struct layer){t->at, at - t->columns, t->rows - 1, t->columns};
		else
			set_straight(net, i - STRAIGHT);
	}
	return 0;
}

void
network_free(struct network *net)
{
	free(net->data);
	free(net->place);
	free(net->about);
	free(net->turned);
	for (int i = 0; i < LAYERS; i++)
		free(net->product[i].w);
	net->turned = NULL;
	net->data = NULL;
	net->place = NULL;
	net->about = NULL;
}

int
network_settle(struct network *net)
{
	if (!(net->turned = malloc(net->n * sizeof *net->turned)))
		return -1;
	for (int k = 0; k < LAYERS; k++) {
		const struct layer *l = &net->layer[k];
		float *to = net->turned + (l->w - net->data);
		if (product_init(&net->product[k], l->w, l->b, l->in, l->out) < 0)
			return -1;
		for (int i = 0; i < l->in; i++)
			for (int j = 0; j < l->out; j++)
				to[(size_t)j * l->in + i] = l->w[(size_t)i * l->out + j];
	}
	return 0;
}

void
network_randomize(struct network *net, uint64_t seed)
{
	for (int i = 0; i < TENSORS; i++) {
		struct tensor *t = &net->tensor[i];
		size_t n = (size_t)t->rows * t->columns;
		float spread = i < LAYERS ? sqrtf(2.0f / (t->rows - 1)) : 0.1f;
		if (i >= ENC_GROUP && i < ENC_HIDDEN) /* few of its inputs are there at a time */
			spread = sqrtf(2.0f / 64);
		if (i == ENC_LOGVAR)
			spread *= 0.1f;
		normal_draw(t->at, n, &seed);
		for (size_t j = 0; j < n; j++)
			t->at[j] *= spread;
		for (int j = 0; i < LAYERS && j < t->columns; j++)
			t->at[n - t->columns + j] = i == ENC_LOGVAR ? -3 : 0;
	}
	for (int b = 0; b < NETWORK_PLACES; b++)
		net->place[b] = b % net->shape.latent;
}
