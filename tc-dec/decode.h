/* Latents to actions, a block at a time: coarse fields first, then details, then ranks and clock to
 * slots and time steps. */
#ifndef TC_DECODE_H
#define TC_DECODE_H

#include "neural/cache.h"
#include "neural/context.h"
#include "record/latent.h"
#include "neural/network.h"

#define DECODE_BLOCK 512

struct decoder;

/* NULL where memory is short. The network is not owned. */
struct decoder *decoder_new(const struct network *net, bool cached, struct stream_writer *out);
void decoder_free(struct decoder *d);
/* A trace of latents begins. 0, or -1 where memory is short. */
int decoder_begin(struct decoder *d, const struct stream_header *h);
/* 0; -1 with the writer's error; 1 where a coordinate is infinite or no number. */
int decoder_add(struct decoder *d, const struct latent *l);
/* Writes all that was added: 0, or -1 with the writer's error. */
int decoder_flush(struct decoder *d);
/* Packets the network saw, cache hits of how many. */
void decoder_stats(const struct decoder *d, uint64_t *rows, uint64_t *found, uint64_t *asked);

#endif
