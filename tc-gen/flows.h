/*
 * Flows, each with its next packets drawn ahead. A flow hangs on what opened it and on draws of its own alone, so that many
 * are drawn at once, those too that are yet to open; how far ahead is no matter for what comes out.
 */
#ifndef TC_GEN_FLOWS_H
#define TC_GEN_FLOWS_H

#include "draw.h"
#include "model.h"

#define FLOWS_OPENED 1024 /* openings that are remembered; those to come, and PACE more */

/* A packet that was drawn. */
struct said {
	int64_t time;	 /* ns */
	uint64_t random; /* by which its numbers are drawn */
	uint32_t next;	 /* of its flow */
	uint32_t wait;	 /* its place in the model's waits */
	uint16_t token[FIELDS];
};

struct live {
	uint32_t life;	  /* odd: it lives */
	uint32_t packets; /* in its history */
	bool over;	  /* nothing more comes */
	uint32_t after_reset; /* packets since an RST */
	bool waits;	  /* stands in the row of those that are drawn for */
	struct bound bound;
	struct connection connection;
	uint64_t random, purpose;
	uint32_t host[2]; /* its ends', where they are known */
	uint32_t number;  /* its opening's; NONE: before all */
	uint32_t opening; /* the number of openings that were looked at */
	bool succeeded;	  /* another flow opened for the same */
	struct dialogue dialogue; /* up to the last packet that was drawn */
	uint16_t token[HISTORY][FIELDS]; /* the opening; then a ring of the last ones */
	uint32_t ahead, first, last; /* packets drawn; the next, the latest of them */
};

struct flows {
	const struct model *m;
	struct drawing drawing;
	struct live *live;
	uint32_t room, used, *spare, spares;
	struct said *said;
	uint32_t said_room, said_used, said_spare, ahead; /* all that are drawn and not passed */
	uint32_t *row, row_at, row_n; /* flows that are drawn for, in turn */
	struct opened {
		int64_t time;
		uint64_t purpose;
		uint32_t host; /* who opens it, where that is known */
	} opened[FLOWS_OPENED]; /* openings: a ring */
	uint32_t openings;
	bool closed; /* none opens any more */
	uint32_t *passed; /* NULL, or how many packets of each place in the model's waits were passed; those of openings are 0's */
};

/* For so many flows at once. 0, or -1 where memory is short. */
int flows_init(struct flows *f, const struct model *m, float temperature, uint32_t room);
void flows_free(struct flows *f);
/* A flow that opens then, no earlier than those before, by such a packet, which is the first that is said. What was drawn for
 * is no later than the last opening, so that all know of those before them. */
uint32_t flows_open(struct flows *f, const uint16_t *token, int64_t time, uint64_t random);
/* One that goes on: what comes is later than 0. */
uint32_t flows_take_up(struct flows *f, const struct alive *from, uint64_t random);
/* Its next packet; NULL: nothing more comes. */
const struct said *flows_next(struct flows *f, uint32_t flow);
/* That one is over. */
void flows_pass(struct flows *f, uint32_t flow);
void flows_end(struct flows *f, uint32_t flow);
/* What symbols say, as an action without its flow and hosts. */
void flows_say(const struct flows *f, const uint16_t *token, uint64_t *random, struct action *a);

#endif
