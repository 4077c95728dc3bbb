/* The packets that errors of ICMP quote: the latest of those that were generated. */
#ifndef TC_GEN_QUOTES_H
#define TC_GEN_QUOTES_H

#include "state/trace.h"

#define QUOTES 256

struct quotable {
	struct quote quote;
	uint32_t slot, opened; /* its flow */
	uint8_t dir;
};

struct quotes {
	struct quotable ring[QUOTES];
	uint32_t n;
};

/* A packet that was compiled; its flow is where the trace is. */
void quotes_take(struct quotes *s, const struct trace *t, const struct packet *p);
/* Before an action is compiled: an error goes to who sent one of the latest packets, and quotes the latest of theirs. Where it
 * opens a flow, its ends are chosen so; where nobody sent any, the compiler knows what to quote. */
void quotes_set(const struct quotes *s, const struct trace *t, struct action *a);

#endif
