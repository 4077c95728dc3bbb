#include "openings.h"

#include "support/random.h"

#include <string.h>

#define LEAST 64 /* ns: a wait that is to be made longer */

void
openings_begin(struct openings *o, const struct model *m, uint64_t random)
{
	*o = (struct openings){.pace = m->openings, .random = random};
	o->last = o->pace.n ? o->pace.time[(o->pace.n - 1) % PACE] : 0;
	memcpy(o->token, m->opened, sizeof o->token);
}

/* None opened since the latest one that was learned, if it was that. */
static int64_t
since(const struct openings *o)
{
	return o->last < 0 ? -o->last : 0;
}

void
openings_ask(struct openings *o, const struct model *m, struct draw_row *r)
{
	*r = (struct draw_row){.random = &o->random, .since = since(o), .lawless = legal_draw(m->has_proto, &o->random)};
	for (uint32_t k = 0; k < OPENINGS; k++)
		r->context[k] = o->token[(o->n + k) % OPENINGS];
	pace_features(&o->pace, o->last, r->feature);
}

double
openings_take(struct openings *o, const struct model *m, const struct draw_row *r)
{
	const struct symbol *s = &m->vocabulary.symbol[m->vocabulary.first[FIELD_OPENED] + r->token[FIELD_OPENED]];
	int64_t over = since(o);
	double wait = symbol_wait(s, over, &o->random) - over;

	wait = wait < LEAST && !over ? LEAST : wait;
	double left = wait * m->open_slow;
	int64_t time = model_time(m, o->last + over + (int64_t)(left < 0x1p60 ? left : 0x1p60));
	o->last = time > 0 ? time : 0;
	memcpy(o->token[o->n++ % OPENINGS], r->token, sizeof o->token[0]);
	pace_take(&o->pace, o->last);
	return wait;
}
