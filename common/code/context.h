/*
 * Slots as ranks: what a codec sees of an action says "the flow that spoke last but two", "the host
 * named before this one", "a new one, in the slot that is due", since such cues carry over from one
 * capture to another and slot numbers don't. The encoder and the decoder keep the same state; each
 * function takes an action through one packet, and they are inverse to each other.
 *
 * In a relative action FLOW is absent where it is what the state predicts: the flow of the packet
 * before, or, where the action opens a new one, the slot that is due. Present, it is the rank. The
 * slot of a reference, and of an IPv6 suffix, is the rank of one that is known, and 0 for a new one
 * that gets the slot due. Quotes name their flow by rank. Of a flow that opens, the ends and ports are
 * absent where they are those of the flow that opened before, the ports of the last one with its protocol. Else they are
 * present, even if a port is 0; one that is near that one is said as CONTEXT_NEAR + 32 and the steps from there.
 * A link address is 0 where it is the one before the last of its flow's direction: some take turns. If there is one,
 * other ranks are one more.
 * What else a flow has in common with the one before is absent too: manner.h. Lists that the trace said before have ranks: again.h.
 *
 * Where latents go without patches, a decoder may miss a flow or a host; all that are new behind it
 * then have other slots than in truth. An encoder that keeps counterparts goes on with the decoder's,
 * and names a host, or an IPv6 suffix, again that was missed.
 */
#ifndef TC_CONTEXT_H
#define TC_CONTEXT_H

#include "code/again.h"
#include "code/manner.h"
#include "code/recency.h"
#include "record/action.h"

#define CONTEXT_NEAR 65536 /* that and 63 more */

enum { CONTEXT_FLOWS, CONTEXT_HOSTS, CONTEXT_MACS, CONTEXT_SUFFIXES, CONTEXT_LISTS };

/* Slots of one kind. With counterparts, the list is that of a decoder that may have gone another way
 * than the truth: its[s] is its slot, plus one, for the true slot s, true_of[] the other way round;
 * class[s] is what the true slot was named with. */
struct context_list {
	struct recency in;
	uint32_t *its, *true_of; /* or NULL */
	uint8_t *class;
};

struct context {
	struct context_list list[CONTEXT_LISTS];
	struct manners manners;
	struct again again;
	/* Of the last flow that opened, from its initiator, to it. */
	uint32_t end[2];    /* slots, plus one; 0: none */
	uint16_t port[FLOW_KINDS][2];
};

/* For a trace whose header says this cap, in a context that is all zero or had another trace. 0, or
 * -1 where memory is short. */
int context_begin(struct context *c, uint32_t cap, bool counterparts);
void context_free(struct context *c);
/* Makes *to, of the same cap, equal to *c. */
void context_copy(struct context *to, const struct context *c);

/* Makes an action relative, in place; its time step goes. False where it can't be said so: a slot that isn't in use, a
 * new one in another slot than the one that is due, a flow, host or suffix that the decoder missed, which is new then. */
bool context_relate(struct context *c, struct action *a);
/* The twin. Any relative action will do; ranks beyond the last are the last. */
void context_resolve(struct context *c, struct action *a);
/* Takes the state through an action that is absolute, one that went beside the codec. */
void context_follow(struct context *c, const struct action *a);
/* With counterparts: what the truth names stands, from now on, for what a decoder made of it: both
 * absolute, and `made` what context_resolve() just gave. */
void context_pair(struct context *c, const struct action *truth, const struct action *made);

#endif
