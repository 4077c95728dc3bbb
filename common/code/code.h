/*
 * What: the bits that the network takes and gives for an action without its names (names.h) and its time step (when.h).
 * This file is the one place that knows both; forms.h has what values are made of. They are of the action alone, as tc-lift
 * made it: relative to its own flow, and to nothing else.
 *
 * The coarse bits say which fields are there, and whether values are so wide that they have high bits; those of fields that
 * may come are spare. The details say the values, in groups of fields that come together; high bits stand in groups of their
 * own, since few packets have any and what isn't there costs no time. Bits behind the end of a number, and all details of a
 * field that isn't there, are masked out: as inputs they are 0, as outputs they are free.
 *
 * A licence for headers that contradict each other, as_is, must come from a capture: it is there only with the
 * CODE_CHECK_BITS that all fields before it together give, which no latent has by chance.
 */
#ifndef TC_CODE_H
#define TC_CODE_H

#include "record/action.h"

#include <stddef.h>

#define CODE_WORDS	45 /* what the layout of all details takes: code_complete() */
#define CODE_FIELDS	ACTION_COUNT
#define CODE_COARSE	64
#define CODE_CHECK_BITS 24

enum code_group {
	CODE_BASE,
	CODE_TCP,
	CODE_STAMP,
	CODE_FRAME,
	CODE_OPEN,
	CODE_HOSTS,
	CODE_OPTS,
	CODE_MISC,
	CODE_LISTS,
	CODE_SACK,
	CODE_QUOTE,
	CODE_AS_IS,
	CODE_HIGH,  /* high bits of numbers */
	CODE_FIXED, /* of addresses that are fixed */
	CODE_GROUPS
};
extern const char *const code_group_names[CODE_GROUPS];

struct code {
	uint64_t has; /* coarse: bit f, field f is there; the last ones are those of the groups of high bits */
	uint64_t mask[CODE_WORDS], bit[CODE_WORDS];
};

/* Where the details of a group stand: first[] begins a word; width in bits. */
struct code_layout {
	unsigned first[CODE_GROUPS], width[CODE_GROUPS];
	uint64_t has[CODE_GROUPS];    /* coarse bits of which one says that it is there */
	struct code_span {
		unsigned at, n;
	} low[ACTION_COUNT], high[ACTION_COUNT]; /* a field's bits */
};
_Static_assert(CODE_FIELDS + CODE_GROUPS - CODE_HIGH <= CODE_COARSE, "coarse bits stand in one word");
const struct code_layout *code_layout(void);
/* NULL, or the name of a field that has no form, "CODE_WORDS" where that isn't what the layout takes: for a test. */
const char *code_complete(void);

/* An action to its bits, but for its time step; names_take() has been there. False where a value can't be encoded: it is
 * out of range, or a list is too long. */
bool code_put(struct code *c, const struct action *a);
/* See code_put(); any bits give an action. */
void code_get(const struct code *c, struct action *a);

/* The group that a field's details, or the lower bits of them, are in. */
enum code_group code_group_of(enum action_field f);

static inline bool
code_has_group(const struct code *c, enum code_group g)
{
	return c->has & code_layout()->has[g];
}

/* The mask of a group, from a word's lowest bit on; that of the coarse ones is the same always. */
static inline const uint64_t *
code_mask(const struct code *c, enum code_group g)
{
	return c->mask + code_layout()->first[g] / 64;
}
extern const uint64_t code_coarse_mask;

/* To and from the network's numbers: +1 a set bit, -1 a clear one, 0 one that is masked out.
 * x has CODE_COARSE, or the group's width, of them. */
void code_coarse_out(const struct code *c, float *x);
void code_out(const struct code *c, enum code_group g, float *x);
void code_coarse_in(struct code *c, const float *x);
void code_in(struct code *c, enum code_group g, const float *x);

/* The fields that are not as in the truth: bit f, field f. */
uint64_t code_wrong(const struct code *truth, const struct code *c);

/* Gives fields, in an order that is drawn, any other value that they could have, as long as all that are
 * given take no more than so many bits; of lists and references only some have their turn. Before, with
 * probability `there`, a field is put there or taken away. */
void code_augment(struct code *c, unsigned bits, float there, uint64_t *state);

#endif
