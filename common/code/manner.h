/*
 * What flows are like: a codec sees a direction's first packet beside the one with which the last flow of
 * its kind began there, and those that follow beside the direction's own before, since most flows of a trace
 * begin alike and go on alike. Like context.h, of which it is a part, it goes both ways. In a relative action
 *
 * - the fields of a first packet that are those of the last such one are absent; present are those that differ, and
 *   MANNER_WITHOUT, a mask, where that one had some that this one has not;
 * - FLAGS of other segments is absent where it is what is expected, and 16 where ACK alone isn't;
 * - LEN of other packets is the rank of one of the direction's MANNER_LENGTHS last lengths, or that many less one more
 *   than it is; without TCP it is absent where it is the last length, and 0 where it is 0 itself;
 * - ID is 0 where it is absent and absent where it is 0, behind two packets that had 0;
 * - WIN of other segments is the step from the direction's last one;
 * - CAP is absent where it is expected, by how long packets were that were cut: of this direction, of the trace where it
 *   is the first. Else it is 0 where it is the last one, 1 where the packet is whole, two more than it is where it isn't.
 */
#ifndef TC_MANNER_H
#define TC_MANNER_H

#include "record/action.h"

/* To a relative action; from one; the state alone. */
enum passage { RELATE, RESOLVE, FOLLOW };

/* A relative action has no time step, so its place is free. */
#define MANNER_WITHOUT	    ACTION_DT
#define MANNER_WITHOUT_BITS 17
#define MANNER_LENGTHS	    3

struct manners {
	uint32_t cap;
	uint32_t trace;		   /* its number, from 1 */
	uint32_t top, most;	   /* slots from here on are not in use in it, were not in any trace */
	struct action first[FLOW_KINDS][2]; /* from the initiator, to it: only what flows have in common */
	/* How packets were cut: to how much, 0 for not at all, and the least payload of one that was. */
	struct manner_cut {
		uint32_t cap, least;
	} cut;
	struct manner {
		uint32_t trace; /* in which the slot was opened last */
		uint32_t kind;
		struct manner_side {
			bool seen, syn;	   /* syn: its last packet asked for a connection */
			uint8_t still;	   /* packets in a row whose identification was that of the one before, up to 2 */
			uint16_t flags[2]; /* of the last with data: shorter than the longest before, as long; 0: none yet */
			uint16_t win;
			uint32_t most, length[MANNER_LENGTHS]; /* payload: the longest; the last, all different; 0: none */
			struct manner_cut cut;
			uint32_t mac[2][2]; /* source, destination: slots, plus one, of the last named and the one before */
		} side[2];
	} *flow;
};

/* 0, or -1 where memory is short. */
int manners_init(struct manners *m, uint32_t cap);
void manners_free(struct manners *m);
/* A trace begins. */
void manners_begin(struct manners *m);
void manners_copy(struct manners *to, const struct manners *m);
/* The manners of an action's flow, by its slot: new ones where it begins. */
struct manner *manners_of(struct manners *m, const struct action *a, uint32_t slot);
/* Those of its direction. */
static inline struct manner_side *
manner_side(struct manner *f, const struct action *a)
{
	return &f->side[action_number(a, ACTION_DIR) & 1];
}
/* An action and its flow's manners; false where it can't be said so: it isn't canonical. */
bool manners_pass(struct manners *m, enum passage way, struct action *a, struct manner *f);

#endif
