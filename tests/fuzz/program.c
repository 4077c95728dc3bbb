#include "program.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

jmp_buf program_gone;
static struct outcome *outcome;
static int in_fd = -1, out_fd, first_fd; /* the first that a program opens itself */

struct octets found_in;

/* At any abort, a signal of the hardware, an alarm: what was read then is kept. */
static void
keep(int number)
{
	int fd = open("build/found", O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (write(fd, found_in.p, found_in.n) != (ssize_t)found_in.n)
		_exit(2);
	signal(number, SIG_DFL);
	raise(number);
}

void
found_keep(void)
{
	static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM};

	for (int i = 0; i < 5; i++)
		signal(numbers[i], keep);
}

void
found(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

static void
fill(int fd, struct octets in)
{
	if (ftruncate(fd, 0) < 0 || pwrite(fd, in.p, in.n, 0) != (ssize_t)in.n ||
	    lseek(fd, 0, SEEK_SET) < 0)
		found("no room for %zu octets", in.n);
}

int
octets_open(struct octets in)
{
	int fd = memfd_create("octets", MFD_CLOEXEC);

	fill(fd, in);
	return fd;
}

struct octets
octets_of(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	uint8_t *p = malloc(n + 1);

	if (!p || pread(fd, p, n, 0) != n)
		found("what was written can't be read");
	return (struct octets){p, n};
}

void
program_enter(struct octets in, struct outcome *o)
{
	outcome = o;
	*o = (struct outcome){0};
	if (in_fd < 0) {
		in_fd = memfd_create("in", 0);
		out_fd = memfd_create("out", 0);
		first_fd = memfd_create("first", 0);
	}
	dup2(in_fd, STDIN_FILENO); /* each time: tc-diff closes its standard output */
	dup2(out_fd, STDOUT_FILENO);
	fill(in_fd, in);
	fill(out_fd, (struct octets){(const uint8_t *)"", 0});
}

void
program_left(int status, bool trouble)
{
	outcome->status = status;
	outcome->out = octets_of(out_fd);
	close_range(first_fd, UINT_MAX, 0);
	/* Trouble is said; all else, where quiet was asked for, is not. */
	if (trouble != (outcome->lines > 0))
		found("exit status %d with %u lines, the last: %s", status, outcome->lines, outcome->said);
}

void
outcome_free(struct outcome *o)
{
	free((void *)o->out.p);
	o->out.p = NULL;
}

void
program_say(const char *format, ...)
{
	va_list ap;

	outcome->lines++;
	va_start(ap, format);
	if (format)
		vsnprintf(outcome->said, sizeof outcome->said, format, ap);
	va_end(ap);
}

void
program_leave(int status)
{
	longjmp(program_gone, 1 + status);
}
