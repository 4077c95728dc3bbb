#include "present.h"

#include "draw.h"

#include <stdlib.h>
#include <string.h>

#define GOES_ON 0.02f /* flows that are less likely to go on are left behind */
#define LASTS	0.5f  /* flows that are more likely to go on have no end that was seen */

/* What a direction's packets said last, of fields that stay as they are. */
static const enum field lasting[] = {FIELD_WIN, FIELD_OPTS, FIELD_TTL, FIELD_PAD, FIELD_OTHER};
#define LASTING (sizeof lasting / sizeof *lasting)

static const uint16_t *
tokens(const struct lesson *l, uint32_t packet)
{
	return l->token + (size_t)packet * FIELDS;
}

static bool
is_syn(const struct lesson *l, uint32_t packet)
{
	struct action a;

	corpus_action(l->c, packet, &a);
	return action_has(&a, ACTION_FLAGS) && a.num[ACTION_FLAGS] & TCP_SYN;
}

/* The packets of a flow, from its last on; the later ones' word counts. */
static void
take_prologue(struct alive *a, const struct lesson *l, uint32_t last)
{
	uint16_t says[2][FIELDS] = {{0}};
	uint32_t first[2] = {NOBODY, NOBODY}, at = last, opening = NOBODY;

	for (; at != NOBODY; at = l->c->packet[at].before) {
		const uint16_t *t = tokens(l, at);
		int dir = t[FIELD_DIR] != 0;
		bool syn = is_syn(l, at);
		first[dir] = opening = at;
		says[dir][FIELD_DIR] = t[FIELD_DIR];
		for (size_t k = 0; k < LASTING; k++)
			if (!says[dir][lasting[k]] && !(syn && lasting[k] == FIELD_OPTS) && t[lasting[k]] != UNKNOWN &&
			    !(lasting[k] == FIELD_PAD && t[FIELD_LEN]))
				says[dir][lasting[k]] = t[lasting[k]];
	}
	a->says = 0;
	memcpy(a->prologue[a->says++], tokens(l, opening), sizeof a->prologue[0]);
	for (int dir = 0; dir < 2; dir++)
		if (first[dir] != NOBODY && first[dir] != opening)
			memcpy(a->prologue[a->says++], tokens(l, first[dir]), sizeof a->prologue[0]);
	for (int dir = 0; dir < 2; dir++)
		if (first[dir] != NOBODY)
			memcpy(a->prologue[a->says++], says[dir], sizeof a->prologue[0]);
}

static void
shift(struct dialogue *d, int64_t end)
{
	d->opened = d->opened < end ? d->opened - end : 0;
	d->before = d->before < end ? d->before - end : 0;
	for (int s = 0; s < 2; s++)
		d->last[s] = d->last[s] < end ? d->last[s] - end : 0;
}

static void
shift_pace(struct pace *p, int64_t end)
{
	for (int i = 0; i < PACE; i++)
		p->time[i] = p->time[i] < end ? p->time[i] - end : 0;
}

/*
 * What a network has seldom seen it may not know to end: no flow gets much longer than those of its service were, goes on for
 * longer once another opened for the same, nor tries more often in vain.
 */
static void
bound_flows(struct model *m, const struct lesson *l)
{
	const struct corpus *c = l->c;

	for (uint32_t i = 0; i < c->flows; i++) {
		struct bound *b = model_bound(m, tokens(l, l->opening[i]));
		const struct dialogue *d = &l->dialogue[i];
		uint32_t most = c->size[i] < 1 << 30 ? 2 * c->size[i] + 4 : UINT32_MAX;
		b->packets = b->packets < most ? most : b->packets;
		b->after = b->after < d->after ? d->after : b->after;
		b->tries = b->tries < d->tried ? d->tried : b->tries;
	}
}

#define ENOUGH 30 /* times that say which there are */

/* In a state that was seldom seen those times are there that were in states like it: whether or not the last packet had
 * octets, then whoever spoke last; where these are few as well, all. */
static int
fill_waits(uint8_t *wait, int n)
{
	uint8_t *seen = malloc((size_t)STATES * n);

	if (!seen)
		return -1;
	memcpy(seen, wait, (size_t)STATES * n);
	for (int k = 0; k < STATES; k++) {
		static const int other[] = {DIALOGUE_DATA, DIALOGUE_DIR, DIALOGUE_DIR | DIALOGUE_DATA};
		uint8_t *row = wait + k * n;
		int times = row[0];
		for (int i = 0; i < 3 && times < ENOUGH; i++) {
			const uint8_t *like = seen + (k ^ other[i]) * n;
			times += like[0];
			for (int j = 1; j < n; j++)
				row[j] |= like[j];
		}
		if (times < ENOUGH)
			memset(row, 1, n);
	}
	free(seen);
	return 0;
}

/* Whether times are less than twice as long. */
static bool
symbol_near(const struct symbol *a, const struct symbol *b)
{
	if (a->low < 0 || b->low < 0)
		return a->low < 0 && b->low < 0 && -b->low > -a->high / 2 && -b->high < 2 * -a->low;
	return b->high > a->low / 2 && b->low < 2 * a->high;
}

/* Which times are there in each state of each service's flows: those that were, and their neighbours. */
static int
take_waits(struct model *m, const struct lesson *l)
{
	const struct vocabulary *v = &m->vocabulary;
	const struct symbol *s = &v->symbol[v->first[FIELD_NEXT]];
	int n = v->n[FIELD_NEXT];
	uint8_t *near = calloc(n, n);

	if (!near || !(m->wait = calloc(WAITS * STATES, n))) {
		free(near);
		return -1;
	}
	for (int i = 1; i < n; i++)
		for (int j = 1; j < n; j++)
			near[i * n + j] = symbol_near(&s[i], &s[j]);
	for (uint32_t i = 0; i < l->c->packets; i++) {
		uint32_t next = l->c->packet[i].next;
		if (next == NOBODY || tokens(l, next)[FIELD_NEXT] == UNKNOWN)
			continue;
		const uint16_t *opening = tokens(l, l->opening[l->c->packet[i].flow]);
		uint8_t *wait = model_waits(m, opening, l->state[i]);
		const uint8_t *row = near + tokens(l, next)[FIELD_NEXT] * n;
		if (wait[0] < ENOUGH)
			wait[0]++;
		for (int j = 1; j < n; j++)
			wait[j] |= row[j];
	}
	free(near);
	for (int k = 0; k < WAITS; k++)
		if (fill_waits(m->wait + (size_t)k * STATES * n, n) < 0)
			return -1;
	for (size_t i = 0; i < model_n_waits(m); i++)
		m->wait[i] = m->wait[i] ? DRAW_EVEN : 0;
	return 0;
}

/* Which fields packets of each service have, and those that open flows of each protocol: what never was is not drawn. */
static int
take_has(struct model *m, const struct lesson *l)
{
	uint32_t n[WAITS] = {0};

	m->has = calloc(WAITS, FIELDS);
	m->has_proto = calloc(m->vocabulary.n[FIELD_PROTO], FIELDS);
	if (!m->has || !m->has_proto)
		return -1;
	memset(m->has_proto, 1, FIELDS);
	for (uint32_t i = 0; i < l->c->packets; i++) {
		const uint16_t *opening = tokens(l, l->opening[l->c->packet[i].flow]), *t = tokens(l, i);
		uint16_t proto = opening[FIELD_PROTO] == UNKNOWN ? 0 : opening[FIELD_PROTO];
		bool opens = l->c->packet[i].opens || l->c->packet[i].alive;
		uint8_t *has = opens ? m->has_proto + proto * FIELDS : model_has(m, opening);
		for (int f = 0; f < FIELDS; f++)
			has[f] |= t[f] != 0;
		n[(model_has(m, opening) - m->has) / FIELDS] += !opens;
	}
	for (int k = 0; k < WAITS; k++)
		if (n[k] < ENOUGH)
			memset(m->has + k * FIELDS, 1, FIELDS);
	return 0;
}

struct breaches {
	uint32_t asked[RULES], broken[RULES];
};

static void
count_breaches(struct breaches *b, unsigned asked, unsigned broken)
{
	for (int r = 0; r < RULES; r++) {
		b->asked[r] += asked >> r & 1;
		b->broken[r] += broken >> r & 1;
	}
}

/* How many packets of each service break a rule of TCP, and how many of those that open a flow. */
static int
take_breaches(struct model *m, const struct lesson *l)
{
	const struct corpus *c = l->c;
	struct breaches all[WAITS + 1] = {0};
	struct connection *connection = calloc(c->flows + 1, sizeof *connection);
	struct action a;

	for (uint32_t i = 0; connection && i < c->packets; i++) {
		uint32_t flow = c->packet[i].flow;
		const uint16_t *opening = tokens(l, l->opening[flow]);
		if (opening[FIELD_PROTO])
			continue;
		corpus_action(c, i, &a);
		bool first = c->packet[i].before == NOBODY;
		count_breaches(&all[first ? WAITS : (model_has(m, opening) - m->has) / FIELDS],
			       connection_asks(&connection[flow], &a), connection_breaks(&connection[flow], &a));
		connection_take(&connection[flow], &a);
	}
	for (int k = 0; k <= WAITS; k++)
		legal_learn(k < WAITS ? m->has + k * FIELDS : m->has_proto, all[k].broken, all[k].asked);
	free(connection);
	return connection ? 0 : -1;
}

/* How much the flows of each service say after an RST: real ones are over then, and what comes is late, or uses the ports anew. */
static int
take_resets(struct model *m, const struct lesson *l)
{
	const struct corpus *c = l->c;
	uint8_t *after = calloc(c->flows + 1, 1); /* packets since it, from 1; 0: none */
	struct action a;

	m->after_reset = calloc(WAITS, 1);
	for (uint32_t i = 0; after && m->after_reset && i < c->packets; i++) {
		uint8_t *n = &after[c->packet[i].flow], *most = model_after_reset(m, tokens(l, l->opening[c->packet[i].flow]));
		corpus_action(c, i, &a);
		if (*n && *n < UINT8_MAX)
			*most = *n > *most ? *n : *most;
		if (action_number(&a, ACTION_OPEN) >= FLOW_REUSED)
			*n = 0;
		if ((*n && *n < UINT8_MAX) || (!*n && action_has(&a, ACTION_FLAGS) && a.num[ACTION_FLAGS] & TCP_RST))
			++*n;
	}
	bool bad = !after || !m->after_reset;
	free(after);
	return bad ? -1 : 0;
}

static void
take_flow(struct model *m, const struct lesson *l, struct drawing *d, uint32_t last, int64_t end)
{
	const struct packet_seen *p = &l->c->packet[last];
	if (dialogue_reset(&l->dialogue[p->flow]))
		return; /* what comes after an RST is late */
	struct draw_row row = {.since = end - p->time};

	for (int k = 0; k < HISTORY; k++)
		row.context[k] = l->recent[last][k] == NOBODY ? NULL : tokens(l, l->recent[last][k]);
	memcpy(row.feature, l->feature + (size_t)last * FEATURES, sizeof row.feature);
	float goes_on = draw_goes_on(d, &row);
	struct bound *b = model_bound(m, tokens(l, l->opening[p->flow]));
	if (goes_on > LASTS && 4 * (uint64_t)l->c->size[p->flow] >= b->packets)
		b->packets = UINT32_MAX; /* nobody knows how long the longest of its service get */
	if (m->n_alive == MODEL_ALIVE || m->n_alive == m->header.cap || goes_on < GOES_ON)
		return;
	struct alive *a = &m->alive[m->n_alive++];
	*a = (struct alive){.dialogue = l->dialogue[p->flow]};
	shift(&a->dialogue, end);
	for (int k = 0; k < HISTORY; k++)
		if (row.context[k]) {
			memcpy(a->history[k], row.context[k], sizeof a->history[k]);
			a->packets += k > 0;
		}
	take_prologue(a, l, last);
}

int
present_take(struct model *m, const struct lesson *l)
{
	const struct corpus *c = l->c;
	int64_t end = c->length[c->traces - 1];
	struct drawing d;

	m->alive = calloc(MODEL_ALIVE, sizeof *m->alive);
	if (take_waits(m, l) < 0 || take_has(m, l) < 0 || take_breaches(m, l) < 0 || take_resets(m, l) < 0)
		return -1;
	m->bound = calloc(model_services(m), sizeof *m->bound);
	if (!m->alive || !m->bound || drawing_init(&d, m, HEAD_FLOW, 1) < 0)
		return -1;
	bound_flows(m, l);
	for (uint32_t i = c->packets; i-- > 0 && c->packet[i].trace == c->traces - 1;)
		if (c->packet[i].next == NOBODY)
			take_flow(m, l, &d, i, end);
	drawing_free(&d);
	uint32_t opens = l->opens < OPENINGS ? l->opens : OPENINGS;
	for (uint32_t k = 0; k < opens; k++)
		memcpy(m->opened[OPENINGS - opens + k], tokens(l, l->open[l->opens - opens + k]), sizeof m->opened[0]);
	for (uint32_t k = l->opens > PACE ? l->opens - PACE : 0; k < l->opens; k++)
		if (c->packet[l->open[k]].trace == c->traces - 1)
			pace_take(&m->openings, c->packet[l->open[k]].time);
	shift_pace(&m->openings, end);
	return 0;
}
