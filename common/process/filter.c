#include "process/filter.h"

#include "process/confine.h"
#include "process/jobs.h"
#include "process/moment.h"
#include "process/version.h"
#include "support/portable.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
filter_misuse(const char *format, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	errx(2, "%s. Try '%s --help' for more.", text, program_invocation_short_name);
}

/* What getopt_long() found wrong: ':' a value that is missing, '?' all else. */
static void __attribute__((noreturn))
bad_option(int c, const char *before)
{
	bool is_long = !strncmp(before, "--", 2);
	char name[80];

	snprintf(name, sizeof name, "-%c", optopt);
	if (is_long && (!optopt || c == ':' || strchr(before, '=')))
		snprintf(name, sizeof name, "%.*s", (int)strcspn(before, "="), before);
	if (c == ':')
		filter_misuse("%s needs a value", name);
	if (optopt && name[1] == '-')
		filter_misuse("%s takes no value", name);
	filter_misuse("%s: no such option, or not clear which", name);
}

int
filter_next(struct filter *f, int argc, char **argv, const char *letters, const struct option *table)
{
	char all[32];

	snprintf(all, sizeof all, ":%shV", letters);
	opterr = 0;
	int c = getopt_long(argc, argv, all, table, NULL);
	if (c == '?' || c == ':')
		bad_option(c, argv[optind - 1]);
	if (c < 0)
		return -1;
	const struct option *o = table;
	while (o->name && o->val != c)
		o++;
	f->option = o->name;
	if (o->has_arg == required_argument && f->given[c] && !(f->repeatable && strchr(f->repeatable, c)))
		filter_misuse("--%s is given more than once", o->name);
	f->given[c] = true;
	return c;
}

void
filter_option(struct filter *f, int c)
{
	switch (c) {
	case 'o':
		f->output = optarg;
		break;
	case 'J':
		f->jobs = jobs_threads(filter_number("jobs", optarg, 0, JOBS_MAX));
		break;
	case 'q':
		f->quiet = true;
		f->how = PROGRESS_QUIET;
		break;
	case 'v':
		f->how = PROGRESS_VERBOSE;
		jobs_clock = true;
		break;
	case 'h':
		fputs(f->usage, stdout);
		exit(fclose(stdout) ? f->failure : 0);
	case 'V':
		printf("%s (TraceCodec) " TC_VERSION "\n", program_invocation_short_name);
		exit(fclose(stdout) ? f->failure : 0);
	}
	if (f->given['q'] && f->given['v'])
		filter_misuse("-q and -v exclude each other");
}

uint64_t
filter_number(const char *option, const char *text, uint64_t low, uint64_t high)
{
	uint64_t v;

	if (!io_number(text, low, high, &v))
		filter_misuse("--%s %s: %" PRIu64 " to %" PRIu64 " is wanted", option, text, low, high);
	return v;
}

float
filter_real(const char *option, const char *text, float low, float high)
{
	char *end;
	float v = strtof(text, &end);

	if (end == text || *end || !(v >= low && v <= high))
		filter_misuse("--%s %s: %g to %g is wanted", option, text, low, high);
	return v;
}

int64_t
filter_time(const char *option, const char *text)
{
	int64_t t = 0;
	const char *why = moment_read(text, &t);

	if (why)
		filter_misuse("--%s %s: %s", option, text, why);
	return t;
}

void
filter_operand(struct filter *f, int argc, char **argv)
{
	if (argc - optind > 1)
		filter_misuse("%s: there is one input at most", argv[optind + 1]);
	f->input = argv[optind];
}

void
filter_reads(struct filter *f, int fd, const char *name)
{
	if (files_read(&f->files, fd, name) < 0)
		err(f->failure, NULL);
	if (isatty(fd))
		f->terminal = name;
}

void
filter_reads_path(struct filter *f, const char *path)
{
	if (files_read_path(&f->files, path) < 0)
		err(f->failure, NULL);
}

void
filter_open_input(struct filter *f)
{
	if ((f->in = io_open(f->input ? f->input : "-")) < 0)
		err(f->failure, "%s", f->input);
	f->input = io_name(f->input, "standard input");
	filter_reads(f, f->in, f->input);
}

static void
guard(struct filter *f, const char *path)
{
	const char *name = io_name(path, "standard output");
	struct file clash;

	if (files_write(&f->files, path, name, &clash) < 0)
		err(f->failure, NULL);
	if (clash.name)
		errx(2, "%s: is also an %s (%s), which would be lost", name, clash.written ? "output" : "input",
		     clash.name);
}

/* Whoever forgot to name a file would wait too. */
static void
say_waiting(const struct filter *f)
{
	if (f->terminal && !f->quiet)
		warnx("reads %s, a terminal, until ^D", f->terminal);
}

static void
guard_outputs(struct filter *f)
{
	bool standard = !f->output || !strcmp(f->output, "-");

	if (standard && f->also && !strcmp(f->also, "-"))
		filter_misuse("standard output can't be two outputs");
	guard(f, f->output);
	if (f->also)
		guard(f, f->also);
	files_free(&f->files);
}

void
filter_guard(struct filter *f)
{
	guard_outputs(f);
	say_waiting(f);
}

/* A pipe of the usual size holds 84 latents, and the two programs at its ends take turns. One whose size somebody chose
 * is left as it is. */
static void
widen(int fd)
{
#ifdef __linux__
	if (fcntl(fd, F_GETPIPE_SZ) == 1 << 16)
		fcntl(fd, F_SETPIPE_SZ, 1 << 20);
#else
	(void)fd;
#endif
}

void
filter_open_output(struct filter *f)
{
	guard_outputs(f);
	if (outfile_open(&f->out, f->output) < 0)
		errno == ENOTTY ? errx(f->failure, "standard output is a terminal; -o - writes to it")
				: err(f->failure, "%s", f->output);
	f->output = io_name(f->output, "standard output");
	widen(f->out.fd);
	say_waiting(f);
}

void
filter_confine(const struct filter *f)
{
	if (confine() < 0 && !f->quiet)
		warn("goes on unconfined");
}

void
filter_explain(const struct filter *f, const char *output, const char *input)
{
	if (*output)
		warnx("%s: %s", f->output, output);
	else if (*input && !io_interrupted)
		warnx("%s: %s", f->input, input);
}

void
filter_counts(const char *before, const uint64_t *counts, const char *const *names, int n)
{
	bool any = false;

	for (int i = 0; i < n; i++) {
		if (!counts[i])
			continue;
		if (!any)
			fprintf(stderr, "%s: %s: ", program_invocation_short_name, before);
		fprintf(stderr, "%s%" PRIu64 " %s", any ? ", " : "", counts[i], names[i]);
		any = true;
	}
	if (any)
		fputc('\n', stderr);
}

void
filter_roles(const struct filter *f)
{
	struct timespec all = {0};

	if (f->how != PROGRESS_VERBOSE || jobs_took.work == 0)
		return;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
	double total = all.tv_sec + all.tv_nsec * 1e-9;
	warnx("processor time: %.3f s reading, %.3f s working, %.3f s writing", total - jobs_took.work - jobs_took.finish,
	      jobs_took.work, jobs_took.finish);
}

bool
filter_keeps(const struct filter *f, int status)
{
	return status == 0 || f->out.keeper < 0;
}

int
filter_close(struct filter *f, int status)
{
	filter_roles(f);
	if (status) {
		outfile_discard(&f->out);
	} else if (outfile_commit(&f->out) < 0) {
		warn("%s", f->output);
		status = f->failure;
	}
	return status;
}
