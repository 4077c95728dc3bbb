/*
 * What logits are worth against the truth. Each is a decision: above 0 for a set bit, else for a clear one. Bits that are
 * masked out don't count.
 */
#ifndef TC_LOSS_H
#define TC_LOSS_H

#include "neural/autoencoder.h"

/* Negative log likelihood, in nats: per row in loss, if wanted, and its gradient, times scale, in place of the logits. */
void loss_likelihood(struct activations *p, float scale, float *loss);
/* The least margin of each row: how far its nearest decision is on the right side of 0. */
void loss_margin(struct activations *p, float *margin);
/* The gradient of the sum of max(0, want - margin) over all decisions, in place of the logits. */
void loss_hinge(struct activations *p, float want);

#endif
