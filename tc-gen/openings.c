#include "openings.h"

#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 64 /* ns: a wait that is to be made longer */

void
openings_begin(struct openings *o, const struct model *m, uint64_t random)
{
	*o = (struct openings){.pace = m->openings, .random = random, .lately = o->lately};
	o->last = o->pace.n ? o->pace.time[(o->pace.n - 1) % PACE] : 0;
	memcpy(o->token[LATELY - OPENINGS], m->opened, sizeof m->opened);
	memset(o->lately, 0, m->vocabulary.all * sizeof *o->lately);
}

int
openings_init(struct openings *o, const struct model *m, uint64_t random)
{
	if (!(o->lately = malloc(m->vocabulary.all * sizeof *o->lately)))
		return -1;
	openings_begin(o, m, random);
	return 0;
}

void
openings_free(struct openings *o)
{
	free(o->lately);
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
		r->context[k] = o->token[(o->n + LATELY - OPENINGS + k) % LATELY];
	r->lately = o->lately;
	r->latest = o->n < LATELY ? o->n : LATELY;
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
	uint16_t *token = o->token[o->n % LATELY];
	for (int f = 0; f < FIELDS; f++) {
		if (o->n >= LATELY)
			o->lately[m->vocabulary.first[f] + token[f]]--;
		o->lately[m->vocabulary.first[f] + r->token[f]]++;
	}
	memcpy(token, r->token, sizeof o->token[0]);
	o->n++;
	pace_take(&o->pace, o->last);
	return wait;
}
