#include "codec/decode.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (8 << 20)
#define TIME_OCTETS   (2 << 20)
#define BLOCK_OCTETS  (1 << 17) /* room for what a block's latents say */
#define CACHE_PLACES  (1 << 16)
#define CACHE_WORDS   12 /* of an action that is remembered */
#define EXPECTED      8  /* packets behind the one that is looked up, whose entries come meanwhile */

#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)

/* The relative action that a latent says: a value of the cache. */
struct said {
	uint64_t *word; /* own, or, where it is longer, in the arena, for this block */
	uint64_t own[CACHE_WORDS];
};

_Static_assert(DECODE_BLOCK * (sizeof(struct cache_entry) + sizeof(struct cache_digest) + sizeof(struct said)) <
		       BLOCK_OCTETS && BLOCK_OCTETS <= TIME_OCTETS / 8, "what a block finds stays for it");

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, PATCH, BEGIN, END } what;
	enum stream_end end;
	uint32_t words; /* where its patch, or the header, stands in the arena */
	struct cache_digest action_key, time_key; /* of its latent's octets */
	struct said *said;
	uint32_t *time; /* code of its time step */
};

struct decoder {
	const struct network *net;
	struct stream_writer *out;
	enum latent_type type; /* of what is added */
	struct context context; /* of what is written, as is the unit */
	int unit; /* ns */
	size_t action_size, time_size; /* octets of a latent */
	struct cache actions, times;
	uint64_t seen;

	int n;
	struct item item[DECODE_BLOCK];
	uint8_t *latent; /* of the items */
	/* rows that the network must see, and where what they say goes */
	int rows, time_rows;
	float *z, *tz;
	struct code code[DECODE_ROWS];
	struct cache_entry *entry[DECODE_ROWS];
	uint32_t *time[DECODE_ROWS];
	struct pass pass;
	uint32_t used;
	uint64_t arena[DECODE_BLOCK * ACTION_WORDS];
};

struct decoder *
decoder_new(const struct network *net, bool cached, struct stream_writer *out)
{
	struct decoder *d = calloc(1, sizeof *d);
	size_t z = net->shape.latent, tz = net->shape.time;

	if (!d)
		return NULL;
	d->net = net;
	d->out = out;
	d->latent = calloc(DECODE_BLOCK * (z + tz), sizeof(float));
	d->z = calloc(DECODE_ROWS * z, sizeof *d->z);
	d->tz = calloc(DECODE_ROWS * tz, sizeof *d->tz);
	if (!d->latent || !d->z || !d->tz || pass_init(&d->pass, net, DECODE_ROWS) < 0 ||
	    cache_init(&d->actions, cached ? CACHE_OCTETS : BLOCK_OCTETS, cached ? CACHE_PLACES : 0) < 0 ||
	    cache_init(&d->times, cached ? TIME_OCTETS : BLOCK_OCTETS, cached ? CACHE_PLACES : 0) < 0) {
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
	context_free(&d->context);
	free(d->latent);
	free(d->z);
	free(d->tz);
	pass_free(&d->pass);
	cache_free(&d->actions);
	cache_free(&d->times);
	free(d);
}

/* What the rows say. */
static void
see_actions(struct decoder *d)
{
	struct action a;

	if (d->rows == 0)
		return;
	network_decide(d->net, &d->pass, d->z, d->net->shape.latent, d->rows, d->code);
	d->seen += d->rows;
	for (int i = 0; i < d->rows; i++) {
		struct said *said = cache_value(d->entry[i]);
		code_get(&d->code[i], &a);
		said->word = d->arena + d->used;
		unsigned n = action_pack(&a, said->word);
		if (n <= CACHE_WORDS) {
			said->word = memcpy(said->own, said->word, n * sizeof *said->word);
		} else {
			d->used += n;
			d->entry[i]->hash = 0;
		}
	}
	d->rows = 0;
}

static void
see_times(struct decoder *d)
{
	if (d->time_rows == 0)
		return;
	time_decode(d->net, &d->pass, d->tz, d->net->shape.time, d->time_rows);
	for (int i = 0; i < d->time_rows; i++)
		*d->time[i] = time_in(d->pass.tlogit + (size_t)i * TIME_BITS);
	d->time_rows = 0;
}

/* The entry of what a latent's octets say. Where it is new, *fresh. */
static struct cache_entry *
entry_of(struct cache *c, const struct cache_digest *key, size_t room, bool *fresh)
{
	uint32_t hash = cache_digest_hash(key);
	struct cache_entry *e = cache_find(c, hash, key, sizeof *key);

	*fresh = !e;
	return e ? e : cache_add(c, hash, key, sizeof *key, room);
}

static void
look_up_packet(struct decoder *d, struct item *t, const uint8_t *octets)
{
	int z = d->net->shape.latent, tz = d->net->shape.time;
	bool fresh;
	struct cache_entry *e = entry_of(&d->actions, &t->action_key, sizeof *t->said, &fresh);

	t->said = cache_value(e);
	if (fresh) {
		latent_get(d->type, octets, z, d->z + (size_t)d->rows * z);
		d->entry[d->rows++] = e;
	}
	if (d->rows == DECODE_ROWS)
		see_actions(d);
	t->time = cache_value(entry_of(&d->times, &t->time_key, sizeof *t->time, &fresh));
	if (fresh) {
		latent_get(d->type, octets + d->action_size, tz, d->tz + (size_t)d->time_rows * tz);
		d->time[d->time_rows++] = t->time;
	}
	if (d->time_rows == DECODE_ROWS)
		see_times(d);
}

/* What the block's latents say. */
static void
look_up(struct decoder *d)
{
	for (int i = 0; i < d->n; i++) {
		struct item *t = &d->item[i];
		if (i + EXPECTED < d->n && t[EXPECTED].what == PACKET) {
			cache_expect_entry(&d->actions, cache_digest_hash(&t[EXPECTED].action_key));
			cache_expect_entry(&d->times, cache_digest_hash(&t[EXPECTED].time_key));
		}
		if (t->what == PACKET)
			look_up_packet(d, t, d->latent + i * (d->action_size + d->time_size));
	}
	see_actions(d);
	see_times(d);
}

static int
write_begin(struct decoder *d, const struct stream_header *h)
{
	d->unit = h->nano ? 1 : 1000;
	if (context_begin(&d->context, h->cap, false) < 0)
		return -1;
	return stream_write_header(d->out, h);
}

static int
write_packet(struct decoder *d, const struct item *t)
{
	struct action a;

	action_unpack(&a, t->said->word);
	context_resolve(&d->context, &a);
	int64_t ns = time_ns(*t->time, d->unit);
	if (ns)
		action_set(&a, ACTION_DT, ns);
	return stream_write(d->out, &a);
}

static int
write_patch(struct decoder *d, const struct item *t)
{
	struct action a;

	action_unpack(&a, d->arena + t->words);
	context_follow(&d->context, &a);
	return stream_write(d->out, &a);
}

static int
write_item(struct decoder *d, const struct item *t)
{
	switch (t->what) {
	case PACKET:
		return write_packet(d, t);
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
		r = write_item(d, &d->item[i]);
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
	if (d->action_size && d->type != h->type) { /* other octets, another meaning */
		if (decoder_flush(d) < 0)
			return -1;
		cache_forget(&d->actions);
		cache_forget(&d->times);
	}
	d->type = h->type;
	d->action_size = latent_size(h->type, d->net->shape.latent);
	d->time_size = latent_size(h->type, d->net->shape.time);
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
	t->action_key = cache_digest(l->octets, d->action_size);
	t->time_key = cache_digest(l->octets + d->action_size, d->time_size);
	cache_expect_place(&d->actions, cache_digest_hash(&t->action_key));
	cache_expect_place(&d->times, cache_digest_hash(&t->time_key));
	memcpy(d->latent + d->n * l->size, l->octets, l->size);
	return added(d);
}

void
decoder_stats(const struct decoder *d, uint64_t *rows, uint64_t *found, uint64_t *asked)
{
	*rows = d->seen;
	*found = d->actions.found;
	*asked = d->actions.asked;
}
