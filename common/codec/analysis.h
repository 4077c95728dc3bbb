/*
 * Analysis by synthesis: what becomes of actions, without their names and time steps. The network's latent of each, what the
 * decoder will make of it, and, where a decision is wrong or narrow, a latent that was refined.
 */
#ifndef TC_CODEC_ANALYSIS_H
#define TC_CODEC_ANALYSIS_H

#include "codec/codec.h"
#include "record/latent.h"

#define ANALYSIS_MARGIN 0.1f /* a decision with less is refined: far more than kernels differ by */

struct analysis_options {
	enum latent_type type;
	bool refine, sample, stats;
	uint32_t steps; /* of a refinement, at most */
};

/* What becomes of an action: a value of the cache. */
struct analysis {
	uint64_t wrong, wrong_after; /* fields, before refinement and behind it; without stats all of them, or none */
	float kl;		     /* nats; with stats or sample */
	float margin;		     /* logits */
	bool encodable, refined;
	uint8_t octets[]; /* of the latent's first block */
};

/* Actions that are seen together: packed, and where to write what becomes of each. */
struct analysed {
	const uint64_t *action;
	struct analysis *outcome;
};

struct analyst;

/* Of one thread. NULL where memory is short. The network is not owned. */
struct analyst *analyst_new(const struct network *net, const struct analysis_options *o);
void analyst_free(struct analyst *a);
/* n actions; seed: of what is drawn, where a latent is sampled. The steps of refinement that all took together. */
uint64_t analyst_see(struct analyst *a, const struct analysed *of, int n, uint64_t seed);

#endif
