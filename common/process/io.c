#include "process/io.h"

#include "process/progress.h"
#include "support/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t io_interrupted;
static bool ends_by_sigpipe; /* unless whoever began the program had it ignored */

static void
on_signal(int number)
{
	io_interrupted = number;
}

static void
on_status(int number)
{
	(void)number;
	progress_want();
}

void
io_start(void)
{
	/* No SA_RESTART: a read that waits must return. */
	struct sigaction stop = {.sa_handler = on_signal}, status = {.sa_handler = on_status},
			 ignore = {.sa_handler = SIG_IGN}, before;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, &before);
	ends_by_sigpipe = before.sa_handler == SIG_DFL;
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGUSR1, &status, NULL);
#ifdef SIGINFO
	sigaction(SIGINFO, &status, NULL);
#endif
	/* A file that is opened must not become a standard stream. Opened for the other direction, so
	 * that its use fails. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

const char *
io_name(const char *path, const char *standard)
{
	return path && strcmp(path, "-") ? path : standard;
}

int
io_open(const char *path)
{
	return strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
}

bool
io_number(const char *text, uint64_t low, uint64_t high, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && *v >= low && *v <= high;
}

/*
 * A write whose reader has gone: by SIGPIPE, as of any filter, so that nothing is said of what somebody wanted. The signal
 * is ignored till then, since not all that is written is output: a keeper that was killed is an error, and a line of
 * progress may have to go first.
 */
static ssize_t
write_as_filter(int fd, const void *p, size_t n)
{
	ssize_t w = write(fd, p, n);

	if (w >= 0 || errno != EPIPE || !ends_by_sigpipe)
		return w;
	progress_clear();
	signal(SIGPIPE, SIG_DFL);
	w = write(fd, p, n); /* the program goes on only where another reader came */
	int error = errno;
	signal(SIGPIPE, SIG_IGN);
	errno = error;
	return w;
}

int
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		progress_tick();
		ssize_t w = write_as_filter(fd, at, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		at += w;
		n -= w;
	}
	return 0;
}

static ssize_t
stream_write_octets(void *cookie, const char *p, size_t n)
{
	return write_all((intptr_t)cookie, p, n) < 0 ? 0 : (ssize_t)n;
}

static int
stream_close(void *cookie)
{
	return close((intptr_t)cookie);
}

FILE *
io_stream(int fd)
{
	cookie_io_functions_t functions = {.write = stream_write_octets, .close = stream_close};

	return fd < 0 ? NULL : fopencookie((void *)(intptr_t)fd, "w", functions);
}

/* Whether more may be read after an interrupt. */
static bool
last_words(int fd)
{
	static struct timespec first;
	struct timespec now;
	struct stat st;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!first.tv_sec)
		first = now;
	if (now.tv_sec - first.tv_sec > 1)
		return false;
	return poll(&p, 1, 200) > 0;
}

ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t r;

	do {
		if (io_interrupted && !last_words(fd))
			return 0;
		progress_tick();
		r = read(fd, p, n);
	} while (r < 0 && errno == EINTR);
	return r;
}

bool
read_waits(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}
