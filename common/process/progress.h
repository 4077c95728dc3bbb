/*
 * How far a program is, for a person who waits. While standard error is a terminal and the input is a
 * file: a line there, twice a second, over itself. At SIGUSR1 (and SIGINFO, where there is one), and
 * with -v at the end: a line of its own. The loops know nothing of it: io.c asks when it reads or
 * writes.
 */
#ifndef TC_PROGRESS_H
#define TC_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_how { PROGRESS_AUTO, PROGRESS_QUIET, PROGRESS_VERBOSE };

/* An input begins: its descriptor, its name for messages, and the counter of its packets, which must
 * outlive it. */
void progress_begin(int fd, const char *name, const uint64_t *packets, enum progress_how how);
/* Work without an input: what is counted ("packets", "steps"). */
void progress_work(const char *name, const char *unit, const uint64_t *done, enum progress_how how);
/* How far it is: a counter, and where that ends; from then on the time that is left is said. */
void progress_goal(const uint64_t *far, uint64_t goal);
/* Says what is due; of the thread that began it alone. */
void progress_tick(void);
/* A message comes: the line goes. */
void progress_clear(void);
/* All input has ended. */
void progress_end(void);
/* For a signal's handler: the next tick says a line. */
void progress_want(void);

#endif
