/* What is edited and how, and the loop that does it. */
#ifndef TC_EDIT_EDIT_H
#define TC_EDIT_EDIT_H

#include "scan.h"
#include "sink.h"

#include "process/filter.h"

/* A file or a pipe: the first is edited, the others are merged into it. */
struct input {
	const char *name;
	const char *path; /* NULL: standard input */
	int fd;
	int pipe;    /* what waits in a spool, which fd is then; -1: nothing does */
	char *spool; /* its name, if it has one */
};

struct edit {
	struct filter filter;
	/* options */
	struct selection selection;
	int64_t speed, shift;
	uint64_t copies, seed, buffer; /* octets */
	bool strict, share_hosts;
	const char *labels_path;

	struct input *input;
	uint32_t inputs;
	struct source *source; /* the copies of the first input, then the others */
	uint32_t sources;
	uint32_t *heap; /* sources with a packet, the earliest first */
	uint32_t in_heap;
	struct frame frame;
	struct fresh *fresh; /* the first for all; with --share-hosts one for each source, the last for all copies but the first */
	struct scan scan;
	struct census census; /* of the first input */
	struct share *share;  /* of each other one */
	uint64_t random;      /* of the copies' starts */
	uint64_t trace;	      /* how many came before */
	struct outfile labels;
	struct sink sink;
};

/* The sources, on what the inputs' descriptors are. 0, or -1 where memory is short. */
int edit_open(struct edit *e);
/* The first header of each: 0, or -1, as was said. */
int edit_headers(struct edit *e);
/* The first pass, where there are two. 0, or -1, as was said. */
int edit_scan(struct edit *e);
/* The second one, or the only one: the exit status. */
int edit_run(struct edit *e);
void edit_free(struct edit *e);
/* Whether an input must be read more than once. */
bool edit_reads_twice(const struct edit *e, uint32_t input);

#endif
