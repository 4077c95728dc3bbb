/* What the encoder says of one latent: a normal distribution, q(z | x), by mean and log variance. */
#ifndef TC_POSTERIOR_H
#define TC_POSTERIOR_H

#include "neural/autoencoder.h"
#include "support/normal.h"

#include <math.h>

/* KL(q || N(0, 1)), nats. */
static inline float
kl_divergence(const float *mean, const float *logvar, int n)
{
	float kl = 0;

	for (int i = 0; i < n; i++)
		kl += 0.5f * (mean[i] * mean[i] + expf(logvar[i]) - 1 - logvar[i]);
	return kl;
}

/* From the mean to a draw, in place. */
static inline void
posterior_draw(float *mean, const float *logvar, int n, uint64_t *random)
{
	float noise[LATENT_MAX];

	normal_draw(noise, n, random);
	for (int i = 0; i < n; i++)
		mean[i] += noise[i] * expf(0.5f * logvar[i]);
}

#endif
