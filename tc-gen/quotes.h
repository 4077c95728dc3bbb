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

/* Octets of a datagram that is quoted to its end. */
static inline int64_t
quotes_whole(const struct quote *q)
{
	return q->ip_len + (q->ip_hl ? 0 : 40); /* of IPv6 the length leaves the header out */
}

/* A packet that was compiled; its flow is where the trace is. */
void quotes_take(struct quotes *s, const struct trace *t, const struct packet *p);
/* Before an action is compiled: an error goes to who sent one of the latest packets, and quotes the latest of theirs. Where it
 * opens a flow, its ends are chosen so; where nobody sent any, the compiler knows what to quote. */
void quotes_set(const struct quotes *s, const struct trace *t, struct action *a);
/* An action of a flow of UDP that is an error, in answer to the last packet that went the other way, becomes one of ICMP, which
 * opens a flow in such a slot. Without `len` it quotes that packet whole. */
void quotes_answer(const struct quotes *s, const struct trace *t, struct action *a, uint32_t slot);

#endif
