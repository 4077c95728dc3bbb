/*
 * An output that appears whole or not at all. Its octets go to a file beside the name; a process of its own, the keeper,
 * makes that file, and puts it in its place when asked. The program itself needs no path, so it can give up all of them
 * (confine.h), and however it ends, killed or crashed, the keeper takes away what isn't finished.
 */
#ifndef TC_OUTFILE_H
#define TC_OUTFILE_H

#include <sys/types.h>

struct outfile {
	int fd;
	int keeper; /* a socket to it; -1 where there is none */
	pid_t pid;
	struct outfile *next; /* of those that an exit must discard */
};

/*
 * With a path, written beside it. What is there and is no regular file, such as a device, is written into. NULL, "-" and a
 * link such as /dev/stdout are standard output; for NULL a terminal is refused. 0, or -1 with errno (ENOTTY: the terminal). To be called
 * before there are threads.
 */
int outfile_open(struct outfile *f, const char *path);
/* The same, readable for its owner alone. */
int outfile_open_secret(struct outfile *f, const char *path);
/* Puts the file in its place, and begins another. 0 or -1 with errno. */
int outfile_renew(struct outfile *f);
/* Puts the file in its place. 0 or -1 with errno. */
int outfile_commit(struct outfile *f);
/* Forgets what was written to a file; standard output keeps what it has. */
void outfile_discard(struct outfile *f);

#endif
