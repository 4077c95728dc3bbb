#include "codec/decode.h"

#include "codec/cache.h"
#include "process/jobs.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK	     256 /* packets, beginnings and ends of traces that are seen together */
#define ROWS	     64	 /* that go through the network together: few, so that all of a pass stays in a core's caches */
#define CACHE_PLACES (1 << 16)
#define CACHE_WORDS  24	 /* of an action that is remembered */

/* What a latent says that an action does: a value of the cache. */
struct decoded {
	uint64_t block; /* the number of the one that it was first seen in */
	uint64_t *word; /* own, or, where it is longer, in that block's arena: for that block alone */
	uint64_t own[CACHE_WORDS];
};

/* What a block adds to the cache at most. */
#define BLOCK_ADDS (BLOCK * (sizeof(struct cache_entry) + sizeof(struct cache_digest) + sizeof(struct decoded)))
_Static_assert(2 * BLOCK_ADDS < CACHE_MOST / CACHE_STAYS, "what a block finds stays for it");

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, PATCH, BEGIN, END } what;
	enum stream_end end;
	uint32_t words; /* where its patch, or the header, stands in the arena */
	struct cache_digest key; /* of its latent's first block */
	struct decoded *decoded;
};

/*
 * Filled by decoder_add(); look_up() finds what is known of its latents, and lists those that nobody has seen yet; work()
 * decodes them, by any thread; write_block() writes it.
 */
struct block {
	uint64_t number;
	int n, misses;
	enum latent_type type;
	struct item item[BLOCK];
	int miss[BLOCK]; /* items */
	uint32_t used; /* words of the arena */
	uint64_t arena[BLOCK * ACTION_WORDS];
	uint8_t latent[]; /* (BLOCK, size) */
};

/* The network, for one thread. */
struct network_rows {
	struct activations activations;
	float *z; /* (ROWS, latent) */
	struct code code[ROWS];
};

struct decoder {
	const struct network *net;
	enum latent_type type; /* of what is added */
	size_t what_size, size; /* octets of a latent's first block, and of all of it */
	struct cache cache;
	uint64_t blocks;
	struct block *block; /* that is filled now */
	struct jobs *jobs;
	unsigned threads;
	struct network_rows *rows[JOBS_MAX]; /* of each thread */
	/* of who writes */
	struct stream_writer *out;
	int unit; /* of time steps, ns */
	struct network_rows *again;
	uint64_t network_rows;
};

static void work(void *arg, void *block, unsigned who);
static void take(struct decoder *d);
static int write_block(void *arg, void *block);

static void
rows_free(struct network_rows *r)
{
	if (!r)
		return;
	activations_free(&r->activations);
	free(r->z);
	free(r);
}

static struct network_rows *
rows_new(const struct network *net)
{
	struct network_rows *r = calloc(1, sizeof *r);

	if (r && activations_init(&r->activations, net, ROWS) == 0 &&
	    (r->z = calloc(ROWS * net->shape.latent, sizeof *r->z)))
		return r;
	rows_free(r);
	return NULL;
}

struct decoder *
decoder_new(const struct network *net, bool cached, unsigned threads, struct stream_writer *out)
{
	struct decoder *d = calloc(1, sizeof *d);
	size_t latent = (net->shape.latent + CODEC_ASSIGNED) * sizeof(float);

	if (!d)
		return NULL;
	d->net = net;
	d->out = out;
	while (d->threads < threads && (d->rows[d->threads] = rows_new(net)))
		d->threads++;
	struct jobs_of of = {d, work, write_block};
	if (d->threads < threads || !(d->again = rows_new(net)) ||
	    cache_init(&d->cache, cache_size(BLOCK_ADDS, threads), cached ? CACHE_PLACES : 0) < 0 ||
	    !(d->jobs = jobs_new(&of, threads, cache_blocks(&d->cache, BLOCK_ADDS), sizeof *d->block + BLOCK * latent))) {
		decoder_free(d);
		return NULL;
	}
	take(d);
	return d;
}

void
decoder_free(struct decoder *d)
{
	if (!d)
		return;
	jobs_free(d->jobs);
	for (unsigned i = 0; i < d->threads; i++)
		rows_free(d->rows[i]);
	rows_free(d->again);
	cache_free(&d->cache);
	free(d);
}

/* --- what latents say --- */

static void
look_up(struct decoder *d)
{
	struct block *b = d->block;

	for (int i = 0; i < b->n; i++) {
		struct item *t = &b->item[i];
		if (t->what != PACKET)
			continue;
		uint32_t hash = cache_digest_hash(&t->key);
		struct cache_entry *e = cache_find(&d->cache, hash, &t->key, sizeof t->key);
		if (!e) {
			e = cache_add(&d->cache, hash, &t->key, sizeof t->key, sizeof *t->decoded);
			((struct decoded *)cache_value(e))->block = b->number;
			b->miss[b->misses++] = i;
		}
		t->decoded = cache_value(e);
	}
}

/* Latents of items, ROWS at most, to actions, which go into the block's arena where they are too long to stay. */
static void
decode_rows(const struct decoder *d, struct network_rows *r, struct block *b, const int *item, int n)
{
	int z = d->net->shape.latent;
	struct action a;

	for (int i = 0; i < n; i++)
		latent_get(b->type, b->latent + item[i] * d->size, z, r->z + (size_t)i * z);
	decode_free(d->net, &r->activations, r->z, z, n, r->code);
	for (int i = 0; i < n; i++) {
		struct decoded *to = b->item[item[i]].decoded;
		code_get(&r->code[i], &a);
		to->word = b->arena + b->used;
		unsigned words = action_pack(&a, to->word);
		if (words <= CACHE_WORDS)
			to->word = memcpy(to->own, to->word, words * sizeof *to->word);
		else
			b->used += words;
	}
}

static void
work(void *arg, void *block, unsigned who)
{
	struct decoder *d = arg;
	struct block *b = block;

	for (int i = 0; i < b->misses; i += ROWS)
		decode_rows(d, d->rows[who], b, b->miss + i, b->misses - i < ROWS ? b->misses - i : ROWS);
}

/* --- out --- */

static int
write_begin(struct decoder *d, const struct stream_header *h)
{
	d->unit = h->nano ? 1 : 1000;
	return stream_write_header(d->out, h);
}

/* A long action that an earlier block saw is not there any more. */
static const uint64_t *
words_of(struct decoder *d, struct block *b, int i)
{
	struct decoded *of = b->item[i].decoded;

	if (of->word != of->own && of->block != b->number) {
		decode_rows(d, d->again, b, &i, 1);
		of->block = b->number;
	}
	return of->word;
}

static int
write_packet(struct decoder *d, struct block *b, int i)
{
	struct action a;
	struct names names;
	float z[CODEC_ASSIGNED];

	latent_get(b->type, b->latent + i * d->size + d->what_size, CODEC_ASSIGNED, z);
	names_get(&names, z);
	action_unpack(&a, words_of(d, b, i));
	names_give(&a, &names);
	int64_t step = when_get(z + NAMES_COORDINATES, d->unit);
	if (step)
		action_set(&a, ACTION_DT, step);
	return stream_write(d->out, &a);
}

static int
write_patch(struct decoder *d, const uint64_t *word)
{
	struct action a;

	action_unpack(&a, word);
	return stream_write(d->out, &a);
}

static int
write_item(struct decoder *d, struct block *b, int i)
{
	const struct item *t = &b->item[i];

	switch (t->what) {
	case PACKET:
		return write_packet(d, b, i);
	case PATCH:
		return write_patch(d, b->arena + t->words);
	case BEGIN:
		return write_begin(d, (struct stream_header *)(b->arena + t->words));
	default:
		return stream_write_end(d->out, t->end);
	}
}

static int
write_block(void *arg, void *block)
{
	struct decoder *d = arg;
	struct block *b = block;
	int r = 0;

	for (int i = 0; i < b->n && r == 0; i++)
		r = write_item(d, b, i);
	d->network_rows += b->misses;
	return r;
}

/* --- in --- */

static void
take(struct decoder *d)
{
	struct block *b = d->block = jobs_take(d->jobs);

	b->number = ++d->blocks;
	b->n = b->misses = b->used = 0;
	b->type = d->type;
}

/* The block goes on its way. */
static int
give(struct decoder *d)
{
	look_up(d);
	int r = jobs_give(d->jobs);
	take(d);
	return r;
}

int
decoder_flush(struct decoder *d)
{
	return (d->block->n && give(d) < 0) || jobs_wait(d->jobs) < 0 ? -1 : 0;
}

static int
added(struct decoder *d)
{
	return ++d->block->n == BLOCK ? give(d) : 0;
}

int
decoder_begin(struct decoder *d, const struct stream_header *h)
{
	if (d->size && d->type != h->type) { /* other octets, another meaning */
		if (decoder_flush(d) < 0)
			return -1;
		cache_forget(&d->cache);
	}
	d->type = d->block->type = h->type;
	d->what_size = latent_size(h->type, d->net->shape.latent);
	d->size = latent_size(h->type, d->net->shape.latent + CODEC_ASSIGNED);
	struct block *b = d->block;
	struct stream_header *kept = (struct stream_header *)(b->arena + b->used);
	*kept = *h;
	kept->kind = STREAM_ACTIONS;
	b->item[b->n] = (struct item){.what = BEGIN, .words = b->used};
	b->used += CODEC_HEADER_WORDS;
	return added(d);
}

int
decoder_end(struct decoder *d, enum stream_end end)
{
	d->block->item[d->block->n] = (struct item){.what = END, .end = end};
	return added(d);
}

int
decoder_add(struct decoder *d, const struct latent *l)
{
	struct block *b = d->block;
	struct item *t = &b->item[b->n];

	if (l->patched) {
		*t = (struct item){.what = PATCH, .words = b->used};
		b->used += action_pack(&l->patch, b->arena + b->used);
		return added(d);
	}
	if (!latent_finite(d->type, l->octets, l->size))
		return 1;
	t->what = PACKET;
	t->key = cache_digest(l->octets, d->what_size);
	memcpy(b->latent + b->n * l->size, l->octets, l->size);
	return added(d);
}

uint64_t
decoder_stats(const struct decoder *d, uint64_t *found, uint64_t *asked)
{
	*found = d->cache.found;
	*asked = d->cache.asked;
	return d->network_rows;
}
