#include "decode.h"

#include "record/wide.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_OCTETS  (16 << 20)
#define CACHE_PLACES  (1 << 16)
#define CACHE_WORDS   24 /* of an action that is remembered */
#define TIME_OCTETS   (8 << 20)

#define HEADER_WORDS  ((sizeof(struct stream_header) + 7) / 8)

/* A packet of a block, or the beginning or the end of a trace. */
struct item {
	enum { PACKET, BEGIN, END } what;
	enum stream_end end;
	uint32_t miss, time_miss; /* numbers, from 1, of the rows that the network must see */
	uint32_t words;		  /* where its relative action, once it does, or the header stands in the arena */
	uint32_t time;		  /* code of its time step */
	uint32_t patch;		  /* where its patch stands in the arena, plus one */
};

/* Rows that the network must see, and where what it says goes. */
struct rows {
	int n;
	float *z;
	struct cache_entry *entry[DECODE_ROWS];
	uint32_t hash[DECODE_ROWS];
};

struct decoder {
	const struct network *net;
	struct stream_writer *out;
	enum latent_type type; /* of what is added */
	struct context context; /* of what is written, as is the unit */
	int unit; /* ns */
	size_t action_size, time_size;
	struct cache actions, times;
	uint64_t seen;

	int n;
	struct item item[DECODE_BLOCK];
	struct rows action_rows, time_rows;
	struct code code[DECODE_ROWS];
	uint32_t row_words[DECODE_ROWS], row_time[DECODE_ROWS];
	struct pass pass;
	uint32_t used;
	uint64_t arena[DECODE_BLOCK * 2 * ACTION_WORDS];
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
	d->action_rows.z = calloc(DECODE_ROWS * z, sizeof(float));
	d->time_rows.z = calloc(DECODE_ROWS * tz, sizeof(float));
	if (!d->action_rows.z || !d->time_rows.z || pass_init(&d->pass, net, DECODE_ROWS) < 0 ||
	    cache_init(&d->actions, cached ? CACHE_OCTETS : 0, CACHE_PLACES) < 0 ||
	    cache_init(&d->times, cached ? TIME_OCTETS : 0, CACHE_PLACES) < 0) {
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
	free(d->action_rows.z);
	free(d->time_rows.z);
	pass_free(&d->pass);
	cache_free(&d->actions);
	cache_free(&d->times);
	free(d);
}

WIDE static bool
finite_all(const float *z, int n)
{
	uint32_t bad = 0;

	for (int i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &z[i], sizeof bits);
		bad |= (bits & 0x7f800000) == 0x7f800000;
	}
	return !bad;
}

/* Remembers, or asks for, what some octets say: the number of a row, from 1, or 0 with *e. False
 * where a coordinate is no finite number. */
static bool
look_up(struct decoder *d, struct cache *c, struct rows *r, const uint8_t *octets, size_t size,
	size_t room, int width, uint32_t *miss, struct cache_entry **e)
{
	float *z = r->z + (size_t)r->n * width;
	struct cache_digest key = {0};

	if (c->size)
		key = cache_digest(octets, size);
	*e = cache_find(c, &key, sizeof key);
	*miss = *e ? (*e)->ahead : 0;
	if (*e)
		return true;
	latent_get(d->type, octets, width, z);
	if (!finite_all(z, width))
		return false;
	r->entry[r->n] = cache_add(c, &key, sizeof key, room);
	if (r->entry[r->n]) {
		r->hash[r->n] = r->entry[r->n]->hash;
		r->entry[r->n]->ahead = r->n + 1;
	}
	*miss = ++r->n;
	return true;
}

/* The entry that waits for a row, if it still does. */
static struct cache_entry *
waiting(const struct rows *r, int i)
{
	struct cache_entry *e = r->entry[i];

	if (!e || e->ahead != (uint32_t)i + 1 || e->hash != r->hash[i])
		return NULL;
	e->ahead = 0;
	return e;
}

static void
see_actions(struct decoder *d)
{
	static struct action a;
	struct rows *r = &d->action_rows;

	if (r->n == 0)
		return;
	network_decide(d->net, &d->pass, r->z, d->net->shape.latent, r->n, d->code);
	d->seen += r->n;
	for (int i = 0; i < r->n; i++) {
		struct cache_entry *e = waiting(r, i);
		code_get(&d->code[i], &a);
		uint64_t *word = d->arena + d->used;
		unsigned n = action_pack(&a, word);
		d->row_words[i] = d->used;
		d->used += n;
		if (e && n <= CACHE_WORDS)
			memcpy(cache_value(e), word, e->size = n * sizeof *word);
		else if (e)
			e->hash = 0;
	}
}

static void
see_times(struct decoder *d)
{
	struct rows *r = &d->time_rows;

	if (r->n == 0)
		return;
	time_decode(d->net, &d->pass, r->z, d->net->shape.time, r->n);
	for (int i = 0; i < r->n; i++) {
		struct cache_entry *e = waiting(r, i);
		d->row_time[i] = time_in(d->pass.tlogit + (size_t)i * TIME_BITS);
		if (e)
			memcpy(cache_value(e), &d->row_time[i], sizeof d->row_time[i]);
	}
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
	static struct action a;

	if (t->patch) {
		action_unpack(&a, d->arena + t->patch - 1);
		context_follow(&d->context, &a);
		return stream_write(d->out, &a);
	}
	action_unpack(&a, d->arena + (t->miss ? d->row_words[t->miss - 1] : t->words));
	context_resolve(&d->context, &a);
	int64_t ns = time_ns(t->time_miss ? d->row_time[t->time_miss - 1] : t->time, d->unit);
	if (ns)
		action_set(&a, ACTION_DT, ns);
	return stream_write(d->out, &a);
}

int
decoder_flush(struct decoder *d)
{
	int r = 0;

	see_actions(d);
	see_times(d);
	for (int i = 0; i < d->n && r == 0; i++) {
		const struct item *t = &d->item[i];
		r = t->what == BEGIN ? write_begin(d, (struct stream_header *)(d->arena + t->words))
		    : t->what == END ? stream_write_end(d->out, t->end)
				     : write_packet(d, t);
	}
	d->n = d->action_rows.n = d->time_rows.n = d->used = 0;
	return r;
}

static int
added(struct decoder *d)
{
	bool full = ++d->n == DECODE_BLOCK || d->action_rows.n == DECODE_ROWS ||
		    d->time_rows.n == DECODE_ROWS;

	return full ? decoder_flush(d) : 0;
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
	struct cache_entry *e, *te;

	*t = (struct item){0};
	if (l->patched) {
		t->patch = d->used + 1;
		d->used += action_pack(&l->patch, d->arena + d->used);
	} else {
		if (!look_up(d, &d->actions, &d->action_rows, l->octets, d->action_size,
			     CACHE_WORDS * sizeof(uint64_t), d->net->shape.latent, &t->miss, &e) ||
		    !look_up(d, &d->times, &d->time_rows, l->octets + d->action_size, d->time_size,
			     sizeof t->time, d->net->shape.time, &t->time_miss, &te))
			return 1;
		if (!t->miss) { /* the entry may be gone by the time the block is written */
			const uint64_t *word = cache_value(e);
			t->words = d->used;
			memcpy(d->arena + d->used, word, e->size);
			d->used += e->size / sizeof *word;
		}
		if (!t->time_miss)
			memcpy(&t->time, cache_value(te), sizeof t->time);
	}
	return added(d);
}

void
decoder_stats(const struct decoder *d, uint64_t *rows, uint64_t *found, uint64_t *asked)
{
	*rows = d->seen;
	*found = d->actions.found;
	*asked = d->actions.asked;
}
