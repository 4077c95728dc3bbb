/* What of a trace goes through: options --from, --to, --flows, --sample and --filter, in this order. */
#ifndef TC_EDIT_SELECT_H
#define TC_EDIT_SELECT_H

#include "packet/capture.h"

/* A set of numbers from 0 up, a bit each. */
struct marks {
	uint8_t *octet;
	size_t size, most; /* octets there are, and may be */
};

/* 0, or -1 with errno: EFBIG where that is more than there may be. */
int marks_add(struct marks *m, uint64_t n);
bool marks_has(const struct marks *m, uint64_t n);

/* One end of a stretch of time: ns since 1970, or from the trace's start. */
struct limit {
	bool set, absolute;
	int64_t ns;
};

#define SELECT_ALL INT64_C(1000000000) /* of the flows: parts per billion */

struct selection {
	struct limit from, to;
	const char *flow_expression, *packet_expression; /* NULL: none */
	struct capture_match flows, packets;		 /* compiled, for this link type: */
	uint32_t link;
	struct marks named; /* flows of which a packet matched */
	int64_t sample;	    /* so many of SELECT_ALL */
	uint64_t seed;
};

/* Compiles the expressions. 0, or -1 with error, of CAPTURE_ERROR octets, and the one that is wrong. */
int select_compile(struct selection *s, uint32_t link, char *error, const char **wrong);
void select_free(struct selection *s);
/* Whether a time is between the limits; start: of the trace. */
bool select_time(const struct selection *s, int64_t time, int64_t start);
/* Whether a flow, by its number in its input, is to be kept. */
bool select_flow(const struct selection *s, uint64_t flow);

#endif
