/* What tc-diff prints: for people, as JSON, as a table with tabs. */
#ifndef TC_REPORT_H
#define TC_REPORT_H

#include "metrics.h"

#include <stdio.h>

struct report {
	const struct source *a, *b;
	const struct measure *ma, *mb;
	const struct result *results;
	int outside; /* metrics beyond their tolerance */
	bool exact;	/* the floor doesn't matter: any difference is one */
	double memorised, memorised_halves; /* shares of flows: B's in A (or C), A's in its other half; NAN: none */
	bool reference; /* floors are the distances of a third trace */
	bool drifted;	/* B is taken for another stretch of A's traffic: metrics_judge() */
	bool colour;
	/* packets that were held against one another, and differences by field; NULL: not paired */
	const uint64_t *paired;
	uint64_t paired_packets, paired_different;
};

void report_people(FILE *f, const struct report *r);
void report_json(FILE *f, const struct report *r);
void report_tsv(FILE *f, const struct report *r);
void report_transitions(FILE *f, const struct report *r);
/* One line a flow as it ends; the trace is "A" or "B". */
void report_flow_names(FILE *f);
void report_flow(FILE *f, const char *trace, const struct live *l);

#endif
