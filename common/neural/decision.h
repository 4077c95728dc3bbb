/*
 * What the logits of a pass are worth against the truth: a logit that is above 0 decides for a set bit. Bits that nobody
 * cares for don't count.
 */
#ifndef TC_DECISION_H
#define TC_DECISION_H

#include "neural/network.h"

/* Negative log likelihood, in nats: per row in loss, if wanted, and its gradient, times scale, in place of the logits. */
void decision_likelihood(struct pass *p, float scale, float *loss);
/* The least margin of each row: how far its nearest decision is on the right side of 0. */
void decision_margin(struct pass *p, float *margin);
/* The gradient of the sum of max(0, want - margin) over all decisions, in place of the logits. */
void decision_hinge(struct pass *p, float want);

#endif
