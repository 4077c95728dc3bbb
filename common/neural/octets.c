#include "neural/octets.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void
octets_hash(const uint8_t *p, size_t n, uint8_t *hash)
{
	SHA2_CTX c;

	SHA256Init(&c);
	SHA256Update(&c, p, n);
	SHA256Final(hash, &c);
}

/* From an open file: NULL with errno. */
static uint8_t *
read_all(int fd, size_t limit, size_t *n)
{
	struct stat st;
	ssize_t got = 1;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	uint8_t *p = malloc(st.st_size + 1);
	for (*n = 0; p && *n < (size_t)st.st_size && (got = read(fd, p + *n, st.st_size - *n)) > 0;)
		*n += got;
	if (p && got < 0) {
		int why = errno;
		free(p);
		errno = why;
		return NULL;
	}
	return p;
}

uint8_t *
octets_read(const char *path, size_t limit, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	uint8_t *p = read_all(fd, limit, n);
	int why = errno;
	close(fd);
	errno = why;
	return p;
}
