#include "messages.h"

#include "packet/layers.h"

#include <stdlib.h>

enum { LISTENER_REPORT = 143, RECORD = 20, OPTION_UNIT = 8, ICMP_HEADER = 8 };

int
messages_init(struct messages *m, uint32_t slots)
{
	m->asked = calloc(slots, sizeof *m->asked);
	return m->asked ? 0 : -1;
}

void
messages_free(struct messages *m)
{
	free(m->asked);
}

/* Each option has its length, in units of eight octets, above its kind; a list that has none is another protocol's. */
static void
fit_options(const struct packet *p, const struct side *before, struct action *a)
{
	const struct action_list *l = action_list(a, ACTION_OPTS);
	int64_t units = 0;

	for (int i = 0; action_has(a, ACTION_OPTS) && i < l->n; i++)
		if (l->v[i] >> 8 < 1 || l->v[i] >> 8 > 255)
			a->has &= ~(1ull << ACTION_OPTS);
	if (action_has(a, ACTION_OPTS))
		for (int i = 0; i < l->n; i++)
			units += l->v[i] >> 8;
	else
		for (int i = 0; before && i < before->n_options; i++)
			units += before->options[i] >> 8;
	action_set(a, ACTION_LEN, icmp_options_at(p) - ICMP_HEADER + units * OPTION_UNIT);
}

static void
fit_records(struct action *a)
{
	int64_t records = action_number(a, ACTION_LEN) / RECORD;

	records = records < 1 ? 1 : records > 64 ? 64 : records;
	action_set(a, ACTION_LEN, records * RECORD);
	action_set(a, ACTION_REST, records);
}

bool
messages_put_right(struct messages *m, const struct trace *t, struct action *a)
{
	uint32_t slot = action_number(a, ACTION_FLOW);
	int dir = action_number(a, ACTION_DIR) == 1;
	bool opens = action_number(a, ACTION_OPEN) == FLOW_NEW;
	const struct flow *f = &t->flow[slot];
	const struct side *before = opens ? NULL : &f->side[dir];
	struct packet p = {.proto = opens ? action_proto(a) : f->proto};

	if (p.proto != PROTO_ICMP && p.proto != PROTO_ICMP6)
		return true;
	p.type = action_has(a, ACTION_TYPE) ? a->num[ACTION_TYPE] : before ? before->type : 0;
	if (icmp_options_at(&p))
		fit_options(&p, before, a);
	else if (p.proto == PROTO_ICMP6 && p.type == LISTENER_REPORT)
		fit_records(a);
	uint32_t *asked = m->asked[slot];
	if (opens)
		asked[0] = asked[1] = 0;
	int family = p.proto == PROTO_ICMP ? 4 : 6;
	bool sound = messages_have(family, p.type) && (!icmp_quote_at(&p) || action_has(a, ACTION_QUOTE));
	if (opens && (icmp_is_reply(&p) || !sound))
		action_set(a, ACTION_TYPE, p.type = family == 4 ? 8 : 128);
	if (icmp_is_query(&p) && !icmp_is_reply(&p))
		asked[dir]++;
	if (!icmp_is_reply(&p))
		return sound || opens;
	a->has &= ~(1ull << ACTION_REST); /* the number of what it answers */
	bool was = asked[!dir] > 0;
	asked[!dir] -= was;
	return was;
}
