/* What the coordinates of a latent are about: measured once training is over, and kept in the weights' file. */
#ifndef TC_ABOUT_H
#define TC_ABOUT_H

#include "dataset.h"
#include "neural/autoencoder.h"

/*
 * A table, lines of TSV, the first one its head: each coordinate's index, block, the group of fields that changes most often
 * where it moves by its standard deviation over the packets, up or down; which fields change so, the most frequent first; and
 * in what share of the packets any does. Owned by the caller; NULL where memory is short.
 */
char *about_coordinates(const struct network *net, const struct dataset *d);

#endif
