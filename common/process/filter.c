#include "process/filter.h"

#include "process/confine.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
filter_usage(const struct filter *f)
{
	fputs(f->usage, stderr);
	exit(2);
}

void
filter_option(struct filter *f, int c)
{
	switch (c) {
	case 'o':
		f->output = optarg;
		break;
	case 'q':
		f->quiet = true;
		f->how = PROGRESS_QUIET;
		break;
	case 'v':
		f->how = PROGRESS_VERBOSE;
		break;
	case 'h':
		fputs(f->usage, stdout);
		exit(fclose(stdout) ? f->failure : 0);
	default:
		filter_usage(f);
	}
}

uint64_t
filter_number(const char *option, const char *text, uint64_t low, uint64_t high)
{
	uint64_t v;

	if (!io_number(text, low, high, &v))
		errx(2, "--%s %s: %" PRIu64 " to %" PRIu64 " is wanted", option, text, low, high);
	return v;
}

void
filter_operand(struct filter *f, int argc, char **argv)
{
	if (argc - optind > 1)
		filter_usage(f);
	f->input = argv[optind];
}

void
filter_open_input(struct filter *f)
{
	if ((f->in = io_open(f->input ? f->input : "-")) < 0)
		err(f->failure, "%s", f->input);
	f->input = io_name(f->input, "standard input");
}

/* A pipe of the usual size holds 84 latents, and the two programs at its ends take turns. One whose size somebody chose
 * is left as it is. */
static void
widen(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) == 1 << 16)
		fcntl(fd, F_SETPIPE_SZ, 1 << 20);
}

void
filter_open_output(struct filter *f)
{
	if (outfile_open(&f->out, f->output) < 0)
		errno == ENOTTY ? errx(f->failure, "standard output is a terminal; -o - writes to it")
				: err(f->failure, "%s", f->output);
	f->output = io_name(f->output, "standard output");
	widen(f->out.fd);
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

int
filter_close(struct filter *f, int status)
{
	if (status) {
		outfile_discard(&f->out);
	} else if (outfile_commit(&f->out) < 0) {
		warn("%s", f->output);
		status = f->failure;
	}
	return status;
}
