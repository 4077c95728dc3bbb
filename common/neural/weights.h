/*
 * Weights in a file: tc-weights(5). Little-endian: the network's shape; which bits each field had when they were made; each
 * tensor by name and size; the places of the bits; a table about the coordinates; then SHA-256 of all before. That hash is
 * the weights' name: a stream of latents says which ones made it.
 *
 * Bits are found by the names of their fields, so that weights outlive a field that is added to the action: its coarse bit
 * was a spare one before, its details come with weights of 0 until a training knows it.
 */
#ifndef TC_WEIGHTS_H
#define TC_WEIGHTS_H

#include "neural/network.h"

#define WEIGHTS_MAGIC	"tc-weigh"
#define WEIGHTS_VERSION 6
#define WEIGHTS_HASH	32
#define WEIGHTS_ERROR	160

enum weights_type { WEIGHTS_F32, WEIGHTS_F16 };

/* Octets to a network. 0, or -1 with why; hash as the file says and is checked. */
int weights_parse(struct network *net, uint8_t *hash, const uint8_t *p, size_t n, char *why);
/* The twin: octets, owned by the caller; NULL where memory is short. */
uint8_t *weights_build(const struct network *net, enum weights_type type, size_t *n);

/* A file, or, for NULL, the weights that are built in. 0, or -1 with why. */
int weights_load(struct network *net, uint8_t *hash, const char *path, char *why);

#endif
