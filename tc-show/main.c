/* tc-show: any stream as JSON, one object a line, and back. */
#include "json.h"
#include "lines.h"
#include "record/io.h"
#include "record/progress.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-show [-o FILE] [STREAM]\n"
    "       tc-show --reverse [-o FILE] [JSON]\n"
    "Prints a stream (standard input for none or \"-\") as JSON, one object a line.\n"
    "  -r, --reverse      the other way: from such lines to a stream\n"
    "  -o, --output FILE  write there, whole or not at all; \"-\": standard output, always\n";

struct options {
	bool reverse;
	const char *output, *input;
};

static void
arguments(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"reverse", no_argument, NULL, 'r'},
					      {"output", required_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "ro:", table, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->reverse = true;
			break;
		case 'o':
			o->output = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(fclose(stdout) ? 1 : 0);
		default:
			fputs(usage_text, stderr);
			exit(2);
		}
	}
	if (argc - optind > 1) {
		fputs(usage_text, stderr);
		exit(2);
	}
	o->input = argc > optind ? argv[optind] : "-";
}

static int
flush(void *arg)
{
	return fflush(arg);
}

/* The next packet's line: as stream_read(). */
static int
show_record(FILE *f, struct stream_reader *r)
{
	static struct action a;
	static struct latent l;
	int got;

	if (r->header.kind == STREAM_LATENTS) {
		if ((got = stream_read_latent(r, &l)) == 1)
			json_print_latent(f, &r->header, &l);
	} else if ((got = stream_read(r, &a)) == 1) {
		json_print_action(f, &a);
	}
	return got;
}

/* Each direction returns the exit status. */
static int
show(const struct options *o, int in, int out)
{
	static struct stream_reader r;
	struct stream_header h;
	FILE *f = io_stream(dup(out));
	int got = -1, status = 0;

	if (!f || stream_reader_init(&r, in) < 0)
		err(1, NULL);
	r.kinds = ~0u;
	r.before_wait = flush;
	r.before_wait_arg = f;
	progress_begin(in, io_name(o->input, "standard input"), &r.all, PROGRESS_QUIET);
	while ((got = stream_read_header(&r, &h)) == 1) {
		json_print_header(f, &h);
		while (!ferror(f) && (got = show_record(f, &r)) == 1)
			;
		if (got != 0)
			break;
		json_print_end(f, &r);
		if (r.end == STREAM_WHOLE)
			continue;
		warnx("%s: the trace ends %s after %" PRIu64 " packets", io_name(o->input, "standard input"),
		      stream_end_names[r.end], r.packets);
		status = 1;
	}
	if (got < 0 && !ferror(f) && !io_interrupted) {
		warnx("%s: %s", io_name(o->input, "standard input"), r.error);
		status = 1;
	}
	if (r.unknown)
		warnx("passed over %" PRIu64 " records with fields that this version doesn't know",
		      r.unknown);
	if (ferror(f) | fclose(f)) {
		warnx("%s: %s", io_name(o->output, "standard output"), strerror(errno));
		status = 1;
	}
	stream_reader_free(&r);
	return io_interrupted ? 130 : status;
}

struct reverse {
	struct stream_writer w;
	struct json_record record;
	bool open; /* a trace has begun and not ended */
};

/* One line of JSON to the stream: NULL, or what is wrong. */
static const char *
reverse_line(struct reverse *r, const char *line)
{
	struct json_record *o = &r->record;
	bool latents = o->header.kind == STREAM_LATENTS;

	switch (json_parse(line, o)) {
	case JSON_HEADER:
		if (r->open)
			return "a header before the end of the trace before";
		r->open = true;
		stream_write_header(&r->w, &o->header);
		return NULL;
	case JSON_ACTION:
		if (!r->open)
			return "a packet without a header before it";
		if (latents)
			return "an action among latents";
		stream_write(&r->w, &o->action);
		return NULL;
	case JSON_LATENT:
		if (!r->open)
			return "a packet without a header before it";
		stream_write_latent(&r->w, &o->latent, false);
		return NULL;
	case JSON_END:
		if (!r->open)
			return "an end without a header before it";
		r->open = false;
		if (latents) /* of latents nobody can count them */
			r->w.flows = o->flows;
		stream_write_end(&r->w, o->end);
		return NULL;
	case JSON_BAD:
		break;
	}
	return o->why;
}

static int
pass_on(void *arg)
{
	return stream_flush(arg);
}

static int
reverse(const struct options *o, int in, int out)
{
	static struct reverse r;
	struct lines l = {.fd = in, .before_wait = pass_on, .arg = &r.w};
	const char *why = NULL;
	char *line;
	int got = 0;

	if (stream_writer_init(&r.w, out) < 0)
		err(1, NULL);
	while (!why && !*r.w.error && (got = lines_next(&l, &line)) == 1)
		why = reverse_line(&r, line);
	if (why)
		warnx("%s: line %" PRIu64 ": %s", io_name(o->input, "standard input"), l.number, why);
	else if (got < 0 && !*r.w.error)
		warn("%s: after line %" PRIu64, io_name(o->input, "standard input"), l.number);
	else if (l.number == 0 && !io_interrupted)
		warnx("%s: empty", io_name(o->input, "standard input"));
	else if (r.open && !io_interrupted && !*r.w.error)
		warnx("%s: cut off after line %" PRIu64 ": no end", io_name(o->input, "standard input"), l.number);
	int status = why || got < 0 || r.open || l.number == 0;
	if (r.open)
		stream_write_end(&r.w, io_interrupted ? STREAM_INTERRUPTED : STREAM_CUT);
	if (stream_flush(&r.w) < 0) {
		warnx("%s: %s", io_name(o->output, "standard output"), r.w.error);
		status = 1;
	}
	lines_free(&l);
	stream_writer_free(&r.w);
	return io_interrupted ? 130 : status;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct outfile out;

	io_start();
	arguments(&o, argc, argv);
	int in = strcmp(o.input, "-") ? open(o.input, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (in < 0)
		err(1, "%s", o.input);
	/* JSON may go to a terminal, a stream not. */
	if (outfile_open(&out, !o.output && !o.reverse ? "-" : o.output) < 0)
		errno == ENOTTY ? errx(1, "standard output is a terminal; -o - writes to it")
				: err(1, "%s", o.output);
	int status = (o.reverse ? reverse : show)(&o, in, out.fd);
	if (status) {
		outfile_discard(&out);
	} else if (outfile_commit(&out) < 0) {
		warn("%s", io_name(o.output, "standard output"));
		status = 1;
	}
	return status;
}
