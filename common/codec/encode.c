#include "codec/encode.h"

#include "codec/posterior.h"
#include "codec/refine.h"
#include "codec/idle.h"
#include "codec/times.h"
#include "neural/decision.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (32 << 20)
#define BLOCK_OCTETS  (2 << 20) /* room for a block's outcomes */
#define CACHE_PLACES  (1 << 16)
#define BLOCK_AFRESH  8
#define ARENA	      (ENCODE_BLOCK * 40 + 4 * ACTION_WORDS)
#define EXPECTED      8 /* packets behind the one that is looked up, whose entries come meanwhile */
#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)
/* What is read with less than this, another machine's kernels might read otherwise: it is patched. */
#define PATCH_MARGIN 0.02f

const float encode_margins[7] = {0, 0.1f, 0.3f, 1, 3, 10, 30};

/* The fields that core exactness counts. */
#define BIT(f) (1ull << ACTION_##f)
static const uint64_t core_fields = BIT(FLOW) | BIT(OPEN) | BIT(ORIG_H) | BIT(RESP_H) | BIT(DIR) | BIT(PROTO) |
				    BIT(FLAGS) | BIT(SEQ) | BIT(ACK) | BIT(ACK_SAME) | BIT(LEN);

/* What becomes of one action: a value of the cache. */
struct outcome {
	uint64_t wrong, wrong_after; /* fields */
	const uint64_t *said; /* the relative action that it decodes to, where that is another one: with --no-patch */
	float kl, margin;
	bool sayable, refined;
	uint8_t octets[]; /* of the latent, but for the time step */
};

_Static_assert(ENCODE_BLOCK * (sizeof(struct cache_entry) + ACTION_WORDS * 8 + sizeof(struct outcome) + LATENT_MAX * 4) <
		       BLOCK_OCTETS && BLOCK_OCTETS <= CACHE_OCTETS / 8, "what a block finds stays for it");

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, BEGIN, END } what;
	enum stream_end end;
	uint32_t words; /* where its absolute action, or the header, stands in the arena */
	uint32_t key, key_words; /* the same of its relative action */
	uint32_t hash;		 /* of that */
	bool sayable;		 /* as far as its context goes */
	int64_t step;		 /* true time step, ns */
	uint32_t time_code;	 /* of what to say of it, as foreseen */
	struct time_entry *time;
	struct outcome *outcome;
};

struct encoder {
	const struct network *net;
	struct encode_options options;
	struct stream_writer *out;
	struct encode_stats stats;
	uint64_t random;
	struct clock clock;
	struct idle idle;
	struct context ahead, behind; /* behind: as the decoder has it, kept where it may differ */
	uint32_t cap;	  /* of the trace behind */
	struct cache cache;
	struct times times;
	size_t action_size, time_size; /* octets of a latent */

	int n;
	int limit; /* packets of a block: few behind one that went wrong, since all of them are seen anew */
	struct item item[ENCODE_BLOCK];
	uint64_t arena[ARENA];
	uint32_t used; /* words of it */
	uint64_t said[ENCODE_BLOCK * ACTION_WORDS];
	uint32_t said_used;
	/* rows that the network must see */
	int misses;
	struct code code[ENCODE_ROWS], got[ENCODE_ROWS];
	struct cache_entry *entry[ENCODE_ROWS];
	struct outcome *row[ENCODE_ROWS]; /* the entries' values */
	float *z;
	struct pass pass;
	struct refiner *refiner;
};

static const struct stream_header *
header_of(const struct encoder *e, const struct item *t)
{
	return (const struct stream_header *)(e->arena + t->words);
}

struct encoder *
encoder_new(const struct network *net, const struct encode_options *o, struct stream_writer *out)
{
	struct encoder *e = calloc(1, sizeof *e);
	int z = net->shape.latent, tz = net->shape.time;
	bool cached;

	if (!e)
		return NULL;
	e->net = net;
	e->options = *o;
	e->out = out;
	e->random = o->seed;
	e->limit = ENCODE_BLOCK;
	cached = o->cached && !o->sample;
	e->action_size = latent_size(o->type, z);
	e->time_size = latent_size(o->type, tz);
	e->times = (struct times){.net = net, .pass = &e->pass, .type = o->type, .rates = o->stats,
				  .random = o->sample ? &e->random : NULL, .margin = PATCH_MARGIN,
				  .held = 2 * ENCODE_BLOCK}; /* as foreseen, and as it turns out */
	e->z = calloc(ENCODE_ROWS, z * sizeof *e->z);
	e->refiner = refiner_new(net, ENCODE_ROWS, o->type);
	if (times_init(&e->times) < 0 || !e->z || !e->refiner ||
	    cache_init(&e->cache, cached ? CACHE_OCTETS : BLOCK_OCTETS, cached ? CACHE_PLACES : 0) < 0 ||
	    pass_init(&e->pass, net, ENCODE_ROWS) < 0) {
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
	context_free(&e->ahead);
	context_free(&e->behind);
	idle_free(&e->idle);
	cache_free(&e->cache);
	pass_free(&e->pass);
	refiner_free(e->refiner);
	times_free(&e->times);
	free(e->z);
	free(e);
}

/* --- what the network says of the rows that it hasn't seen --- */

static void
encode_rows(struct encoder *e)
{
	int n = e->misses, z = e->net->shape.latent;
	bool spread = e->options.sample || e->options.stats;
	struct pass *p = &e->pass;

	network_encode(e->net, p, spread);
	for (int i = 0; i < n; i++) {
		float *mean = p->mean + (size_t)i * z, *logvar = p->logvar + (size_t)i * z;
		if (spread)
			e->row[i]->kl = posterior_rate(mean, logvar, z);
		if (e->options.sample)
			posterior_draw(mean, logvar, z, &e->random);
		latent_put(e->options.type, mean, z, e->row[i]->octets);
		latent_get(e->options.type, e->row[i]->octets, z, e->z + (size_t)i * z);
	}
}

/* Which fields the rows decode wrong, where the margin says that some are. What is said instead matters
 * only to a decoder that gets no patch, and to statistics: otherwise all fields count as wrong. */
static void
tell_wrong(struct encoder *e, const float *margin)
{
	int z = e->net->shape.latent;
	bool any = false, wanted = e->options.stats || !e->options.patch;

	for (int i = 0; i < e->misses; i++)
		any |= margin[i] <= 0 || !e->row[i]->sayable;
	if (any && wanted)
		network_decide(e->net, &e->pass, e->z, z, e->misses, e->got);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->wrong_after = margin[i] > 0 ? 0
					 : wanted      ? code_wrong(&e->code[i], &e->got[i])
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

/* What the rows that decode wrong say instead: where no patch sets it right, the decoder will act on
 * it, and so must the encoder. It is not remembered longer than this block. */
static void
note_said(struct encoder *e)
{
	struct action a;

	for (int i = 0; i < e->misses && !e->options.patch; i++) {
		struct outcome *o = e->row[i];
		if (!o->wrong_after && o->sayable)
			continue;
		code_get(&e->got[i], &a);
		o->said = e->said + e->said_used;
		e->said_used += action_pack(&a, e->said + e->said_used);
		e->entry[i]->hash = 0;
	}
}

/* The latents of the rows and what the decoder will make of them. */
static void
see_rows(struct encoder *e)
{
	float margin[ENCODE_ROWS];

	if (e->misses == 0)
		return;
	network_take(&e->pass, e->code, e->misses);
	encode_rows(e);
	e->stats.rows += e->misses;
	network_decode(e->net, &e->pass, e->z, e->net->shape.latent);
	decision_margin(&e->pass, margin);
	tell_wrong(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->wrong = e->row[i]->wrong_after;
	if (e->options.refine)
		refine_rows(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->row[i]->margin = margin[i];
	note_said(e);
	e->misses = 0;
}

/* A row for an action that nobody has seen yet. */
static struct cache_entry *
miss(struct encoder *e, const struct item *t)
{
	struct action relative;
	const uint64_t *key = e->arena + t->key;
	int i = e->misses++;
	struct cache_entry *c = cache_add(&e->cache, t->hash, key, t->key_words * sizeof *key,
					  sizeof(struct outcome) + e->action_size);

	action_unpack(&relative, key);
	e->entry[i] = c;
	e->row[i] = cache_value(c);
	*e->row[i] = (struct outcome){.sayable = code_put(&e->code[i], &relative) && t->sayable};
	if (!e->row[i]->sayable)
		c->hash = 0;
	return c;
}

/* What becomes of the block's actions. */
static void
look_up(struct encoder *e)
{
	for (int i = 0; i < e->n; i++) {
		struct item *t = &e->item[i];
		struct cache_entry *c = NULL;
		if (i + EXPECTED < e->n)
			cache_expect_entry(&e->cache, t[EXPECTED].hash);
		if (t->what != PACKET)
			continue;
		if (t->sayable)
			c = cache_find(&e->cache, t->hash, e->arena + t->key, t->key_words * sizeof *e->arena);
		t->outcome = cache_value(c ? c : miss(e, t));
		if (e->misses == ENCODE_ROWS)
			see_rows(e);
	}
	see_rows(e);
}

/* --- time --- */

/* What to say of the block's steps, if all are decoded right: what is new of it is made. */
static void
prepare_times(struct encoder *e)
{
	_Static_assert(TIMES_MAX <= ENCODE_ROWS, "both take the same pass");
	struct time_entry *entry[TIMES_MAX];
	struct clock clock = e->clock;
	int n = 0;

	for (int i = 0; i < e->n; i++) {
		struct item *t = &e->item[i];
		if (t->what == BEGIN)
			clock = clock_of(header_of(e, t));
		if (t->what != PACKET)
			continue;
		t->time_code = clock_aim(&clock, t->step);
		clock_tick(&clock, t->step, time_ns(t->time_code, clock.unit));
		times_expect(&e->times, t->time_code);
	}
	for (int i = 0; i < e->n && !e->options.sample; i++) {
		struct item *t = &e->item[i];
		if (t->what != PACKET)
			continue;
		t->time = times_entry(&e->times, t->time_code);
		if (t->time->made)
			continue;
		t->time->made = true;
		entry[n++] = t->time;
		if (n == TIMES_MAX) {
			times_make(&e->times, entry, n);
			n = 0;
		}
	}
	if (n)
		times_make(&e->times, entry, n);
}

/* --- out --- */

static void
count(struct encoder *e, const struct item *t, const struct time_entry *time, bool patched)
{
	struct encode_stats *s = &e->stats;
	const struct outcome *o = t->outcome;
	uint64_t wrong = o->wrong, after = o->wrong_after;
	int m = 0;

	s->packets++;
	s->unsayable += !o->sayable;
	s->whole += !wrong && o->sayable;
	s->core += !(wrong & core_fields) && o->sayable;
	s->whole_after += !after && o->sayable;
	s->core_after += !(after & core_fields) && o->sayable;
	s->patched += patched;
	s->refined += o->refined;
	s->kl += o->kl + time->kl;
	s->time_wrong += !time->right;
	s->time_error += llabs(e->clock.debt) * 1e-9;
	for (; wrong; wrong &= wrong - 1)
		s->wrong[__builtin_ctzll(wrong)]++;
	for (; after; after &= after - 1)
		s->wrong_after[__builtin_ctzll(after)]++;
	while (m < 7 && o->margin >= encode_margins[m])
		m++;
	s->margins[m]++;
}

/* The code of the time step to say for a packet. */
static uint32_t
aim(const struct encoder *e, const struct item *t, const struct action *a)
{
	uint32_t code = clock_aim(&e->clock, t->step);
	int64_t said = time_ns(code, e->clock.unit), heeded = idle_keep(&e->idle, a, t->step, said);

	return heeded == said ? code : clock_bound(&e->clock, heeded, heeded > said);
}

/* Both clocks go on. A patch has the true step, but where that would break or bridge a silence. */
static void
pass_time(struct encoder *e, const struct item *t, const struct time_entry *time, struct action *patch,
	  const struct action *a)
{
	int64_t step = time_ns(time->decoded, e->clock.unit);

	if (patch) {
		step = idle_keep(&e->idle, a, t->step, t->step);
		if (step != t->step)
			action_set(patch, ACTION_DT, step);
	}
	clock_tick(&e->clock, t->step, step);
	idle_tick(&e->idle, a, t->step, step);
}

/* One packet's latent; *back is set where the decoder's state will not be what was foreseen. */
static int
write_packet(struct encoder *e, int i, bool *back)
{
	struct action a, said;
	struct latent l;
	const struct item *t = &e->item[i];
	const struct outcome *o = t->outcome;

	action_unpack(&a, e->arena + t->words);
	uint32_t code = aim(e, t, &a);
	struct time_entry *time = t->time && t->time->code == code ? t->time : times_entry(&e->times, code);
	if (!time->made || e->options.sample)
		times_make(&e->times, &time, 1);
	bool right = o->sayable && !o->wrong_after;
	l.patched = e->options.patch && !(right && o->margin >= PATCH_MARGIN && time->right);
	if (l.patched)
		l.patch = a;
	pass_time(e, t, time, l.patched ? &l.patch : NULL, &a);
	l.octets = o->octets;
	l.size = e->action_size;
	l.rest = time->octets;
	l.rest_size = e->time_size;
	count(e, t, time, l.patched);
	if (!e->options.patch) {
		if (right) {
			context_relate(&e->behind, &a);
		} else {
			action_unpack(&said, o->said);
			context_resolve(&e->behind, &said);
			context_pair(&e->behind, &a, &said);
			*back = true;
		}
	}
	return stream_write_latent(e->out, &l, action_opens(&a));
}

static int
write_begin(struct encoder *e, const struct stream_header *h)
{
	e->clock = clock_of(h);
	e->cap = h->cap;
	e->stats.traces++;
	if (idle_begin(&e->idle, h) < 0)
		return -1;
	if (!e->options.patch && context_begin(&e->behind, h->cap, true) < 0)
		return -1;
	return stream_write_header(e->out, h);
}

static int
write_item(struct encoder *e, int i, bool *back)
{
	const struct item *t = &e->item[i];

	return t->what == BEGIN ? write_begin(e, header_of(e, t))
	       : t->what == END ? stream_write_end(e->out, t->end)
				: write_packet(e, i, back);
}

static int add_packed(struct encoder *e, const uint64_t *word);

/* Takes back what was foreseen behind packet i: its successors are seen in the decoder's state. */
static int
start_over(struct encoder *e, int i)
{
	int n = e->n - i - 1, r = 0;
	uint64_t *rest = malloc(e->used * sizeof *rest);
	struct item *item = malloc((n + 1) * sizeof *item);

	if (!rest || !item || context_begin(&e->ahead, e->cap, true) < 0) {
		free(rest);
		free(item);
		return -1;
	}
	memcpy(rest, e->arena, e->used * sizeof *rest);
	memcpy(item, e->item + i + 1, n * sizeof *item);
	context_copy(&e->ahead, &e->behind);
	e->limit = BLOCK_AFRESH;
	e->n = e->used = e->said_used = 0;
	for (int k = 0; k < n && r == 0; k++) {
		const uint64_t *word = rest + item[k].words;
		r = item[k].what == BEGIN ? encoder_begin(e, (const struct stream_header *)word)
		    : item[k].what == END ? encoder_end(e, item[k].end)
					  : add_packed(e, word);
	}
	free(rest);
	free(item);
	return r == 0 ? encoder_flush(e) : r;
}

int
encoder_flush(struct encoder *e)
{
	int i = 0, r = 0;
	bool back = false;

	look_up(e);
	prepare_times(e);
	while (i < e->n && r == 0 && !back)
		r = write_item(e, i++, &back);
	if (back && r == 0)
		return start_over(e, i - 1);
	e->limit = 2 * e->limit < ENCODE_BLOCK ? 2 * e->limit : ENCODE_BLOCK;
	e->n = e->used = e->said_used = 0;
	return r;
}

/* --- in --- */

/* Room for one more is left always. */
static int
added(struct encoder *e, unsigned words)
{
	e->used += words;
	e->n++;
	if (e->n >= e->limit || e->used + 2 * ACTION_WORDS > ARENA)
		return encoder_flush(e);
	return 0;
}

int
encoder_begin(struct encoder *e, const struct stream_header *h)
{
	e->item[e->n] = (struct item){.what = BEGIN, .words = e->used};
	memcpy(e->arena + e->used, h, sizeof *h);
	if (context_begin(&e->ahead, h->cap, !e->options.patch) < 0)
		return -1;
	return added(e, HEADER_WORDS);
}

int
encoder_end(struct encoder *e, enum stream_end end)
{
	e->item[e->n] = (struct item){.what = END, .words = e->used, .end = end};
	return added(e, 0);
}

int
encoder_add(struct encoder *e, const struct action *a)
{
	struct action copy; /* to be made relative */
	unsigned words = action_pack(a, e->arena + e->used);
	struct item *t = &e->item[e->n];

	action_unpack(&copy, e->arena + e->used);
	*t = (struct item){.what = PACKET, .words = e->used, .key = e->used + words,
			   .step = action_number(a, ACTION_DT)};
	t->sayable = context_relate(&e->ahead, &copy);
	t->key_words = action_pack(&copy, e->arena + t->key);
	t->hash = cache_hash(e->arena + t->key, t->key_words * sizeof *e->arena);
	cache_expect_place(&e->cache, t->hash);
	return added(e, words + t->key_words);
}

static int
add_packed(struct encoder *e, const uint64_t *word)
{
	struct action a;

	action_unpack(&a, word);
	return encoder_add(e, &a);
}

const struct encode_stats *
encoder_stats(const struct encoder *e, uint64_t *found, uint64_t *asked)
{
	*found = e->cache.found;
	*asked = e->cache.asked;
	return &e->stats;
}
