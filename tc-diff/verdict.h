/* The verdict: can B stand in for A, and if not, why? */
#ifndef TC_VERDICT_H
#define TC_VERDICT_H

#include "report.h"

#include <stdio.h>

/* The metrics that count and stand out, the most telling first. Returns how many. */
int verdict_order(const struct report *r, int order[METRICS_MAX]);
/* What distances are held against, in words. */
const char *verdict_variation(const struct report *r);
/* Metrics that count and differ, and of which nobody can say whether they stand out. */
int verdict_unknown(const struct report *r);
/* In words, on one screen; colour: with escapes for a terminal. */
void verdict_print(FILE *f, const struct report *r, bool colour);

#endif
