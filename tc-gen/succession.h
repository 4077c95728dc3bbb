/* Flows between the same two for the same, one after the other. Who connects again often does so as the connection before ends,
 * so that each packet of a flow is known with when the next one opens. */
#ifndef TC_GEN_SUCCESSION_H
#define TC_GEN_SUCCESSION_H

#include "vocabulary.h"

/* Of a packet. */
struct succession {
	uint32_t after; /* how many packets of its flow came, this one too, since another flow opened for the same */
	int64_t next;	/* ns until the next one opens, one of the SUCCESSORS openings to come; -1: none */
};

/* Of each packet, whose symbols are given, FIELDS each; the caller frees it. NULL where memory is short. */
struct succession *succession_find(const struct corpus *c, const struct vocabulary *v, const uint16_t *token);

#endif
