/*
 * Who: the slots that an action names, apart from what it does. The flow's comes first; then, in the order of the fields,
 * those of hosts, IPv6 suffixes, link addresses and of the flow that an ICMP error quotes. In a latent each has two
 * coordinates, which are assigned, not learned: the slot's logarithm, in 128ths of an octave, and, from slot 255 on, what
 * follows. So a name takes as many nats as the slot's number needs: tc-lift gives out low ones first.
 */
#ifndef TC_NAMES_H
#define TC_NAMES_H

#include "record/action.h"

#define NAMES_MAX    (2 + 2 * ACTION_REFS) /* of an action: the flow, two a reference, the quoted flow */
#define NAMES_PLACES 8			   /* of a latent */
#define NAMES_COORDINATES (2 * NAMES_PLACES)
#define NAMES_SLOTS	  (1u << 20) /* that a latent can name */

struct names {
	uint8_t n; /* at least 1 */
	uint32_t slot[NAMES_MAX];
};

/* Takes the slots out of an action, where 0 stays in their places. */
void names_take(struct action *a, struct names *v);
/* Puts as many as the action names into it; where there are fewer, 0. See names_take(). */
void names_give(struct action *a, const struct names *v);

/* To NAMES_COORDINATES; places without a name are 0. False where there are too many, or a slot is too large. */
bool names_put(const struct names *v, float *z);
/* From any coordinates; all places. See names_put(). */
void names_get(struct names *v, const float *z);
/* What the coordinates of n names take, in nats: -log of their cells' probability by N(0, 1). */
float names_rate(const struct names *v);

#endif
