#include "codec/encode.h"

#include "codec/cache.h"
#include "codec/idle.h"
#include "process/jobs.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK	     512		 /* packets, beginnings and ends of traces that are seen together */
#define ARENA	     (BLOCK * 20 + 2 * ACTION_WORDS) /* words */
#define CACHE_PLACES (1 << 16)
/* What is read with less than this, another machine's kernels might read otherwise: it is patched. */
#define PATCH_MARGIN 0.02f

const float encode_margins[7] = {0, 0.1f, 0.3f, 1, 3, 10, 30};

/* The fields that core exactness counts. */
#define BIT(f) (1ull << ACTION_##f)
static const uint64_t core_fields = BIT(OPEN) | BIT(ORIG_H) | BIT(RESP_H) | BIT(DIR) | BIT(PROTO) | BIT(FLAGS) | BIT(SEQ) |
				    BIT(ACK) | BIT(ACK_SAME) | BIT(LEN);

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, BEGIN, END } kind;
	enum stream_end end;
	uint32_t at, words; /* where what it does, or the header, stands in the arena */
	uint32_t hash;	    /* of that */
	struct names names;
	int64_t step, said; /* time step, ns; as the decoder will have it */
	bool opens, idle;   /* idle: its step must not be rounded */
	struct analysis *outcome;
};

/*
 * Filled by encoder_add(); look_up() finds what is known of its actions, and lists those that nobody has seen yet; work()
 * has them seen, by any thread; write_block() writes it.
 */
struct block {
	int n, misses;
	struct item item[BLOCK];
	struct analysed miss[BLOCK];
	uint64_t seed, steps;
	uint32_t used; /* words of the arena */
	uint64_t arena[ARENA];
};

struct encoder {
	const struct network *net;
	struct encode_options options;
	struct idle idle;
	int unit; /* of time steps, ns */
	struct cache cache;
	size_t what_size; /* octets */
	uint64_t random;
	struct block *block; /* that is filled now */
	struct jobs *jobs;
	unsigned threads;
	struct analyst *analyst[JOBS_MAX]; /* of each thread */
	/* of who writes */
	struct stream_writer *out;
	struct encode_stats stats;
};

static void work(void *arg, void *block, unsigned who);
static int write_block(void *arg, void *block);

/* What a block adds to the cache at most. */
#define BLOCK_ADDS(what_size) (BLOCK * (sizeof(struct cache_entry) + sizeof(struct analysis) + (what_size) + 16) + ARENA * 8)
_Static_assert(2 * BLOCK_ADDS(LATENT_MAX * 4) < CACHE_MOST / CACHE_STAYS, "what a block finds stays for it");

struct encoder *
encoder_new(const struct network *net, const struct encode_options *o, unsigned threads, struct stream_writer *out)
{
	struct encoder *e = calloc(1, sizeof *e);
	bool cached = o->cached && !o->analysis.sample;

	if (!e)
		return NULL;
	e->net = net;
	e->options = *o;
	e->out = out;
	e->random = o->seed;
	e->what_size = latent_size(o->analysis.type, net->shape.latent);
	size_t adds = BLOCK_ADDS(e->what_size);
	while (e->threads < threads && (e->analyst[e->threads] = analyst_new(net, &o->analysis)))
		e->threads++;
	struct jobs_of of = {e, work, write_block};
	if (e->threads < threads || cache_init(&e->cache, cache_size(adds, threads), cached ? CACHE_PLACES : 0) < 0 ||
	    !(e->jobs = jobs_new(&of, threads, cache_blocks(&e->cache, adds), sizeof *e->block))) {
		encoder_free(e);
		return NULL;
	}
	e->block = jobs_take(e->jobs);
	return e;
}

void
encoder_free(struct encoder *e)
{
	if (!e)
		return;
	jobs_free(e->jobs);
	idle_free(&e->idle);
	cache_free(&e->cache);
	for (unsigned i = 0; i < e->threads; i++)
		analyst_free(e->analyst[i]);
	free(e);
}

/* --- what becomes of actions --- */

/* Room for what becomes of an action that nobody has seen yet. */
static struct analysis *
miss(struct encoder *e, const struct item *t)
{
	struct block *b = e->block;
	const uint64_t *key = b->arena + t->at;
	struct cache_entry *c = cache_add(&e->cache, t->hash, key, t->words * sizeof *key, sizeof(struct analysis) + e->what_size);
	struct analysis *o = cache_value(c);

	b->miss[b->misses++] = (struct analysed){key, o};
	return o;
}

static void
look_up(struct encoder *e)
{
	struct block *b = e->block;

	for (int i = 0; i < b->n; i++) {
		struct item *t = &b->item[i];
		if (t->kind != PACKET)
			continue;
		struct cache_entry *c = cache_find(&e->cache, t->hash, b->arena + t->at, t->words * sizeof *b->arena);
		t->outcome = c ? cache_value(c) : miss(e, t);
	}
}

static void
work(void *arg, void *block, unsigned who)
{
	struct encoder *e = arg;
	struct block *b = block;

	b->steps = analyst_see(e->analyst[who], b->miss, b->misses, b->seed);
}

/* --- out --- */

static void
count(struct encoder *e, const struct item *t, bool patched)
{
	struct encode_stats *s = &e->stats;
	const struct analysis *o = t->outcome;
	uint64_t wrong = o->wrong, after = o->wrong_after;
	int m = 0;

	s->packets++;
	s->patched += patched;
	s->whole_after += !after && o->encodable;
	if (!e->options.analysis.stats)
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
write_packet(struct encoder *e, const struct block *b, const struct item *t)
{
	const struct analysis *o = t->outcome;
	float z[CODEC_ASSIGNED];
	uint8_t rest[sizeof z];
	bool named = names_put(&t->names, z);
	bool right = o->encodable && !o->wrong_after && o->margin >= PATCH_MARGIN && named && !t->idle;
	struct latent l = {.octets = o->octets, .size = e->what_size, .rest = rest,
			   .rest_size = latent_size(e->options.analysis.type, CODEC_ASSIGNED),
			   .patched = e->options.patch && !right};

	when_put(t->step, z + NAMES_COORDINATES);
	latent_put(e->options.analysis.type, z, CODEC_ASSIGNED, rest);
	if (l.patched) {
		action_unpack(&l.patch, b->arena + t->at);
		names_give(&l.patch, &t->names);
		int64_t step = t->idle ? t->said : t->step;
		if (step)
			action_set(&l.patch, ACTION_DT, step);
	}
	count(e, t, l.patched);
	return stream_write_latent(e->out, &l, t->opens);
}

static int
write_item(struct encoder *e, const struct block *b, const struct item *t)
{
	switch (t->kind) {
	case PACKET:
		return write_packet(e, b, t);
	case BEGIN:
		e->stats.traces++;
		return stream_write_header(e->out, (const struct stream_header *)(b->arena + t->at));
	default:
		return stream_write_end(e->out, t->end);
	}
}

static int
write_block(void *arg, void *block)
{
	struct encoder *e = arg;
	struct block *b = block;
	int r = 0;

	for (int i = 0; i < b->n && r == 0; i++)
		r = write_item(e, b, &b->item[i]);
	e->stats.rows += b->misses;
	e->stats.steps += b->steps;
	return r;
}

/* --- in --- */

/* The block goes on its way. */
static int
give(struct encoder *e)
{
	look_up(e);
	e->block->seed = random_next(&e->random);
	int r = jobs_give(e->jobs);
	e->block = jobs_take(e->jobs);
	e->block->n = e->block->misses = e->block->used = 0;
	return r;
}

int
encoder_flush(struct encoder *e)
{
	return (e->block->n && give(e) < 0) || jobs_wait(e->jobs) < 0 ? -1 : 0;
}

/* Room for one more is left always. */
static int
added(struct encoder *e, unsigned words)
{
	struct block *b = e->block;

	b->used += words;
	b->n++;
	return b->n == BLOCK || b->used + ACTION_WORDS > ARENA ? give(e) : 0;
}

int
encoder_begin(struct encoder *e, const struct stream_header *h)
{
	struct block *b = e->block;

	b->item[b->n] = (struct item){.kind = BEGIN, .at = b->used};
	memcpy(b->arena + b->used, h, sizeof *h);
	e->unit = h->nano ? 1 : 1000;
	return idle_begin(&e->idle, h) < 0 ? -1 : added(e, CODEC_HEADER_WORDS);
}

int
encoder_end(struct encoder *e, enum stream_end end)
{
	struct block *b = e->block;

	b->item[b->n] = (struct item){.kind = END, .at = b->used, .end = end};
	return added(e, 0);
}

int
encoder_add(struct encoder *e, struct action *a)
{
	struct block *b = e->block;
	struct item *t = &b->item[b->n];
	int64_t step = action_number(a, ACTION_DT);

	*t = (struct item){.kind = PACKET, .at = b->used, .step = step, .said = when_rounded(step, e->unit),
			   .opens = action_opens(a)};
	t->idle = e->options.patch && idle_keep(&e->idle, a, step, t->said) != t->said;
	if (t->idle)
		t->said = idle_keep(&e->idle, a, step, step);
	idle_tick(&e->idle, a, step, t->said);
	a->has &= ~BIT(DT);
	names_take(a, &t->names);
	t->words = action_pack(a, b->arena + b->used);
	t->hash = cache_hash(b->arena + t->at, t->words * sizeof *b->arena);
	return added(e, t->words);
}

const struct encode_stats *
encoder_stats(const struct encoder *e, uint64_t *found, uint64_t *asked)
{
	*found = e->cache.found;
	*asked = e->cache.asked;
	return &e->stats;
}
