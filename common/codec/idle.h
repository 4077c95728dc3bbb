/*
 * Flows fall silent, and whoever reads a capture counts one that was silent for too long anew. A time step
 * is said with some rounding: it must not bring a silence to the other side of its time-out.
 */
#ifndef TC_SILENCE_H
#define TC_SILENCE_H

#include "record/action.h"
#include "record/stream.h"

/* Two times are kept side by side: the true one, and the one that the decoder will have. */
enum { TRUE_TIME, SAID_TIME };

struct silence {
	int64_t idle[3];	/* ns: TCP, UDP, all else */
	int64_t now[2], clock[2]; /* ns since the trace's first packet; clock: the latest so far */
	uint32_t cap, trace; /* trace: its number */
	struct silent_flow {
		int64_t last[2];
		uint32_t trace; /* in which the slot was last opened */
		uint8_t kind;	/* of idle */
	} *flow;
};

/* For a trace. 0, or -1 where memory is short. */
int silence_begin(struct silence *s, const struct stream_header *h);
void silence_free(struct silence *s);
/* The step to say for a packet, where `said` would be decoded for it: that, or, where it would bring a silence
 * over its time-out or under it, the least one, or the largest, that doesn't. */
int64_t silence_heed(const struct silence *s, const struct action *a, int64_t step, int64_t said);
/* Both times go on, by the steps of a packet. */
void silence_tick(struct silence *s, const struct action *a, int64_t step, int64_t said);

#endif
