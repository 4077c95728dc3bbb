/* tc-diff: two traces in, what they have in common and what they don't. */
#include "metrics.h"
#include "process/unpack.h"
#include "record/traces.h"
#include "report.h"
#include "source.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-diff [-q] [-v] [--json | --tsv | --flows] [--transitions] [--paired]\n"
    "               [--tolerance METRIC=X] [--fail-on METRIC[,METRIC ...]] A B\n"
    "How far trace B is from trace A, the reference: captures or packet actions, one of them may be\n"
    "\"-\". Exit status 0: within tolerance, 1: outside, 2: trouble.\n"
    "      --json             one JSON object\n"
    "      --tsv              a table with tabs\n"
    "      --flows            one line a flow instead\n"
    "      --transitions      both TCP event matrices too\n"
    "      --paired           packet against packet, field by field, too\n"
    "      --tolerance M=X    metric M may be up to X (0)\n"
    "      --fail-on M,...    only these metrics count for the exit status\n"
    "  -q, --quiet            no progress, no count of what was changed\n"
    "  -v, --verbose          progress of a pipe too, and a line at the end\n"
    "  -h, --help             print this\n"
    "  -V, --version          print the version of TraceCodec\n";

enum form { FORM_PEOPLE, FORM_JSON, FORM_TSV, FORM_FLOWS };

struct options {
	enum form form;
	bool transitions, paired, some; /* some: --fail-on was given */
	double tolerance[METRICS_MAX];
	bool told[METRICS_MAX]; /* --tolerance named it */
	bool fail_on[METRICS_MAX];
	const char *path[2];
};

struct diff {
	struct filter filter; /* of its parts the options alone: there are two inputs */
	struct options options;
	struct source source[2];
	struct measure measure[2];
	uint64_t differences[ACTION_COUNT], paired, different;
};

static int
metric_of(const char *name)
{
	int i = metrics_find(name);

	if (i < 0)
		filter_misuse("%s: no such metric; tc-metrics(7) lists them", name);
	return i;
}

static void
tolerance_option(struct options *o, char *text)
{
	char *value = strchr(text, '='), *end;

	if (!value)
		filter_misuse("--tolerance %s: METRIC=X is wanted", text);
	*value++ = '\0';
	double x = strtod(value, &end);
	if (end == value || *end || !(x >= 0))
		filter_misuse("--tolerance %s=%s: a number from 0 is wanted", text, value);
	int i = metric_of(text);
	if (o->told[i])
		filter_misuse("--tolerance: %s is given more than once", text);
	o->told[i] = true;
	o->tolerance[i] = x;
}

static void
arguments(struct diff *d, int argc, char **argv)
{
	static const struct option table[] = {
	    {"json", no_argument, NULL, 'j'},	    {"tsv", no_argument, NULL, 't'},
	    {"flows", no_argument, NULL, 'f'},	    {"transitions", no_argument, NULL, 'm'},
	    {"paired", no_argument, NULL, 'p'},	    {"tolerance", required_argument, NULL, 'x'},
	    {"fail-on", required_argument, NULL, 'F'}, FILTER_PROGRESS,
	    FILTER_HELP,			    {0}};
	struct options *o = &d->options;
	int c;

	while ((c = filter_next(&d->filter, argc, argv, "qv", table)) != -1) {
		switch (c) {
		case 'j':
			o->form = FORM_JSON;
			break;
		case 't':
			o->form = FORM_TSV;
			break;
		case 'f':
			o->form = FORM_FLOWS;
			break;
		case 'm':
			o->transitions = true;
			break;
		case 'p':
			o->paired = true;
			break;
		case 'x':
			tolerance_option(o, optarg);
			break;
		case 'F':
			o->some = true;
			for (char *m; (m = strsep(&optarg, ","));)
				o->fail_on[metric_of(m)] = true;
			break;
		default:
			filter_option(&d->filter, c);
		}
	}
	if (argc - optind != 2)
		filter_misuse("two traces are wanted, not %d", argc - optind);
	if (d->filter.given['j'] + d->filter.given['t'] + d->filter.given['f'] > 1)
		filter_misuse("--json, --tsv and --flows exclude each other");
	if (o->form != FORM_PEOPLE && o->transitions)
		filter_misuse("--transitions goes with the report for people");
	if (o->form == FORM_FLOWS && o->paired)
		filter_misuse("--paired goes with a report");
	o->path[0] = argv[optind];
	o->path[1] = argv[optind + 1];
	if (!strcmp(o->path[0], "-") && !strcmp(o->path[1], "-"))
		filter_misuse("only one of the traces can be standard input");
}

static void
list_flow(const void *trace, const struct live *l)
{
	report_flow(stdout, trace, l);
}

static void
prepare(struct diff *d)
{
	stdout = io_stream(STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		struct source *s = &d->source[i];
		if (source_open(s, d->options.path[i]) < 0)
			errx(2, "%s: %s", s->name, s->error);
		filter_reads(&d->filter, s->fd, s->name);
	}
	filter_guard(&d->filter);
	unpack_prepare();
	filter_confine(&d->filter);
	for (int i = 0; i < 2; i++) {
		struct source *s = &d->source[i];
		if (source_begin(s, d->options.paired) < 0) {
			if (s->actions)
				traces_mistaken(&s->stream);
			errx(2, "%s: %s", s->name, s->actions && *s->stream.error ? s->stream.error : s->error);
		}
		struct measure *m = &d->measure[i];
		if (measure_init(m) < 0)
			err(2, NULL);
		m->on_flow = d->options.form == FORM_FLOWS ? list_flow : NULL;
		m->context = i ? "B" : "A";
	}
	if (d->options.form == FORM_FLOWS)
		report_flow_names(stdout);
}

/* Packet i of A against packet i of B, by the actions they lift to: what they do to their flows. */
static void
pair(struct diff *d)
{
	struct action *a = &d->source[0].action, *b = &d->source[1].action;
	bool any = false;

	for (int f = 0; f < ACTION_COUNT; f++) {
		bool same = action_same(a, b, f);
		d->differences[f] += !same;
		any |= !same;
	}
	d->paired++;
	d->different += any;
}

/* One packet of trace i: 1, 0 at its end. Trouble is said once and ends the program. */
static int
advance(struct diff *d, int i)
{
	struct source *s = &d->source[i];
	struct packet p;
	struct step step;
	int got = source_next(s, &p, &step);

	if (io_interrupted)
		exit(130);
	if (got < 0)
		errx(2, "%s: after packet %" PRIu64 ": %s", s->name, s->packets, s->error);
	if (got == 1)
		measure_packet(&d->measure[i], s, &p, &step);
	return got;
}

/* All packets of both. */
static void
run(struct diff *d)
{
	int more[2] = {1, 1};
	const struct source *a = &d->source[0];

	/* Both go on together. */
	progress_begin(a->fd, a->name, &a->packets, d->filter.how);
	while (more[0] || more[1]) {
		for (int i = 0; i < 2; i++)
			if (more[i])
				more[i] = advance(d, i);
		if (d->options.paired && more[0] && more[1])
			pair(d);
	}
	for (int i = 0; i < 2; i++) {
		measure_end(&d->measure[i]);
		if (d->source[i].packets == 0)
			errx(2, "%s: a trace without packets", d->source[i].name);
		if (d->source[i].beyond && !d->filter.quiet)
			warnx("%s: changed: %" PRIu64 " " CAPTURE_BEYOND, d->source[i].name, d->source[i].beyond);
	}
	progress_end();
}

static void
compute(const struct diff *d, struct report *r, struct result *results)
{
	metrics_compute(r->ma, r->mb, results);
	for (int i = 0; i < metrics_count; i++) {
		results[i].tolerance = d->options.tolerance[i];
		results[i].counts = !d->options.some || d->options.fail_on[i];
		r->outside += results[i].counts && results[i].value > results[i].tolerance;
	}
	if (!d->options.paired)
		return;
	r->paired = d->differences;
	r->paired_packets = d->paired;
	r->paired_different = d->different;
}

/* What was found, in the form asked for: 1 if a metric is beyond its tolerance. */
static int
conclude(struct diff *d)
{
	struct result results[METRICS_MAX] = {0};
	struct report r = {.a = &d->source[0], .b = &d->source[1], .ma = &d->measure[0],
			   .mb = &d->measure[1], .results = results};
	enum form form = d->options.form;

	compute(d, &r, results);
	if (form != FORM_FLOWS)
		(form == FORM_JSON  ? report_json
		 : form == FORM_TSV ? report_tsv
				    : report_people)(stdout, &r);
	if (d->options.transitions)
		report_transitions(stdout, &r);
	return r.outside > 0;
}

/* The exit status. */
static int
finish(struct diff *d)
{
	int status = conclude(d);

	for (int i = 0; i < 2; i++) {
		source_close(&d->source[i]);
		measure_free(&d->measure[i]);
	}
	if (ferror(stdout) | fclose(stdout))
		err(2, "standard output");
	return status;
}

int
main(int argc, char **argv)
{
	struct diff *d = calloc(1, sizeof *d); /* too large for a program that is to start wherever others do */

	if (!d)
		err(2, NULL);
	d->filter = (struct filter){.usage = usage_text, .repeatable = "xF", .failure = 2};
	io_start();
	arguments(d, argc, argv);
	prepare(d);
	run(d);
	int status = finish(d);
	free(d);
	return status;
}
