/* The verdict: can B stand in for A, and if not, why? */
#ifndef TC_VERDICT_H
#define TC_VERDICT_H

#include "report.h"

#include <stdio.h>

/* The metrics that count and stand out, the most telling first. Returns how many. */
int verdict_order(const struct report *r, int order[METRICS_MAX]);
/* In words, on one screen; colour: with escapes for a terminal. */
void verdict_print(FILE *f, const struct report *r, bool colour);

#endif
