/* What comes next: a heap of events by time, those of the same time in the order in which they were added. */
#ifndef TC_GEN_SCHEDULE_H
#define TC_GEN_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
	int64_t time;
	uint64_t order; /* of two at the same time */
	uint32_t flow, life; /* of a flow's slot: which of its flows */
};

struct schedule {
	struct event *event;
	size_t n, room;
	uint64_t added;
};

/* Of two at the same time one that opens a flow comes last, for the other may be what it comes of. 0, or -1 where memory is short. */
int schedule_add(struct schedule *s, int64_t time, uint32_t flow, uint32_t life, bool opens);
/* The earliest; there must be one. */
struct event schedule_take(struct schedule *s);
void schedule_free(struct schedule *s);

#endif
