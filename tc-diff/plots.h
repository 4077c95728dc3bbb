/* Bars and matrices of the page: each takes what was measured of both traces, and writes one figure. */
#ifndef TC_PLOTS_H
#define TC_PLOTS_H

#include "metrics.h"

#include <stdio.h>

/* Of the metrics of a group: how many times its floor, which has this name, each distance is. */
void plot_group(FILE *f, enum group group, const struct result *results, const char *floor);

/* Of TCP events: how often each follows each, A's, B's, and the change from A to B. */
enum plot_matrix { MATRIX_A, MATRIX_B, MATRIX_CHANGE };
void plot_matrix(FILE *f, enum plot_matrix which, const struct part *a, const struct part *b);

/* Shares of both, side by side. */
void plot_states(FILE *f, const struct part *a, const struct part *b);
void plot_ports(FILE *f, const struct part *a, const struct part *b);

#endif
