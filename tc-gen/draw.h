/*
 * Drawing from a network, many rows at once. What comes of a row depends on the row alone, and is the same on every machine:
 * products are of integers, and what is left to floats is summed in one fixed order.
 */
#ifndef TC_GEN_DRAW_H
#define TC_GEN_DRAW_H

#include "legal.h"
#include "model.h"
#include "shares.h"

#include "neural/product.h"

#define DRAW_ROWS 64 /* at once, at most */
#define DRAW_EVEN 128
#define INPUTS	  (CONTEXT * EMBED + FEATURES) /* of a network, at most */

/* What something is drawn for, and what is drawn. */
struct draw_row {
	const uint16_t *context[CONTEXT]; /* packets before, NULL: none */
	float feature[FEATURES];
	int64_t since;		/* ns: it comes no earlier after the last one */
	int64_t opening;	/* ns: then its hosts open another flow; -1: that is not known */
	const uint8_t *wait; /* of FIELD_NEXT's symbols, 0: never, DRAW_EVEN: as likely as it is, 8 more: twice as likely; NULL: all even */
	const uint8_t *has;	/* of a flow's fields: whether it may have them; NULL: all */
	const bool *said;	/* of a flow: which directions have said a packet */
	const struct connection *connection; /* of a flow; NULL: it isn't TCP's */
	const uint16_t *lately; /* of an opening: how often each symbol came among the `latest` ones */
	uint32_t latest;
	unsigned lawless;	/* the rules of TCP that don't hold */
	uint64_t *random;
	uint16_t token[FIELDS]; /* in a flow it may be nothing: FIELD_NEXT is absent then */
};

struct draw_layer {
	struct product product;
	float *bias;
};

struct drawing {
	const struct model *m;
	const struct network *net;
	float cold; /* by which logits are multiplied */
	struct legal legal;
	struct draw_layer lower, upper, out[FIELDS];
	float (*x)[INPUTS];		    /* of each row: what came before */
	float (*a)[HIDDEN], (*r)[HIDDEN];   /* of each row: its vector; max(0, the vector) */
	float *p; /* each row's shares of a field's symbols */
};

/* From one of a model's networks. 0, or -1 where memory is short. */
int drawing_init(struct drawing *d, const struct model *m, enum head head, float temperature);
void drawing_free(struct drawing *d);
void draw(struct drawing *d, struct draw_row *row, int n);
/* How likely it is that a flow goes on after `since`. */
float draw_goes_on(struct drawing *d, const struct draw_row *row);

#endif
