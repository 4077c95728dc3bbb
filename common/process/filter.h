/*
 * What the programs have in common: -o, -q, -v and --help, one input and one output. It speaks and exits for
 * their mains, as nothing else in common/ does but record/traces.h, which goes on from here.
 */
#ifndef TC_FILTER_H
#define TC_FILTER_H

#include "process/io.h"
#include "process/outfile.h"
#include "process/progress.h"

#include <getopt.h>

struct filter {
	const char *usage;
	int failure; /* the exit status where something can't be had: 1, but tc-diff's 2 */
	bool quiet;
	enum progress_how how;
	const char *input, *output; /* paths as given, NULL where none was; names once open */
	int in;
	struct outfile out;
};

/* For getopt_long(3), to be taken by filter_option(). */
#define FILTER_OUTPUT	{"output", required_argument, NULL, 'o'}
#define FILTER_PROGRESS {"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'}
#define FILTER_HELP	{"help", no_argument, NULL, 'h'}

/* An option that all have, or that none has. */
void filter_option(struct filter *f, int c);
void filter_usage(const struct filter *f) __attribute__((noreturn));
/* The value of an option that takes a whole number. */
uint64_t filter_number(const char *option, const char *text, uint64_t low, uint64_t high);
/* What stands behind the options: one input at most. */
void filter_operand(struct filter *f, int argc, char **argv);

void filter_open_input(struct filter *f);
void filter_open_output(struct filter *f);
/* All is open: gives up what isn't needed any more. A kernel that can't is no reason to stop, but said. */
void filter_confine(const struct filter *f);
/* In one line, what failed: the output, or the input; an empty reason where it didn't. */
void filter_explain(const struct filter *f, const char *output, const char *input);
/* Counts, each with what it counts, in one line; those of 0 are left out. */
void filter_counts(const char *before, const uint64_t *counts, const char *const *names, int n);
/* Puts the output in its place, or takes it away, as the exit status says. That status, or that of a failure. */
int filter_close(struct filter *f, int status);

#endif
