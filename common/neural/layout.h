/*
 * Which bits the fields had when weights were made, beside those that they have here: tensors are about bits, and bits are
 * found by the names of their fields and groups. So weights outlive a field that is added to the action: its coarse bit was a
 * spare one before, its details have weights of 0 until a training knows it.
 */
#ifndef TC_LAYOUT_H
#define TC_LAYOUT_H

#include "neural/network.h"
#include "neural/octets.h"

#define LAYOUT_WORDS 1024 /* of a code, at most */
#define LAYOUT_SIZE  (4 + 4 + CODE_GROUPS * (OCTETS_NAME + 8) + 4 + CODE_FIELDS * (OCTETS_NAME + 16))

struct layout {
	uint32_t words;
	int32_t of[CODE_WORDS * 64];	     /* a bit's number there, -1 where it isn't */
	struct code_span group[CODE_GROUPS]; /* there */
};

/* This program's own, in LAYOUT_SIZE octets. */
void layout_put(uint8_t **p);
/* See layout_put(). False where a field has another name than here, which is *theirs then, *field its number. */
bool layout_take(struct octets *o, struct layout *l, uint32_t *field, char *theirs);
/* Whether tensor i of a network would have so many rows and columns there; where a group isn't there, whether it has any. */
bool layout_fits(const struct layout *l, const struct tensor *t, int i, uint32_t rows, uint32_t columns);
bool layout_has(const struct layout *l, int i);
/* Its numbers there to where they are here. */
void layout_spread(const struct layout *l, struct tensor *t, int i, const float *v, uint32_t rows, uint32_t columns);

#endif
