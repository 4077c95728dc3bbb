/* Latents to actions, a block at a time, each of itself alone: what it does, by the network, coarse fields first, then
 * details; whom it names and when it comes (names.h, when.h). */
#ifndef TC_DECODE_H
#define TC_DECODE_H

#include "record/latent.h"
#include "codec/codec.h"

struct decoder;

/* On so many threads (JOBS_MAX at most); the same actions for any number. NULL where memory is short. The network is not
 * owned; until decoder_flush() returns, the writer is the decoder's alone. */
struct decoder *decoder_new(const struct network *net, bool cached, unsigned threads, struct stream_writer *out);
void decoder_free(struct decoder *d);
/*
 * A trace, traces after each other: its header, of latents; its latents; its end. Blocks go on from one
 * to the next. 0; -1 with the writer's error set or, where that is empty, memory short; decoder_add()
 * also 1, where a coordinate is infinite or no number.
 */
int decoder_begin(struct decoder *d, const struct stream_header *h);
int decoder_add(struct decoder *d, const struct latent *l);
int decoder_end(struct decoder *d, enum stream_end end);
/* Writes all that was added: 0, or -1 with the writer's error. */
int decoder_flush(struct decoder *d);
/* Behind decoder_flush(): the rows that the network saw. Cache hits stand in *found of *asked. */
uint64_t decoder_stats(const struct decoder *d, uint64_t *found, uint64_t *asked);

#endif
