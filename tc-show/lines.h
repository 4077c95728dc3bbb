/* Lines of a descriptor, without waiting while something is ready to be passed on. */
#ifndef TC_LINES_H
#define TC_LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINE_MAX_OCTETS (1 << 20)

struct lines {
	int fd;
	char *buf;
	size_t at, n, size;
	uint64_t number; /* of the last line */
	int (*before_wait)(void *);
	void *arg;
};

/* The next line without its end, until the next call: 1, 0 at the end, -1 with errno (EMSGSIZE:
 * longer than LINE_MAX_OCTETS). */
int lines_next(struct lines *l, char **line);
void lines_free(struct lines *l);

#endif
