/*
 * Files as the filters use them: reads and writes that go on through signals, and the flag that
 * Ctrl-C raises.
 */
#ifndef TC_IO_H
#define TC_IO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Set by SIGINT and SIGTERM once io_start() ran; the number of the signal. */
extern volatile sig_atomic_t io_interrupted;

/* First of all: interrupts end a loop at the next record; a file that is as large as it may be is an error like any
 * other, and so is a standard stream that is closed; SIGUSR1 asks for a line of progress.h. */
void io_start(void);

/* A path for messages: `standard`, such as "standard output", for NULL and for "-". */
const char *io_name(const char *path, const char *standard);

/* A file to read, or standard input for "-". A descriptor, or -1 with errno. */
int io_open(const char *path);

/* A whole number in decimal digits, low to high, for options: false if it is none. */
bool io_number(const char *text, uint64_t low, uint64_t high, uint64_t *v);

/* Writes all of it, through interrupted and short writes. 0 or -1 with errno; a pipe whose reader has gone ends the program
 * by SIGPIPE, unless the signal was ignored when the program began. */
int write_all(int fd, const void *p, size_t n);

/* A stream of the C library to a descriptor, which it owns. It writes as write_all() does, where the
 * library's own would take a signal for an error. NULL with errno, that of
 * a dup() which gave -1 too. */
FILE *io_stream(int fd);

/* One read(2), repeated where a signal broke it off: octets, 0 at the end, -1 with errno. Once
 * interrupted, a file is at its end; a pipe is when it falls silent for 0.2 s or a second has gone,
 * since whoever writes it was interrupted too and has last words. */
ssize_t read_some(int fd, void *p, size_t n);
/* Whether a read would wait now. */
bool read_waits(int fd);

#endif
