/*
 * The first weights of a training: an assignment, by counting and not by learning. Each bit gets a coordinate of the latent for itself, as far as they
 * go; bits share one where they seldom come together. A second one hardly counts at first. A sign a
 * coordinate is what carries bits at the least rate (KL of half of ln(1 + r^2) for a bit that stands r
 * standard deviations from 0), and a coordinate whose bits aren't there costs none. A training that
 * begins with directions at random spends most of its steps on the way to such a code.
 */
#ifndef TC_INIT_H
#define TC_INIT_H

#include "neural/network.h"

/* Of a network that network_randomize() filled; n codes as the training will see them say which bits
 * come together. 0, or -1 where memory is short. */
int init_weights(struct network *net, const struct code *code, int n);

#endif
