#include "process/confine.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZER
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER
#endif
#endif

#if defined SANITIZER || !defined __linux__

/* A sanitizer opens files, traces its own process and runs a program when it reports: it can't be confined. Other systems
 * than Linux have ways of their own. */
int
confine(void)
{
	return 0;
}

#else

#include <seccomp.h>

#ifdef __s390x__
#define CLONE_ARGUMENT 1
#else
#define CLONE_ARGUMENT 0
#endif

/* What comes of a call; with a mask, only where the argument's bits under it are `value`, else it is refused. */
struct rule {
	int call;
	uint32_t result;
	int argument;
	uint32_t mask, value;
};
#define YES(call)			   {SCMP_SYS(call), SCMP_ACT_ALLOW, 0, 0, 0}
#define WHERE(call, argument, mask, value) {SCMP_SYS(call), SCMP_ACT_ALLOW, argument, mask, value}
#define DEATH(call)			   {SCMP_SYS(call), SCMP_ACT_KILL_PROCESS, 0, 0, 0}

/*
 * What isn't here is refused with EPERM, above all any call that takes a path: a library that looks whether it may use
 * something lives on without. What no library of ours does, but whoever took over the program wants first, ends it. Of
 * what a machine's kernel doesn't have libseccomp makes nothing.
 */
static const struct rule rules[] = {
    /* what is open */
    YES(read),
    YES(write),
    YES(readv),
    YES(writev),
    YES(lseek),
    YES(close),
    YES(dup),
    YES(recvmsg), /* the keeper's answers: outfile.c */
    YES(statx),   /* glibc's fstat() is any of these */
    YES(fstat),
    YES(ppoll),
    WHERE(ioctl, 1, UINT32_MAX, TCGETS), /* isatty() */
    /* memory, in which nothing becomes a program */
    YES(brk),
    YES(munmap),
    YES(mremap),
    YES(madvise),
    YES(mbind),
    WHERE(mprotect, 2, PROT_EXEC, 0),
#ifdef __s390x__ /* its arguments stand in memory, out of sight */
    YES(mmap),
#elif defined __NR_mmap2 /* mmap() is the same there */
    WHERE(mmap2, 2, PROT_EXEC, 0),
#else
    WHERE(mmap, 2, PROT_EXEC, 0),
#endif
    /* time, chance, signals */
    YES(clock_gettime),
    YES(clock_nanosleep),
    YES(nanosleep),
    YES(restart_syscall),
    YES(getrandom),
    YES(rt_sigaction),
    YES(rt_sigprocmask),
    YES(rt_sigreturn),
    YES(sigaltstack),
    /* threads, which are no new processes; where clone3() is unknown, the C library takes clone() */
    {SCMP_SYS(clone3), SCMP_ACT_ERRNO(ENOSYS), 0, 0, 0},
    WHERE(clone, CLONE_ARGUMENT, CLONE_THREAD, CLONE_THREAD),
    YES(futex),
    YES(set_robust_list),
    YES(rseq),
    YES(sched_yield),
    YES(sched_getaffinity),
    YES(getpid),
    YES(gettid),
    YES(sysinfo),
    YES(wait4),
    WHERE(prlimit64, 0, UINT32_MAX, 0), /* its own: unpack.c */
    YES(exit),
    YES(exit_group),
    /* older ways to say the same */
    YES(newfstatat),
    YES(poll),
    /* where a long has 32 bits */
    YES(_llseek),
    YES(fstat64),
    YES(fstatat64),
    YES(sigreturn),
    YES(clock_gettime64),
    YES(futex_time64),
    YES(ppoll_time64),
    /* an intruder's */
    DEATH(execve),
    DEATH(execveat),
    DEATH(socket),
    DEATH(ptrace),
};


static int
add(scmp_filter_ctx c, const struct rule *r)
{
	if (!r->mask)
		return seccomp_rule_add_array(c, r->result, r->call, 0, NULL);
	return seccomp_rule_add(c, r->result, r->call, 1, SCMP_CMP(r->argument, SCMP_CMP_MASKED_EQ, r->mask, r->value));
}

int
confine(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = c ? 0 : -ENOMEM;

	/* For all threads, which needs a kernel that knows seccomp(2). */
	if (!r && (r = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1)) == -EOPNOTSUPP)
		r = -ENOSYS;
	if (!r)
		r = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (unsigned i = 0; i < sizeof rules / sizeof *rules && !r; i++)
		r = add(c, &rules[i]);
	if (!r)
		r = seccomp_load(c);
	seccomp_release(c);
	errno = -r;
	return r ? -1 : 0;
}

#endif
