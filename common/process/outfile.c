#include "process/outfile.h"

#include "support/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What no program here runs needs to be closed for it. */
#ifdef __linux__
#define PAIR	(SOCK_SEQPACKET | SOCK_CLOEXEC)
#define RECEIVE MSG_CMSG_CLOEXEC
#else
#define PAIR	SOCK_STREAM
#define RECEIVE 0
#endif

/* What the keeper is asked for. It answers with errno, and a descriptor where there is one. */
enum { BEGIN = 'b', PLACE = 'p' };

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static ssize_t
answer(int error, int fd)
{
	union control c = {.head = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec v = {&error, sizeof error};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = &c;
		m.msg_controllen = sizeof c;
		memcpy(CMSG_DATA(&c.head), &fd, sizeof fd);
	}
	return sendmsg(STDIN_FILENO, &m, 0);
}

/* 0 and a descriptor, if one came; -1 with the keeper's errno. */
static int
ask(const struct outfile *f, char what, int *fd)
{
	union control c;
	int error = 0;
	struct iovec v = {&error, sizeof error};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
	ssize_t n;

	while ((n = write(f->keeper, &what, 1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return -1;
	while ((n = recvmsg(f->keeper, &m, RECEIVE)) < 0 && errno == EINTR)
		;
	if (n == 0) /* somebody killed it */
		errno = EPIPE;
	if (n <= 0)
		return -1;
	if (!error && fd && !CMSG_FIRSTHDR(&m)) /* it came, but there was no number left for it */
		error = EMFILE;
	else if (!error && fd)
		memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof *fd);
	errno = error;
	return error ? -1 : 0;
}

static int
begin(const char *path, char *temp, size_t n, bool secret)
{
	int fd;

	snprintf(temp, n, "%s.XXXXXX", path);
	if ((fd = mkstemp(temp)) < 0)
		return -1;
	/* mkstemp makes it for the owner alone; most outputs are as readable as any other file. */
	if (secret)
		return fd;
	mode_t mask = umask(0);
	umask(mask);
	if (fchmod(fd, 0666 & ~mask) == 0)
		return fd;
	close(fd);
	unlink(temp);
	return -1;
}

/* Does what it is asked until the program has ended. */
static void __attribute__((noreturn))
keep(int socket, const char *path, char *temp, size_t n, bool secret)
{
	sigset_t all;
	bool begun = false;
	char what;

	/* What ends the program, or its group, must not end its keeper; nor must a pkill by its name. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
#ifdef __linux__
	prctl(PR_SET_NAME, "tc-keeper");
#endif
	dup2(socket, STDIN_FILENO);
	closefrom(STDIN_FILENO + 1);
	while (read(STDIN_FILENO, &what, 1) == 1) {
		int fd = -1, error = 0;
		if (what == BEGIN) {
			begun = (fd = begin(path, temp, n, secret)) >= 0;
			error = begun ? 0 : errno;
		} else if (rename(temp, path) == 0) {
			begun = false;
		} else {
			error = errno;
		}
		answer(error, fd);
		if (fd >= 0)
			close(fd);
	}
	if (begun)
		unlink(temp);
	_exit(0);
}

/* What an early exit must not leave behind. */
static struct outfile *unfinished;

static void
discard_unfinished(void)
{
	while (unfinished)
		outfile_discard(unfinished);
}

static int
start_keeper(struct outfile *f, const char *path, bool secret)
{
	size_t n = strlen(path) + sizeof ".XXXXXX";
	char *temp = malloc(n);
	int pair[2];

	if (!temp)
		return -1;
	if (socketpair(AF_UNIX, PAIR, 0, pair) < 0) {
		free(temp);
		return -1;
	}
	f->pid = fork();
	if (f->pid == 0)
		keep(pair[1], path, temp, n, secret);
	free(temp);
	close(pair[1]);
	if (f->pid < 0) {
		close(pair[0]);
		return -1;
	}
	f->keeper = pair[0];
	if (!unfinished)
		atexit(discard_unfinished);
	f->next = unfinished;
	unfinished = f;
	return 0;
}

/* The keeper goes, and takes with it what has no place yet. */
static void
end_keeper(struct outfile *f)
{
	struct outfile **at = &unfinished;

	if (f->keeper < 0)
		return;
	close(f->keeper);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		;
	f->keeper = -1;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

/* Whether a path, such as /proc/self/fd/1, leads to where output goes by default. */
static bool
is_standard_output(const struct stat *st)
{
	struct stat out;

	return fstat(STDOUT_FILENO, &out) == 0 && st->st_dev == out.st_dev && st->st_ino == out.st_ino;
}

static int
open_it(struct outfile *f, const char *path, bool secret)
{
	struct stat st, link;

	*f = (struct outfile){.fd = STDOUT_FILENO, .keeper = -1};
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
	if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && stat(path, &st) == 0 && is_standard_output(&st))
		return 0;
	if (start_keeper(f, path, secret) < 0)
		return -1;
	if (ask(f, BEGIN, &f->fd) == 0)
		return 0;
	int error = errno;
	end_keeper(f);
	errno = error;
	return -1;
}

int
outfile_open(struct outfile *f, const char *path)
{
	return open_it(f, path, false);
}

int
outfile_open_secret(struct outfile *f, const char *path)
{
	return open_it(f, path, true);
}

/* Closes the file, and has it put in its place. */
static int
place(struct outfile *f)
{
	int r = f->fd < 0 ? 0 : close(f->fd);

	f->fd = -1;
	return r == 0 && f->keeper >= 0 ? ask(f, PLACE, NULL) : r;
}

int
outfile_renew(struct outfile *f)
{
	if (f->keeper < 0) /* a device goes on */
		return 0;
	return place(f) < 0 || ask(f, BEGIN, &f->fd) < 0 ? -1 : 0;
}

int
outfile_commit(struct outfile *f)
{
	int r = place(f), error = errno;

	end_keeper(f);
	errno = error;
	return r;
}

void
outfile_discard(struct outfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	end_keeper(f);
}
