#include "corpus.h"

#include "quotes.h"
#include "state/trace.h"
#include "upcoming.h"

#include <stdlib.h>
#include <string.h>

#define MANY   16   /* packets of a flow that count as much as another flow */
#define RANKS  1024 /* who was named longer ago counts as new */
#define LAYERS (UINT64_C(1) << ACTION_TAGS | UINT64_C(1) << ACTION_LINK)

/* Who is behind the slots of a trace. */
struct names {
	uint32_t *id; /* by slot */
	uint32_t recent[RANKS], n;
};

struct reading {
	struct names names[2]; /* hosts, link addresses */
	uint32_t *flow, *first, *last; /* by slot: the flow, its first packet, its last one */
	bool (*said)[2];	       /* whether its directions did */
	struct named (*who)[WHOS];     /* whom errors named that opened it, and are packets of other flows */
	uint32_t cap;
	/* The trace as it was compiled, which knows what actions don't say. */
	struct trace made;
	struct fresh fresh;
	struct packet packet;
};

static int
grow(void **p, size_t n, size_t size)
{
	if (n & (n - 1))
		return 0;
	void *more = realloc(*p, (n ? 2 * n : 1) * size);

	if (!more)
		return -1;
	*p = more;
	return 0;
}

static int
someone_new(struct corpus *c, int kind, const struct action_ref *r)
{
	if (grow((void **)&c->one[kind], c->ones[kind], sizeof *c->one[kind]) < 0)
		return -1;
	c->one[kind][c->ones[kind]++] = (struct someone){
	    .class = r->class, .scope = !kind && action_ref_scoped(r) ? r->suffix : 0};
	return 0;
}

/* Moves somebody to the front; how many stood before. */
static uint32_t
recent_move(struct names *m, uint32_t id)
{
	uint32_t at = 0;

	while (at < m->n && m->recent[at] != id)
		at++;
	uint32_t rank = at < m->n ? at : NOBODY;
	if (at == m->n && m->n < RANKS)
		m->n++;
	if (at == RANKS)
		at--;
	memmove(m->recent + 1, m->recent, at * sizeof *m->recent);
	m->recent[0] = id;
	return rank;
}

static int
name(struct corpus *c, struct reading *g, int kind, const struct action_ref *r, struct named *who)
{
	struct names *m = &g->names[kind];

	*who = (struct named){.kind = r->kind, .set = true, .id = NOBODY, .rank = NOBODY};
	if (r->kind == REF_FIXED || r->slot >= g->cap)
		return 0;
	if (r->kind == REF_NEW || m->id[r->slot] == NOBODY) {
		m->id[r->slot] = c->ones[kind];
		if (someone_new(c, kind, r) < 0)
			return -1;
	}
	who->id = m->id[r->slot];
	who->rank = recent_move(m, who->id);
	return 0;
}

static int
name_all(struct corpus *c, struct reading *g, struct action *a, struct packet_seen *p)
{
	for (int f = 0; f < ACTION_COUNT; f++) {
		struct named who, *to = &who;
		if (action_fields[f].kind != ACTION_REF || !action_has(a, f))
			continue;
		bool link = f == ACTION_SRC_MAC || f == ACTION_DST_MAC || f == ACTION_SHA || f == ACTION_THA;
		if (f == ACTION_ORIG_H || f == ACTION_RESP_H)
			to = &p->who[f == ACTION_RESP_H ? WHO_RESP_H : WHO_ORIG_H];
		else if (f == ACTION_SRC_MAC || f == ACTION_DST_MAC)
			to = &p->who[f == ACTION_DST_MAC ? WHO_DST_MAC : WHO_SRC_MAC];
		if (name(c, g, link, action_ref(a, f), to) < 0)
			return -1;
		if (p->opens && to != &who && to->id != NOBODY)
			c->one[link][to->id].opened++;
	}
	return 0;
}

static void
reading_free(struct reading *g)
{
	for (int k = 0; k < 2; k++)
		free(g->names[k].id);
	free(g->flow);
	free(g->first);
	free(g->last);
	free(g->said);
	free(g->who);
	trace_free(&g->made);
	free(g);
}

static struct reading *
reading_new(const struct stream_header *h)
{
	struct reading *g = calloc(1, sizeof *g);
	uint32_t cap = h->cap;

	if (!g)
		return NULL;
	g->cap = cap;
	g->flow = malloc(cap * sizeof *g->flow);
	g->first = calloc(cap, sizeof *g->first);
	g->last = calloc(cap, sizeof *g->last);
	g->said = calloc(cap, sizeof *g->said);
	g->who = calloc(cap, sizeof *g->who);
	for (int k = 0; k < 2; k++)
		if ((g->names[k].id = malloc(cap * sizeof *g->names[k].id)))
			memset(g->names[k].id, 255, cap * sizeof *g->names[k].id);
	g->made.header = *h;
	if (!g->flow || !g->first || !g->last || !g->said || !g->who || !g->names[0].id || !g->names[1].id ||
	    trace_init(&g->made, h->link, &g->fresh, 0) < 0) {
		reading_free(g);
		return NULL;
	}
	memset(g->flow, 255, cap * sizeof *g->flow);
	return g;
}

static int
store(struct corpus *c, struct packet_seen *p, const struct action *a)
{
	if (c->words + ACTION_WORDS > c->words_room) {
		uint64_t room = 2 * c->words_room + 65536, *more = realloc(c->word, room * sizeof *more);
		if (!more)
			return -1;
		c->word = more;
		c->words_room = room;
	}
	p->at = c->words;
	c->words += action_pack(a, c->word + c->words);
	return 0;
}

/* What a direction's first packet takes from other flows' packets, as a capture would show it. */
static void
say_first(struct corpus *c, struct reading *g, struct packet_seen *p, struct action *a, const struct named *sender)
{
	struct action_list *tags = action_list(a, ACTION_TAGS), *link = action_list(a, ACTION_LINK);

	p->begins = true;
	p->ttl = g->packet.ttl;
	if (g->packet.kind == PACKET_IP && sender->set)
		p->sender = sender->id;
	c->layered |= g->packet.n_tags > 0 || g->packet.n_link > 0;
	a->has |= LAYERS;
	tags->n = g->packet.n_tags;
	for (int i = 0; i < tags->n; i++)
		tags->v[i] = g->packet.tags[i];
	link->n = g->packet.n_link;
	for (int i = 0; i < link->n; i++)
		link->v[i] = g->packet.link[i];
}

/* --- errors --- */

/* The slot of the flow of UDP that an error of ICMP answers, from its other end; NOBODY: none. */
static uint32_t
answered(const struct reading *g, struct action *a)
{
	const struct action_list *quote = action_list(a, ACTION_QUOTE);
	uint32_t slot = action_has(a, ACTION_QUOTE) && quote->n == QUOTE_FIELDS ? quote->v[QUOTE_FLOW] : -1;

	if (slot >= g->cap || g->flow[slot] == NOBODY || !g->packet.quote.set)
		return NOBODY;
	const struct flow *f = &g->made.flow[slot];
	int dir = quote->v[QUOTE_DIR] == 1;
	bool at_end = address_same(&g->packet.src, &f->address[!dir]) && address_same(&g->packet.dst, &f->address[dir]);
	return f->proto == PROTO_UDP && at_end ? slot : NOBODY;
}

/* What is the same whichever flow says it: an error without `len` quotes all of a datagram. */
static void
become_answer(const struct packet *p, struct action *a)
{
	static const uint64_t others = 1ull << ACTION_OPEN | 1ull << ACTION_PROTO | 1ull << ACTION_ORIG_H | 1ull << ACTION_RESP_H |
				       1ull << ACTION_SRC_MAC | 1ull << ACTION_DST_MAC | 1ull << ACTION_QUOTE;
	int dir = action_list(a, ACTION_QUOTE)->v[QUOTE_DIR] != 1;

	a->has &= ~others;
	if (action_number(a, ACTION_LEN) == quotes_whole(&p->quote))
		a->has &= ~(1ull << ACTION_LEN);
	action_set(a, ACTION_DIR, dir);
	action_set(a, ACTION_TYPE, p->type);
	action_set(a, ACTION_CODE, p->code);
	action_set(a, ACTION_TTL, p->ttl);
	action_set(a, ACTION_TOS, p->tos);
	action_set(a, ACTION_FRAG, p->frag);
}

/* A packet that opens what an error opened already. */
static void
open_late(const struct reading *g, struct packet_seen *p, struct action *a, uint32_t slot)
{
	memcpy(p->who, g->who[slot], sizeof p->who);
	action_set(a, ACTION_OPEN, FLOW_NEW);
	action_set(a, ACTION_PROTO, g->made.flow[slot].proto);
	action_set(a, ACTION_TYPE, g->packet.type);
	action_set(a, ACTION_CODE, g->packet.code);
}

/* --- a trace --- */

/* The packet becomes its flow's last one. */
static void
link_packet(struct corpus *c, struct reading *g, struct packet_seen *p, uint32_t slot)
{
	uint32_t i = c->packets;

	if (p->opens) {
		g->flow[slot] = c->flows++;
		g->first[slot] = i;
		g->last[slot] = NOBODY;
		g->said[slot][0] = g->said[slot][1] = false;
	}
	p->flow = g->flow[slot];
	p->before = g->last[slot];
	if (p->before != NOBODY)
		c->packet[p->before].next = i;
	g->last[slot] = i;
}

static int
add(struct corpus *c, struct reading *g, struct action *a, int64_t time)
{
	int64_t slot = action_number(a, ACTION_FLOW);
	bool named = action_number(a, ACTION_OPEN) == FLOW_NEW;

	if (slot < 0 || slot >= g->cap)
		slot = 0;
	if (grow((void **)&c->packet, c->packets, sizeof *c->packet) < 0)
		return -1;
	struct packet_seen *p = &c->packet[c->packets];
	*p = (struct packet_seen){.time = time, .trace = c->traces, .next = NOBODY, .sender = NOBODY};
	trace_compile(&g->made, &g->packet, a);
	uint32_t of = answered(g, a);
	p->opens = of == NOBODY && (named || g->flow[slot] == NOBODY);
	if (name_all(c, g, a, p) < 0)
		return -1;
	if (of != NOBODY) {
		if (named) {
			memcpy(g->who[slot], p->who, sizeof p->who);
			g->flow[slot] = NOBODY;
		}
		memset(p->who, 0, sizeof p->who);
		become_answer(&g->packet, a);
		slot = of;
	} else if (p->opens && !named) {
		open_late(g, p, a, slot);
	}
	link_packet(c, g, p, slot);
	int dir = action_number(a, ACTION_DIR) == 1;
	if (of != NOBODY || !g->said[slot][dir])
		say_first(c, g, p, a, &c->packet[g->first[slot]].who[dir ? WHO_RESP_H : WHO_ORIG_H]);
	g->said[slot][dir] |= of == NOBODY;
	c->packets++;
	return store(c, p, a);
}

int
corpus_add(struct corpus *c, const struct stream_header *h, struct stream_reader *r)
{
	struct action a;
	int64_t time = 0, latest = 0;
	int got;

	if (c->traces && h->link != c->header.link) {
		snprintf(r->error, sizeof r->error, "a trace of link type %u after one of %u can't be learned together",
			 h->link, c->header.link);
		return -1;
	}
	if (!c->traces)
		c->header = *h;
	if (grow((void **)&c->length, c->traces, sizeof *c->length) < 0)
		return -1;
	struct reading *g = reading_new(h);
	if (!g)
		return -1;
	while ((got = stream_read(r, &a)) == 1) {
		time = (uint64_t)time + (uint64_t)action_number(&a, ACTION_DT);
		if (time > latest)
			latest = time;
		if (add(c, g, &a, time) < 0) {
			got = -1;
			break;
		}
	}
	c->length[c->traces++] = latest;
	reading_free(g);
	return got < 0 ? -1 : 0;
}

/* Whoever takes part in much is known by it, as whoever takes part often. */
static void
count_part(struct corpus *c, const struct packet_seen *p)
{
	for (int w = 0; w < WHOS; w++)
		if (p->who[w].set && p->who[w].id != NOBODY)
			c->one[w >= WHO_SRC_MAC][p->who[w].id].opened += c->size[p->flow] / MANY;
}

int
corpus_finish(struct corpus *c)
{
	struct action a;

	if (!(c->size = calloc(c->flows + 1, sizeof *c->size)))
		return -1;
	bool micro = c->header.start % 1000 == 0; /* whatever the file could say */
	for (uint32_t i = 0; i < c->packets && micro; i++)
		micro = c->packet[i].time % 1000 == 0;
	c->header.nano &= !micro;
	for (uint32_t i = 0; i < c->packets; i++)
		c->size[c->packet[i].flow]++;

	for (uint32_t i = 0; i < c->packets; i++) {
		struct packet_seen *p = &c->packet[i];
		if (!p->opens)
			continue;
		count_part(c, p);
		corpus_action(c, i, &a);
		p->alive = action_proto(&a) == PROTO_TCP && p->time <= c->length[p->trace] / 4 &&
			   !((action_has(&a, ACTION_FLAGS) ? a.num[ACTION_FLAGS] : TCP_ACK) & (TCP_SYN | TCP_RST));
		p->opens = !p->alive;
	}
	return upcoming_find(c);
}

void
corpus_action(const struct corpus *c, uint32_t packet, struct action *a)
{
	const struct packet_seen *p = &c->packet[packet];

	action_unpack(a, c->word + p->at);
	if (p->begins && !c->layered)
		a->has &= ~LAYERS;
	if (p->begins && p->sender != NOBODY && corpus_known(c, 0, p->sender))
		action_set(a, ACTION_TTL, p->ttl);
}

bool
corpus_known(const struct corpus *c, int link, uint32_t id)
{
	return c->one[link][id].opened >= OFTEN;
}

void
corpus_free(struct corpus *c)
{
	free(c->packet);
	free(c->length);
	free(c->size);
	free(c->word);
	free(c->one[0]);
	free(c->one[1]);
	*c = (struct corpus){0};
}
