#include "process/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __i386__
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __arm__
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined __s390x__
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZER
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER
#endif
#endif

#if defined SANITIZER

/* A sanitizer opens files, traces its own process and runs a program when it reports: it can't be confined. */
int
confine(void)
{
	return 0;
}

#elif !defined ARCHITECTURE || !defined __NR_seccomp

int
confine(void)
{
	errno = ENOSYS;
	return -1;
}

#else

#define ALLOW	SECCOMP_RET_ALLOW
#define KILL	SECCOMP_RET_KILL_PROCESS
#define FAIL(e) (SECCOMP_RET_ERRNO | (e))

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
#define YES(call)			   {__NR_##call, ALLOW, 0, 0, 0}
#define WHERE(call, argument, mask, value) {__NR_##call, ALLOW, argument, mask, value}
#define DEATH(call)			   {__NR_##call, KILL, 0, 0, 0}

/*
 * What isn't here is refused with EPERM, above all any call that takes a path: a library that looks whether it may use
 * something lives on without. What no library of ours does, but whoever took over the program wants first, ends it.
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
#if defined __s390x__ /* its arguments stand in memory, out of sight */
    YES(mmap),
#elif defined __NR_mmap2
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
    {__NR_clone3, FAIL(ENOSYS), 0, 0, 0},
    WHERE(clone, CLONE_ARGUMENT, CLONE_THREAD, CLONE_THREAD),
    YES(futex),
    YES(set_robust_list),
#ifdef __NR_rseq
    YES(rseq),
#endif
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
#ifdef __NR_newfstatat
    YES(newfstatat),
#endif
#ifdef __NR_poll
    YES(poll),
#endif
    /* where a long has 32 bits */
#ifdef __NR_mmap2
    YES(_llseek),
    YES(fstat64),
    YES(fstatat64),
    YES(sigreturn),
#endif
#ifdef __NR_clock_gettime64
    YES(clock_gettime64),
    YES(futex_time64),
    YES(ppoll_time64),
#endif
    /* an intruder's */
    DEATH(execve),
    DEATH(execveat),
    DEATH(socket),
#ifdef __NR_socketcall
    DEATH(socketcall),
#endif
    DEATH(ptrace),
};

#define COUNT ((int)(sizeof rules / sizeof *rules))
#define INSTRUCTIONS (4 + 6 * COUNT + 1)

/* The low half of an argument, of which no rule needs more. */
static uint32_t
low_half(int argument)
{
	uint32_t at = offsetof(struct seccomp_data, args) + 8 * argument;

	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? at + 4 : at;
}

/* One rule in the kernel's BPF; the number of the call is loaded. Returns where the next one goes. */
static struct sock_filter *
put_rule(struct sock_filter *at, const struct rule *r)
{
	if (!r->mask) {
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->call, 0, 1);
		*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, r->result);
		return at;
	}
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->call, 0, 5);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_half(r->argument));
	*at++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask);
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, r->result);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FAIL(EPERM));
	return at;
}

int
confine(void)
{
	struct sock_filter code[INSTRUCTIONS], *at = code;

	/* The numbers are those of one architecture; a kernel may serve several. */
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, KILL);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < COUNT; i++)
		at = put_rule(at, &rules[i]);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FAIL(EPERM));

	struct sock_fprog program = {.len = at - code, .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	long r = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (r > 0) /* a thread that has other filters */
		errno = EBUSY;
	return r ? -1 : 0;
}

#endif
