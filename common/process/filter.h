/*
 * What the programs have in common: options, -o, -q, -v, --help and --version, one input and one output. It speaks and exits
 * for their mains, as nothing else in common/ does but record/traces.h, which goes on from here.
 */
#ifndef TC_FILTER_H
#define TC_FILTER_H

#include "process/files.h"
#include "process/io.h"
#include "process/outfile.h"
#include "process/progress.h"

#include <getopt.h>

struct filter {
	const char *usage;
	const char *repeatable; /* letters of the options with a value that may be given more than once; NULL: none */
	bool given[128];	/* options, by their letters */
	const char *option;	/* the long name of the one at hand */
	int failure; /* the exit status where something can't be had: 1, but tc-diff's 2 */
	bool quiet;
	unsigned jobs; /* threads */
	enum progress_how how;
	const char *input, *output; /* paths as given, NULL where none was; names once open */
	const char *also;	    /* another file that will be written: that of --map or --checkpoint */
	struct files files;
	const char *terminal; /* the name of an input that somebody types */
	int in;
	struct outfile out;
};

/* For getopt_long(3), to be taken by filter_option(). */
#define FILTER_OUTPUT	{"output", required_argument, NULL, 'o'}
#define FILTER_PROGRESS {"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'}
#define FILTER_JOBS	{"jobs", required_argument, NULL, 'J'}
#define FILTER_HELP	{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}

/*
 * getopt_long(3), with the short options that all have: the next option's letter, or -1. What is no option, lacks its value,
 * or would silently take the place of a value given before ends the program.
 */
int filter_next(struct filter *f, int argc, char **argv, const char *letters, const struct option *table);
/* An option that all have. */
void filter_option(struct filter *f, int c);
/* Wrong usage: one line that names the option, and where there is help; exit status 2. */
void filter_misuse(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The value of an option that takes a whole number, or a real one. */
uint64_t filter_number(const char *option, const char *text, uint64_t low, uint64_t high);
float filter_real(const char *option, const char *text, float low, float high);
/* A time, in ns since 1970: seconds with up to nine decimals, or a date of RFC 3339 in UTC. */
int64_t filter_time(const char *option, const char *text);
/* What stands behind the options: one input at most. */
void filter_operand(struct filter *f, int argc, char **argv);

void filter_open_input(struct filter *f);
/* An input that is open, and one that others open by its path: neither is written over. */
void filter_reads(struct filter *f, int fd, const char *name);
void filter_reads_path(struct filter *f, const char *path);
/* Once all inputs are known and before anything is opened to be written: refuses an output that is an input. */
void filter_guard(struct filter *f);
/* All of that, and the output. */
void filter_open_output(struct filter *f);
/* All is open: gives up what isn't needed any more. A kernel that can't is no reason to stop, but said. */
void filter_confine(const struct filter *f);
/* In one line, what failed: the output, or the input; an empty reason where it didn't. */
void filter_explain(const struct filter *f, const char *output, const char *input);
/* Counts, each with what it counts, in one line; those of 0 are left out. */
void filter_counts(const char *before, const uint64_t *counts, const char *const *names, int n);
/* With -v: the processor time of the program's roles, where it has any: jobs.h. */
void filter_roles(const struct filter *f);
/* Whether what was written stays: standard output does, a file only where the exit status is 0. */
bool filter_keeps(const struct filter *f, int status);
/* Puts the output in its place, or takes it away, as the exit status says. That status, or that of a failure. */
int filter_close(struct filter *f, int status);

#endif
