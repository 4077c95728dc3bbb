/* Drawing from the network, row by row, in arithmetic of one fixed order: the same on every machine. */
#ifndef TC_GEN_DRAW_H
#define TC_GEN_DRAW_H

#include "network.h"

struct drawing {
	const struct network *net;
	float temperature;
	uint64_t *random;
	const uint8_t *allowed; /* of FIELD_NEXT's symbols; NULL: all */
	float x[CONTEXT * EMBED + FEATURES], h[HIDDEN], a[HIDDEN], r[HIDDEN];
	float *p; /* room for the symbols of a field */
};

int drawing_init(struct drawing *d, const struct network *net, float temperature, uint64_t *random);
void drawing_free(struct drawing *d);
/* The symbols of what comes next, no earlier than so many ns after the last: FIELDS of them. In a flow it may be nothing:
 * FIELD_NEXT is absent then. */
void draw_next(struct drawing *d, const uint16_t *const *context, const float *feature, int64_t since,
	       uint16_t *token);
/* How likely it is that a flow that was silent for so many ns goes on. */
float draw_goes_on(struct drawing *d, const uint16_t *const *context, const float *feature, int64_t since);

#endif
