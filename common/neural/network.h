/*
 * The network's weights: layers, straight ways, and where they stand in one table, which loads, saves, clears and descends
 * them. What they do: autoencoder.h.
 */
#ifndef TC_NETWORK_H
#define TC_NETWORK_H

#include "code/code.h"
#include "neural/linear.h"
#include "neural/product.h"
#include "neural/straight.h"

#include <stddef.h>

/* Widths. */
struct shape {
	uint32_t latent;		 /* coordinates */
	uint32_t encoder, trunk, detail; /* hidden units */
};
#define SHAPE_SIZES (sizeof(struct shape) / sizeof(uint32_t))
#define LATENT_MAX 512 /* coordinates */

enum {
	ENC_COARSE,
	ENC_GROUP,
	ENC_HIDDEN = ENC_GROUP + CODE_GROUPS,
	ENC_MEAN,
	ENC_LOGVAR,
	DEC_TRUNK,
	DEC_COARSE,
	DEC_DETAIL,
	DEC_OUT,
	LAYERS = DEC_OUT + CODE_GROUPS,
	STRAIGHT = LAYERS, /* of coarse bits, then of each group */
	TENSORS = STRAIGHT + 1 + CODE_GROUPS
};
#define NETWORK_BITS   (CODE_COARSE + CODE_WORDS * 64) /* coarse ones, then details */
#define NETWORK_PLACES (STRAIGHT_WAYS * NETWORK_BITS)  /* of all bits by the first way, then by the next */

/* The weights, one table for all who go through them: a layer's matrix (inputs, outputs), then its bias as the last row;
 * of straight ways (STRAIGHT_WAYS * STRAIGHT_ROWS, bits). Layers and straight ways point into it. */
struct network {
	struct shape shape;
	size_t n;	 /* numbers in all */
	float *data;	 /* owned */
	struct tensor {
		char name[24];
		int rows, columns;
		float *at;
	} tensor[TENSORS];
	struct layer layer[LAYERS];
	struct straight straight[1 + CODE_GROUPS];
	uint16_t *place; /* NETWORK_PLACES; owned */
	char *about;	 /* a table of the coordinates, lines of TSV, or NULL; owned */
	struct product product[LAYERS]; /* network_settle() */
	float *turned; /* the layers' matrices with rows for columns, each where it stands in data; NULL before network_settle() */
};

/* Memory for a shape, all zero; 0 or -1. */
int network_init(struct network *net, const struct shape *s);
void network_free(struct network *net);
/* The weights stay as they are from here on: what goes through layers is reckoned in integers, the same on every machine.
 * 0, or -1 where memory is short. */
int network_settle(struct network *net);
/* The first weights of a training: He's (2015), seeded; places as they come. */
void network_randomize(struct network *net, uint64_t seed);

#endif
