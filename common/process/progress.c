#include "process/progress.h"

#include "support/portable.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EVERY 0.5 /* seconds between lines */

static struct {
	int fd;
	const char *name, *unit;
	const uint64_t *packets; /* what is counted; NULL: nothing goes on */
	const uint64_t *far; /* that ends at goal; NULL: nobody knows */
	uint64_t goal;
	enum progress_how how;
	bool live; /* a line that is written over */
	off_t size;
	double start, due;
} at;
static volatile sig_atomic_t wanted;
static bool drawn; /* a line stands there */
static _Thread_local bool here; /* the thread that began it */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

void
progress_want(void)
{
	wanted = 1;
}

void
progress_clear(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}

/* "12.3 M", "456 k", "78" */
static const char *
short_number(double v, char *text, size_t n)
{
	snprintf(text, n, v >= 1e6 ? "%.1f M" : v >= 1e4 ? "%.0f k" : "%.0f", v >= 1e6 ? v * 1e-6 : v >= 1e4 ? v * 1e-3 : v);
	return text;
}

static void
say(double time)
{
	char rate[24];
	double seconds = time - at.start;
	double share = at.far ? (double)*at.far / at.goal : at.size ? (double)lseek(at.fd, 0, SEEK_CUR) / at.size : 0;

	progress_clear();
	fprintf(stderr, "%s: %s: %" PRIu64 " %s in %.1f s", program_invocation_short_name, at.name, *at.packets,
		at.unit, seconds);
	if (seconds > 0)
		fprintf(stderr, ", %s a second", short_number(*at.packets / seconds, rate, sizeof rate));
	if (share > 0 && share < 1)
		fprintf(stderr, ", %.0f %%, %.0f s left", 100 * share, seconds * (1 - share) / share);
}

void
progress_tick(void)
{
	if (!here || !at.packets || (!wanted && !at.live))
		return;
	double time = now();
	if (wanted) {
		wanted = 0;
		say(time);
		fputc('\n', stderr);
	} else if (time >= at.due) {
		at.due = time + EVERY;
		say(time);
		drawn = true;
		fflush(stderr);
	}
}

void
progress_begin(int fd, const char *name, const uint64_t *packets, enum progress_how how)
{
	struct stat st;
	bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	progress_work(name, "packets", packets, how);
	at.fd = fd;
	at.size = file ? st.st_size : 0;
	at.live = isatty(STDERR_FILENO) && (how == PROGRESS_VERBOSE || (how == PROGRESS_AUTO && file));
}

void
progress_work(const char *name, const char *unit, const uint64_t *done, enum progress_how how)
{
	progress_clear();
	here = true;
	at.fd = -1;
	at.name = name;
	at.unit = unit;
	at.packets = done;
	at.far = NULL;
	at.how = how;
	at.size = 0;
	at.live = isatty(STDERR_FILENO) && how != PROGRESS_QUIET;
	at.start = now();
	at.due = at.start + EVERY;
}

void
progress_goal(const uint64_t *far, uint64_t goal)
{
	at.far = goal ? far : NULL;
	at.goal = goal;
}

void
progress_end(void)
{
	progress_clear();
	if (at.packets && at.how == PROGRESS_VERBOSE) {
		at.size = 0;
		at.far = NULL;
		say(now());
		fputc('\n', stderr);
	}
	at.packets = NULL;
	signal(SIGUSR1, SIG_IGN); /* what is left to write, nothing may break off */
}
