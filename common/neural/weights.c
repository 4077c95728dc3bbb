#include "neural/weights.h"

#include "neural/layout.h"
#include "process/kind.h"
#include "record/latent.h"
#include "support/incbin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (1 << 28) /* octets of a weights file */
#define SIZE_LIMIT 4096	     /* units of a layer */
_Static_assert(LATENT_MAX + SIZE_LIMIT + CODE_COARSE <= PRODUCT_IN && NETWORK_BITS <= PRODUCT_IN, "what a layer takes");

/* The default weights; the Makefile says which file. */
INCBIN(weights_default, WEIGHTS_FILE);

/* Numbers are as those of latents. */
static enum latent_type
form_of(enum weights_type type)
{
	return type == WEIGHTS_F16 ? LATENT_F16 : LATENT_F32;
}

/* The places of the bits; where no field has a bit, 0, which is what is read back. */
static void
put_places(uint8_t **p, const struct network *net)
{
	const struct code_layout *l = code_layout();

	for (int way = 0; way < STRAIGHT_WAYS; way++) {
		uint16_t due[NETWORK_BITS] = {0};
		const uint16_t *place = net->place + way * NETWORK_BITS;
		memcpy(due, place, CODE_COARSE * sizeof *due);
		for (int f = 0; f < CODE_FIELDS; f++) {
			const struct code_span low = l->low[f], high = l->high[f];
			memcpy(due + CODE_COARSE + low.at, place + CODE_COARSE + low.at, low.n * sizeof *due);
			memcpy(due + CODE_COARSE + high.at, place + CODE_COARSE + high.at, high.n * sizeof *due);
		}
		for (int b = 0; b < NETWORK_BITS; b++)
			put_u16(p, due[b]);
	}
}

#define HEADER_SIZE (8 + 4 + 4 + 4 * SHAPE_SIZES)

uint8_t *
weights_build(const struct network *net, enum weights_type type, size_t *n)
{
	const uint32_t *size = (const uint32_t *)&net->shape;
	size_t about = net->about ? strlen(net->about) : 0;
	uint8_t *out, *at;

	*n = HEADER_SIZE + LAYOUT_SIZE + 4 + TENSORS * (OCTETS_NAME + 8) + latent_size(form_of(type), net->n) +
	     2 * NETWORK_PLACES + 4 + about + WEIGHTS_HASH;
	if (!(at = out = calloc(1, *n)))
		return NULL;
	memcpy(at, WEIGHTS_MAGIC, 8);
	at += 8;
	put_u32(&at, WEIGHTS_VERSION);
	put_u32(&at, type);
	for (unsigned i = 0; i < SHAPE_SIZES; i++)
		put_u32(&at, size[i]);
	layout_put(&at);
	put_u32(&at, TENSORS);
	for (int i = 0; i < TENSORS; i++) {
		const struct tensor *t = &net->tensor[i];
		put_name(&at, t->name);
		put_u32(&at, t->rows);
		put_u32(&at, t->columns);
		latent_put(form_of(type), t->at, t->rows * t->columns, at);
		at += latent_size(form_of(type), t->rows * t->columns);
	}
	put_places(&at, net);
	put_u32(&at, about);
	if (about)
		memcpy(at, net->about, about);
	at += about;
	octets_hash(out, at - out, at);
	return out;
}

static int
fail(char *why, const char *what)
{
	snprintf(why, WEIGHTS_ERROR, "%s", what);
	return -1;
}

/* One tensor, to the one of its name; of a group that this program doesn't know it is passed over. */
static int
take_tensor(struct octets *o, struct network *net, const struct layout *l, enum weights_type type, bool *had, char *why)
{
	char name[OCTETS_NAME + 1];
	int i = 0;

	take_name(o, name);
	uint32_t rows = take_u32(o), columns = take_u32(o);
	if (rows > 64 * LAYOUT_WORDS || columns > 64 * LAYOUT_WORDS)
		return fail(why, "weights: a tensor of too many numbers");
	size_t numbers = (size_t)rows * columns, size = latent_size(form_of(type), numbers);
	const uint8_t *p = take(o, size);
	if (!p)
		return fail(why, "weights: cut off");
	while (i < TENSORS && strcmp(name, net->tensor[i].name))
		i++;
	if (i == TENSORS)
		return 0;
	struct tensor *t = &net->tensor[i];
	if (had[i] || !layout_fits(l, t, i, rows, columns)) {
		snprintf(why, WEIGHTS_ERROR, "weights: of another network: %s of %u x %u", name, rows, columns);
		return -1;
	}
	had[i] = true;
	if (!latent_finite(form_of(type), p, size))
		return fail(why, "weights: not all are finite");
	float *v = malloc((numbers + 1) * sizeof *v);
	if (!v)
		return fail(why, strerror(ENOMEM));
	latent_get(form_of(type), p, numbers, v);
	layout_spread(l, t, i, v, rows, columns);
	free(v);
	return 0;
}

/* All of them; a group that the file didn't know stays 0. */
static int
take_tensors(struct octets *o, struct network *net, const struct layout *l, enum weights_type type, char *why)
{
	bool had[TENSORS] = {0};

	for (uint32_t n = take_u32(o); n > 0; n--)
		if (take_tensor(o, net, l, type, had, why) < 0)
			return -1;
	for (int i = 0; i < TENSORS; i++)
		if (!had[i] && layout_has(l, i)) {
			snprintf(why, WEIGHTS_ERROR, "weights: of another network: no %s", net->tensor[i].name);
			return -1;
		}
	return 0;
}

/* The places of the bits, by the first way, then by the next. */
static int
take_places(struct octets *o, struct network *net, const struct layout *l, char *why)
{
	uint32_t bits = CODE_COARSE + 64 * l->words;
	const uint8_t *p = take(o, 2 * STRAIGHT_WAYS * (size_t)bits);

	if (!p)
		return fail(why, "weights: cut off");
	for (int way = 0; way < STRAIGHT_WAYS; way++)
		for (int b = 0; b < NETWORK_BITS; b++) {
			int32_t theirs = b < CODE_COARSE ? b : l->of[b - CODE_COARSE] < 0 ? -1 : l->of[b - CODE_COARSE] + CODE_COARSE;
			const uint8_t *at = p + 2 * ((size_t)way * bits + (theirs < 0 ? 0 : theirs));
			uint16_t place = theirs < 0 ? 0 : at[0] | at[1] << 8;
			if (place >= net->shape.latent)
				return fail(why, "weights: a bit's place is beyond the latent");
			net->place[way * NETWORK_BITS + b] = place;
		}
	return 0;
}

/* The table about the coordinates: text. */
static int
take_about(struct octets *o, struct network *net, char *why)
{
	uint32_t n = take_u32(o);
	const uint8_t *p = take(o, n);

	if (!p)
		return fail(why, "weights: cut off");
	for (uint32_t i = 0; i < n; i++)
		if (p[i] != '\n' && p[i] != '\t' && (p[i] < ' ' || p[i] > '~'))
			return fail(why, "weights: the table about the coordinates is no text");
	if (n && !(net->about = strndup((const char *)p, n)))
		return fail(why, strerror(ENOMEM));
	return 0;
}

static int
take_shape(struct octets *o, struct shape *shape, char *why)
{
	uint32_t *size = (uint32_t *)shape;

	for (unsigned i = 0; i < SHAPE_SIZES; i++) {
		size[i] = take_u32(o);
		if (size[i] < 1 || size[i] > SIZE_LIMIT)
			return fail(why, "weights: a layer without units, or with too many");
	}
	return shape->latent > LATENT_MAX ? fail(why, "weights: of another network") : 0;
}

/* All but whether the hash is that of the octets. */
static int
parse(struct network *net, uint8_t *hash, const uint8_t *p, size_t n, char *why)
{
	struct octets o;
	struct shape shape;
	struct layout layout;
	char name[OCTETS_NAME + 1];
	uint32_t field;

	*net = (struct network){0};
	if (n < 8 || memcmp(p, WEIGHTS_MAGIC, 8)) {
		fail(why, "not a weights file of TraceCodec");
		kind_explain(why, WEIGHTS_ERROR, "not a weights file of TraceCodec", 1 << KIND_WEIGHTS, p, n);
		return -1;
	}
	if (n < HEADER_SIZE + WEIGHTS_HASH)
		return fail(why, "weights: cut off");
	o = (struct octets){p + 8, p + n - WEIGHTS_HASH, false};
	uint32_t version = take_u32(&o), type = take_u32(&o);
	if (version != WEIGHTS_VERSION) {
		snprintf(why, WEIGHTS_ERROR, "weights: version %u; this program reads %d", version, WEIGHTS_VERSION);
		return -1;
	}
	if (type > WEIGHTS_F16)
		return fail(why, "weights: of another network");
	if (take_shape(&o, &shape, why) < 0)
		return -1;
	if (!layout_take(&o, &layout, &field, name)) {
		snprintf(why, WEIGHTS_ERROR, "weights: field %u is %s there, and %s here", field, name, action_fields[field].name);
		return -1;
	}
	if (network_init(net, &shape) < 0)
		return fail(why, strerror(ENOMEM));
	if (take_tensors(&o, net, &layout, type, why) < 0 || take_places(&o, net, &layout, why) < 0 ||
	    take_about(&o, net, why) < 0 || (o.at != o.end && fail(why, "weights: octets behind the table"))) {
		network_free(net);
		return -1;
	}
	memcpy(hash, o.end, WEIGHTS_HASH);
	return 0;
}

int
weights_parse(struct network *net, uint8_t *hash, const uint8_t *p, size_t n, char *why)
{
	uint8_t due[WEIGHTS_HASH];

	if (parse(net, hash, p, n, why) < 0)
		return -1;
	octets_hash(p, n - WEIGHTS_HASH, due);
	if (!memcmp(hash, due, sizeof due))
		return 0;
	network_free(net);
	return fail(why, "weights: damaged: the checksum is wrong");
}

int
weights_load(struct network *net, uint8_t *hash, const char *path, char *why)
{
	size_t n;

	if (!path) /* as good as the program that they are a part of */
		return parse(net, hash, weights_default, weights_default_end - weights_default, why);
	uint8_t *p = octets_read(path, FILE_LIMIT, &n);
	if (!p)
		return fail(why, errno == EINVAL || errno == EFBIG ? "not a weights file of TraceCodec" : strerror(errno));
	int r = weights_parse(net, hash, p, n, why);
	free(p);
	return r;
}
