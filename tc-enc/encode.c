#include "encode.h"

#include "posterior.h"
#include "refine.h"
#include "silence.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (24 << 20)
#define CACHE_PLACES  (1 << 16)
#define KEY_WORDS     40 /* longer actions are not remembered */
#define BLOCK_AFRESH  8
#define SAID_WORDS    32 /* nor are longer ones that others decode to */
#define ARENA	      (ENCODE_BLOCK * 24 + 2 * ACTION_WORDS)
#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)
/* What is read with less than this, another machine's kernels might read otherwise: it is patched. */
#define PATCH_MARGIN 0.02f

const float encode_margins[7] = {0, 0.1f, 0.3f, 1, 3, 10, 30};

/* The fields that core exactness counts. */
#define BIT(f) (1ull << ACTION_##f)
static const uint64_t core_fields = BIT(FLOW) | BIT(OPEN) | BIT(ORIG_H) | BIT(RESP_H) | BIT(DIR) | BIT(PROTO) |
				    BIT(FLAGS) | BIT(SEQ) | BIT(ACK) | BIT(ACK_SAME) | BIT(LEN);

/* What became of one action: the cache's value, before the latent's octets. */
struct outcome {
	uint64_t wrong, wrong_after; /* fields */
	float kl, margin;
	bool refined;
	uint16_t words; /* of the action that it decodes to, where that is another one: with --no-patch */
};

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, BEGIN, END } what;
	enum stream_end end;
	uint32_t words;	 /* where its absolute action, or the header, stands in the arena */
	uint64_t *said;	 /* the relative action that it decodes to, where that is another one */
	uint32_t miss;	 /* number, from 1, of the row that the network must see; 0: known */
	bool sayable;
	int64_t step;	 /* true time step, ns */
	struct time_entry *time; /* what to say of it, as foreseen */
	struct outcome outcome;
};

struct encoder {
	const struct network *net;
	struct encode_options options;
	struct stream_writer *out;
	struct encode_stats stats;
	uint64_t random;
	struct clock clock;
	struct silence silence;
	struct context ahead, behind; /* behind: as the decoder has it, kept where it may differ */
	uint32_t cap;	  /* of the trace behind */
	struct cache cache;
	struct times times;
	size_t size, action_size; /* octets of a latent, of its action's part */

	int n, misses;
	int limit; /* packets of a block: few behind one that went wrong, since all of them are seen anew */
	struct item item[ENCODE_BLOCK];
	uint8_t *latent; /* of the items */
	uint64_t arena[ARENA];
	uint32_t used; /* words of it */
	uint64_t said[ENCODE_BLOCK * ACTION_WORDS];
	uint32_t said_used;
	/* rows that the network must see */
	uint64_t *row_said[ENCODE_ROWS];
	bool row_unsayable[ENCODE_ROWS];
	struct code code[ENCODE_ROWS], got[ENCODE_ROWS];
	struct cache_entry *entry[ENCODE_ROWS];
	uint32_t entry_hash[ENCODE_ROWS];
	struct outcome outcome[ENCODE_ROWS];
	uint8_t *row; /* latents */
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
	e->size = latent_size(o->type, z + tz);
	e->times = (struct times){.net = net, .pass = &e->pass, .type = o->type, .rates = o->stats,
				  .random = o->sample ? &e->random : NULL, .margin = PATCH_MARGIN};
	e->latent = calloc(ENCODE_BLOCK, e->size);
	e->row = calloc(ENCODE_ROWS, e->action_size);
	e->z = calloc(ENCODE_ROWS, z * sizeof *e->z);
	e->refiner = refiner_new(net, ENCODE_ROWS, o->type);
	if (times_init(&e->times) < 0 || !e->latent || !e->row || !e->z || !e->refiner ||
	    cache_init(&e->cache, cached ? CACHE_OCTETS : 0, CACHE_PLACES) < 0 ||
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
	silence_free(&e->silence);
	cache_free(&e->cache);
	pass_free(&e->pass);
	refiner_free(e->refiner);
	times_free(&e->times);
	free(e->latent);
	free(e->row);
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
		e->outcome[i] = (struct outcome){0};
		if (spread)
			e->outcome[i].kl = posterior_rate(mean, logvar, z);
		if (e->options.sample)
			posterior_draw(mean, logvar, z, &e->random);
		latent_put(e->options.type, mean, z, e->row + i * e->action_size);
		latent_get(e->options.type, e->row + i * e->action_size, z, e->z + (size_t)i * z);
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
		any |= margin[i] <= 0 || e->row_unsayable[i];
	if (any && wanted)
		network_decide(e->net, &e->pass, e->z, z, e->misses, e->got);
	for (int i = 0; i < e->misses; i++)
		e->outcome[i].wrong_after = margin[i] > 0 ? 0
					    : wanted	  ? code_wrong(&e->code[i], &e->got[i])
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
		e->outcome[i].refined = true;
		refiner_add(e->refiner, &e->code[i], e->z + (size_t)i * z);
		row[n++] = i;
	}
	refiner_run(e->refiner, e->options.steps, ENCODE_MARGIN);
	for (int k = 0; k < n; k++) {
		float *to = e->z + (size_t)row[k] * z;
		e->stats.steps += refiner_take(e->refiner, k, to, &margin[row[k]]);
		latent_put(e->options.type, to, z, e->row + row[k] * e->action_size);
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
	network_take(&e->pass, e->code, e->misses);
	encode_rows(e);
	e->stats.rows += e->misses;
	network_decode(e->net, &e->pass, e->z, e->net->shape.latent);
	network_margin(&e->pass, margin);
	tell_wrong(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->outcome[i].wrong = e->outcome[i].wrong_after;
	if (e->options.refine)
		refine_rows(e, margin);
	for (int i = 0; i < e->misses; i++)
		e->outcome[i].margin = margin[i];
}

/* What the rows that decode wrong say instead: where no patch sets it right, the decoder will act on
 * it, and so must the encoder. */
static void
note_said(struct encoder *e)
{
	static struct action a;

	for (int i = 0; i < e->misses && !e->options.patch; i++) {
		struct outcome *o = &e->outcome[i];
		if (!o->wrong_after && !e->row_unsayable[i])
			continue;
		code_get(&e->got[i], &a);
		e->row_said[i] = e->said + e->said_used;
		o->words = action_pack(&a, e->row_said[i]);
		e->said_used += o->words;
	}
}

/* What was seen goes to the items that wait for it and into the cache: the outcome, the latent, and
 * what is said instead. */
static void
share_rows(struct encoder *e)
{
	for (int i = 0; i < e->misses; i++) {
		struct cache_entry *c = e->entry[i];
		const struct outcome *o = &e->outcome[i];
		if (!c || c->ahead != (uint32_t)i + 1 || c->hash != e->entry_hash[i])
			continue;
		c->ahead = 0;
		if (o->words > SAID_WORDS) {
			c->hash = 0;
			continue;
		}
		uint8_t *value = cache_value(c);
		memcpy(value, o, sizeof *o);
		memcpy(value + sizeof *o, e->row + i * e->action_size, e->action_size);
		if (o->words)
			memcpy(value + sizeof *o + e->action_size, e->row_said[i], o->words * 8);
	}
	for (int i = 0; i < e->n; i++) {
		struct item *t = &e->item[i];
		if (!t->miss)
			continue;
		t->outcome = e->outcome[t->miss - 1];
		t->said = e->row_said[t->miss - 1];
		memcpy(e->latent + i * e->size, e->row + (t->miss - 1) * e->action_size,
		       e->action_size);
	}
}

/* --- time --- */

/* The codes of the block's steps, as if all were decoded right: those that are new are made. */
static void
prepare_times(struct encoder *e)
{
	_Static_assert(TIMES_MAX <= ENCODE_ROWS, "both take the same pass");
	struct time_entry *entry[TIMES_MAX];
	struct clock clock = e->clock;
	int n = 0;

	for (int i = 0; i < e->n && !e->options.sample; i++) {
		struct item *t = &e->item[i];
		if (t->what == BEGIN)
			clock = clock_of(header_of(e, t));
		if (t->what != PACKET)
			continue;
		uint32_t code = clock_aim(&clock, t->step);
		clock_tick(&clock, t->step, time_ns(code, clock.unit));
		t->time = times_entry(&e->times, code);
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
	const struct outcome *o = &t->outcome;
	uint64_t wrong = o->wrong, after = o->wrong_after;
	int m = 0;

	s->packets++;
	s->unsayable += !t->sayable;
	s->whole += !wrong && t->sayable;
	s->core += !(wrong & core_fields) && t->sayable;
	s->whole_after += !after && t->sayable;
	s->core_after += !(after & core_fields) && t->sayable;
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
	int64_t said = time_ns(code, e->clock.unit), heeded = silence_heed(&e->silence, a, t->step, said);

	return heeded == said ? code : clock_bound(&e->clock, heeded, heeded > said);
}

/* Both clocks go on. A patch has the true step, but where that would break or bridge a silence. */
static void
pass_time(struct encoder *e, const struct item *t, const struct time_entry *time, struct action *patch,
	  const struct action *a)
{
	int64_t step = time_ns(time->decoded, e->clock.unit);

	if (patch) {
		step = silence_heed(&e->silence, a, t->step, t->step);
		if (step != t->step)
			action_set(patch, ACTION_DT, step);
	}
	clock_tick(&e->clock, t->step, step);
	silence_tick(&e->silence, a, t->step, step);
}

/* One packet's latent; *back is set where the decoder's state will not be what was foreseen. */
static int
write_packet(struct encoder *e, int i, bool *back)
{
	static struct action a, said;
	static struct latent l;
	struct item *t = &e->item[i];
	uint8_t *octets = e->latent + i * e->size;

	action_unpack(&a, e->arena + t->words);
	uint32_t code = aim(e, t, &a);
	struct time_entry *time = t->time && t->time->code == code ? t->time : times_entry(&e->times, code);
	if (!time->made || e->options.sample)
		times_make(&e->times, &time, 1);
	bool right = t->sayable && !t->outcome.wrong_after;
	l.patched = e->options.patch &&
		    !(right && t->outcome.margin >= PATCH_MARGIN && time->right);
	if (l.patched)
		l.patch = a;
	pass_time(e, t, time, l.patched ? &l.patch : NULL, &a);
	memcpy(octets + e->action_size, time->octets, e->size - e->action_size);
	l.octets = octets;
	l.size = e->size;
	count(e, t, time, l.patched);
	if (!e->options.patch) {
		if (right) {
			context_relate(&e->behind, &a);
		} else {
			action_unpack(&said, t->said);
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
	if (silence_begin(&e->silence, h) < 0)
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
	e->n = e->misses = e->used = e->said_used = 0;
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

	see_rows(e);
	note_said(e);
	share_rows(e);
	prepare_times(e);
	while (i < e->n && r == 0 && !back)
		r = write_item(e, i++, &back);
	if (back && r == 0)
		return start_over(e, i - 1);
	e->limit = 2 * e->limit < ENCODE_BLOCK ? 2 * e->limit : ENCODE_BLOCK;
	e->n = e->misses = e->used = e->said_used = 0;
	return r;
}

/* --- in --- */

/* The row of an action that nobody has seen yet. */
static void
miss(struct encoder *e, struct item *t, const struct action *relative, const uint64_t *key, unsigned n)
{
	int i = e->misses++;

	t->sayable &= code_put(&e->code[i], relative);
	e->row_unsayable[i] = !t->sayable;
	t->miss = i + 1;
	e->entry[i] = NULL;
	if (!t->sayable || n > KEY_WORDS)
		return;
	struct cache_entry *c =
	    cache_add(&e->cache, key, n * sizeof *key,
		      sizeof(struct outcome) + e->action_size + (e->options.patch ? 0 : SAID_WORDS * 8));
	if (c) {
		c->ahead = i + 1;
		e->entry[i] = c;
		e->entry_hash[i] = c->hash;
	}
}

static void
look_up(struct encoder *e, struct item *t, const struct action *relative)
{
	uint64_t key[ACTION_WORDS];
	unsigned n = action_pack(relative, key);
	struct cache_entry *c = NULL;

	if (t->sayable && n <= KEY_WORDS)
		c = cache_find(&e->cache, key, n * sizeof *key);
	if (!c) {
		miss(e, t, relative, key, n);
	} else if (c->ahead) {
		t->miss = c->ahead;
	} else {
		const uint8_t *value = cache_value(c);
		t->miss = 0;
		memcpy(&t->outcome, value, sizeof t->outcome);
		value += sizeof t->outcome;
		memcpy(e->latent + (t - e->item) * e->size, value, e->action_size);
		if (t->outcome.words) {
			t->said = e->said + e->said_used;
			e->said_used += t->outcome.words;
			memcpy(t->said, value + e->action_size, t->outcome.words * sizeof *t->said);
		}
	}
}

/* Room for one more is left always. */
static int
added(struct encoder *e, unsigned words)
{
	e->used += words;
	e->n++;
	if (e->n >= e->limit || e->misses == ENCODE_ROWS || e->used + ACTION_WORDS > ARENA)
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
	static struct action copy; /* to be made relative */
	unsigned words = action_pack(a, e->arena + e->used);
	struct item *t = &e->item[e->n];

	action_unpack(&copy, e->arena + e->used);
	*t = (struct item){.what = PACKET, .words = e->used, .step = action_number(a, ACTION_DT)};
	t->sayable = context_relate(&e->ahead, &copy);
	look_up(e, t, &copy);
	return added(e, words);
}

static int
add_packed(struct encoder *e, const uint64_t *word)
{
	static struct action a;

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
