#include "generate.h"

#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define OPENING UINT32_MAX /* the event of the next opening */
#define FRAME	(PACKET_HEADERS + 262144)
#define LATEST	(INT64_C(1) << 60) /* ns: no event is later */

struct live {
	uint32_t life; /* even: free */
	uint32_t packets;
	struct dialogue dialogue;
	uint16_t token[HISTORY][FIELDS]; /* the opening; then a ring of the last ones */
	uint16_t next[FIELDS];
};

struct generator {
	const struct model *m;
	struct generate_options options;
	struct drawing drawing[HEADS];
	uint64_t random;
	struct schedule schedule;
	struct people hosts, macs;
	struct live *live;
	uint32_t used, *spare, spares;
	uint16_t opening[FIELDS], opened[OPENINGS][FIELDS]; /* the next one, and a ring of the last ones */
	uint32_t openings;
	struct pace pace, openings_pace;
	int64_t now, base;
	bool begun;
	/* What is drawn as a capture would show it. */
	struct trace made, seen;
	struct fresh fresh;
	struct packet packet;
	struct action drawn;
	uint8_t frame[FRAME];
};

struct stream_header *
generator_header(struct generator *g)
{
	return &g->made.header;
}

/* Captures of microseconds have no times between them. */
static int64_t
whole(const struct generator *g, int64_t time)
{
	if (time > LATEST)
		time = LATEST;
	return g->m->header.nano ? time : time - time % 1000;
}

static const struct symbol *
symbol(const struct generator *g, enum field f, uint16_t token)
{
	return &g->m->vocabulary.symbol[g->m->vocabulary.first[f] + token];
}

/* A time of the symbol's range that is not over yet. */
static int64_t
wait_of(struct generator *g, enum field f, uint16_t token, int64_t since)
{
	const struct symbol *s = symbol(g, f, token);
	int64_t wait = 0;

	if (s->kind != SYMBOL_RANGE)
		return since;
	for (int i = 0; i < 8; i++)
		if ((wait = symbol_draw(s, &g->random)) >= since)
			return wait;
	return since;
}

/* --- flows --- */

static uint32_t
live_take(struct generator *g)
{
	uint32_t i;

	if (g->spares)
		i = g->spare[--g->spares];
	else if (g->used < g->m->header.cap)
		i = g->used++;
	else
		i = random_next(&g->random) % g->m->header.cap; /* all slots are taken: a flow makes room */
	struct live *l = &g->live[i];
	uint32_t life = l->life | 1;
	*l = (struct live){.life = l->life & 1 ? life + 2 : life};
	return i;
}

static void
live_end(struct generator *g, uint32_t i)
{
	g->live[i].life++;
	g->spare[g->spares++] = i;
}

static void
remember(struct live *l, const uint16_t *token)
{
	if (l->packets == 0)
		memcpy(l->token[0], token, sizeof l->token[0]);
	memcpy(l->token[1 + l->packets++ % (HISTORY - 1)], token, sizeof l->token[0]);
}

/* Draws a flow's next packet; the flow ends where there is none. */
static int
draw_flow(struct generator *g, uint32_t i)
{
	struct live *l = &g->live[i];
	const uint16_t *context[HISTORY] = {l->token[0]};
	float feature[FEATURES];

	for (uint32_t k = 1; k < HISTORY; k++) {
		uint32_t back = HISTORY - k;
		context[k] = back <= l->packets ? l->token[1 + (l->packets - back) % (HISTORY - 1)] : NULL;
	}
	dialogue_features(&l->dialogue, &g->pace, feature);
	uint32_t limit = g->m->limit[model_service(g->m, l->token[0])];
	if (limit && l->dialogue.packets >= limit) {
		live_end(g, i);
		return 0;
	}
	int64_t last = l->dialogue.last[l->dialogue.dir];
	g->drawing[HEAD_FLOW].allowed = model_waits(g->m, l->token[0], dialogue_state(&l->dialogue));
	draw_next(&g->drawing[HEAD_FLOW], context, feature, g->now - last, l->next);
	if (!l->next[FIELD_NEXT]) {
		live_end(g, i);
		return 0;
	}
	return schedule_add(&g->schedule, whole(g, last + wait_of(g, FIELD_NEXT, l->next[FIELD_NEXT], g->now - last)), i, l->life);
}

static int
draw_opening(struct generator *g)
{
	const uint16_t *context[OPENINGS];
	float feature[FEATURES] = {0};

	if (g->m->vocabulary.n[FIELD_OPENED] < 2)
		return 0; /* none was learned */
	for (uint32_t k = 0; k < OPENINGS; k++) {
		uint32_t back = OPENINGS - k;
		context[k] = back <= g->openings ? g->opened[(g->openings - back) % OPENINGS] : NULL;
	}
	int64_t last = g->openings_pace.n ? g->openings_pace.time[(g->openings_pace.n - 1) % 64] : 0;
	pace_features(&g->openings_pace, last, feature);
	draw_next(&g->drawing[HEAD_OPEN], context, feature, g->now - last, g->opening);
	int64_t wait = wait_of(g, FIELD_OPENED, g->opening[FIELD_OPENED], g->now - last);
	return schedule_add(&g->schedule, whole(g, last + (int64_t)(wait * (double)g->m->open_slow / g->options.rate)), OPENING, 0);
}

/* --- packets --- */

static void
name_people(struct generator *g, struct action *a, const uint16_t *token)
{
	static const struct {
		enum field field;
		enum action_field to;
	} four[WHOS] = {{FIELD_ORIG_H, ACTION_ORIG_H}, {FIELD_RESP_H, ACTION_RESP_H},
			{FIELD_SRC_MAC, ACTION_SRC_MAC}, {FIELD_DST_MAC, ACTION_DST_MAC}};

	for (int i = 0; i < WHOS; i++) {
		uint16_t t = token[four[i].field];
		if (t == 0 || t == UNKNOWN)
			continue;
		const struct symbol *s = symbol(g, four[i].field, t);
		a->has |= 1ull << four[i].to;
		people_name(i < 2 ? &g->hosts : &g->macs, &g->m->vocabulary, s, action_ref(a, four[i].to), &g->random);
	}
}

/* What symbols say, as an action of a flow. */
static void
say(struct generator *g, uint32_t i, const uint16_t *token, bool opens)
{
	struct action *a = &g->drawn;

	a->has = 0;
	for (int f = 0; f < FIELDS; f++)
		if (token[f] && token[f] != UNKNOWN)
			symbol_set(&g->m->vocabulary, f, symbol(g, f, token[f]), a, &g->random);
	action_set(a, ACTION_FLOW, i);
	if (opens) {
		action_set(a, ACTION_OPEN, FLOW_NEW);
		name_people(g, a, token);
	}
}

/* As the capture shows it: compiled, and lifted. */
static void
render(struct generator *g, struct action *a, int64_t time)
{
	if (!g->begun) {
		g->base = time;
		g->begun = true;
	}
	int64_t at = g->m->header.start + (time - g->base);
	action_set(&g->drawn, ACTION_DT, (uint64_t)at - g->made.time);
	trace_compile(&g->made, &g->packet, &g->drawn);
	uint32_t n = packet_build(&g->packet, g->made.dlt, g->frame);
	struct packet p = {.time = g->packet.time, .caplen = g->packet.caplen, .len = g->packet.len};
	if (p.caplen > FRAME)
		p.caplen = FRAME;
	if (n < p.caplen)
		memset(g->frame + n, 0, p.caplen - n);
	packet_parse(&p, g->made.dlt, g->frame);
	trace_lift(&g->seen, &p, a);
}

static int
emit(struct generator *g, uint32_t i, const uint16_t *token, int64_t time, bool opens, struct action *a)
{
	struct live *l = &g->live[i];

	say(g, i, token, opens);
	remember(l, token);
	dialogue_take(&l->dialogue, &g->drawn, time);
	pace_take(&g->pace, time);
	render(g, a, time);
	return draw_flow(g, i);
}

static int
open_flow(struct generator *g, int64_t time, struct action *a)
{
	uint16_t token[FIELDS];

	memcpy(token, g->opening, sizeof token);
	memcpy(g->opened[g->openings++ % OPENINGS], token, sizeof token);
	pace_take(&g->openings_pace, time);
	if (draw_opening(g) < 0)
		return -1;
	return emit(g, live_take(g), token, time, true, a);
}

int
generator_next(struct generator *g, struct action *a, int64_t *time)
{
	while (g->schedule.n) {
		struct event e = schedule_take(&g->schedule);
		bool opening = e.flow == OPENING;
		if (!opening && g->live[e.flow].life != e.life)
			continue;
		if (e.time > g->now)
			g->now = e.time;
		if (opening) {
			if (open_flow(g, g->now, a) < 0)
				return -1;
		} else {
			struct live *l = &g->live[e.flow];
			uint16_t token[FIELDS];
			memcpy(token, l->next, sizeof token);
			if (emit(g, e.flow, token, g->now, false, a) < 0)
				return -1;
		}
		*time = g->now - g->base;
		return 1;
	}
	return 0;
}

/* --- its beginning and end --- */

/* A flow that goes on: its prologue is rendered, but not shown. */
static int
take_up(struct generator *g, const struct alive *from)
{
	uint32_t i = live_take(g);
	struct live *l = &g->live[i];

	for (uint32_t k = 0; k < from->says; k++) {
		say(g, i, from->prologue[k], k == 0);
		trace_compile(&g->made, &g->packet, &g->drawn);
	}
	memcpy(l->token[0], from->history[0], sizeof l->token[0]);
	for (uint32_t k = 0; k < from->packets; k++)
		memcpy(l->token[1 + k], from->history[HISTORY - from->packets + k], sizeof l->token[0]);
	l->packets = from->packets;
	l->dialogue = from->dialogue;
	return draw_flow(g, i);
}

static int
start(struct generator *g)
{
	const struct model *m = g->m;

	g->pace = m->pace;
	g->openings_pace = m->openings;
	g->openings = OPENINGS;
	memcpy(g->opened, m->opened, sizeof g->opened);
	for (uint32_t k = 0; k < m->n_alive; k++)
		if (take_up(g, &m->alive[k]) < 0)
			return -1;
	return draw_opening(g);
}

struct generator *
generator_new(const struct model *m, const struct generate_options *o)
{
	struct generator *g = calloc(1, sizeof *g);
	const struct vocabulary *v = &m->vocabulary;
	uint32_t cap = m->header.cap;

	if (!g)
		return NULL;
	g->m = m;
	g->options = *o;
	g->random = o->seed;
	random_next(&g->random);
	g->made.header = g->seen.header = m->header;
	g->live = calloc(cap, sizeof *g->live);
	g->spare = calloc(cap, sizeof *g->spare);
	if (!g->live || !g->spare || people_init(&g->hosts, v, FIELD_ORIG_H, FIELD_RESP_H, cap) < 0 ||
	    people_init(&g->macs, v, FIELD_SRC_MAC, FIELD_DST_MAC, cap) < 0 ||
	    drawing_init(&g->drawing[HEAD_FLOW], &m->net[HEAD_FLOW], o->temperature, &g->random) < 0 ||
	    drawing_init(&g->drawing[HEAD_OPEN], &m->net[HEAD_OPEN], o->temperature, &g->random) < 0 ||
	    trace_init(&g->made, m->header.link, &g->fresh, o->seed) < 0 || trace_init(&g->seen, m->header.link, NULL, 0) < 0 ||
	    start(g) < 0) {
		generator_free(g);
		return NULL;
	}
	return g;
}

void
generator_free(struct generator *g)
{
	if (!g)
		return;
	trace_free(&g->made);
	trace_free(&g->seen);
	for (int h = 0; h < HEADS; h++)
		drawing_free(&g->drawing[h]);
	schedule_free(&g->schedule);
	people_free(&g->hosts);
	people_free(&g->macs);
	free(g->live);
	free(g->spare);
	free(g);
}
