/*
 * The network: an encoder from an action's bits to the mean and the variance of a latent's block *what*, and a decoder from
 * that to the bits: coarse ones first, then, knowing them, the details of the groups of fields that are there. Each bit has
 * straight ways through coordinates that it shares with few others; dense layers beside them know what bits have to do with
 * each other. q(z | x) and p(x | z) of a variational autoencoder (Kingma, Welling 2014; arXiv 2605.29941); the context c of
 * the paper is in the action, which is relative to its flow.
 */
#ifndef TC_AUTOENCODER_H
#define TC_AUTOENCODER_H

#include "neural/network.h"

#define LOGVAR_MIN -12.0f /* log variances are kept between these */
#define LOGVAR_MAX 4.0f

/*
 * What the network has for each of n packets, the rows, kept for the way back. Shapes are (rows, columns); the columns encoder,
 * latent, trunk and detail are those of struct shape, coarse is CODE_COARSE, and width is the group's of struct code_layout.
 * There is memory for max rows.
 */
struct group_activations {
	int n, *row;  /* row[k]: the packet that is the group's row k */
	float *x;     /* (n, width) its bits in truth: +1, -1, 0 for one that is masked out */
	float *u;     /* (n, detail) rows of the decoder's u */
	float *logit; /* (n, width) above 0: the bit is set; then its gradient */
};
struct activations {
	int max, n;
	const struct code *code; /* (n) the truth; not owned. NULL: none */
	float *coarse;		 /* (n, coarse) bits in truth */
	/* encoder */
	float *a, *b;	      /* (n, encoder) hidden units */
	float *mean, *logvar; /* (n, latent) */
	float *da, *db;	      /* (n, encoder) gradients */
	/* decoder */
	int s_width;	     /* latent + trunk + coarse */
	float *s, *ds;	     /* (n, s_width) [z | h | coarse bits], and its gradient */
	float *u, *du;	     /* (n, detail) hidden units, and their gradient */
	float *coarse_logit; /* (n, coarse) as of a group */
	struct group_activations group[CODE_GROUPS];
	float *work; /* (n, the larger of encoder and detail) */
};
/* 0, or -1 where memory is short; activations_free() is due either way. */
int activations_init(struct activations *p, const struct network *net, int max);
void activations_free(struct activations *p);

/* n codes as the truth of what comes next: their bits, and the rows that each group has. They are looked at until
 * the next truth comes. */
void network_take(struct activations *p, const struct code *code, int n);
/* The truth to mean and, if wanted, logvar. */
void network_encode(const struct network *net, struct activations *p, bool logvar);
/* The way back: from dmean and dlogvar, (n, latent), to the gradient of the weights, which is added. */
void network_encode_backward(const struct network *net, struct activations *p, const float *dmean, const float *dlogvar,
			     float *grad);
/* Latents of the truth, rows of ld floats, to logits; the details know the true coarse bits (teacher forcing). */
void decode_forced(const struct network *net, struct activations *p, const float *z, int ld);
/* The way back: from the gradients of the logits, which stand in their places, to dz, (n, latent), and, unless grad is
 * NULL, to the gradient of the weights, which is added. */
void decode_backward(const struct network *net, struct activations *p, float *dz, float *grad);
/* The way back to the latents alone, of a network that is settled: of gradients few of which are not 0. */
void decode_backward_few(const struct network *net, struct activations *p, float *dz);
/* n latents to codes; the details know the coarse bits that were decoded. The truth is forgotten. */
void decode_free(const struct network *net, struct activations *p, const float *z, int ld, int n, struct code *out);

#endif
