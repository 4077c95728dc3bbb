/* The training: a variational autoencoder by AdamW. */
#ifndef TC_TRAIN_H
#define TC_TRAIN_H

#include "dataset.h"
#include "neural/autoencoder.h"

/* Every coefficient of the loss, reconstruction + beta * KL, and of the descent. */
struct recipe {
	uint32_t steps, batch, threads, report;
	float rate, decay, beta;
	float augment; /* share of the packets whose fields are made random */
	float balance; /* share of the packets drawn evenly by field */
	uint64_t seed;
};

struct trainer {
	struct recipe recipe;
	struct network *net;
	const struct dataset *data, *held;
	uint32_t step;	/* that is next */
	float *m, *v;	/* AdamW's moments */
	/* inside */
	struct worker *worker;
	bool stop;	/* at the end of this step */
	double loss[2]; /* reconstruction, KL a packet, summed over `watched` steps */
	uint32_t watched;
};

/* 0, or -1 where memory is short. */
int trainer_init(struct trainer *t, struct network *net, const struct recipe *r,
		 const struct dataset *data, const struct dataset *held);
void trainer_free(struct trainer *t);
/* Sets the first weights, of a network that network_randomize() filled, for the packets that the recipe
 * draws. 0, or -1 where memory is short. */
int trainer_init_weights(struct trainer *t);
/* Goes on for so many steps; 0, or -1 where a thread can't be had. */
int trainer_run(struct trainer *t, uint32_t steps);

/* What the held-back packets, a sample of them, come to. */
struct measure {
	uint64_t packets;
	double whole, sampled, kl; /* shares exact: by the mean, by a draw; nats a packet */
	uint64_t wrong[ACTION_COUNT];	 /* packets with a field wrong */
};
int trainer_measure(struct trainer *t, struct measure *m);

#endif
