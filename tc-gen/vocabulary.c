#include "vocabulary.h"

#include "counts.h"
#include "field.h"
#include "scale.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define MANY 4 /* packets of a flow that count as much as another flow */

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

/* Numbers that are to be ranges, one each time that it was seen. */
struct numbers {
	int64_t *v;
	size_t n, room;
};

static int
number_add(struct numbers *l, int64_t v)
{
	if (l->n == l->room) {
		size_t room = 2 * l->room + 256;
		int64_t *more = realloc(l->v, room * sizeof *more);
		if (!more)
			return -1;
		l->v = more;
		l->room = room;
	}
	l->v[l->n++] = v;
	return 0;
}

/* A range's symbol, by those of it, in order. */
static void
set_edges(struct symbol *s, const int64_t *v, size_t n)
{
	for (size_t i = 0; i < EDGES; i++) {
		/* Of few values nothing is told but their range. */
		__int128 at = n < EDGES ? (s->high - 1 - s->low) * (__int128)i / (EDGES - 1) : v[(n - 1) * i / (EDGES - 1)] - s->low;
		s->edge[i] = at * 65535 / (s->high - s->low);
	}
}

static int
ranges_add(struct vocabulary *v, enum field f, struct numbers *l, const struct corpus *c)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, scale_order);
	for (size_t i = 0, n; i < l->n; i += n) {
		struct symbol s = {.kind = SYMBOL_RANGE};
		if (is_time(f))
			range_of_time(c, l->v[i], &s.low, &s.high);
		else
			range_of(l->v[i], &s.low, &s.high);
		for (n = 1; i + n < l->n && l->v[i + n] < s.high; n++)
			;
		set_edges(&s, l->v + i, n);
		if (symbol_add(v, f, &s, NULL) < 0)
			return -1;
	}
	return 0;
}

static int
learn_times(struct vocabulary *v, enum field f, const struct corpus *c)
{
	struct numbers times = {0};
	uint32_t opened = NOBODY;
	int bad = 0;

	for (uint32_t i = 0; i < c->packets && !bad; i++) {
		int64_t time = time_of(f, c, i, opened);
		if (c->packet[i].opens)
			opened = i;
		if (time != NO_TIME)
			bad = number_add(&times, time);
	}
	if (!bad)
		bad = ranges_add(v, f, &times, c);
	free(times.v);
	return bad;
}

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
learn_values(struct vocabulary *v, enum field f, const struct corpus *c, uint32_t values)
{
	struct counts exact = {0};
	struct numbers ranges = {0};
	struct action a;
	int bad;
	int64_t number;

	bad = count_values(&exact, f, c);
	counts_sort(&exact);
	for (uint32_t i = 0; i < exact.n && !bad; i++) {
		struct count *e = &exact.count[i];
		if (e->n >= OFTEN && i < values) {
			bad = symbol_add(v, f, &(struct symbol){.kind = SYMBOL_EXACT, .n = e->key.n}, e->key.word) < 0;
			continue;
		}
		action_unpack(&a, e->key.word);
		for (uint32_t j = 0; j < e->real && !bad && number_of(f, &a, &number); j++)
			bad = number_add(&ranges, number);
	}
	if (!bad)
		bad = ranges_add(v, f, &ranges, c);
	counts_free(&exact);
	free(ranges.v);
	return bad;
}

static int
learn_who(struct vocabulary *v, enum field f, const struct corpus *c, uint32_t values)
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
	for (uint32_t i = 0; i < t.n && i < values && !bad; i++)
		bad = symbol_add(v, f, &t.count[i].as, t.count[i].key.word + 3) < 0;
	counts_free(&t);
	return bad;
}

int
vocabulary_learn(struct vocabulary *v, const struct corpus *c, uint32_t values)
{
	static const struct symbol absent = {.kind = SYMBOL_ABSENT};

	*v = (struct vocabulary){0};
	for (int f = 0; f < FIELDS; f++) {
		v->first[f] = v->all;
		if (symbol_add(v, f, &absent, NULL) < 0)
			return -1;
		if ((is_time(f)	       ? learn_times(v, f, c)
		     : field_specs[f].who >= 0 ? learn_who(v, f, c, values)
					 : learn_values(v, f, c, values)) < 0)
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

/* --- symbols as packets --- */

int
symbol_family(const struct vocabulary *v, enum field f, const struct symbol *s)
{
	if (f == FIELD_PROTO && s->kind == SYMBOL_EXACT) {
		uint64_t proto = v->word[s->at + 1];
		return proto == PROTO_ICMP || proto > PROTO_IP_MAX ? 4 : proto == PROTO_ICMP6 ? 6 : 0;
	}
	if (s->kind == SYMBOL_NAMED || s->kind == SYMBOL_NEW)
		return s->class & ADDRESS_V6 ? 6 : 4;
	return s->kind != SYMBOL_FIXED ? 0 : memchr(v->word + s->at, ':', ACTION_TEXT_MAX) ? 6 : 4;
}

uint64_t
vocabulary_purpose(const struct vocabulary *v, const uint16_t *token)
{
	for (int f = FIELD_ORIG_H; f <= FIELD_RESP_H; f++) {
		int kind = token[f] == UNKNOWN ? SYMBOL_NEW : v->symbol[v->first[f] + token[f]].kind;
		if (kind != SYMBOL_NAMED && kind != SYMBOL_FIXED)
			return 0;
	}
	return (uint64_t)token[FIELD_ORIG_H] << 48 | (uint64_t)token[FIELD_RESP_H] << 32 | (uint64_t)token[FIELD_PROTO] << 16 |
	       token[FIELD_RESP_P];
}

uint32_t
vocabulary_host(const struct vocabulary *v, enum field f, const uint16_t *token)
{
	const struct symbol *s = &v->symbol[v->first[f] + (token[f] == UNKNOWN ? 0 : token[f])];

	return s->kind == SYMBOL_NAMED ? s->low : NOBODY;
}

bool
symbol_group(const struct vocabulary *v, const struct symbol *s)
{
	int class = s->class & ~ADDRESS_V6;

	if (s->kind == SYMBOL_NAMED || s->kind == SYMBOL_NEW)
		return class == ADDRESS_GROUP || class == ADDRESS_SOLICITED;
	if (s->kind != SYMBOL_FIXED)
		return false;
	const char *text = (const char *)(v->word + s->at);
	return memchr(text, ':', ACTION_TEXT_MAX) ? !strncmp(text, "ff", 2) : strtol(text, NULL, 10) >= 224;
}

/* Where an edge of a range is. */
static int64_t
edge_at(const struct symbol *s, int i)
{
	return s->low + ((__int128)(s->high - s->low) * s->edge[i] + 65534) / 65535;
}

int64_t
symbol_most(const struct symbol *s)
{
	return edge_at(s, EDGES - 1);
}

int64_t
symbol_draw(const struct symbol *s, uint64_t *random)
{
	uint64_t r = random_next(random);
	int i = r % (EDGES - 1);
	int64_t low = edge_at(s, i), high = edge_at(s, i + 1);

	return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

int64_t
symbol_wait(const struct symbol *s, int64_t since, uint64_t *random)
{
	for (int i = 0; i < 8 && s->kind == SYMBOL_RANGE; i++) {
		int64_t wait = symbol_draw(s, random);
		if (wait >= since)
			return wait;
	}
	return since;
}

void
symbol_set(const struct vocabulary *v, enum field f, const struct symbol *s, struct action *a, uint64_t *random)
{
	uint64_t has = a->has;

	if (s->kind == SYMBOL_EXACT) {
		action_unpack(a, v->word + s->at);
		a->has |= has;
	} else if (s->kind == SYMBOL_RANGE && field_specs[f].number >= 0) {
		action_set(a, field_specs[f].number, symbol_draw(s, random));
	}
}