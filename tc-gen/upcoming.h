/* What opens after each packet of what is learned: packets may be the cause of openings. */
#ifndef TC_GEN_UPCOMING_H
#define TC_GEN_UPCOMING_H

#include "corpus.h"

#define SUCCESSORS 64 /* openings that a flow is told of before they come */

/* An opening to come, as packets are gone through backwards. */
struct upcoming {
	int64_t time;
	uint32_t trace, number; /* of traces, from 1 on; of the openings before it */
};

/* ns from a packet, before which so many opened, to what comes; -1: no such opening is among the SUCCESSORS next ones. */
int64_t upcoming_in(const struct upcoming *u, const struct packet_seen *p, uint32_t openings);
/* Of all packets, once it is known who is known. 0, or -1 where memory is short. */
int upcoming_find(struct corpus *c);

#endif
