/* A flow that was idle for longer than its time-out counts as a new one. Latents round time steps: rounding must not move an
 * idle gap across its time-out. */
#ifndef TC_IDLE_H
#define TC_IDLE_H

#include "record/action.h"
#include "record/stream.h"

/* Two times are kept side by side: the true one, and the one that the decoder will have. */
enum { TRUE_TIME, SAID_TIME };

struct idle {
	uint32_t seconds[FLOW_KINDS]; /* the time-outs */
	int64_t now[2], clock[2]; /* ns since the trace's first packet; clock: the latest so far */
	uint32_t cap, trace; /* trace: its number */
	int unit; /* of time steps, ns */
	struct idle_flow {
		int64_t last[2];
		uint32_t trace; /* in which the slot was last opened */
		uint8_t kind;	/* enum flow_kind */
	} *flow;
};

/* For a trace. 0, or -1 where memory is short. */
int idle_begin(struct idle *s, const struct stream_header *h);
void idle_free(struct idle *s);
/* The step to say for a packet, where `said` would be decoded for it: that, or, where it would bring an idle gap
 * over its time-out or under it, the least one, or the largest, that doesn't. */
int64_t idle_keep(const struct idle *s, const struct action *a, int64_t step, int64_t said);
/* Both times go on, by the steps of a packet. */
void idle_tick(struct idle *s, const struct action *a, int64_t step, int64_t said);

#endif
