#include "codec/encode.h"

#include "codec/cache.h"
#include "codec/idle.h"
#include "codec/posterior.h"
#include "codec/refine.h"
#include "neural/loss.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (32 << 20)
#define BLOCK_OCTETS  (2 << 20) /* room for a block's outcomes */
#define CACHE_PLACES  (1 << 16)
#define ARENA	      (ENCODE_BLOCK * 20 + 2 * ACTION_WORDS)
#define EXPECTED      8 /* packets behind the one that is looked up, whose entries come meanwhile */
#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)
/* What is read with less than this, another machine's kernels might read otherwise: it is patched. */
#define PATCH_MARGIN 0.02f

const float encode_margins[7] = {0, 0.1f, 0.3f, 1, 3, 10, 30};

/* The fields that core exactness counts. */
#define BIT(f) (1ull << ACTION_##f)
static const uint64_t core_fields = BIT(OPEN) | BIT(ORIG_H) | BIT(RESP_H) | BIT(DIR) | BIT(PROTO) | BIT(FLAGS) | BIT(SEQ) |
				    BIT(ACK) | BIT(ACK_SAME) | BIT(LEN);

/* What becomes of an action, without its names and its time step: a value of the cache. */
struct outcome {
	uint64_t wrong, wrong_after; /* fields */
	float kl, margin;
	bool encodable, refined;
	uint8_t octets[]; /* of the latent's first part */
};

_Static_assert(ENCODE_BLOCK * (sizeof(struct cache_entry) + ACTION_WORDS * 8 + sizeof(struct outcome) + LATENT_MAX * 4) <
		       BLOCK_OCTETS && BLOCK_OCTETS <= CACHE_OCTETS / 8, "what a block finds stays for it");

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, BEGIN, END } kind;
	enum stream_end end;
	uint32_t at, words; /* where what it does, or the header, stands in the arena */
	uint32_t hash;	    /* of that */
	struct names names;
	int64_t step, said; /* time step, ns; as the decoder will have it */
	bool opens, idle;   /* idle: its step must not be rounded */
	struct outcome *outcome;
};

struct encoder {
	const struct network *net;
	struct encode_options options;
	struct stream_writer *out;
	struct encode_stats stats;
	uint64_t random;
	struct idle idle;
	int unit; /* of time steps, ns */
	struct cache cache;
	size_t what_size; /* octets */

	int n;
	struct item item[ENCODE_BLOCK];
	uint64_t arena[ARENA];
	uint32_t used; /* words of it */
	/* rows that the network must see */
	int misses;
	struct code code[ENCODE_ROWS], got[ENCODE_ROWS];
	struct outcome *row[ENCODE_ROWS];
	float *z;
	struct activations activations;
	struct refiner *refiner;
};

struct encoder *
encoder_new(const struct network *net, const struct encode_options *o, struct stream_writer *out)
{
	struct encoder *e = calloc(1, sizeof *e);
	bool cached = o->cached && !o->sample;

	if (!e)
		return NULL;
	e->net = net;
	e->options = *o;
	e->out = out;
	e->random = o->seed;
	e->what_size = latent_size(o->type, net->shape.latent);
	e->z = calloc(ENCODE_ROWS, net->shape.latent * sizeof *e->z);
	e->refiner = refiner_new(net, ENCODE_ROWS, o->type);
	if (!e->z || !e->refiner || activations_init(&e->activations, net, ENCODE_ROWS) < 0 ||
	    cache_init(&e->cache, cached ? CACHE_OCTETS : BLOCK_OCTETS, cached ? CACHE_PLACES : 0) < 0) {
		encoder_free(e);
		return NULL;
	}
	return e;
}

void
encoder_free(struct encoder *e)
{
	if (!e)
		return;
	idle_free(&e->idle);
	cache_free(&e->cache);
	activations_free(&e->activations);
	refiner_free(e->refiner);
	free(e->z);
	free(e);
}

/* --- what the network says of the rows that it hasn't seen --- */

static void
encode_rows(struct encoder *e)
{
	int n = e->misses, z = e->net->shape.latent;
	bool spread = e->options.sample || e->options.stats;
	struct activations *p = &e->activations;

	network_encode(e->net, p, spread);
	for (int i = 0; i < n; i++) {
		float *mean = p->mean + (size_t)i * z, *logvar = p->logvar + (size_t)i * z;
		if (spread)
			e->row[i]->kl = kl_divergence(mean, logvar, z);
		if (e->options.sample)
			posterior_draw(mean, logvar, z, &e->random);
		latent_put(e->options.type, mean, z, e->row[i]->octets);
		latent_get(e->options.type, e->row[i]->octets, z, e->z + (size_t)i * z);
	}
}

/* Which fields the rows decode wrong, where the margin says that some are; which ones matters to statistics alone. */
static void
tell_wrong(struct encoder *e, const float *margin)
{
	int z = e->net->shape.latent;
	bool any = false;

	for (int i = 0; i < e->misses; i++)
		any |= margin[i] <= 0;
	if (any && e->options.stats)
		decode_free(e->net, &e->activations, e->z, z, e->misses, e->got);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->wrong_after = margin[i] > 0	    ? 0
					 : e->options.stats ? code_wrong(&e->code[i], &e->got[i])
							    : (1ull << ACTION_COUNT) - 1;
}

/* Refines the rows whose margin is narrow, which becomes what it is then. */
static void
refine_rows(struct encoder *e, float *margin)
{
	int row[ENCODE_ROWS], z = e->net->shape.latent, n = 0;

	for (int i = 0; i < e->misses; i++) {
		if (margin[i] >= ENCODE_MARGIN)
			continue;
		e->row[i]->refined = true;
		refiner_add(e->refiner, &e->code[i], e->z + (size_t)i * z);
		row[n++] = i;
	}
	refiner_run(e->refiner, e->options.steps, ENCODE_MARGIN);
	for (int k = 0; k < n; k++) {
		float *to = e->z + (size_t)row[k] * z;
		e->stats.steps += refiner_take(e->refiner, k, to, &margin[row[k]]);
		latent_put(e->options.type, to, z, e->row[row[k]]->octets);
	}
	if (n)
		tell_wrong(e, margin);
}

/* The latents of the rows and what the decoder will make of them. */
static void
see_rows(struct encoder *e)
{
	float margin[ENCODE_ROWS];

	if (e->misses == 0)
		return;
	network_take(&e->activations, e->code, e->misses);
	encode_rows(e);
	e->stats.rows += e->misses;
	decode_forced(e->net, &e->activations, e->z, e->net->shape.latent);
	loss_margin(&e->activations, margin);
	tell_wrong(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->wrong = e->row[i]->wrong_after;
	if (e->options.refine)
		refine_rows(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->margin = margin[i];
	e->misses = 0;
}

/* A row for an action that nobody has seen yet. */
static struct outcome *
miss(struct encoder *e, const struct item *t)
{
	struct action a;
	const uint64_t *key = e->arena + t->at;
	int i = e->misses++;
	struct cache_entry *c = cache_add(&e->cache, t->hash, key, t->words * sizeof *key, sizeof **e->row + e->what_size);

	action_unpack(&a, key);
	e->row[i] = cache_value(c);
	*e->row[i] = (struct outcome){.encodable = code_put(&e->code[i], &a)};
	return e->row[i];
}

/* What becomes of the block's actions. */
static void
look_up(struct encoder *e)
{
	for (int i = 0; i < e->n; i++) {
		struct item *t = &e->item[i];
		if (i + EXPECTED < e->n)
			cache_expect_entry(&e->cache, t[EXPECTED].hash);
		if (t->kind != PACKET)
			continue;
		struct cache_entry *c = cache_find(&e->cache, t->hash, e->arena + t->at, t->words * sizeof *e->arena);
		t->outcome = c ? cache_value(c) : miss(e, t);
		if (e->misses == ENCODE_ROWS)
			see_rows(e);
	}
	see_rows(e);
}

/* --- out --- */

static void
count(struct encoder *e, const struct item *t, bool patched)
{
	struct encode_stats *s = &e->stats;
	const struct outcome *o = t->outcome;
	uint64_t wrong = o->wrong, after = o->wrong_after;
	int m = 0;

	s->packets++;
	s->patched += patched;
	s->whole_after += !after && o->encodable;
	if (!e->options.stats)
		return;
	s->unencodable += !o->encodable;
	s->idle += t->idle;
	s->whole += !wrong && o->encodable;
	s->core += !(wrong & core_fields) && o->encodable;
	s->core_after += !(after & core_fields) && o->encodable;
	s->refined += o->refined;
	s->kl[STREAM_WHAT] += o->kl;
	s->kl[STREAM_WHO] += names_rate(&t->names);
	s->kl[STREAM_WHEN] += when_rate(t->step);
	s->time_error += llabs(t->step - t->said) * 1e-9;
	for (; wrong; wrong &= wrong - 1)
		s->wrong[__builtin_ctzll(wrong)]++;
	for (; after; after &= after - 1)
		s->wrong_after[__builtin_ctzll(after)]++;
	while (m < 7 && o->margin >= encode_margins[m])
		m++;
	s->margins[m]++;
}

static int
write_packet(struct encoder *e, const struct item *t)
{
	const struct outcome *o = t->outcome;
	float z[CODEC_ASSIGNED];
	uint8_t rest[sizeof z];
	bool named = names_put(&t->names, z);
	bool right = o->encodable && !o->wrong_after && o->margin >= PATCH_MARGIN && named && !t->idle;
	struct latent l = {.octets = o->octets, .size = e->what_size, .rest = rest,
			   .rest_size = latent_size(e->options.type, CODEC_ASSIGNED),
			   .patched = e->options.patch && !right};

	when_put(t->step, z + NAMES_COORDINATES);
	latent_put(e->options.type, z, CODEC_ASSIGNED, rest);
	if (l.patched) {
		action_unpack(&l.patch, e->arena + t->at);
		names_give(&l.patch, &t->names);
		int64_t step = t->idle ? t->said : t->step;
		if (step)
			action_set(&l.patch, ACTION_DT, step);
	}
	count(e, t, l.patched);
	return stream_write_latent(e->out, &l, t->opens);
}

static int
write_item(struct encoder *e, const struct item *t)
{
	return t->kind == PACKET  ? write_packet(e, t)
	       : t->kind == BEGIN ? stream_write_header(e->out, (const struct stream_header *)(e->arena + t->at))
				  : stream_write_end(e->out, t->end);
}

int
encoder_flush(struct encoder *e)
{
	int r = 0;

	look_up(e);
	for (int i = 0; i < e->n && r == 0; i++)
		r = write_item(e, &e->item[i]);
	e->n = e->used = 0;
	return r;
}

/* --- in --- */

/* Room for one more is left always. */
static int
added(struct encoder *e, unsigned words)
{
	e->used += words;
	e->n++;
	return e->n == ENCODE_BLOCK || e->used + ACTION_WORDS > ARENA ? encoder_flush(e) : 0;
}

int
encoder_begin(struct encoder *e, const struct stream_header *h)
{
	e->item[e->n] = (struct item){.kind = BEGIN, .at = e->used};
	memcpy(e->arena + e->used, h, sizeof *h);
	e->unit = h->nano ? 1 : 1000;
	e->stats.traces++;
	return idle_begin(&e->idle, h) < 0 ? -1 : added(e, HEADER_WORDS);
}

int
encoder_end(struct encoder *e, enum stream_end end)
{
	e->item[e->n] = (struct item){.kind = END, .at = e->used, .end = end};
	return added(e, 0);
}

int
encoder_add(struct encoder *e, struct action *a)
{
	struct item *t = &e->item[e->n];
	int64_t step = action_number(a, ACTION_DT);

	*t = (struct item){.kind = PACKET, .at = e->used, .step = step, .said = when_rounded(step, e->unit),
			   .opens = action_opens(a)};
	t->idle = e->options.patch && idle_keep(&e->idle, a, step, t->said) != t->said;
	if (t->idle)
		t->said = idle_keep(&e->idle, a, step, step);
	idle_tick(&e->idle, a, step, t->said);
	a->has &= ~BIT(DT);
	names_take(a, &t->names);
	t->words = action_pack(a, e->arena + e->used);
	t->hash = cache_hash(e->arena + t->at, t->words * sizeof *e->arena);
	cache_expect_place(&e->cache, t->hash);
	return added(e, t->words);
}

const struct encode_stats *
encoder_stats(const struct encoder *e, uint64_t *found, uint64_t *asked)
{
	*found = e->cache.found;
	*asked = e->cache.asked;
	return &e->stats;
}
