#include "model.h"

#include "neural/octets.h"
#include "process/kind.h"
#include "record/latent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT    (1 << 28)
#define SYMBOLS_LIMIT (1 << 13) /* of a field */
#define ALL_LIMIT     (1 << 15)
#define SYMBOL_SIZE   (4 + 4 + 4 + 8 + 8 + 2 * SHARES)

#define TOKENS_SIZE   (2 * FIELDS)
#define ALIVE_SIZE    (4 + 2 * 24 + 4 + 16 + 8 + (HISTORY + PROLOGUE) * TOKENS_SIZE)
#define PRESENT_SIZE  (4 + 2 * (4 + 64 * 8) + OPENINGS * TOKENS_SIZE)
#define TIME_LIMIT    (INT64_C(1) << 60) /* ns */

uint32_t
model_services(const struct model *m)
{
	return m->vocabulary.n[FIELD_PROTO] * m->vocabulary.n[FIELD_RESP_P];
}

uint32_t
model_service(const struct model *m, const uint16_t *token)
{
	uint16_t proto = token[FIELD_PROTO], port = token[FIELD_RESP_P];

	return (proto == UNKNOWN ? 0 : proto) * m->vocabulary.n[FIELD_RESP_P] + (port == UNKNOWN ? 0 : port);
}

uint8_t *
model_waits(const struct model *m, const uint16_t *opening, int state)
{
	uint32_t kind = model_service(m, opening) * 0x9e3779b9u >> 16;

	return m->wait + (kind % WAITS * STATES + state) * (size_t)m->vocabulary.n[FIELD_NEXT];
}

static size_t
waits_size(const struct model *m)
{
	return (size_t)WAITS * STATES * m->vocabulary.n[FIELD_NEXT];
}

void
model_round(struct model *m)
{
	uint8_t octet[2 * 256];

	for (int h = 0; h < HEADS; h++)
		for (size_t i = 0; i < m->net[h].n; i += 256) {
			size_t n = m->net[h].n - i < 256 ? m->net[h].n - i : 256;
			latent_put(LATENT_F16, m->net[h].data + i, n, octet);
			latent_get(LATENT_F16, octet, n, m->net[h].data + i);
		}
}

/* --- written --- */

static void
put_header(uint8_t **p, const struct model *m)
{
	const struct stream_header *h = &m->header;

	put_u32(p, h->link);
	put_u32(p, h->snaplen);
	put_u32(p, h->nano);
	put_u64(p, h->start);
	put_u32(p, h->cap);
	for (int i = 0; i < FLOW_KINDS; i++)
		put_u32(p, h->idle[i]);
	put_u64(p, m->packets);
	put_u64(p, m->flows);
	put_u64(p, m->seconds);
}

static void
put_symbol(uint8_t **p, const struct vocabulary *v, const struct symbol *s)
{
	put_u32(p, s->kind | s->class << 8);
	put_u32(p, s->scope);
	put_u32(p, s->n);
	put_u64(p, s->low);
	put_u64(p, s->high);
	for (int i = 0; i < SHARES; i++)
		put_u16(p, s->share[i]);
	for (uint32_t i = 0; i < s->n; i++)
		put_u64(p, v->word[s->at + i]);
}

static void
put_tokens(uint8_t **p, const uint16_t (*token)[FIELDS], int n)
{
	for (int i = 0; i < n; i++)
		for (int f = 0; f < FIELDS; f++)
			put_u16(p, token[i][f]);
}

static void
put_alive(uint8_t **p, const struct alive *l)
{
	const struct dialogue *d = &l->dialogue;

	put_u32(p, d->packets);
	for (int s = 0; s < 2; s++) {
		put_u64(p, d->octets[s]);
		put_u32(p, d->waiting[s]);
		put_u32(p, d->flags[s] | d->said[s] << 8);
		put_u64(p, d->last[s]);
	}
	put_u32(p, d->dir);
	put_u64(p, d->opened);
	put_u64(p, d->before);
	put_u32(p, l->packets);
	put_tokens(p, l->history, HISTORY);
	put_u32(p, l->says);
	put_tokens(p, l->prologue, PROLOGUE);
}

static void
put_pace(uint8_t **p, const struct pace *pace)
{
	put_u32(p, pace->n);
	for (int i = 0; i < 64; i++)
		put_u64(p, pace->time[i]);
}

/* Where what was learned ends. */
static void
put_present(uint8_t **p, const struct model *m)
{
	for (uint32_t i = 0; i < model_services(m); i++)
		put_u32(p, m->limit[i]);
	memcpy(*p, m->wait, waits_size(m));
	*p += waits_size(m);
	latent_put(LATENT_F32, &m->open_slow, 1, *p);
	*p += 4;
	put_u32(p, m->n_alive);
	for (uint32_t i = 0; i < m->n_alive; i++)
		put_alive(p, &m->alive[i]);
	put_pace(p, &m->pace);
	put_pace(p, &m->openings);
	put_tokens(p, m->opened, OPENINGS);
}

uint8_t *
model_build(struct model *m, size_t *n)
{
	const struct vocabulary *v = &m->vocabulary;
	uint8_t *out, *p;

	*n = 256 + 4 * FIELDS + v->all * SYMBOL_SIZE + 8 * v->words + 4 * model_services(m) + 4 + waits_size(m) + PRESENT_SIZE + m->n_alive * ALIVE_SIZE + 2 * (m->net[0].n + m->net[1].n) + MODEL_HASH;
	if (!(p = out = calloc(1, *n)))
		return NULL;
	memcpy(p, MODEL_MAGIC, 8);
	p += 8;
	put_u32(&p, MODEL_VERSION);
	put_header(&p, m);
	put_u32(&p, FIELDS);
	for (int f = 0; f < FIELDS; f++) {
		put_u32(&p, v->n[f]);
		for (int i = 0; i < v->n[f]; i++)
			put_symbol(&p, v, &v->symbol[v->first[f] + i]);
	}
	put_present(&p, m);
	for (int h = 0; h < HEADS; h++) {
		latent_put(LATENT_F16, m->net[h].data, m->net[h].n, p);
		p += latent_size(LATENT_F16, m->net[h].n);
	}
	octets_hash(out, p - out, p);
	memcpy(m->hash, p, MODEL_HASH);
	*n = p + MODEL_HASH - out;
	return out;
}

/* --- read --- */

static int
fail(char *why, const char *what)
{
	snprintf(why, MODEL_ERROR, "%s", what);
	return -1;
}

static int
take_header(struct octets *o, struct model *m, char *why)
{
	struct stream_header *h = &m->header;

	h->link = take_u32(o);
	h->snaplen = take_u32(o);
	h->nano = take_u32(o);
	h->start = take_u64(o);
	h->cap = take_u32(o);
	for (int i = 0; i < FLOW_KINDS; i++)
		h->idle[i] = take_u32(o);
	m->packets = take_u64(o);
	m->flows = take_u64(o);
	m->seconds = take_u64(o);
	if (h->snaplen < 1 || h->nano > 1 || h->cap < STREAM_CAP_MIN || h->cap > STREAM_CAP_MAX || h->start < 0)
		return fail(why, "model: a header that no stream has");
	return 0;
}

/* Whether words are those of an action, so many. */
static bool
words_sound(const uint64_t *w, uint32_t n)
{
	uint64_t left = n ? w[0] : UINT64_MAX;
	uint32_t at = 1;

	if (left >> ACTION_COUNT)
		return false;
	for (; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (action_fields[f].kind == ACTION_REF || at >= n)
			return false;
		if (action_fields[f].kind == ACTION_LIST && w[at] > ACTION_LIST_MAX)
			return false;
		at += action_fields[f].kind == ACTION_LIST ? 1 + w[at] : 1;
	}
	return at == n;
}

static bool
symbol_sound(const struct vocabulary *v, const struct symbol *s)
{
	const uint64_t *w = v->word + s->at;

	switch (s->kind) {
	case SYMBOL_EXACT:
		return words_sound(w, s->n);
	case SYMBOL_FIXED:
		return s->n == (ACTION_TEXT_MAX + 7) / 8 && memchr(w, 0, ACTION_TEXT_MAX);
	case SYMBOL_NAMED:
		return !s->n && s->low >= 0 && s->low < 1 << 30;
	case SYMBOL_RANGE:
	case SYMBOL_RECENT:
		return !s->n && s->high > s->low;
	default:
		return !s->n && s->kind < SYMBOL_KINDS;
	}
}

static int
take_symbol(struct octets *o, struct vocabulary *v, char *why)
{
	struct symbol s = {0}, *more;
	uint32_t kind = take_u32(o);

	s.kind = kind;
	s.class = kind >> 8;
	s.scope = take_u32(o);
	s.n = take_u32(o);
	s.low = take_u64(o);
	s.high = take_u64(o);
	for (int i = 0; i < SHARES; i++)
		s.share[i] = take_u16(o);
	if (s.n > ACTION_WORDS || o->cut)
		return fail(why, "model: cut off");
	s.at = v->words;
	uint64_t *word = realloc(v->word, (v->words + s.n + 1) * sizeof *word);
	if (word)
		v->word = word;
	if (!word || !(more = realloc(v->symbol, (v->all + 1) * sizeof *more)))
		return fail(why, strerror(ENOMEM));
	v->symbol = more;
	while (v->words < s.at + s.n)
		v->word[v->words++] = take_u64(o);
	v->symbol[v->all++] = s;
	return o->cut || !symbol_sound(v, &s) ? fail(why, "model: a symbol that means nothing") : 0;
}

static int
take_vocabulary(struct octets *o, struct vocabulary *v, char *why)
{
	if (take_u32(o) != FIELDS)
		return fail(why, "model: of other fields");
	for (int f = 0; f < FIELDS; f++) {
		uint32_t n = take_u32(o);
		if (n < 1 || n > SYMBOLS_LIMIT || v->all + n > ALL_LIMIT)
			return fail(why, "model: a field without symbols, or with too many");
		v->n[f] = n;
		v->first[f] = v->all;
		for (uint32_t i = 0; i < n; i++)
			if (take_symbol(o, v, why) < 0)
				return -1;
	}
	return 0;
}

static bool
take_tokens(struct octets *o, const struct vocabulary *v, uint16_t (*token)[FIELDS], int n)
{
	bool bad = false;

	for (int i = 0; i < n; i++)
		for (int f = 0; f < FIELDS; f++) {
			token[i][f] = take_u16(o);
			bad |= token[i][f] >= v->n[f] && token[i][f] != UNKNOWN;
		}
	return !bad;
}

static bool
take_alive(struct octets *o, const struct vocabulary *v, struct alive *l)
{
	struct dialogue *d = &l->dialogue;

	d->packets = take_u32(o);
	for (int s = 0; s < 2; s++) {
		d->octets[s] = take_u64(o);
		d->waiting[s] = take_u32(o);
		uint32_t flags = take_u32(o);
		d->flags[s] = flags;
		d->said[s] = flags >> 8 & 1;
		d->last[s] = take_u64(o);
	}
	d->dir = take_u32(o) & 1;
	d->opened = take_u64(o);
	d->before = take_u64(o);
	l->packets = take_u32(o);
	bool sound = take_tokens(o, v, l->history, HISTORY);
	l->says = take_u32(o);
	return take_tokens(o, v, l->prologue, PROLOGUE) && sound && l->packets >= 1 && l->packets < HISTORY &&
	       l->says >= 1 && l->says <= PROLOGUE && d->last[0] <= 0 && d->last[1] <= 0 && d->opened <= 0 && d->before <= 0 &&
	       d->last[0] > -TIME_LIMIT && d->last[1] > -TIME_LIMIT && d->opened > -TIME_LIMIT && d->before > -TIME_LIMIT;
}

static bool
take_pace(struct octets *o, struct pace *pace)
{
	bool sound = true;

	pace->n = take_u32(o);
	for (int i = 0; i < 64; i++) {
		pace->time[i] = take_u64(o);
		sound &= pace->time[i] <= 0 && pace->time[i] > -TIME_LIMIT;
	}
	return sound;
}

static int
take_present(struct octets *o, struct model *m, char *why)
{
	bool sound = true;

	if (!(m->limit = calloc(model_services(m), sizeof *m->limit)))
		return fail(why, strerror(ENOMEM));
	for (uint32_t i = 0; i < model_services(m); i++)
		m->limit[i] = take_u32(o);
	const uint8_t *wait = take(o, waits_size(m)), *slow = take(o, 4);
	if (!slow || !(m->wait = malloc(waits_size(m))))
		return fail(why, "model: cut off");
	memcpy(m->wait, wait, waits_size(m));
	latent_get(LATENT_F32, slow, 1, &m->open_slow);
	if (!(m->open_slow >= 1 / SLOW_MOST && m->open_slow <= SLOW_MOST))
		return fail(why, "model: openings that are too slow");
	m->n_alive = take_u32(o);
	if (m->n_alive > MODEL_ALIVE || m->n_alive > m->header.cap)
		return fail(why, "model: too many flows at the start");
	if (!(m->alive = calloc(m->n_alive + 1, sizeof *m->alive)))
		return fail(why, strerror(ENOMEM));
	for (uint32_t i = 0; i < m->n_alive; i++)
		sound &= take_alive(o, &m->vocabulary, &m->alive[i]);
	sound &= take_pace(o, &m->pace);
	sound &= take_pace(o, &m->openings);
	sound &= take_tokens(o, &m->vocabulary, m->opened, OPENINGS);
	return sound ? 0 : fail(why, "model: flows at the start that can't be");
}

static int
take_weights(struct octets *o, struct model *m, char *why)
{
	for (int h = 0; h < HEADS; h++) {
		struct network *net = &m->net[h];
		if (network_init(net, &m->vocabulary, h) < 0)
			return fail(why, strerror(ENOMEM));
		size_t size = latent_size(LATENT_F16, net->n);
		const uint8_t *p = take(o, size);
		if (!p)
			return fail(why, "model: cut off");
		if (!latent_finite(LATENT_F16, p, size))
			return fail(why, "model: not all weights are finite");
		latent_get(LATENT_F16, p, net->n, net->data);
	}
	return 0;
}

int
model_parse(struct model *m, const uint8_t *p, size_t n, char *why)
{
	struct octets o = {p + 8, p + n, false};
	uint8_t hash[MODEL_HASH];

	*m = (struct model){0};
	if (n < 8 || memcmp(p, MODEL_MAGIC, 8)) {
		fail(why, "not a model of tc-gen");
		kind_explain(why, MODEL_ERROR, "not a model of tc-gen", 0, p, n);
		return -1;
	}
	uint32_t version = take_u32(&o);
	if (version != MODEL_VERSION) {
		snprintf(why, MODEL_ERROR, "model: version %u; this program reads %d", version, MODEL_VERSION);
		return -1;
	}
	if (n < 12 + MODEL_HASH)
		return fail(why, "model: cut off");
	o.end -= MODEL_HASH;
	octets_hash(p, n - MODEL_HASH, hash);
	memcpy(m->hash, o.end, MODEL_HASH);
	if (memcmp(hash, m->hash, MODEL_HASH))
		return fail(why, "model: damaged or cut off, its checksum is another");
	if (take_header(&o, m, why) < 0 || take_vocabulary(&o, &m->vocabulary, why) < 0 || take_present(&o, m, why) < 0 ||
	    take_weights(&o, m, why) < 0)
		return -1;
	return o.at == o.end ? 0 : fail(why, "model: more octets than it should have");
}

int
model_load(struct model *m, const char *path, char *why)
{
	size_t n;
	uint8_t *p = octets_read(path, FILE_LIMIT, &n);

	if (!p)
		return fail(why, errno == EFBIG ? "model: too large" : errno == EINVAL ? "not a regular file" : strerror(errno));
	int r = model_parse(m, p, n, why);
	free(p);
	return r;
}

void
model_free(struct model *m)
{
	for (int h = 0; h < HEADS; h++)
		network_free(&m->net[h]);
	vocabulary_free(&m->vocabulary);
	free(m->limit);
	free(m->wait);
	free(m->alive);
	*m = (struct model){0};
}
