#include "spool.h"

#include "process/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1 << 16)

bool
spool_is_file(int fd, const char *path)
{
	struct stat st;

#ifndef __linux__ /* where a descriptor can't be opened again */
	if (!path)
		return false;
#else
	(void)path;
#endif
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
spool_new(char **path)
{
	*path = NULL;
#ifdef __linux__
	return memfd_create("spool", MFD_CLOEXEC);
#else
	if (!(*path = strdup("/tmp/tc-edit-XXXXXX")))
		return -1;
	return mkstemp(*path);
#endif
}

void
spool_hide(char *path)
{
	if (path)
		unlink(path);
	free(path);
}

int
spool_fill(int memory, int fd, uint64_t most)
{
	char piece[PIECE];
	uint64_t all = 0;
	ssize_t got;

	while ((got = read_some(fd, piece, sizeof piece)) > 0) {
		if ((all += got) > most) {
			errno = EFBIG;
			return -1;
		}
		if (write_all(memory, piece, got) < 0)
			return -1;
	}
	return got < 0 || lseek(memory, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int
open_again(int fd, const char *path)
{
#ifdef __linux__
	char link[40];

	(void)path; /* another file may have it by now */
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return open(link, O_RDONLY | O_CLOEXEC);
#else
	(void)fd;
	return open(path, O_RDONLY | O_CLOEXEC);
#endif
}

int
spool_again(int fd, const char *path)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	int again = at < 0 ? -1 : open_again(fd, path);

	if (again >= 0 && lseek(again, at, SEEK_SET) < 0) {
		close(again);
		return -1;
	}
	return again;
}
