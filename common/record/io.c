#include "record/io.h"

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

static void
on_signal(int number)
{
	io_interrupted = number;
}

void
io_start(void)
{
	/* No SA_RESTART: a read that waits must return. */
	struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
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

bool
io_number(const char *text, uint64_t low, uint64_t high, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && *v >= low && *v <= high;
}

/* What an early exit must not leave behind. */
static char *unfinished;

static void
remove_unfinished(void)
{
	if (unfinished)
		unlink(unfinished);
}

int
outfile_open(struct outfile *f, const char *path)
{
	struct stat st;
	size_t n;

	*f = (struct outfile){.fd = STDOUT_FILENO};
	if (!path && isatty(STDOUT_FILENO)) {
		errno = ENOTTY;
		return -1;
	}
	if (!path || !strcmp(path, "-"))
		return 0;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		f->fd = open(path, O_WRONLY | O_CLOEXEC);
		return f->fd < 0 ? -1 : 0;
	}
	n = strlen(path) + sizeof ".XXXXXX";
	if (!(f->path = strdup(path)) || !(f->temp = malloc(n)))
		return -1;
	snprintf(f->temp, n, "%s.XXXXXX", path);
	if ((f->fd = mkstemp(f->temp)) < 0)
		return -1;
	unfinished = f->temp;
	atexit(remove_unfinished);
	/* mkstemp makes it for the owner alone; an output is as readable as any other file. */
	mode_t mask = umask(0);
	umask(mask);
	return fchmod(f->fd, 0666 & ~mask);
}

static void
forget(struct outfile *f)
{
	unfinished = NULL;
	free(f->temp);
	free(f->path);
	f->temp = f->path = NULL;
	f->fd = -1;
}

int
outfile_commit(struct outfile *f)
{
	int r = f->fd < 0 ? 0 : close(f->fd);

	if (f->temp) {
		if (r == 0)
			r = rename(f->temp, f->path);
		if (r)
			unlink(f->temp);
	}
	forget(f);
	return r;
}

void
outfile_discard(struct outfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->temp)
		unlink(f->temp);
	forget(f);
}

int
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = write(fd, at, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		at += w;
		n -= w;
	}
	return 0;
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
		r = read(fd, p, n);
	} while (r < 0 && errno == EINTR);
	return r;
}

/* Eight octets a step: table[k][b] is the CRC of octet b followed by k zero octets. */
uint32_t
crc32_update(uint32_t crc, const void *p, size_t n)
{
	static uint32_t table[8][256];
	const uint8_t *at = p;

	if (!table[0][1]) {
		for (uint32_t b = 0; b < 256; b++) {
			uint32_t c = b;
			for (int k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
			table[0][b] = c;
		}
		for (int k = 1; k < 8; k++)
			for (int b = 0; b < 256; b++) {
				uint32_t c = table[k - 1][b];
				table[k][b] = c >> 8 ^ table[0][c & 255];
			}
	}
	crc = ~crc;
	for (; n >= 8; n -= 8, at += 8) {
		crc ^= at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
		crc = table[7][crc & 255] ^ table[6][crc >> 8 & 255] ^ table[5][crc >> 16 & 255] ^
		      table[4][crc >> 24] ^ table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^
		      table[0][at[7]];
	}
	while (n--)
		crc = crc >> 8 ^ table[0][(crc ^ *at++) & 255];
	return ~crc;
}
