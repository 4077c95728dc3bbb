/*
 * What the programs have in common: -o, -q, -v and --help, one input and one output, and the traces of a stream one after
 * the other. It speaks and exits for their mains, as no other room here does.
 */
#ifndef TC_FILTER_H
#define TC_FILTER_H

#include "record/io.h"
#include "record/outfile.h"
#include "record/progress.h"
#include "record/stream.h"

#include <getopt.h>

struct filter {
	const char *usage;
	int failure; /* the exit status where something can't be had: 1, but tc-diff's 2 */
	bool quiet;
	enum progress_how how;
	const char *input, *output; /* paths as given, NULL where none was; names once open */
	int in;
	struct outfile out;
	struct stream_reader reader;
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
/* A stream's reader on the input, and its progress. flush passes on what is ready before the input is waited for. */
void filter_read(struct filter *f, int (*flush)(void *), void *arg);
/* Each trace of the input: trace reads it, and returns 0 after its end, else -1. The exit status. */
int filter_traces(struct filter *f, int (*trace)(void *, struct stream_header *), void *arg);
/* In one line, what failed: the output, of which why says it, or the input. */
void filter_explain(const struct filter *f, const char *why);
/* Counts, each with what it counts, in one line; those of 0 are left out. */
void filter_counts(const char *before, const uint64_t *counts, const char *const *names, int n);
/* How many records were not understood. */
void filter_unknown(const struct filter *f);
/* Puts the output in its place, or takes it away, as the exit status says. That status, or that of a failure. */
int filter_close(struct filter *f, int status);

#endif
