/* Analysis by synthesis: latents that the decoder reads wrong, or nearly so, are moved until it reads
 * them right with room to spare; Adam on the hinge of the margins, through the frozen decoder. */
#ifndef TC_REFINE_H
#define TC_REFINE_H

#include "record/latent.h"
#include "neural/network.h"

struct refiner;

/* For at most max latents at a time; type: what they are rounded to. NULL where memory is short. */
struct refiner *refiner_new(const struct network *net, int max, enum latent_type type);
void refiner_free(struct refiner *r);
/* A latent that is to decode to a code. */
void refiner_add(struct refiner *r, const struct code *code, const float *z);
/* Refines all: until each decision, of the rounded latent, has the margin, or for so many steps. */
void refiner_run(struct refiner *r, uint32_t steps, float margin);
/* The k-th that was added, rounded, its margin, and the steps that it took. After the last one is
 * taken the refiner is empty. */
uint32_t refiner_take(struct refiner *r, int k, float *z, float *margin);

#endif
