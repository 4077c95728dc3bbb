#include "lines.h"

#include "process/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More octets behind those at hand: 1, 0 at the end, -1. */
static int
refill(struct lines *l)
{
	if (l->at)
		memmove(l->buf, l->buf + l->at, l->n - l->at);
	l->n -= l->at;
	l->at = 0;
	if (l->size - l->n < 2) {
		size_t more = l->size ? l->size * 2 : 1 << 16;
		char *buf = more > 2 * LINE_MAX_OCTETS ? NULL : realloc(l->buf, more);
		if (!buf) {
			errno = more > 2 * LINE_MAX_OCTETS ? EMSGSIZE : ENOMEM;
			return -1;
		}
		l->buf = buf;
		l->size = more;
	}
	if (l->before_wait(l->arg) < 0)
		return -1;
	ssize_t got = read_some(l->fd, l->buf + l->n, l->size - l->n - 1);
	if (got > 0)
		l->n += got;
	return got < 0 ? -1 : got > 0;
}

int
lines_next(struct lines *l, char **line)
{
	char *end;
	int more;

	if (!l->buf && (more = refill(l)) <= 0)
		return more;
	while (!(end = memchr(l->buf + l->at, '\n', l->n - l->at))) {
		if ((more = refill(l)) < 0)
			return -1;
		if (more)
			continue;
		if (l->at == l->n)
			return 0;
		end = l->buf + l->n++; /* the last line has no end; there is room for one */
		break;
	}
	*end = '\0';
	*line = l->buf + l->at;
	l->at = end + 1 - l->buf;
	l->number++;
	return 1;
}

void
lines_free(struct lines *l)
{
	free(l->buf);
	l->buf = NULL;
}
