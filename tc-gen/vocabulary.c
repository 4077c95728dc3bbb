#include "vocabulary.h"

#include "scale.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define OFTEN	 4   /* what was seen so often is a symbol of its own */
#define MANY	 4   /* packets of a flow that count as much as another flow */
#define EXACTS	 400 /* of a field, at most: those seen most */
#define TICK	 64  /* ns: times are told apart by them */
#define TICK_BITS 2  /* ranges of times: four a power of two */
#define BITS	 1   /* of other numbers: two */
#define KEY_WORDS 64

#define M(f) (UINT64_C(1) << ACTION_##f)

static const struct spec {
	uint64_t mask;	    /* fields of the action that it decides */
	int number;	    /* one of them, that has ranges; -1: none */
	uint8_t heads;	    /* bit h: head h decides it */
	int8_t who;	    /* one of a packet's four; -1: none */
} specs[FIELDS] = {
    [FIELD_NEXT] = {0, -1, 1, -1},
    [FIELD_OPENED] = {0, -1, 2, -1},
    [FIELD_PROTO] = {M(PROTO), ACTION_PROTO, 2, -1},
    [FIELD_ORIG_H] = {0, -1, 2, WHO_ORIG_H},
    [FIELD_RESP_H] = {0, -1, 2, WHO_RESP_H},
    [FIELD_RESP_P] = {M(RESP_P), ACTION_RESP_P, 2, -1},
    [FIELD_ORIG_P] = {M(ORIG_P), ACTION_ORIG_P, 2, -1},
    [FIELD_SRC_MAC] = {0, -1, 2, WHO_SRC_MAC},
    [FIELD_DST_MAC] = {0, -1, 2, WHO_DST_MAC},
    [FIELD_DIR] = {M(DIR), -1, 3, -1},
    [FIELD_AGAIN] = {M(OPEN), -1, 1, -1},
    [FIELD_FLAGS] = {M(FLAGS), -1, 3, -1},
    [FIELD_TYPE] = {M(TYPE) | M(CODE), -1, 3, -1},
    [FIELD_LEN] = {M(LEN), ACTION_LEN, 3, -1},
    [FIELD_SEQ] = {M(SEQ), ACTION_SEQ, 3, -1},
    [FIELD_ACK] = {M(ACK) | M(ACK_SAME), ACTION_ACK, 3, -1},
    [FIELD_SACK] = {M(SACK), -1, 3, -1},
    [FIELD_WIN] = {M(WIN), ACTION_WIN, 3, -1},
    [FIELD_OPTS] = {M(OPTS) | M(MSS) | M(WSCALE), -1, 3, -1},
    [FIELD_ID] = {M(ID), ACTION_ID, 3, -1},
    [FIELD_TSVAL] = {M(TSVAL), ACTION_TSVAL, 3, -1},
    [FIELD_TSECR] = {M(TSECR) | M(NO_ECHO), ACTION_TSECR, 3, -1},
    [FIELD_REST] = {M(REST), ACTION_REST, 3, -1},
    [FIELD_TTL] = {M(TTL), ACTION_TTL, 3, -1},
    [FIELD_PAD] = {M(PAD), ACTION_PAD, 3, -1},
    [FIELD_OTHER] = {M(FRAG) | M(TAGS) | M(LINK) | M(EXT) | M(TOS) | M(LABEL) | M(NO_CHECKSUM) | M(URGENT) | M(FRAG_ID) |
			 M(IP_HL) | M(IP_LEN) | M(UDP_LEN) | M(TCP_OFF),
		     -1, 3, -1},
};

const char *const field_names[FIELDS] = {"next", "opened", "proto", "orig_h", "resp_h", "resp_p", "orig_p", "src_mac", "dst_mac",
					 "dir", "again", "flags", "type", "len", "seq", "ack", "sack", "win", "opts", "id",
					 "tsval", "tsecr", "rest", "ttl", "pad", "other"};

bool
field_is_of(enum field f, enum head h)
{
	return specs[f].heads >> h & 1;
}

int
field_who(enum field f)
{
	return specs[f].who;
}

/* What a packet has in a field, before it is a symbol: words that are equal where it is the same. */
struct key {
	uint64_t word[KEY_WORDS];
	unsigned n; /* 0: absent, or too long to learn */
	bool absent;
	uint64_t hash;
};

static bool
is_time(enum field f)
{
	return f == FIELD_NEXT || f == FIELD_OPENED;
}

static void
key_hash(struct key *k)
{
	k->hash = k->n;
	for (unsigned i = 0; i < k->n; i++) {
		k->hash ^= k->word[i];
		k->hash = random_next(&k->hash);
	}
}

/* The part of an action that a field decides. */
static void
key_of_action(struct key *k, enum field f, struct action *a)
{
	uint64_t has = a->has, word[ACTION_WORDS];

	a->has &= specs[f].mask;
	if (f == FIELD_AGAIN && action_number(a, ACTION_OPEN) <= FLOW_RESUMED)
		a->has = 0;
	k->absent = !a->has;
	k->n = a->has ? action_pack(a, word) : 0;
	a->has = has;
	if (k->n > KEY_WORDS)
		k->n = 0;
	memcpy(k->word, word, k->n * sizeof *word);
	key_hash(k);
}

/* A number that is to be a range: *v. */
static bool
number_of(enum field f, const struct action *a, int64_t *v)
{
	int number = specs[f].number;

	if (number < 0 || !action_has(a, number) || (a->has & specs[f].mask) != UINT64_C(1) << number)
		return false;
	*v = a->num[number];
	return *v > -(INT64_C(1) << 40) && *v < INT64_C(1) << 40;
}

static void
range_of(int64_t v, int64_t *low, int64_t *high)
{
	int r = scale_range(v < 0 ? -v : v, BITS);
	int64_t a = scale_low(r, BITS), b = scale_low(r + 1, BITS);

	*low = v < 0 ? 1 - b : a;
	*high = v < 0 ? 1 - a : b;
}

/* No range reaches over a silence after which a flow counts as another. */
static void
range_of_time(const struct corpus *c, int64_t t, int64_t *low, int64_t *high)
{
	int r = scale_range(t < 0 ? 0 : t / TICK, TICK_BITS);

	*low = scale_low(r, TICK_BITS) * TICK;
	*high = scale_low(r + 1, TICK_BITS) * TICK;
	for (int k = 0; k < FLOW_KINDS; k++) {
		int64_t idle = c->header.idle[k] * INT64_C(1000000000) + 1;
		if (idle > *low && idle <= t)
			*low = idle;
		else if (idle < *high && idle > t)
			*high = idle;
	}
}

/* --- what was seen, counted --- */

struct count {
	struct key key;
	uint32_t n, real, symbol; /* real: packets that say it */
	struct symbol as; /* of a range */
	uint32_t share[SHARES];
};

struct counts {
	struct count *count;
	uint32_t n, mask;
	uint32_t *index;
};

static struct count *
count_find(struct counts *t, const struct key *k)
{
	for (uint32_t i = k->hash & t->mask; t->index && t->index[i]; i = (i + 1) & t->mask) {
		struct count *c = &t->count[t->index[i] - 1];
		if (c->key.hash == k->hash && c->key.n == k->n && !memcmp(c->key.word, k->word, k->n * sizeof *k->word))
			return c;
	}
	return NULL;
}

static int
count_room(struct counts *t)
{
	if (t->mask && 2 * t->n < t->mask)
		return 0;
	uint32_t room = t->mask ? 2 * (t->mask + 1) : 256, *index = calloc(room, sizeof *index);
	struct count *more = realloc(t->count, room / 2 * sizeof *more);
	if (more)
		t->count = more;
	if (!index || !more) {
		free(index);
		return -1;
	}
	free(t->index);
	t->index = index;
	t->mask = room - 1;
	for (uint32_t j = 0; j < t->n; j++) {
		uint32_t i = t->count[j].key.hash & t->mask;
		while (index[i])
			i = (i + 1) & t->mask;
		index[i] = j + 1;
	}
	return 0;
}

static struct count *
count_add(struct counts *t, const struct key *k)
{
	struct count *c = count_find(t, k);

	if (!c) {
		if (count_room(t) < 0)
			return NULL;
		uint32_t i = k->hash & t->mask;
		while (t->index[i])
			i = (i + 1) & t->mask;
		t->index[i] = t->n + 1;
		c = &t->count[t->n++];
		*c = (struct count){.key = *k, .symbol = UNKNOWN};
	}
	c->n++;
	return c;
}

static void
counts_free(struct counts *t)
{
	free(t->count);
	free(t->index);
}

/* --- which symbols there are --- */

static int
symbol_add(struct vocabulary *v, enum field f, const struct symbol *s, const uint64_t *word)
{
	struct symbol *more = realloc(v->symbol, (v->all + 1) * sizeof *more);

	if (!more)
		return -1;
	v->symbol = more;
	more[v->all] = *s;
	if (s->n) {
		uint64_t *words = realloc(v->word, (v->words + s->n) * sizeof *words);
		if (!words)
			return -1;
		v->word = words;
		memcpy(words + v->words, word, s->n * sizeof *words);
		more[v->all].at = v->words;
		v->words += s->n;
	}
	v->all++;
	return v->n[f]++;
}

static int
by_count(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	return memcmp(x->key.word, y->key.word, x->key.n * sizeof *x->key.word);
}

static void
counts_sort(struct counts *t)
{
	if (t->n)
		qsort(t->count, t->n, sizeof *t->count, by_count);
}

/* A range as a key: its ends. */
static void
key_of_range(struct key *k, int64_t low, int64_t high)
{
	*k = (struct key){.word = {0, low, high}, .n = 3}; /* no mask is 0 */
	key_hash(k);
}

static int
count_range(struct counts *t, int64_t v, int64_t low, int64_t high)
{
	struct key k;

	key_of_range(&k, low, high);
	struct count *c = count_add(t, &k);
	if (!c)
		return -1;
	c->as = (struct symbol){.kind = SYMBOL_RANGE, .low = low, .high = high};
	c->share[(__int128)(v - low) * SHARES / (high - low)]++;
	return 0;
}

static void
share_out(struct symbol *s, const uint32_t *share, uint32_t n)
{
	uint64_t sum = 0;

	for (int i = 0; i < SHARES; i++) {
		sum += share[i];
		/* Of few values nothing is told but their range. */
		s->share[i] = n < SHARES ? UINT64_C(65535) * (i + 1) / SHARES : 65535 * sum / n;
	}
}

static int
ranges_add(struct vocabulary *v, enum field f, struct counts *t)
{
	counts_sort(t);
	for (uint32_t i = 0; i < t->n; i++) {
		struct count *c = &t->count[i];
		share_out(&c->as, c->share, c->n);
		if (symbol_add(v, f, &c->as, NULL) < 0)
			return -1;
	}
	return 0;
}

static int64_t
time_of(enum field f, const struct corpus *c, uint32_t i, uint32_t opened)
{
	const struct packet_seen *p = &c->packet[i];

	if (f == FIELD_NEXT)
		return p->before == NOBODY ? -1 : p->time > c->packet[p->before].time ? p->time - c->packet[p->before].time : 0;
	if (!p->opens)
		return -1;
	int64_t since = opened == NOBODY || c->packet[opened].trace != p->trace ? 0 : c->packet[opened].time;
	return p->time > since ? p->time - since : 0;
}

static int
learn_times(struct vocabulary *v, enum field f, const struct corpus *c)
{
	struct counts t = {0};
	uint32_t opened = NOBODY;
	int bad = 0;

	for (uint32_t i = 0; i < c->packets && !bad; i++) {
		int64_t low, high, time = time_of(f, c, i, opened);
		if (c->packet[i].opens)
			opened = i;
		if (time < 0)
			continue;
		range_of_time(c, time, &low, &high);
		bad = count_range(&t, time, low, high);
	}
	if (!bad)
		bad = ranges_add(v, f, &t);
	counts_free(&t);
	return bad;
}

/* What is no secret, and a port of a service that many packets go to: how often such a value counts besides. */
static uint32_t
weight_of(enum field f, const struct corpus *c, uint32_t i, const struct action *a)
{
	if (f == FIELD_PROTO || f == FIELD_TYPE || f == FIELD_TTL || f == FIELD_FLAGS ||
	    (f == FIELD_PAD && a->num[ACTION_PAD] > -61 && a->num[ACTION_PAD] < 61))
		return OFTEN;
	if (f == FIELD_RESP_P || (f == FIELD_ORIG_P && a->num[ACTION_ORIG_P] < 1024))
		return c->size[c->packet[i].flow] / MANY;
	return 0;
}

/* A value that holds until another is said was there as often as it held; the options of a SYN don't. */
static bool
lasts(enum field f, const struct action *a)
{
	return f == FIELD_WIN || f == FIELD_OTHER ||
	       (f == FIELD_OPTS && !(action_has(a, ACTION_FLAGS) && a->num[ACTION_FLAGS] & TCP_SYN));
}

/* Counts what a field's values are. */
static int
count_values(struct counts *t, enum field f, const struct corpus *c)
{
	uint32_t *held = calloc(c->flows + 1, 2 * sizeof *held); /* of a flow's directions: which value, from 1 */
	struct action a;
	struct key k;
	int bad = !held;

	for (uint32_t i = 0; i < c->packets && !bad; i++) {
		corpus_action(c, i, &a);
		key_of_action(&k, f, &a);
		uint32_t *now = &held[2 * c->packet[i].flow + (action_number(&a, ACTION_DIR) == 1)];
		if (!k.n) {
			if (*now)
				t->count[*now - 1].n++;
			continue;
		}
		struct count *e = count_add(t, &k);
		bad = !e;
		if (bad)
			break;
		e->n += weight_of(f, c, i, &a);
		e->real++;
		*now = lasts(f, &a) ? e - t->count + 1 : 0;
	}
	free(held);
	return bad ? -1 : 0;
}

static int
learn_values(struct vocabulary *v, enum field f, const struct corpus *c)
{
	struct counts exact = {0}, ranges = {0};
	struct action a;
	int bad;
	int64_t number, low, high;

	bad = count_values(&exact, f, c);
	counts_sort(&exact);
	for (uint32_t i = 0; i < exact.n && !bad; i++) {
		struct count *e = &exact.count[i];
		if (e->n >= OFTEN && i < EXACTS) {
			bad = symbol_add(v, f, &(struct symbol){.kind = SYMBOL_EXACT, .n = e->key.n}, e->key.word) < 0;
			continue;
		}
		action_unpack(&a, e->key.word);
		for (uint32_t j = 0; j < e->real && !bad && number_of(f, &a, &number); j++) {
			range_of(number, &low, &high);
			bad = count_range(&ranges, number, low, high);
		}
	}
	if (!bad)
		bad = ranges_add(v, f, &ranges);
	counts_free(&exact);
	counts_free(&ranges);
	return bad;
}

/* Whom a field names: as a symbol, and the words of one that everyone shares. */
static struct symbol
who_symbol(const struct corpus *c, enum field f, const struct packet_seen *p, struct action *a, uint64_t *word)
{
	const struct named *w = &p->who[specs[f].who];
	int kind = f == FIELD_SRC_MAC || f == FIELD_DST_MAC;
	struct symbol s = {.kind = SYMBOL_ABSENT};
	int64_t low, high;

	if (!w->set)
		return s;
	if (w->kind == REF_FIXED) {
		static const uint8_t ref[WHOS] = {ACTION_ORIG_H, ACTION_RESP_H, ACTION_SRC_MAC, ACTION_DST_MAC};
		s.kind = SYMBOL_FIXED;
		s.n = (ACTION_TEXT_MAX + 7) / 8;
		memset(word, 0, s.n * 8);
		memcpy(word, action_ref(a, ref[specs[f].who])->text, strnlen(action_ref(a, ref[specs[f].who])->text, ACTION_TEXT_MAX - 1));
		return s;
	}
	if (w->id == NOBODY)
		return s;
	const struct someone *one = &c->one[kind][w->id];
	s.class = one->class;
	s.scope = one->scope;
	if (one->opened >= OFTEN) {
		s.kind = SYMBOL_NAMED;
		s.low = w->id;
	} else if (w->rank == NOBODY) {
		s.kind = SYMBOL_NEW;
	} else {
		s.kind = SYMBOL_RECENT;
		s.class = s.scope = 0;
		range_of(w->rank, &low, &high);
		s.low = low;
		s.high = high;
	}
	return s;
}

static void
key_of_symbol(struct key *k, const struct symbol *s, const uint64_t *word)
{
	*k = (struct key){.word = {(uint64_t)s->kind | s->class << 8 | (uint64_t)s->scope << 32, s->low, s->high}, .n = 3};
	memcpy(k->word + 3, word, s->n * sizeof *word);
	k->n += s->n;
	key_hash(k);
}

static int
learn_who(struct vocabulary *v, enum field f, const struct corpus *c)
{
	struct counts t = {0};
	struct action a;
	struct key k;
	int bad = 0;
	uint64_t word[KEY_WORDS];

	for (uint32_t i = 0; i < c->packets && !bad; i++) {
		const struct packet_seen *p = &c->packet[i];
		if (!p->opens && !p->alive)
			continue;
		corpus_action(c, i, &a);
		struct symbol s = who_symbol(c, f, p, &a, word);
		if (s.kind == SYMBOL_ABSENT)
			continue;
		key_of_symbol(&k, &s, word);
		struct count *n = count_add(&t, &k);
		bad = !n;
		if (n)
			n->as = s;
	}
	counts_sort(&t);
	for (uint32_t i = 0; i < t.n && i < EXACTS && !bad; i++)
		bad = symbol_add(v, f, &t.count[i].as, t.count[i].key.word + 3) < 0;
	counts_free(&t);
	return bad;
}

int
vocabulary_learn(struct vocabulary *v, const struct corpus *c)
{
	static const struct symbol absent = {.kind = SYMBOL_ABSENT};

	*v = (struct vocabulary){0};
	for (int f = 0; f < FIELDS; f++) {
		v->first[f] = v->all;
		if (symbol_add(v, f, &absent, NULL) < 0)
			return -1;
		if ((is_time(f)	       ? learn_times(v, f, c)
		     : specs[f].who >= 0 ? learn_who(v, f, c)
					 : learn_values(v, f, c)) < 0)
			return -1;
	}
	return 0;
}

void
vocabulary_free(struct vocabulary *v)
{
	free(v->symbol);
	free(v->word);
	*v = (struct vocabulary){0};
}

/* --- packets as symbols --- */

/* All symbols of a field, to be found by what they mean. */
static int
index_field(const struct vocabulary *v, enum field f, struct counts *t)
{
	struct key k;

	*t = (struct counts){0};
	for (int i = 1; i < v->n[f]; i++) {
		const struct symbol *s = &v->symbol[v->first[f] + i];
		if (s->kind == SYMBOL_RANGE) {
			key_of_range(&k, s->low, s->high);
		} else if (s->kind == SYMBOL_EXACT) {
			k.n = s->n;
			memcpy(k.word, v->word + s->at, s->n * sizeof *k.word);
			key_hash(&k);
		} else {
			key_of_symbol(&k, s, v->word + s->at);
		}
		struct count *c = count_add(t, &k);
		if (!c)
			return -1;
		c->symbol = i;
	}
	return 0;
}

static uint16_t
symbol_find(struct counts *t, const struct key *k)
{
	const struct count *c = count_find(t, k);

	return c ? c->symbol : UNKNOWN;
}

static uint16_t
token_of(enum field f, const struct corpus *c, struct counts *t, uint32_t i, uint32_t opened)
{
	const struct packet_seen *p = &c->packet[i];
	struct action a;
	struct key k;
	uint64_t word[KEY_WORDS];
	int64_t low, high, number;

	if (is_time(f)) {
		number = time_of(f, c, i, opened);
		if (number < 0)
			return 0;
		range_of_time(c, number, &low, &high);
		key_of_range(&k, low, high);
		return symbol_find(t, &k);
	}
	corpus_action(c, i, &a);
	if (specs[f].who >= 0) {
		if (!p->opens && !p->alive)
			return 0;
		struct symbol s = who_symbol(c, f, p, &a, word);
		if (s.kind == SYMBOL_ABSENT)
			return 0;
		key_of_symbol(&k, &s, word);
		return symbol_find(t, &k);
	}
	key_of_action(&k, f, &a);
	if (k.absent)
		return 0;
	uint16_t found = symbol_find(t, &k);
	if (found != UNKNOWN || !number_of(f, &a, &number))
		return found;
	range_of(number, &low, &high);
	key_of_range(&k, low, high);
	return symbol_find(t, &k);
}

uint16_t *
vocabulary_tokens(const struct vocabulary *v, const struct corpus *c)
{
	uint16_t *token = malloc((size_t)c->packets * FIELDS * sizeof *token + 1);

	for (int f = 0; token && f < FIELDS; f++) {
		struct counts t;
		uint32_t opened = NOBODY;
		if (index_field(v, f, &t) < 0) {
			free(token);
			token = NULL;
		}
		for (uint32_t i = 0; token && i < c->packets; i++) {
			token[(size_t)i * FIELDS + f] = token_of(f, c, &t, i, opened);
			if (c->packet[i].opens)
				opened = i;
		}
		counts_free(&t);
	}
	return token;
}

/* --- symbols as packets --- */

int64_t
symbol_draw(const struct symbol *s, uint64_t *random)
{
	uint64_t r = random_next(random), part = r % 65535;
	int i = 0;

	while (i < SHARES - 1 && part >= s->share[i])
		i++;
	__int128 range = s->high - s->low;
	int64_t low = s->low + range * i / SHARES, high = s->low + range * (i + 1) / SHARES;
	return low + (high > low ? (int64_t)(random_next(random) % (uint64_t)(high - low)) : 0);
}

void
symbol_set(const struct vocabulary *v, enum field f, const struct symbol *s, struct action *a, uint64_t *random)
{
	uint64_t has = a->has;

	if (s->kind == SYMBOL_EXACT) {
		action_unpack(a, v->word + s->at);
		a->has |= has;
	} else if (s->kind == SYMBOL_RANGE && specs[f].number >= 0) {
		action_set(a, specs[f].number, symbol_draw(s, random));
	}
}
