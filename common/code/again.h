/*
 * Lists that a trace said before: the link header's fields, VLAN tags and option lists that are one of the AGAIN_RANKS last
 * different ones of their field. In a relative action (context.h, of which this is a part) such a list is one element, -1 less
 * its rank, as no list of an action is: what came last has rank 0.
 */
#ifndef TC_AGAIN_H
#define TC_AGAIN_H

#include "record/action.h"

#define AGAIN_FIELDS (1ull << ACTION_OPTS | 1ull << ACTION_TAGS | 1ull << ACTION_LINK)
#define AGAIN_PLACES (ACTION_LINK - ACTION_OPTS + 1)
#define AGAIN_RANKS  3

/* How many there are of a field. */
static inline unsigned
again_ranks(enum action_field f)
{
	return AGAIN_FIELDS >> f & 1 ? AGAIN_RANKS : 0;
}

struct again {
	struct again_lists {
		uint8_t n;
		struct action_list list[AGAIN_RANKS];
	} of[AGAIN_PLACES]; /* by field, from ACTION_OPTS on */
};

/* A trace begins. */
void again_begin(struct again *g);
/* The lists of an absolute action become the last ones. rank: what they had, AGAIN_RANKS for none, and nothing where there
 * is no list. False where one can't be told from a rank. */
bool again_note(struct again *g, const struct action *a, uint8_t rank[AGAIN_PLACES]);
/* The lists that are still there in a relative action become ranks, where they have one. */
void again_relate(struct action *a, const uint8_t rank[AGAIN_PLACES]);
/* The twin: ranks become lists; one beyond the last is the last, and where there is none the list is empty. */
void again_resolve(const struct again *g, struct action *a);

#endif
