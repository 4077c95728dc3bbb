/* Curves of the page: each takes what was measured of both traces, and writes one figure. */
#ifndef TC_CURVES_H
#define TC_CURVES_H

#include "measure.h"
#include "svg.h"

#include <stdio.h>

#define CURVE_POINTS 200 /* of a curve that is drawn, at most */

/* Both cumulative distributions. title: of the figure; axis: what the values are. */
void curves_distribution(FILE *f, const char *title, const char *axis, enum svg_unit unit, const struct histogram *a,
			 const struct histogram *b);
/* Over the time since the first packet of each trace. */
void curves_active(FILE *f, const struct curve *a, const struct curve *b);
void curves_rate(FILE *f, const struct curve *a, const struct curve *b);

#endif
