/*
 * The straight way between bits and a latent: each bit has a place, one coordinate, which it shares with
 * bits that seldom come with it. Into the latent it adds itself there, out of it is read there; what bits
 * have to do with each other goes through the dense layers (linear.h) beside it.
 */
#ifndef TC_STRAIGHT_H
#define TC_STRAIGHT_H

#include <stdint.h>

/* n bits. A row of them is x: +1, -1, or 0 where nobody cares for the bit. */
struct straight {
	const uint16_t *place;
	const float *in;     /* mean[place] += in x */
	const float *spread; /* logvar[place] += spread |x|: a coordinate is narrow where its bit is there */
	const float *out;    /* logit += out z[place] */
	int n;
};

/* n rows of x, row k of which belongs to row[k] of mean and logvar, or to row k where row is NULL. ld is
 * the distance of the latents' rows in floats; logvar may be NULL. */
void straight_in(const struct straight *s, const float *x, const int *row, int n, float *mean, float *logvar,
		 int ld);
/* The twin: from the loss's gradients by mean and logvar, those by `in` and `spread` are added. */
void straight_in_backward(const struct straight *s, const float *x, const int *row, int n, const float *dmean,
			  const float *dlogvar, int ld, float *din, float *dspread);

/* Added to n rows of logits, row k of which belongs to latent row[k]. */
void straight_out(const struct straight *s, const float *z, int ld, const int *row, int n, float *logit);
/* The twin: what dlogit makes of dz is added and, unless dout is NULL, the gradient by `out`. */
void straight_out_backward(const struct straight *s, const float *z, int ld, const int *row, int n,
			   const float *dlogit, float *dz, int lddz, float *dout);

#endif
