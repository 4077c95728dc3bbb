/* Learning: rows from a corpus, and descent on them. */
#ifndef TC_GEN_LEARN_H
#define TC_GEN_LEARN_H

#include "network.h"

/* Everything that can be learned from, as rows. */
struct lesson {
	const struct corpus *c;
	uint16_t *token;	/* packets x FIELDS */
	float *feature;		/* packets x FEATURES: once the packet has come */
	uint8_t *state;		/* packets: dialogue_state() */
	uint32_t *opening;	/* of each flow: its first packet */
	struct dialogue *dialogue; /* of each flow, at its end */
	uint32_t (*recent)[HISTORY]; /* of each packet: what its flow's next one is told of; NOBODY: none */
	float *pace;		/* openings x FEATURES */
	uint32_t *open;		/* packets that open */
	double *share;		/* packets: how often each is drawn, summed up */
	uint32_t opens;
	uint32_t held, held_open; /* packets and openings from there on are held back */
};

struct descent {
	struct network *net;
	const struct lesson *l;
	struct activations s;
	struct batch batch;
	float *grad, *m, *v, *best;
	float *mean; /* the weights of the last steps, averaged: what is measured and kept */
	uint32_t step, steps;	  /* in all, at most */
	uint32_t turn, settle, last; /* from when on the rate goes down, the biases settle; the last step; 0: not known yet */
	uint32_t rows, held_from, from; /* all of them; those that are held back; those that are learned from */
	uint64_t random;
	double loss, held, least; /* of the last step, of what is held back, the least so far */
	uint32_t least_at;
	double field[FIELDS]; /* of what is held back, the last time it was measured */
};

int lesson_init(struct lesson *l, const struct vocabulary *v, const struct corpus *c);
void lesson_free(struct lesson *l);
/* How often opening j is drawn to learn from, beside the mean one. */
double lesson_weight(const struct lesson *l, uint32_t j);
int descent_init(struct descent *d, struct network *net, const struct lesson *l, uint32_t steps, uint64_t seed);
/* One more step. Every so many, what is held back is measured, and the weights are kept if they are the best so far. */
void descent_step(struct descent *d);
bool descent_measured(const struct descent *d);
bool descent_done(const struct descent *d);
/* Puts the best weights into the network. */
void descent_finish(struct descent *d);
void descent_free(struct descent *d);

#endif
