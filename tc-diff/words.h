/*
 * What a distance means to a person: a line that names what was measured, A's value and B's, and which way they differ, such
 * as "lost segment: 0.07 % in A, 0.79 % in B" or "SYN to SYN-ACK: 82 % slower in B".
 */
#ifndef TC_WORDS_H
#define TC_WORDS_H

#include "metrics.h"

struct words {
	char text[160];
	double a, b;	  /* the values that the text compares; NAN where there are none */
	const char *unit; /* of these */
};

/* Of a metric, by its number in metrics[]. */
void words_of(int metric, const struct measure *a, const struct measure *b, struct words *w);

#endif
