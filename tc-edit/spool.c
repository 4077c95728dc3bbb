#include "spool.h"

#include "process/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1 << 16)

int
spool_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
spool_new(void)
{
#ifdef __linux__
	return memfd_create("spool", MFD_CLOEXEC);
#else
	char name[] = "/tmp/tc-edit.XXXXXX";
	int fd = mkstemp(name);

	if (fd >= 0)
		unlink(name);
	return fd;
#endif
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

int
spool_again(int fd)
{
	char path[40];
	off_t at = lseek(fd, 0, SEEK_CUR);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = at < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (again >= 0 && lseek(again, at, SEEK_SET) < 0) {
		close(again);
		return -1;
	}
	return again;
}
