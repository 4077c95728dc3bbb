/*
 * What TCP lets a flow's next packet be, by those before it. Its kind has to fit how far the connection has come (RFC 9293,
 * section 3.3.2); what it sends lies in the window that the peer announced and before its own FIN, and what it acknowledges was
 * sent (section 3.4). A flow that is in the middle when it is first seen has no window that is known.
 */
#ifndef TC_GEN_CONNECTION_H
#define TC_GEN_CONNECTION_H

#include "record/action.h"

/* One end's numbers, from 0 where they were first known. */
struct connection_end {
	bool known, acks, syn, plain, fin, scaled, said; /* plain: its SYN answered none */
	uint8_t scale;
	uint16_t win;
	int64_t isn, next; /* of its SYN; behind all that it sent */
	int64_t ack;	   /* that it sent last, in the peer's numbers */
	int64_t edge;	   /* behind what the peer's windows let it send */
};

struct connection {
	struct connection_end end[2];
	bool begun, open, middle, reset; /* a packet came; both ends' SYNs did; its beginning was not seen; an RST came */
	bool unseen;			 /* none of its packets was, which the next one is the first of */
};

/* What is known of the next packet, as far as a rule asks for it. */
struct segment {
	int dir, open; /* enum flow_open */
	unsigned flags;
	bool ack_same;
	int64_t len, seq, ack; /* as fields of the action */
};

struct bounds {
	int64_t least, most;
};

/* The rules. What kind of packet comes once a connection is over is a rule of its own: who breaks it does so there, and nowhere
 * else. So is that ports aren't used anew before (RULE_AGAIN), of which only those packets are asked that use them anew: who gives
 * up a connection and tries again does so without closing it. */
enum rule { RULE_KIND, RULE_OVER, RULE_AGAIN, RULE_SEQ, RULE_ACK, RULE_SACK, RULE_WIN, RULES };

void connection_take(struct connection *c, const struct action *a);
/* The rule that says what kind of packet may come. */
enum rule connection_kind_rule(const struct connection *c);
/* Whether its ports may be used anew: by a SYN, once an RST or both ends' FINs have come. */
bool connection_over(const struct connection *c);
/* Whether its flags may be these. */
bool connection_kind(const struct connection *c, const struct segment *s);
/* Whether it has to say its window, for none is known. */
bool connection_says_window(const struct connection *c, const struct segment *s);
/* Octets of payload, sequence number, acknowledgement, the right edge of what is acknowledged besides: as fields of the action. */
struct bounds connection_len(const struct connection *c, const struct segment *s);
struct bounds connection_seq(const struct connection *c, const struct segment *s);
struct bounds connection_ack(const struct connection *c, const struct segment *s);
struct bounds connection_sack(const struct connection *c, const struct segment *s);
/* The last edge of a list of SACK blocks, from the acknowledgement on. */
int64_t connection_last_edge(const struct action_list *sack);
/* The rules that a packet is asked of, and those that it breaks: bit r, rule r. */
unsigned connection_asks(const struct connection *c, struct action *a);
unsigned connection_breaks(const struct connection *c, struct action *a);

#endif
