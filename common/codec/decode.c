#include "codec/decode.h"

#include "codec/cache.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (8 << 20)
#define BLOCK_OCTETS  (1 << 17) /* room for what a block's latents say */
#define CACHE_PLACES  (1 << 16)
#define CACHE_WORDS   12 /* of an action that is remembered */
#define EXPECTED      8  /* packets behind the one that is looked up, whose entries come meanwhile */

#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)

/* What a latent says that an action does: a value of the cache. */
struct decoded {
	uint64_t *word; /* own, or, where it is longer, in the arena, for this block */
	uint64_t own[CACHE_WORDS];
};

_Static_assert(DECODE_BLOCK * (sizeof(struct cache_entry) + sizeof(struct cache_digest) + sizeof(struct decoded)) <
		       BLOCK_OCTETS && BLOCK_OCTETS <= CACHE_OCTETS / 8, "what a block finds stays for it");

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, PATCH, BEGIN, END } what;
	enum stream_end end;
	uint32_t words; /* where its patch, or the header, stands in the arena */
	struct cache_digest key; /* of its latent's first block */
	struct decoded *decoded;
};

struct decoder {
	const struct network *net;
	struct stream_writer *out;
	enum latent_type type; /* of what is added */
	int unit; /* of time steps of what is written, ns */
	size_t what_size, size; /* octets of a latent's first block, and of all of it */
	struct cache cache;
	uint64_t seen;

	int n;
	struct item item[DECODE_BLOCK];
	uint8_t *latent; /* of the items */
	/* rows that the network must see, and where what they say goes */
	int rows;
	float *z;
	struct code code[DECODE_ROWS];
	struct cache_entry *entry[DECODE_ROWS];
	struct activations activations;
	uint32_t used;
	uint64_t arena[DECODE_BLOCK * ACTION_WORDS];
};

struct decoder *
decoder_new(const struct network *net, bool cached, struct stream_writer *out)
{
	struct decoder *d = calloc(1, sizeof *d);
	size_t z = net->shape.latent;

	if (!d)
		return NULL;
	d->net = net;
	d->out = out;
	d->latent = calloc(DECODE_BLOCK * (z + CODEC_ASSIGNED), sizeof(float));
	d->z = calloc(DECODE_ROWS * z, sizeof *d->z);
	if (!d->latent || !d->z || activations_init(&d->activations, net, DECODE_ROWS) < 0 ||
	    cache_init(&d->cache, cached ? CACHE_OCTETS : BLOCK_OCTETS, cached ? CACHE_PLACES : 0) < 0) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

void
decoder_free(struct decoder *d)
{
	if (!d)
		return;
	free(d->latent);
	free(d->z);
	activations_free(&d->activations);
	cache_free(&d->cache);
	free(d);
}

/* What the rows say. */
static void
see_rows(struct decoder *d)
{
	struct action a;

	if (d->rows == 0)
		return;
	decode_free(d->net, &d->activations, d->z, d->net->shape.latent, d->rows, d->code);
	d->seen += d->rows;
	for (int i = 0; i < d->rows; i++) {
		struct decoded *decoded = cache_value(d->entry[i]);
		code_get(&d->code[i], &a);
		decoded->word = d->arena + d->used;
		unsigned n = action_pack(&a, decoded->word);
		if (n <= CACHE_WORDS) {
			decoded->word = memcpy(decoded->own, decoded->word, n * sizeof *decoded->word);
		} else {
			d->used += n;
			d->entry[i]->hash = 0;
		}
	}
	d->rows = 0;
}

static void
look_up_packet(struct decoder *d, struct item *t, const uint8_t *octets)
{
	int z = d->net->shape.latent;
	uint32_t hash = cache_digest_hash(&t->key);
	struct cache_entry *e = cache_find(&d->cache, hash, &t->key, sizeof t->key);

	if (!e) {
		e = cache_add(&d->cache, hash, &t->key, sizeof t->key, sizeof *t->decoded);
		latent_get(d->type, octets, z, d->z + (size_t)d->rows * z);
		d->entry[d->rows++] = e;
	}
	t->decoded = cache_value(e);
	if (d->rows == DECODE_ROWS)
		see_rows(d);
}

/* What the block's latents say. */
static void
look_up(struct decoder *d)
{
	for (int i = 0; i < d->n; i++) {
		struct item *t = &d->item[i];
		if (i + EXPECTED < d->n && t[EXPECTED].what == PACKET)
			cache_expect_entry(&d->cache, cache_digest_hash(&t[EXPECTED].key));
		if (t->what == PACKET)
			look_up_packet(d, t, d->latent + i * d->size);
	}
	see_rows(d);
}

static int
write_begin(struct decoder *d, const struct stream_header *h)
{
	d->unit = h->nano ? 1 : 1000;
	return stream_write_header(d->out, h);
}

static int
write_packet(struct decoder *d, const struct item *t, const uint8_t *octets)
{
	struct action a;
	struct names names;
	float z[CODEC_ASSIGNED];

	latent_get(d->type, octets + d->what_size, CODEC_ASSIGNED, z);
	names_get(&names, z);
	action_unpack(&a, t->decoded->word);
	names_give(&a, &names);
	int64_t step = when_get(z + NAMES_COORDINATES, d->unit);
	if (step)
		action_set(&a, ACTION_DT, step);
	return stream_write(d->out, &a);
}

static int
write_patch(struct decoder *d, const struct item *t)
{
	struct action a;

	action_unpack(&a, d->arena + t->words);
	return stream_write(d->out, &a);
}

static int
write_item(struct decoder *d, int i)
{
	const struct item *t = &d->item[i];

	switch (t->what) {
	case PACKET:
		return write_packet(d, t, d->latent + i * d->size);
	case PATCH:
		return write_patch(d, t);
	case BEGIN:
		return write_begin(d, (struct stream_header *)(d->arena + t->words));
	default:
		return stream_write_end(d->out, t->end);
	}
}

int
decoder_flush(struct decoder *d)
{
	int r = 0;

	look_up(d);
	for (int i = 0; i < d->n && r == 0; i++)
		r = write_item(d, i);
	d->n = d->used = 0;
	return r;
}

static int
added(struct decoder *d)
{
	return ++d->n == DECODE_BLOCK ? decoder_flush(d) : 0;
}

int
decoder_begin(struct decoder *d, const struct stream_header *h)
{
	if (d->size && d->type != h->type) { /* other octets, another meaning */
		if (decoder_flush(d) < 0)
			return -1;
		cache_forget(&d->cache);
	}
	d->type = h->type;
	d->what_size = latent_size(h->type, d->net->shape.latent);
	d->size = latent_size(h->type, d->net->shape.latent + CODEC_ASSIGNED);
	struct stream_header *kept = (struct stream_header *)(d->arena + d->used);
	*kept = *h;
	kept->kind = STREAM_ACTIONS;
	d->item[d->n] = (struct item){.what = BEGIN, .words = d->used};
	d->used += HEADER_WORDS;
	return added(d);
}

int
decoder_end(struct decoder *d, enum stream_end end)
{
	d->item[d->n] = (struct item){.what = END, .end = end};
	return added(d);
}

int
decoder_add(struct decoder *d, const struct latent *l)
{
	struct item *t = &d->item[d->n];

	if (l->patched) {
		*t = (struct item){.what = PATCH, .words = d->used};
		d->used += action_pack(&l->patch, d->arena + d->used);
		return added(d);
	}
	if (!latent_finite(d->type, l->octets, l->size))
		return 1;
	t->what = PACKET;
	t->key = cache_digest(l->octets, d->what_size);
	cache_expect_place(&d->cache, cache_digest_hash(&t->key));
	memcpy(d->latent + d->n * l->size, l->octets, l->size);
	return added(d);
}

void
decoder_stats(const struct decoder *d, uint64_t *rows, uint64_t *found, uint64_t *asked)
{
	*rows = d->seen;
	*found = d->cache.found;
	*asked = d->cache.asked;
}
