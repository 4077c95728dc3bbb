#include "flows.h"

#include "support/random.h"
#include "upcoming.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD  65536 /* packets drawn ahead, for all flows together */
#define DEEP   1024  /* for one flow */
#define NONE   UINT32_MAX
#define REMEMBERED (FLOWS_OPENED / 2) /* openings behind a packet */

int
flows_init(struct flows *f, const struct model *m, float temperature, uint32_t room)
{
	*f = (struct flows){.m = m, .room = room, .said_room = AHEAD + room, .said_spare = NONE};
	f->live = calloc(room, sizeof *f->live);
	f->spare = calloc(room, sizeof *f->spare);
	f->row = calloc(room, sizeof *f->row);
	f->said = calloc(f->said_room, sizeof *f->said);
	f->closed = m->vocabulary.n[FIELD_OPENED] < 2;
	for (uint32_t n = m->openings.n < PACE ? m->openings.n : PACE; n > 0; n--)
		f->opened[f->openings++] = (struct opened){.time = m->openings.time[(m->openings.n - n) % PACE]};
	if (!f->live || !f->spare || !f->row || !f->said)
		return -1;
	return drawing_init(&f->drawing, m, HEAD_FLOW, temperature);
}

void
flows_free(struct flows *f)
{
	drawing_free(&f->drawing);
	free(f->live);
	free(f->spare);
	free(f->row);
	free(f->said);
	*f = (struct flows){0};
}

void
flows_say(const struct flows *f, const uint16_t *token, uint64_t *random, struct action *a)
{
	const struct vocabulary *v = &f->m->vocabulary;

	a->has = 0;
	for (int i = 0; i < FIELDS; i++)
		if (token[i] && token[i] != UNKNOWN)
			symbol_set(v, i, &v->symbol[v->first[i] + token[i]], a, random);
}

/* --- packets that were drawn --- */

static struct said *
said_add(struct flows *f, struct live *l)
{
	uint32_t i = f->said_spare != NONE ? f->said_spare : f->said_used++;
	struct said *s = &f->said[i];

	if (i == f->said_spare)
		f->said_spare = s->next;
	s->next = NONE;
	if (l->ahead++)
		f->said[l->last].next = i;
	else
		l->first = i;
	l->last = i;
	f->ahead++;
	return s;
}

static void
said_drop(struct flows *f, struct live *l)
{
	struct said *s = &f->said[l->first];
	uint32_t next = s->next;

	s->next = f->said_spare;
	f->said_spare = l->first;
	l->first = next;
	l->ahead--;
	f->ahead--;
}

/* --- flows --- */

/* A flow that is to be drawn for waits until it is its turn. */
static void
wait(struct flows *f, uint32_t flow)
{
	struct live *l = &f->live[flow];

	if (l->waits || l->over || l->ahead >= DEEP || !(l->life & 1))
		return;
	l->waits = true;
	f->row[(f->row_at + f->row_n++) % f->room] = flow;
}

static uint32_t
begin(struct flows *f, uint64_t random)
{
	uint32_t i = f->spares ? f->spare[--f->spares] : f->used++;
	struct live *l = &f->live[i];

	*l = (struct live){.number = NONE, .life = l->life + 1, .waits = l->waits, .random = random};
	return i;
}

void
flows_end(struct flows *f, uint32_t flow)
{
	struct live *l = &f->live[flow];

	while (l->ahead)
		said_drop(f, l);
	l->life++;
	f->spare[f->spares++] = flow;
}

static void
remember(struct live *l, const uint16_t *token)
{
	if (l->packets == 0)
		memcpy(l->token[0], token, sizeof l->token[0]);
	memcpy(l->token[1 + l->packets++ % (HISTORY - 1)], token, sizeof l->token[0]);
}

/* The flow's next packet, and where the flow is then. */
static void
say(struct flows *f, struct live *l, const uint16_t *token, int64_t time, size_t wait)
{
	struct action a;
	struct said *s = said_add(f, l);

	s->time = time;
	s->wait = wait;
	s->random = l->random;
	memcpy(s->token, token, sizeof s->token);
	flows_say(f, token, &l->random, &a);
	bool reset = dialogue_reset(&l->dialogue);
	remember(l, token);
	dialogue_take(&l->dialogue, &a, time);
	connection_take(&l->connection, &a);
	l->after_reset = reset && dialogue_reset(&l->dialogue) ? l->after_reset + 1 : 0;
}

static void
know_hosts(const struct flows *f, struct live *l, const uint16_t *opening)
{
	for (int k = 0; k < 2; k++)
		l->host[k] = vocabulary_host(&f->m->vocabulary, k ? FIELD_RESP_H : FIELD_ORIG_H, opening);
}

uint32_t
flows_open(struct flows *f, const uint16_t *token, int64_t time, uint64_t random)
{
	uint32_t i = begin(f, random);
	struct live *l = &f->live[i];

	l->bound = *model_bound(f->m, token);
	l->purpose = vocabulary_purpose(&f->m->vocabulary, token);
	know_hosts(f, l, token);
	l->number = f->openings;
	f->opened[f->openings++ % FLOWS_OPENED] = (struct opened){time, l->purpose, l->host[0]};
	l->opening = f->openings;
	say(f, l, token, time, 0);
	wait(f, i);
	return i;
}

/* How far the connection of a flow that goes on has come; its numbers are not known. */
static void
take_up_connection(const struct flows *f, struct live *l, const struct alive *from)
{
	struct action a;
	uint64_t random = 0;

	for (uint32_t k = 0; k < from->says; k++) {
		flows_say(f, from->prologue[k], &random, &a);
		connection_take(&l->connection, &a);
	}
	l->connection.middle = l->connection.unseen = true;
	for (int d = 0; d < 2; d++)
		l->connection.end[d].fin = from->dialogue.flags[d] & TCP_FIN;
}

uint32_t
flows_take_up(struct flows *f, const struct alive *from, uint64_t random)
{
	uint32_t i = begin(f, random);
	struct live *l = &f->live[i];

	memcpy(l->token[0], from->history[0], sizeof l->token[0]);
	for (uint32_t k = 0; k < from->packets; k++)
		memcpy(l->token[1 + k], from->history[HISTORY - from->packets + k], sizeof l->token[0]);
	l->packets = from->packets;
	l->dialogue = from->dialogue;
	l->succeeded = l->dialogue.after > 0;
	l->bound = *model_bound(f->m, l->token[0]);
	l->purpose = vocabulary_purpose(&f->m->vocabulary, l->token[0]);
	know_hosts(f, l, l->token[0]);
	l->opening = f->openings;
	take_up_connection(f, l, from);
	wait(f, i);
	return i;
}

/* --- drawing --- */

static struct opened
opened(const struct flows *f, uint32_t i)
{
	return f->opened[i % FLOWS_OPENED];
}

/* The openings before a time; how many there are. */
static uint32_t
pace_before(const struct flows *f, int64_t time, struct pace *p)
{
	uint32_t n = f->openings, first;

	while (n > 0 && f->openings - n < FLOWS_OPENED && opened(f, n - 1).time >= time)
		n--;
	first = n > PACE ? n - PACE : 0;
	p->n = 0;
	for (uint32_t i = first; i < n; i++)
		pace_take(p, opened(f, i).time);
	return n;
}

/* Looks for who opened after a flow for the same, up to the openings before `now`. Once for each packet. */
static void
successors(const struct flows *f, struct live *l, uint32_t now)
{
	if (!l->purpose)
		return;
	if (now > l->opening + REMEMBERED)
		l->opening = now - REMEMBERED;
	for (; l->opening < now; l->opening++)
		l->succeeded |= opened(f, l->opening).purpose == l->purpose;
	l->dialogue.after += l->succeeded;
}

/* What opens after so many openings, and that time. */
static struct coming
coming(const struct flows *f, const struct live *l, uint32_t before, int64_t time)
{
	struct coming c = {-1, -1, -1};

	bool host = l->host[0] != NOBODY || l->host[1] != NOBODY;
	for (uint32_t i = before; i < f->openings && i < before + SUCCESSORS; i++) {
		struct opened o = opened(f, i);
		int64_t left = o.time > time ? o.time - time : 0;
		if (i == l->number)
			continue;
		if (c.any < 0)
			c.any = left;
		if (c.host < 0 && o.host != NOBODY && (o.host == l->host[0] || o.host == l->host[1]))
			c.host = left;
		if (c.same < 0 && l->purpose && o.purpose == l->purpose)
			c.same = left;
		if ((c.host >= 0 || !host) && (c.same >= 0 || !l->purpose))
			break;
	}
	return c;
}

/* What a flow's next packet is drawn for; false where there can't be one. */
static bool
ask(const struct flows *f, struct live *l, struct draw_row *r)
{
	const struct dialogue *d = &l->dialogue;
	struct pace pace;

	if (d->all >= l->bound.packets)
		return false;
	if (dialogue_reset(d) && l->after_reset >= *model_after_reset(f->m, l->token[0]))
		return false;
	r->context[0] = l->token[0];
	for (uint32_t k = 1; k < HISTORY; k++) {
		uint32_t back = HISTORY - k;
		r->context[k] = back <= l->packets ? l->token[1 + (l->packets - back) % (HISTORY - 1)] : NULL;
	}
	uint32_t before = pace_before(f, d->last[d->dir], &pace);
	successors(f, l, before);
	struct coming next = coming(f, l, before, d->last[d->dir]);
	if (l->succeeded && d->after > l->bound.after)
		return false;
	dialogue_features(d, &pace, &next, r->feature);
	r->opening = next.host;
	r->since = d->last[d->dir] < 0 ? -d->last[d->dir] : 0;
	r->wait = model_waits(f->m, l->token[0], dialogue_state(d));
	r->has = model_has(f->m, l->token[0]);
	r->said = d->said;
	r->connection = l->token[0][FIELD_PROTO] ? NULL : &l->connection;
	r->lawless = r->connection ? legal_draw(r->has, &l->random) : 0;
	r->random = &l->random;
	return true;
}

/* Whether a packet uses the flow's ports anew once more than any flow of its service did in vain. */
static bool
tries_too_often(const struct flows *f, const struct live *l, const uint16_t *token)
{
	struct action a;
	uint64_t random = 0;

	if (!token[FIELD_AGAIN] || l->dialogue.tries < l->bound.tries)
		return false;
	flows_say(f, token, &random, &a);
	return action_number(&a, ACTION_OPEN) >= FLOW_REUSED;
}

static void
answer(struct flows *f, struct live *l, const struct draw_row *r)
{
	const struct vocabulary *v = &f->m->vocabulary;
	uint16_t next = r->token[FIELD_NEXT];

	if (!next || tries_too_often(f, l, r->token)) {
		l->over = true;
		return;
	}
	const struct symbol *s = &v->symbol[v->first[FIELD_NEXT] + next];
	int64_t wait = s->low < 0 ? r->opening + 1 + symbol_draw(s, &l->random) : symbol_wait(s, r->since, &l->random);
	wait = wait > 0 ? wait : 0;
	say(f, l, r->token, model_time(f->m, l->dialogue.last[l->dialogue.dir] + wait), r->wait - f->m->wait + next);
}

/* Whether all openings before the flow's last packet were drawn, and those that it is told of. */
static bool
knows(const struct flows *f, const struct live *l)
{
	return f->closed || (f->openings > SUCCESSORS &&
			     opened(f, f->openings - 1 - SUCCESSORS).time >= l->dialogue.last[l->dialogue.dir]);
}

/* The next flow in turn; NONE where all had theirs. */
static uint32_t
turn(struct flows *f, uint32_t *left)
{
	while (*left) {
		--*left;
		uint32_t i = f->row[f->row_at];
		struct live *l = &f->live[i];
		f->row_at = (f->row_at + 1) % f->room;
		f->row_n--;
		l->waits = false;
		if (!(l->life & 1) || l->over)
			continue;
		if (knows(f, l))
			return i;
		wait(f, i);
	}
	return NONE;
}

/* Draws for one flow, and for others in turn. */
static void
draw_ahead(struct flows *f, uint32_t flow)
{
	struct draw_row row[DRAW_ROWS];
	uint32_t of[DRAW_ROWS], left = f->row_n < 8 * DRAW_ROWS ? f->row_n : 8 * DRAW_ROWS, i = flow;
	int n = 0;

	do {
		if (!ask(f, &f->live[i], &row[n]))
			f->live[i].over = true;
		else
			of[n++] = i;
		if (n == DRAW_ROWS || f->ahead + n >= AHEAD)
			break;
		while ((i = turn(f, &left)) == flow)
			;
	} while (i != NONE);
	draw(&f->drawing, row, n);
	for (int k = 0; k < n; k++) {
		answer(f, &f->live[of[k]], &row[k]);
		wait(f, of[k]);
	}
}

const struct said *
flows_next(struct flows *f, uint32_t flow)
{
	struct live *l = &f->live[flow];

	if (!l->ahead && !l->over)
		draw_ahead(f, flow);
	return l->ahead ? &f->said[l->first] : NULL;
}

void
flows_pass(struct flows *f, uint32_t flow)
{
	struct live *l = &f->live[flow];

	if (f->passed)
		f->passed[f->said[l->first].wait]++;
	said_drop(f, l);
	if (l->ahead == DEEP / 2)
		wait(f, flow);
}
