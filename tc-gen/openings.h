/* Openings, one after the other: those of a trace that is generated, or of one of many that show what would be drawn. */
#ifndef TC_GEN_OPENINGS_H
#define TC_GEN_OPENINGS_H

#include "draw.h"
#include "model.h"

#define LATELY 256 /* openings that those to come make up for */

struct openings {
	uint16_t token[LATELY][FIELDS]; /* the latest ones: a ring */
	uint16_t *lately;		/* how often each symbol came in it, but for what was learned */
	uint64_t n;
	struct pace pace;
	int64_t last; /* ns, 0 at the end of what was learned: when the latest one was */
	uint64_t random;
};

/* They go on from those that were learned. 0, or -1 where memory is short. */
int openings_init(struct openings *o, const struct model *m, uint64_t random);
void openings_free(struct openings *o);
/* Once more from there. */
void openings_begin(struct openings *o, const struct model *m, uint64_t random);
/* What the next one is drawn for. */
void openings_ask(struct openings *o, const struct model *m, struct draw_row *r);
/* It was drawn, and opens at o->last. Returns how long it waited as the network has it, ns, which m->open_slow is to correct. */
double openings_take(struct openings *o, const struct model *m, const struct draw_row *r);

#endif
