#include "process/jobs.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

bool jobs_clock;
struct jobs_took jobs_took;

/* Blocks are counted as they are given: block i has place i % blocks. */
struct jobs {
	struct jobs_of of;
	unsigned blocks, threads, last; /* last: among the threads */
	size_t size;
	char *block;
	pthread_mutex_t lock;
	pthread_cond_t change;
	/* under the lock */
	uint64_t given, begun, finished;
	bool *worked; /* by places */
	bool finishing, failed, over;
	struct thread {
		struct jobs *jobs;
		unsigned who;
		pthread_t id;
	} thread[];
};

static void *
block_at(const struct jobs *j, uint64_t i)
{
	return j->block + i % j->blocks * j->size;
}

/* Processor seconds of this thread, 0 where nobody wants to know. */
static double
now(void)
{
	struct timespec t = {0};

	if (jobs_clock)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
finish_next(struct jobs *j)
{
	bool failed = j->failed;

	j->finishing = true;
	pthread_mutex_unlock(&j->lock);
	double start = now();
	failed = failed || j->of.finish(j->of.arg, block_at(j, j->finished)) < 0;
	double took = now() - start;
	pthread_mutex_lock(&j->lock);
	*(j->of.work ? &jobs_took.finish : &jobs_took.work) += took;
	j->finishing = false;
	j->failed = failed;
	j->finished++;
}

static void
work_on_next(struct jobs *j, unsigned who)
{
	uint64_t i = j->begun++;

	pthread_mutex_unlock(&j->lock);
	double start = now();
	j->of.work(j->of.arg, block_at(j, i), who);
	double took = now() - start;
	pthread_mutex_lock(&j->lock);
	jobs_took.work += took;
	j->worked[i % j->blocks] = true;
}

/* Without work before it, finishing is the last thread's alone: what it goes on from stays in one core's cache. */
static bool
can_finish(const struct jobs *j, unsigned who)
{
	if (j->finishing || j->finished == j->given)
		return false;
	return j->of.work ? j->worked[j->finished % j->blocks] : who == j->last;
}

/* What can be done, the oldest first. Where there is nothing, waits for a change. With the lock. */
static void
help(struct jobs *j, unsigned who)
{
	if (can_finish(j, who))
		finish_next(j);
	else if (j->of.work && j->begun < j->given)
		work_on_next(j, who);
	else {
		pthread_cond_wait(&j->change, &j->lock);
		return;
	}
	pthread_cond_broadcast(&j->change);
}

static void *
help_always(void *arg)
{
	struct thread *t = arg;
	struct jobs *j = t->jobs;

	pthread_mutex_lock(&j->lock);
	while (!j->over)
		help(j, t->who);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* Signals that are a user's wishes are the caller's, whose reads they break off. */
static int
start_threads(struct jobs *j, unsigned threads)
{
	sigset_t wishes, before;
	int r = 0;

	sigemptyset(&wishes);
	sigaddset(&wishes, SIGINT);
	sigaddset(&wishes, SIGTERM);
	sigaddset(&wishes, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &wishes, &before);
	while (r == 0 && j->threads < threads) {
		struct thread *t = &j->thread[j->threads];
		*t = (struct thread){.jobs = j, .who = j->threads};
		if ((r = pthread_create(&t->id, NULL, help_always, t)) == 0)
			j->threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? -1 : 0;
}

/* Some for each thread, so that none waits for the one that writes. */
#define BLOCKS_EACH 4

struct jobs *
jobs_new(const struct jobs_of *of, unsigned threads, unsigned most, size_t size)
{
	if (!of->work && threads > 2)
		threads = 2;
	unsigned blocks = threads == 1 ? 1 : most < BLOCKS_EACH * threads ? most : BLOCKS_EACH * threads;
	struct jobs *j = calloc(1, sizeof *j + threads * sizeof *j->thread);

	if (!j)
		return NULL;
	*j = (struct jobs){.of = *of, .blocks = blocks, .threads = 1, .last = threads - 1, .size = size, .lock = PTHREAD_MUTEX_INITIALIZER,
			   .change = PTHREAD_COND_INITIALIZER};
	j->block = calloc(blocks, size);
	j->worked = calloc(blocks, sizeof *j->worked);
	if (j->block && j->worked && start_threads(j, threads) == 0)
		return j;
	jobs_free(j);
	return NULL;
}

void
jobs_free(struct jobs *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->over = true;
	pthread_cond_broadcast(&j->change);
	pthread_mutex_unlock(&j->lock);
	for (unsigned i = 1; i < j->threads; i++)
		pthread_join(j->thread[i].id, NULL);
	free(j->block);
	free(j->worked);
	free(j);
}

void *
jobs_take(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	while (j->given - j->finished == j->blocks)
		help(j, 0);
	pthread_mutex_unlock(&j->lock);
	return block_at(j, j->given);
}

int
jobs_give(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->worked[j->given % j->blocks] = false;
	j->given++;
	pthread_cond_broadcast(&j->change);
	bool failed = j->failed;
	pthread_mutex_unlock(&j->lock);
	return failed ? -1 : 0;
}

int
jobs_wait(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	while (j->finished < j->given)
		help(j, 0);
	bool failed = j->failed;
	pthread_mutex_unlock(&j->lock);
	return failed ? -1 : 0;
}

/* How many there are for this process. */
static unsigned
processors(void)
{
#ifdef __linux__
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
#else
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? n : 1;
#endif
}

unsigned
jobs_threads(unsigned n)
{
	if (n == 0)
		n = processors();
	return n < JOBS_MAX ? n : JOBS_MAX;
}
