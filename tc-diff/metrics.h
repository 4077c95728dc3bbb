/* The metrics: each by its name, group, unit and formula. tc-metrics(7) says the same in words. */
#ifndef TC_METRICS_H
#define TC_METRICS_H

#include "measure.h"

#define METRICS_VERSION 1
#define METRICS_MAX	64

struct metric {
	const char *name, *unit, *what;
	/* By part: has a floor. By trace: needs all of it. One of the two. */
	double (*of_parts)(const struct part *a, const struct part *b);
	double (*of_traces)(const struct measure *a, const struct measure *b);
};
extern const struct metric metrics[];
extern const int metrics_count;

struct result {
	double value, floor; /* floor NAN where there is none */
	double tolerance;
	bool counts; /* for the verdict and the exit status */
};

/* A is the reference. Fills results[0 .. metrics_count - 1] but for the tolerances. */
void metrics_compute(const struct measure *a, const struct measure *b, struct result *results);
/* The number of a metric's name, -1 if there is none. */
int metrics_find(const char *name);

#endif
