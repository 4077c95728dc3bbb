/*
 * Actions to latents, a block at a time. A latent has three parts: what the action does, by the network, a pure function
 * that is remembered (analysis.h, cache.h); who, and when, which are assigned (names.h, when.h). What the decoder will read
 * wrong all the same has the action beside it as a patch.
 */
#ifndef TC_ENCODE_H
#define TC_ENCODE_H

#include "codec/analysis.h"
#include "record/stream.h"

struct encode_options {
	struct analysis_options analysis;
	bool patch, cached;
	uint64_t seed;
};

/* What --stats says: packets, each counted as often as it comes. */
struct encode_stats {
	uint64_t packets, traces, unencodable;
	uint64_t whole, core;		    /* exact before refinement */
	uint64_t whole_after, core_after;   /* behind it, before patches */
	uint64_t patched, refined, steps;   /* steps: of all rows together */
	uint64_t idle;			    /* patched, since rounding would move a gap across its time-out */
	uint64_t rows;			    /* that the network saw */
	uint64_t wrong[ACTION_COUNT], wrong_after[ACTION_COUNT];
	uint64_t margins[8];		    /* after: below 0, 0.1, 0.3, 1, 3, 10, 30, and above */
	double kl[STREAM_BLOCKS];	    /* nats, of all packets together */
	double time_error;		    /* seconds, absolute, summed */
};
extern const float encode_margins[7];

struct encoder;

/* On so many threads (JOBS_MAX at most); the same latents for any number. NULL where memory is short. The network is not
 * owned; until encoder_flush() returns, the writer is the encoder's alone. */
struct encoder *encoder_new(const struct network *net, const struct encode_options *o, unsigned threads,
			    struct stream_writer *out);
void encoder_free(struct encoder *e);
/*
 * A trace, traces after each other: its header, of latents; its packets, whose actions are taken apart; its end. Blocks go
 * on from one to the next. Each 0, or -1 with the writer's error set or, where that is empty, memory short.
 */
int encoder_begin(struct encoder *e, const struct stream_header *h);
int encoder_add(struct encoder *e, struct action *a);
int encoder_end(struct encoder *e, enum stream_end end);
/* Writes all that was added. */
int encoder_flush(struct encoder *e);
/* Behind encoder_flush(). Cache hits stand in *found of *asked. */
const struct encode_stats *encoder_stats(const struct encoder *e, uint64_t *found, uint64_t *asked);

#endif
