/* The metrics: each by its name, group, unit and formula. tc-metrics(7) says the same in words. */
#ifndef TC_METRICS_H
#define TC_METRICS_H

#include "measure.h"

#define METRICS_VERSION 2
#define METRICS_MAX	64

/* What a verdict is about; the part of a metric's name before the dot says which, a few of them together. */
enum group { GROUP_CONNECTION, GROUP_TIME, GROUP_INTERLEAVING, GROUP_MIX, GROUP_VOLUME, GROUP_ENDPOINTS,
	     GROUP_GENERATED, /* stands apart: counts only where it is asked for */
	     GROUPS };
extern const char *const group_names[GROUPS];

struct metric {
	const char *name;
	enum group group;
	const char *unit, *what;
	/* By part: has a floor. By trace: needs all of it. One of the two. */
	double (*of_parts)(const struct part *a, const struct part *b);
	double (*of_traces)(const struct measure *a, const struct measure *b);
	double (*of_halves)(const struct measure *a); /* the floor of one by trace that has one */
};
extern const struct metric metrics[];
extern const int metrics_count;

struct result {
	double value, floor; /* floor: between A's halves, or the natural distance of --reference; NAN where there is none */
	double drift; /* of A's farthest stretch from all of A; NAN where there is none */
	double own;   /* A's own variation, which a verdict holds the value against: NAN where nobody knows it */
	double least; /* what a difference must be to stand out where that is so, by the metric's unit */
	double tolerance;
	bool judged; /* the verdict can say whether it stands out */
	bool counts; /* for the verdict and the exit status */
};

/* Changes of flow over those that packets drawn at random from the same flows would make. */
double measure_mixing(const struct measure *m);

/* How many times A's own variation a distance is: 0 for none, infinite where A doesn't vary, NAN where nobody knows. */
double result_times(const struct result *r);
/* Whether it lies beyond A's own variation; where that isn't known, beyond what no two real traces agree in. */
bool result_stands_out(const struct result *r);

/* A is the reference. Fills results[0 .. metrics_count - 1] but for the tolerances. */
void metrics_compute(const struct measure *a, const struct measure *b, struct result *results);
/* Whether B is to be taken for another stretch of A's traffic, not for A with changes: the drift is A's own variation then. */
bool metrics_judge(struct result *results);
/* The number of a metric's name, -1 if there is none. */
int metrics_find(const char *name);
/* The group of that name, -1 if there is none. */
int metrics_group(const char *name);

#endif
