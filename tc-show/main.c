/* tc-show: any stream as JSON, one object a line, and back. */
#include "json.h"
#include "lines.h"
#include "process/kind.h"
#include "record/traces.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-show [-o FILE] [STREAM]\n"
    "       tc-show --reverse [-o FILE] [JSON]\n"
    "Prints a stream (standard input for none or \"-\") as JSON, one object a line.\n"
    "  -r, --reverse      the other way: from such lines to a stream\n"
    "  -o, --output FILE  write FILE only if all succeeds; - forces standard output\n"
    "  -h, --help         print this\n"
    "  -V, --version      print the version of TraceCodec\n";

struct show {
	struct filter filter;
	struct stream_reader reader;
	bool reverse;
	FILE *json; /* what a stream is shown as */
	struct stream_writer writer; /* the other way */
	struct json_record record;
	bool open; /* a trace has begun and not ended */
	/* Modulo 2^64, as tc-compile's clock, since an action may ask for any step. */
	uint64_t time;	    /* of the packet before: ns since the header's start */
	uint64_t disagreed; /* lines whose dt led elsewhere than their t */
};

static void
arguments(struct show *s, int argc, char **argv)
{
	static const struct option table[] = {
	    {"reverse", no_argument, NULL, 'r'}, FILTER_OUTPUT, FILTER_HELP, {0}};
	int c;

	while ((c = filter_next(&s->filter, argc, argv, "ro:", table)) != -1) {
		if (c == 'r')
			s->reverse = true;
		else
			filter_option(&s->filter, c);
	}
	filter_operand(&s->filter, argc, argv);
}

static void
prepare(struct show *s)
{
	struct filter *f = &s->filter;

	filter_open_input(f);
	if (!f->output && !s->reverse) /* JSON may go to a terminal, a stream not. */
		f->output = "-";
	filter_open_output(f);
	json_start();
	filter_confine(f);
}

static int
flush(void *arg)
{
	return fflush(arg);
}

/* The next packet's line: as stream_read(). A latent has its time in its coordinates. */
static int
show_record(struct show *s)
{
	struct action a;
	struct latent l = {0};
	struct stream_reader *r = &s->reader;
	int got;

	if (r->header.kind == STREAM_LATENTS) {
		if ((got = stream_read_latent(r, &l)) == 1)
			json_print_latent(s->json, &r->header, &l);
	} else if ((got = stream_read(r, &a)) == 1) {
		s->time += action_number(&a, ACTION_DT);
		json_print_action(s->json, s->time, &a);
	}
	return got;
}

/* The packets of one trace: 0, or -1. */
static int
show_trace(void *arg, struct stream_header *h)
{
	struct show *s = arg;
	int got = -1;

	s->time = 0;
	json_print_header(s->json, h);
	while (!ferror(s->json) && (got = show_record(s)) == 1)
		;
	if (got == 0)
		json_print_end(s->json, &s->reader);
	return got == 0 ? 0 : -1;
}

/* Each direction returns the exit status. */
static int
show(struct show *s)
{
	if (!(s->json = io_stream(dup(s->filter.out.fd))))
		err(1, NULL);
	traces_open(&s->reader, &s->filter, flush, s->json);
	s->reader.kinds = ~0u;
	int status = traces_each(&s->reader, &s->filter, show_trace, s);
	bool failed = ferror(s->json) | fclose(s->json);
	filter_explain(&s->filter, failed ? strerror(errno) : "", s->reader.error);
	traces_unknown(&s->reader);
	return failed && !status ? 1 : status;
}

/*
 * The step to this packet: dt as it stands, where it leads to t or there is no t; else what leads to t, since the lines
 * before may have been taken out.
 */
static void
set_step(struct show *s)
{
	struct action *a = &s->record.action;
	uint64_t step = action_number(a, ACTION_DT);

	if (s->record.timed && s->time + step != (uint64_t)s->record.t) {
		s->disagreed += action_has(a, ACTION_DT);
		step = s->record.t - s->time;
		action_set(a, ACTION_DT, step);
		if (step == 0)
			a->has &= ~(1ull << ACTION_DT);
	}
	s->time += step;
}

/* One line of JSON to the stream: NULL, or what is wrong. */
static const char *
reverse_line(struct show *s, const char *line)
{
	struct json_record *o = &s->record;
	struct stream_writer *w = &s->writer;
	bool latents = o->header.kind == STREAM_LATENTS;

	switch (json_parse(line, o)) {
	case JSON_HEADER:
		if (s->open)
			return "a header before the end of the trace before";
		s->open = true;
		s->time = 0;
		stream_write_header(w, &o->header);
		return NULL;
	case JSON_ACTION:
		if (!s->open)
			return "a packet without a header before it";
		if (latents)
			return "an action among latents";
		set_step(s);
		stream_write(w, &o->action);
		return NULL;
	case JSON_LATENT:
		if (!s->open)
			return "a packet without a header before it";
		stream_write_latent(w, &o->latent, false);
		return NULL;
	case JSON_END:
		if (!s->open)
			return "an end without a header before it";
		s->open = false;
		if (latents) /* of latents nobody can count them */
			w->flows = o->flows;
		stream_write_end(w, o->end);
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

/* Whether what should be JSON is something else, that another program takes. */
static bool
mistaken(struct lines *l, char *what, size_t size)
{
	if (l->at) /* the end of the first line */
		l->buf[l->at - 1] = '\n';
	return kind_explain(what, size, "not JSON of tc-show", 1 << KIND_JSON | 1 << KIND_TEXT, l->buf, l->n);
}

static int
reverse(struct show *s)
{
	const char *input = s->filter.input, *why = NULL;
	char other[STREAM_ERROR];
	struct stream_writer *w = &s->writer;
	struct lines l = {.fd = s->filter.in, .before_wait = pass_on, .arg = w};
	char *line;
	int got = 0;

	if (stream_writer_init(w, s->filter.out.fd) < 0)
		err(1, NULL);
	while (!why && !*w->error && (got = lines_next(&l, &line)) == 1)
		why = reverse_line(s, line);
	if ((why || got < 0) && l.number < 2 && !*w->error && mistaken(&l, other, sizeof other))
		warnx("%s: %s", input, other);
	else if (why)
		warnx("%s: line %" PRIu64 ": %s", input, l.number, why);
	else if (got < 0 && !*w->error)
		warn("%s: after line %" PRIu64, input, l.number);
	else if (l.number == 0 && !io_interrupted)
		warnx("%s: empty", input);
	else if (s->open && !io_interrupted && !*w->error)
		warnx("%s: cut off after line %" PRIu64 ": no end", input, l.number);
	int status = why || got < 0 || s->open || l.number == 0;
	if (s->open)
		stream_write_end(w, io_interrupted ? STREAM_INTERRUPTED : STREAM_CUT);
	if (stream_flush(w) < 0) {
		filter_explain(&s->filter, w->error, s->reader.error);
		status = 1;
	}
	if (s->disagreed)
		warnx("%s: dt and t disagree in %" PRIu64 " lines: t counts", input, s->disagreed);
	lines_free(&l);
	return io_interrupted ? 130 : status;
}

static int
finish(struct show *s, int status)
{
	status = filter_close(&s->filter, status);
	stream_reader_free(&s->reader);
	stream_writer_free(&s->writer);
	return status;
}

int
main(int argc, char **argv)
{
	static struct show s = {.filter = {.usage = usage_text, .failure = 1, .how = PROGRESS_QUIET}};

	io_start();
	arguments(&s, argc, argv);
	prepare(&s);
	return finish(&s, s.reverse ? reverse(&s) : show(&s));
}
