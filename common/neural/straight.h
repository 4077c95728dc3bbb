/*
 * The straight ways between bits and a latent: each bit has two places, coordinates that it shares with
 * bits that seldom come with it. Into the latent it adds itself there, out of it is read there; what bits
 * have to do with each other goes through the dense layers (linear.h) beside it. Two bits that meet in one
 * place hardly ever meet in the other, so refinement can tell them apart.
 */
#ifndef TC_STRAIGHT_H
#define TC_STRAIGHT_H

#include <stddef.h>
#include <stdint.h>

#define STRAIGHT_WAYS 2
/* Rows of weights, for each way. */
enum {
	STRAIGHT_IN,     /* mean[place] += in x */
	STRAIGHT_SPREAD, /* logvar[place] += spread |x|: a coordinate is narrow where its bit is there */
	STRAIGHT_OUT,    /* logit += out z[place] */
	STRAIGHT_ROWS
};

#define STRAIGHT_MAX  4096 /* bits of one of them, at most */

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

/* Bits of n latents, row k of which belongs to latent row[k], or to latent k where row is NULL. */
struct straight_rows {
	int n;
	const int *row;
	const float *x;       /* the bits; where none are needed, NULL */
	const uint64_t *mask; /* those that are not 0, latent i's from mask + i * step on; NULL: any may be */
	size_t step;
};

/* Added to mean and, unless NULL, to logvar; ld is the distance of the latents' rows in floats. */
void straight_in(const struct straight *s, const struct straight_rows *r, float *mean, float *logvar, int ld);
/* The twin: from the loss's gradients by mean and logvar, those by the weights are added to dw. */
void straight_in_backward(const struct straight *s, const struct straight_rows *r, const float *dmean,
			  const float *dlogvar, int ld, float *dw);

/* Added to the rows of logits, where somebody cares for the bit. */
void straight_out(const struct straight *s, const struct straight_rows *r, const float *z, int ld, float *logit);
/* The twin: what dlogit makes of dz is added and, unless dw is NULL, the gradient by the weights. */
void straight_out_backward(const struct straight *s, const struct straight_rows *r, const float *z, int ld,
			   const float *dlogit, float *dz, int lddz, float *dw);

#endif
