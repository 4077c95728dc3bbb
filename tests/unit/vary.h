/* Actions that no lift would write: random fields, dropped, added, changed. */
#ifndef TC_VARY_H
#define TC_VARY_H

#include "record/action.h"

#include <stdint.h>

void vary_seed(uint64_t seed);
/* 0 to below - 1, from a generator of its own. */
uint64_t vary_below(uint64_t below);
/* One field in `often` is dropped, or becomes a value of any sort. */
void vary_action(struct action *a, unsigned often);

#endif
