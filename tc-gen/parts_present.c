#include "parts.h"

#include "record/latent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_SIZE  (2 * FIELDS)
#define ALIVE_SIZE   (4 + 2 * 24 + 4 + 24 + 16 + 8 + (HISTORY + PROLOGUE) * TOKENS_SIZE)
#define PRESENT_SIZE (4 + 4 + 4 + PACE * 8 + OPENINGS * TOKENS_SIZE)
#define TIME_LIMIT   (INT64_C(1) << 60) /* ns */

static size_t
has_proto_size(const struct model *m)
{
	return (size_t)m->vocabulary.n[FIELD_PROTO] * FIELDS;
}

/* Octets as they are. */
static void
put_table(uint8_t **p, const uint8_t *table, size_t n)
{
	memcpy(*p, table, n);
	*p += n;
}

/* NULL: there are none, or no memory. */
static uint8_t *
take_table(struct octets *o, size_t n)
{
	const uint8_t *from = take(o, n);
	uint8_t *table = from ? malloc(n) : NULL;

	if (table)
		memcpy(table, from, n);
	return table;
}

size_t
present_size(const struct model *m)
{
	return sizeof *m->bound * model_services(m) + model_n_waits(m) + WAITS * (FIELDS + 1) + has_proto_size(m) +
	       2 * m->vocabulary.all + PRESENT_SIZE + m->n_alive * ALIVE_SIZE;
}

static void
put_tokens(uint8_t **p, const uint16_t (*token)[FIELDS], int n)
{
	for (int i = 0; i < n; i++)
		for (int f = 0; f < FIELDS; f++)
			put_u16(p, token[i][f]);
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
	put_u32(p, d->dir | d->data << 1);
	for (int k = 0; k < 6; k++)
		put_u32(p, (const uint32_t[]){d->row, d->alike, d->tries, d->all, d->kind, d->after}[k]);
	put_u64(p, d->opened);
	put_u64(p, d->before);
	put_u32(p, l->packets);
	put_tokens(p, l->history, HISTORY);
	put_u32(p, l->says);
	put_tokens(p, l->prologue, PROLOGUE);
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
	uint32_t dir = take_u32(o);
	d->dir = dir & 1;
	d->data = dir >> 1 & 1;
	uint32_t *const course[] = {&d->row, &d->alike, &d->tries, &d->all, &d->kind, &d->after};
	for (int k = 0; k < 6; k++)
		*course[k] = take_u32(o);
	d->opened = take_u64(o);
	d->before = take_u64(o);
	l->packets = take_u32(o);
	bool sound = take_tokens(o, v, l->history, HISTORY);
	l->says = take_u32(o);
	return take_tokens(o, v, l->prologue, PROLOGUE) && sound && l->packets >= 1 && l->packets < HISTORY &&
	       l->says >= 1 && l->says <= PROLOGUE && d->last[0] <= 0 && d->last[1] <= 0 && d->opened <= 0 && d->before <= 0 &&
	       d->last[0] > -TIME_LIMIT && d->last[1] > -TIME_LIMIT && d->opened > -TIME_LIMIT && d->before > -TIME_LIMIT;
}

static void
put_pace(uint8_t **p, const struct pace *pace)
{
	put_u32(p, pace->n);
	for (int i = 0; i < PACE; i++)
		put_u64(p, pace->time[i]);
}

static bool
take_pace(struct octets *o, struct pace *pace)
{
	bool sound = true;

	pace->n = take_u32(o);
	for (int i = 0; i < PACE; i++) {
		pace->time[i] = take_u64(o);
		sound &= pace->time[i] <= 0 && pace->time[i] > -TIME_LIMIT;
	}
	return sound;
}

/* Where what was learned ends. */
void
put_present(uint8_t **p, const struct model *m)
{
	for (uint32_t i = 0; i < model_services(m); i++) {
		put_u32(p, m->bound[i].packets);
		put_u32(p, m->bound[i].after);
		put_u32(p, m->bound[i].tries);
	}
	put_table(p, m->wait, model_n_waits(m));
	put_table(p, m->has, WAITS * FIELDS);
	put_table(p, m->has_proto, has_proto_size(m));
	put_table(p, m->after_reset, WAITS);
	for (int i = 0; i < m->vocabulary.all; i++)
		put_u16(p, m->share[i]);
	latent_put(LATENT_F32, &m->open_slow, 1, *p);
	*p += 4;
	put_u32(p, m->n_alive);
	for (uint32_t i = 0; i < m->n_alive; i++)
		put_alive(p, &m->alive[i]);
	put_pace(p, &m->openings);
	put_tokens(p, m->opened, OPENINGS);
}

int
take_present(struct octets *o, struct model *m, char *why)
{
	bool sound = true;

	m->bound = calloc(model_services(m), sizeof *m->bound);
	m->share = calloc(m->vocabulary.all, sizeof *m->share);
	if (!m->bound || !m->share)
		return model_fail(why, strerror(ENOMEM));
	for (uint32_t i = 0; i < model_services(m); i++) {
		m->bound[i].packets = take_u32(o);
		m->bound[i].after = take_u32(o);
		m->bound[i].tries = take_u32(o);
	}
	m->wait = take_table(o, model_n_waits(m));
	m->has = take_table(o, WAITS * FIELDS);
	m->has_proto = take_table(o, has_proto_size(m));
	m->after_reset = take_table(o, WAITS);
	for (int i = 0; i < m->vocabulary.all; i++)
		m->share[i] = take_u16(o);
	const uint8_t *slow = take(o, 4);
	if (!m->wait || !m->has || !m->has_proto || !m->after_reset || !slow)
		return model_fail(why, o->cut ? "model: cut off" : strerror(ENOMEM));
	latent_get(LATENT_F32, slow, 1, &m->open_slow);
	if (!(m->open_slow >= 1 / FAST_MOST && m->open_slow <= SLOW_MOST))
		return model_fail(why, "model: openings that are too slow");
	m->n_alive = take_u32(o);
	if (m->n_alive > MODEL_ALIVE || m->n_alive > m->header.cap)
		return model_fail(why, "model: too many flows at the start");
	if (!(m->alive = calloc(m->n_alive + 1, sizeof *m->alive)))
		return model_fail(why, strerror(ENOMEM));
	for (uint32_t i = 0; i < m->n_alive; i++)
		sound &= take_alive(o, &m->vocabulary, &m->alive[i]);
	sound &= take_pace(o, &m->openings);
	sound &= take_tokens(o, &m->vocabulary, m->opened, OPENINGS);
	return sound ? 0 : model_fail(why, "model: flows at the start that can't be");
}
