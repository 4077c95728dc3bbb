/*
 * Blocks of work on several threads. The caller fills them in turn; each is worked on by whichever thread is free, then finished,
 * one at a time and in the order in which they were filled. So what comes out is the same for any number of threads. With one
 * there is no other thread, and the caller does it all.
 *
 * Work that hangs on the block alone is done on many blocks at once (rows of a network). What goes on from block to block (the
 * state of a trace) is finishing: where that is all there is, one thread fills and one finishes, and the slower of the two bounds
 * the program. What they hand over should be compact, since each of its cache lines moves from core to core, and blocks long,
 * since each may wake a thread.
 */
#ifndef TC_JOBS_H
#define TC_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#define JOBS_MAX 64

struct jobs;

/* What is done: work, by thread `who` of those there are (0: the caller's), NULL where there is none; finish, 0 or -1. After a
 * failure nothing is finished any more. */
struct jobs_of {
	void *arg;
	void (*work)(void *arg, void *block, unsigned who);
	int (*finish)(void *arg, void *block);
};

/* most: blocks that may be on their way at once, at most; of so many octets each, all of them 0 at first. NULL where memory or
 * threads are short. */
struct jobs *jobs_new(const struct jobs_of *of, unsigned threads, unsigned most, size_t size);
void jobs_free(struct jobs *j);
/* The block to fill next; waits until one is free. */
void *jobs_take(struct jobs *j);
/* The block that was taken is full. 0, or -1 where a block could not be finished. */
int jobs_give(struct jobs *j);
/* Until all that was given is finished, likewise. */
int jobs_wait(struct jobs *j);
/* Processor seconds of the blocks that were finished, measured where jobs_clock is set before they are given. Without work before
 * it, finishing counts as work. */
extern bool jobs_clock;
extern struct jobs_took {
	double work, finish;
} jobs_took;
/* How many threads there are for --jobs N: as many, or, for 0, as many as the machine has for this process. */
unsigned jobs_threads(unsigned n);

#endif
