/* A latent's coordinates as octets: little-endian f32 or f16. */
#ifndef TC_LATENT_H
#define TC_LATENT_H

#include "record/stream.h"

#include <stddef.h>

/* Octets of n coordinates. */
size_t latent_size(enum latent_type type, int n);
void latent_put(enum latent_type type, const float *z, int n, uint8_t *p);
void latent_get(enum latent_type type, const uint8_t *p, int n, float *z);
/* Whether all of the coordinates in so many octets are numbers, and finite. */
bool latent_finite(enum latent_type type, const uint8_t *p, size_t octets);

#endif
