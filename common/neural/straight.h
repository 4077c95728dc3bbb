/*
 * The straight ways between bits and a latent: each bit has two places, coordinates that it shares with
 * bits that seldom come with it. Into the latent it adds itself there, out of it is read there; what bits
 * have to do with each other goes through the dense layers (linear.h) beside it. Two bits that meet in one
 * place hardly ever meet in the other, so refinement can tell them apart.
 */
#ifndef TC_STRAIGHT_H
#define TC_STRAIGHT_H

#include <stdint.h>

#define STRAIGHT_WAYS 2
/* Rows of weights, for each way. */
enum {
	STRAIGHT_IN,     /* mean[place] += in x */
	STRAIGHT_SPREAD, /* logvar[place] += spread |x|: a coordinate is narrow where its bit is there */
	STRAIGHT_OUT,    /* logit += out z[place] */
	STRAIGHT_ROWS
};

/* n bits. A row of them is x: +1, -1, or 0 where nobody cares for the bit. */
struct straight {
	const uint16_t *place[STRAIGHT_WAYS];
	const float *w; /* STRAIGHT_WAYS times STRAIGHT_ROWS rows of n */
	int n;
};

static inline const float *
straight_row(const struct straight *s, int way, int row)
{
	return s->w + (way * STRAIGHT_ROWS + row) * s->n;
}

/* n rows of x, row k of which belongs to row[k] of mean and logvar, or to row k where row is NULL. ld is
 * the distance of the latents' rows in floats; logvar may be NULL. */
void straight_in(const struct straight *s, const float *x, const int *row, int n, float *mean, float *logvar,
		 int ld);
/* The twin: from the loss's gradients by mean and logvar, those by the weights are added to dw. */
void straight_in_backward(const struct straight *s, const float *x, const int *row, int n, const float *dmean,
			  const float *dlogvar, int ld, float *dw);

/* Added to n rows of logits, row k of which belongs to latent row[k]. */
void straight_out(const struct straight *s, const float *z, int ld, const int *row, int n, float *logit);
/* The twin: what dlogit makes of dz is added and, unless dw is NULL, the gradient by the weights. */
void straight_out_backward(const struct straight *s, const float *z, int ld, const int *row, int n,
			   const float *dlogit, float *dz, int lddz, float *dw);

#endif
