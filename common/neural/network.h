/*
 * The network: an encoder from an action's bits to the mean and the variance of a latent, and a
 * decoder from a latent to the bits, coarse ones first, then, knowing them, the details of the
 * groups of fields that are there. Each bit has straight ways through coordinates of its own; small
 * dense layers beside them know what bits have to do with each other. q(z | x) and p(x | z) of a variational
 * autoencoder (Kingma, Welling 2014; arXiv 2605.29941); the context c of the paper lives in the relative cues.
 */
#ifndef TC_NETWORK_H
#define TC_NETWORK_H

#include "code/code.h"
#include "neural/linear.h"
#include "neural/straight.h"

#include <stddef.h>

/* Widths. */
struct shape {
	uint32_t latent;		 /* coordinates */
	uint32_t encoder, trunk, detail; /* hidden units */
};
#define SHAPE_SIZES (sizeof(struct shape) / sizeof(uint32_t))
#define LOGVAR_MIN -12.0f /* log variances are kept between these */
#define LOGVAR_MAX 4.0f
#define LATENT_MAX 512 /* coordinates in all */

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

/* The weights, one table for all who go through them: a layer's matrix, then its bias as the last row;
 * of straight ways their rows. Layers and straight ways point into it. */
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
};

/* Memory for a shape, all zero; 0 or -1. */
int network_init(struct network *net, const struct shape *s);
void network_free(struct network *net);
/* The first weights of a training: He's (2015), seeded; places as they come. */
void network_randomize(struct network *net, uint64_t seed);

/* Activations of at most max rows, kept for the way back. */
struct group_pass {
	int n, *row;		/* rows that have the group */
	float *x, *u, *logit;	/* its bits in truth; hidden units; output */
};
struct pass {
	int max, n;
	const struct code *code; /* the truth; not owned. NULL: none */
	/* encoder; coarse: bits in truth */
	float *coarse, *a, *b, *mean, *logvar, *da, *db;
	/* decoder: s is [z|h|coarse bits], rows of s_width */
	int s_width;
	float *s, *ds, *u, *du, *coarse_logit;
	struct group_pass group[CODE_GROUPS];
	float *work;
};
int pass_init(struct pass *p, const struct network *net, int max);
void pass_free(struct pass *p);

/* n codes as the truth of what comes next: their bits, and the rows that each group has. They are looked at until
 * the next truth comes. */
void network_take(struct pass *p, const struct code *code, int n);
/* The truth to p->mean and, if wanted, p->logvar. */
void network_encode(const struct network *net, struct pass *p, bool logvar);
/* From dmean and dlogvar (of n x latent) to the gradient. */
void network_encode_backward(const struct network *net, struct pass *p, const float *dmean,
			     const float *dlogvar, float *grad);
/* Latents (rows of ld) of the truth to logits, of what is there in truth. */
void network_decode(const struct network *net, struct pass *p, const float *z, int ld);
/* From the logits' gradients, which stand in their places, to dz (n x latent) and, unless NULL, the
 * gradient of the weights. */
void network_decode_backward(const struct network *net, struct pass *p, float *dz, float *grad);
/* n latents to codes; the truth is forgotten. */
void decode_free(const struct network *net, struct pass *p, const float *z, int ld, int n,
		    struct code *out);

#endif
