/* Formulas for traffic that a generator made: can it be told from the real one, and what papers on generators measure. */
#ifndef TC_GENERATED_H
#define TC_GENERATED_H

#include "measure.h"

/* c2st() of the traces' samples, of as many flows of either; and of A's halves, NAN where one has none. */
double generated_c2st(const struct measure *a, const struct measure *b);
double generated_c2st_halves(const struct measure *a);

/* Jensen-Shannon divergence in nats, 0 to ln 2: of counts in n classes, by key, of hosts by their ranks. */
double counts_jsd(const uint64_t *a, const uint64_t *b, size_t n);
double tally_jsd(const struct tally *a, const struct tally *b);
double ranks_jsd(const struct histogram *a, const struct histogram *b);
/* Earth mover's distance over the range of a's values, from the least to the highest. */
double histogram_emd(const struct histogram *a, const struct histogram *b);

#endif
