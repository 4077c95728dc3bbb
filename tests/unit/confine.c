/*
 * confine CALL ...          processes that confine themselves as the programs do, and then try each a call; what came of it:
 *                           "ok", the name of the error, or that of the signal
 * confine free CALL ...     the same unconfined
 * confine without PROGRAM   runs a program where the kernel seems to know nothing of confinement
 */
#include "process/confine.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What was there before. */
static int file, udp, listening, terminal;
static void *page;

static void *
nothing(void *arg)
{
	return arg;
}

static int
thread(void)
{
	pthread_t t;

	errno = pthread_create(&t, NULL, nothing, NULL);
	return errno || pthread_join(t, NULL) ? -1 : 0;
}

/* As often as a program may: threads bring arenas of their own, large blocks come by mmap() and grow by mremap(). */
static int
memory(void)
{
	for (size_t n = 1; n < 1 << 26; n *= 2) {
		char *p = malloc(n), *more = p ? realloc(p, 2 * n) : NULL;
		if (!more)
			return -1;
		memset(more, 1, 2 * n);
		free(more);
	}
	return 0;
}

static int
connect_to(int fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return connect(fd, (struct sockaddr *)&a, sizeof a);
}

static int
send_to(int fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof a);
}

/* In a program that runs, memory may neither become code, nor come as code. */
static int
code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
run(const char *call)
{
	static char *const program[] = {"true", NULL};
	char octet = 0;
	struct stat st;
	struct rlimit limit;
	int r = -2;

#define CALL(name, expression)                                                                     \
	if (!strcmp(call, #name))                                                                  \
	r = (expression)
	CALL(read, read(file, &octet, 1));
	CALL(write, write(STDERR_FILENO, "", 0));
	CALL(lseek, lseek(file, 0, SEEK_CUR));
	CALL(fstat, fstat(file, &st));
	CALL(thread, thread());
	CALL(memory, memory());
	CALL(limit, setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}));
	CALL(others_limit, prlimit(getppid(), RLIMIT_CORE, NULL, &limit));
	CALL(open, open("/etc/passwd", O_RDONLY));
	CALL(create, open("file", O_WRONLY | O_CREAT, 0600));
	CALL(openat2, syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &(uint64_t[3]){O_RDONLY}, 24));
	CALL(unlink, unlink("file"));
	CALL(rename, rename("file", "other"));
	CALL(link, link("file", "other"));
	CALL(mkdir, mkdir("file", 0700));
	CALL(chmod, chmod("file", 0700));
	CALL(fchmod, fchmod(file, 0700));
	CALL(truncate, ftruncate(file, 0));
	CALL(chdir, chdir("/"));
	CALL(mount, syscall(SYS_mount, "a", "/", "b", 0, 0));
	CALL(readlink, readlink("/proc/self/exe", &octet, 1));
	CALL(socket, socket(AF_INET, SOCK_STREAM, 0));
	CALL(socketpair, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
	CALL(connect, connect_to(udp));
	CALL(sendto, send_to(udp));
	CALL(accept, accept(listening, NULL, NULL));
	CALL(execve, execv("/bin/true", program));
	CALL(execveat, syscall(SYS_execveat, file, "", program, NULL, AT_EMPTY_PATH));
	CALL(fork, fork());
	CALL(vfork, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	CALL(kill, kill(getppid(), 0));
	CALL(ptrace, ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	CALL(peek, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
	CALL(setuid, setuid(65534));
	CALL(code, code());
	CALL(mprotect, mprotect(page, 4096, PROT_READ | PROT_EXEC));
	CALL(keys, ioctl(terminal, TIOCSTI, &octet));
	CALL(bpf, syscall(SYS_bpf, 0, NULL, 0));
	CALL(io_uring, syscall(SYS_io_uring_setup, 1, NULL));
	CALL(seccomp, syscall(SYS_seccomp, 0, 0, NULL));
#undef CALL
	if (r == -2)
		errx(2, "%s: no such call", call);
	return r;
}

/* A kernel that doesn't know seccomp(), to all that comes. */
static void
without(char **program)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog filter = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		err(2, "seccomp");
	execvp(*program, program);
	err(2, "%s", *program);
}

int
main(int argc, char **argv)
{
	bool free = argc > 1 && !strcmp(argv[1], "free");

	if (argc > 2 && !strcmp(argv[1], "without"))
		without(argv + 2);
	file = open("/bin/true", O_RDONLY);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	terminal = open("/dev/tty", O_RDWR);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (argc < 2 || file < 0 || udp < 0 || listening < 0 || page == MAP_FAILED)
		errx(2, "usage: confine [free] CALL ... | without PROGRAM ...");
	for (int i = 1 + free; i < argc; i++) {
		int status;
		fflush(stdout);
		if (fork() == 0) {
			if (!free && confine() < 0)
				err(2, "confine");
			_exit(run(argv[i]) < 0 ? errno : 0);
		}
		wait(&status);
		printf("%s %s\n", argv[i],
		       WIFSIGNALED(status)	     ? sigabbrev_np(WTERMSIG(status))
		       : WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status))
					     : "ok");
	}
	return 0;
}
