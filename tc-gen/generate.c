#include "generate.h"

#include "messages.h"
#include "openings.h"
#include "quotes.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define FRAME  (PACKET_HEADERS + 262144)
#define FUTURE 256 /* openings drawn ahead */
#define NONE   UINT32_MAX

struct generator {
	const struct model *m;
	struct generate_options options;
	uint64_t random; /* of what is decided as packets come; flows and openings have their own */
	struct flows flows;
	struct schedule schedule;
	int64_t now, base;
	bool begun;
	/* Openings: how they are drawn; those that are to come, in turn. */
	struct drawing drawing;
	struct openings openings;
	uint32_t future[FUTURE], future_at, future_n;
	/* Slots of the stream: of each flow, NONE while it is to come; of each slot, its flow. */
	uint32_t *slot, *owner, slots, *spare, spares;
	struct people hosts, macs;
	struct quotes quotes;
	struct messages messages;
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

/* --- slots --- */

/* Those that flows have; the one behind them is the errors' that answer flows. */
static uint32_t
slots_of(const struct model *m)
{
	return m->header.cap - 1;
}

static void
slot_take(struct generator *g, uint32_t flow)
{
	uint32_t cap = slots_of(g->m), i;

	if (g->spares) {
		i = g->spare[--g->spares];
	} else if (g->slots < cap) {
		i = g->slots++;
	} else {
		i = random_next(&g->random) % cap; /* all are taken: a flow makes room */
		flows_end(&g->flows, g->owner[i]);
	}
	g->slot[flow] = i;
	g->owner[i] = flow;
}

static void
slot_give(struct generator *g, uint32_t flow)
{
	g->spare[g->spares++] = g->slot[flow];
	flows_end(&g->flows, flow);
}

/* What comes next of a flow takes its place in the schedule; a flow of which nothing comes is over. */
static int
schedule_flow(struct generator *g, uint32_t flow)
{
	const struct said *s = flows_next(&g->flows, flow);

	if (s)
		return schedule_add(&g->schedule, s->time, flow, g->flows.live[flow].life, g->slot[flow] == NONE);
	slot_give(g, flow);
	return 0;
}

/* --- openings --- */

static void
draw_opening(struct generator *g)
{
	struct draw_row row;

	openings_ask(&g->openings, g->m, &row);
	draw(&g->drawing, &row, 1);
	openings_take(&g->openings, g->m, &row);
	int64_t time = model_time(g->m, g->openings.last / (double)g->options.rate); /* the network is not told that they come faster */
	uint32_t flow = flows_open(&g->flows, row.token, time, random_next(&g->openings.random));
	g->slot[flow] = NONE;
	g->future[(g->future_at + g->future_n++) % FUTURE] = flow;
}

static int
schedule_opening(struct generator *g)
{
	if (g->m->vocabulary.n[FIELD_OPENED] < 2)
		return 0; /* none was learned */
	while (g->future_n < FUTURE)
		draw_opening(g);
	uint32_t flow = g->future[g->future_at];
	g->future_at = (g->future_at + 1) % FUTURE;
	g->future_n--;
	return schedule_flow(g, flow);
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
	const struct vocabulary *v = &g->m->vocabulary;

	int family = 0;

	for (int f = FIELD_PROTO; f <= FIELD_RESP_H && !family; f++)
		if (token[f] && token[f] != UNKNOWN)
			family = symbol_family(v, f, &v->symbol[v->first[f] + token[f]]);
	for (int i = 0; i < WHOS; i++) {
		uint16_t t = token[four[i].field];
		if (t == 0 || t == UNKNOWN || action_has(a, four[i].to))
			continue;
		const struct symbol *s = &v->symbol[v->first[four[i].field] + t];
		struct action_ref *r = action_ref(a, four[i].to), *other = i & 1 ? action_ref(a, four[i - 1].to) : NULL;
		bool slot = other && token[four[i - 1].field] && other->kind != REF_FIXED;
		people_name(i < 2 ? &g->hosts : &g->macs, v, i & 1, s, slot ? other->slot : NOBODY, i < 2 ? family : 0, r, &g->random);
		a->has |= 1ull << four[i].to;
	}
}

/* What symbols say, as an action of a flow. */
static void
say(struct generator *g, uint32_t slot, const uint16_t *token, uint64_t random, bool opens)
{
	struct action *a = &g->drawn;

	flows_say(&g->flows, token, &random, a);
	action_set(a, ACTION_FLOW, slot);
	if (opens)
		action_set(a, ACTION_OPEN, FLOW_NEW);
	if (!opens && action_has(a, ACTION_TYPE) && g->made.flow[slot].proto == PROTO_UDP)
		quotes_answer(&g->quotes, &g->made, a, slots_of(g->m));
	else
		quotes_set(&g->quotes, &g->made, a);
	if (opens)
		name_people(g, a, token); /* but whom a quote names */
}

/* As the capture shows it: compiled, and lifted. */
static void
render(struct generator *g, struct action *a, int64_t time)
{
	if (!g->begun) {
		g->base = time;
		g->begun = true;
	}
	int64_t at = g->made.header.start + (time - g->base);
	action_set(&g->drawn, ACTION_DT, (uint64_t)at - g->made.time);
	trace_compile(&g->made, &g->packet, &g->drawn);
	quotes_take(&g->quotes, &g->made, &g->packet);
	uint32_t n = packet_build(&g->packet, g->made.dlt, g->frame);
	struct packet p = {.time = g->packet.time, .caplen = g->packet.caplen, .len = g->packet.len};
	if (p.caplen > FRAME)
		p.caplen = FRAME;
	if (n < p.caplen)
		memset(g->frame + n, 0, p.caplen - n);
	packet_parse(&p, g->made.dlt, g->frame);
	trace_lift(&g->seen, &p, a);
}

/* A packet of the flow whose turn it is: 1, 0 where it isn't to be sent, -1. */
static int
next_of(struct generator *g, uint32_t flow, struct action *a)
{
	bool opens = g->slot[flow] == NONE;

	if (opens) {
		if (schedule_opening(g) < 0)
			return -1;
		slot_take(g, flow);
	}
	const struct said *s = flows_next(&g->flows, flow);
	say(g, g->slot[flow], s->token, s->random, opens);
	bool sent = messages_put_right(&g->messages, &g->made, &g->drawn);
	if (sent)
		render(g, a, g->now);
	flows_pass(&g->flows, flow);
	return schedule_flow(g, flow) < 0 ? -1 : sent;
}

int
generator_next(struct generator *g, struct action *a, int64_t *time)
{
	struct event e;
	int got = 0;

	while (got == 0) {
		if (!g->schedule.n)
			return 0;
		e = schedule_take(&g->schedule);
		if (g->flows.live[e.flow].life != e.life)
			continue;
		if (e.time > g->now)
			g->now = e.time;
		got = next_of(g, e.flow, a);
	}
	*time = g->now - g->base;
	return got;
}

/* --- its beginning and end --- */

/* A flow that goes on: its prologue is rendered, but not shown. */
static uint32_t
take_up(struct generator *g, const struct alive *from)
{
	uint32_t flow = flows_take_up(&g->flows, from, random_next(&g->random));

	slot_take(g, flow);
	for (uint32_t k = 0; k < from->says; k++) {
		say(g, g->slot[flow], from->prologue[k], random_next(&g->random), k == 0);
		trace_compile(&g->made, &g->packet, &g->drawn);
	}
	return flow;
}

static int
start(struct generator *g)
{
	const struct model *m = g->m;

	uint32_t *flow = malloc((m->n_alive + 1) * sizeof *flow);
	int bad = !flow;
	for (uint32_t k = 0; k < m->n_alive && !bad; k++)
		flow[k] = take_up(g, &m->alive[k]);
	for (uint32_t k = 0; k < m->n_alive && !bad; k++)
		bad = schedule_flow(g, flow[k]);
	free(flow);
	return bad || schedule_opening(g) < 0 ? -1 : 0;
}

void
generator_count_waits(struct generator *g, uint32_t *n)
{
	g->flows.passed = n;
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
	uint64_t opening_random = random_next(&g->random);
	g->made.header = g->seen.header = m->header;
	if (o->start >= 0)
		g->made.header.start = g->seen.header.start = o->start;
	uint32_t room = cap + FUTURE + 1;
	g->slot = calloc(room, sizeof *g->slot);
	g->owner = calloc(cap, sizeof *g->owner);
	g->spare = calloc(cap, sizeof *g->spare);
	if (!g->slot || !g->owner || !g->spare || openings_init(&g->openings, m, opening_random) < 0 ||
	    people_init(&g->hosts, v, FIELD_ORIG_H, FIELD_RESP_H, cap, o->hosts) < 0 ||
	    people_init(&g->macs, v, FIELD_SRC_MAC, FIELD_DST_MAC, cap, 1) < 0 || flows_init(&g->flows, m, o->temperature, room) < 0 ||
	    drawing_init(&g->drawing, m, HEAD_OPEN, o->temperature) < 0 ||
	    messages_init(&g->messages, cap) < 0 || trace_init(&g->made, m->header.link, &g->fresh, o->seed) < 0 ||
	    trace_init(&g->seen, m->header.link, NULL, 0) < 0 || start(g) < 0) {
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
	openings_free(&g->openings);
	drawing_free(&g->drawing);
	flows_free(&g->flows);
	schedule_free(&g->schedule);
	people_free(&g->hosts);
	people_free(&g->macs);
	messages_free(&g->messages);
	free(g->slot);
	free(g->owner);
	free(g->spare);
	free(g);
}
