/*
 * A network: what came before -> a vector, and then decision after decision, each of which adds to the vector what was
 * decided. There are two, of a flow's next packet and of the next opening.
 */
#ifndef TC_GEN_NETWORK_H
#define TC_GEN_NETWORK_H

#include "dialogue.h"

#define EMBED	48
#define HIDDEN	192
#define OPENINGS 8 /* that the next one is told of */
#define CONTEXT	8 /* packets that a head is given, at most */
static const int head_context[HEADS] = {HISTORY, OPENINGS};

/* Matrices, row-major: rows x columns. S: all symbols. */
enum tensor {
	EMBEDDING,  /* S x EMBED: a packet is the sum of its symbols' rows */
	INPUT,	    /* packets before * EMBED + FEATURES x HIDDEN */
	INPUT_BIAS, /* 1 x HIDDEN */
	UPPER,	    /* HIDDEN x HIDDEN */
	UPPER_BIAS,
	DECIDED,    /* S x HIDDEN: what a decision adds */
	OUTPUT,	    /* a field each: HIDDEN x its symbols; none where the head doesn't decide it */
	OUTPUT_BIAS = OUTPUT + FIELDS,
	TENSORS = OUTPUT_BIAS + FIELDS
};

struct network {
	const struct vocabulary *v;
	enum head head;
	float *data;
	size_t n, at[TENSORS];
};

static inline float *
tensor(const struct network *net, int t, float *data)
{
	return data + net->at[t];
}

/* Whether there is anything to decide about a field. */
static inline bool
network_decides(const struct network *net, enum field f)
{
	return net->v->n[f] > 1 && field_is_of(f, net->head);
}

/* Rows and columns of a tensor. */
void network_shape(const struct network *net, int t, int *rows, int *columns);
/* Zero weights for a vocabulary. 0, or -1 where memory is short. */
int network_init(struct network *net, const struct vocabulary *v, enum head head);
void network_randomize(struct network *net, uint64_t seed);
void network_free(struct network *net);

/* Rows that are learned from together. */
struct batch {
	int n;
	const uint16_t *(*context)[CONTEXT]; /* packets before, NULL: none */
	const uint16_t **target;	     /* what came; NULL: nothing did before the trace's end */
	int64_t *horizon;		     /* then: ns from the last packet to the end */
	float *feature;			     /* n x FEATURES */
};

struct activations {
	int room;
	uint64_t noise;	  /* of the way there; 0: none */
	float *x;	  /* room x CONTEXT * EMBED + FEATURES */
	float *h, *dh;	  /* room x HIDDEN: the lower layer */
	float *a, *da;	  /* room x HIDDEN: the vector */
	float *keep;	  /* room x HIDDEN: what the vector's gradient counts for, with dropout */
	float *r[FIELDS]; /* room x HIDDEN: max(0, the vector) as each field is decided */
	float *dx, *dr;
	double loss[FIELDS]; /* of each field, summed over the rows of the last way there */
	float **p;	  /* of each field: its probabilities; becomes its logits' gradient */
};

int activations_init(struct activations *s, const struct network *net, int room);
void activations_free(struct activations *s);
/* The loss, in nats a row. random: of dropout, NULL for none. */
double network_forward(const struct network *net, struct activations *s, const struct batch *b, uint64_t *random);
/* The twin: adds the gradient of scale * loss, summed over rows. */
void network_backward(const struct network *net, struct activations *s, const struct batch *b, float scale, float *grad);

#endif
