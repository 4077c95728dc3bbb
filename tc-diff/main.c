/*
 * tc-diff: two traces in, what they have in common and what they don't. Until they are compared they have nothing to do with each
 * other: each thread reads and measures its own.
 */
#include "html.h"
#include "metrics.h"
#include "process/unpack.h"
#include "record/traces.h"
#include "report.h"
#include "source.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-diff [-q] [-v] [--json | --tsv | --flows] [--transitions] [--paired]\n"
    "               [--html FILE] [--exact] [--reference C] [--tolerance NAME=X]\n"
    "               [--fail-on NAME[,NAME ...]] [--jobs N] A B\n"
    "How far trace B is from trace A, the reference: captures or packet actions, one of them may be\n"
    "\"-\". Exit status 0: within tolerance, 1: outside, 2: trouble.\n"
    "      --json             one JSON object\n"
    "      --tsv              a table with tabs\n"
    "      --flows            one line a flow instead\n"
    "      --transitions      both TCP event matrices too\n"
    "      --paired           packet against packet, field by field, too\n"
    "      --html FILE        a page to look at too: verdict, plots, definitions\n"
    "      --exact            any difference counts in the verdict, not only what A itself doesn't vary by\n"
    "      --reference C      another real trace: its distance from A stands for A's own variation\n"
    "      --tolerance N=X    the metric N, or each of the group N, may be up to X (0); 2x: twice the floor\n"
    "      --fail-on N,...    only these metrics and groups count for verdict and exit status\n"
    "      --jobs N           threads, one a trace at most; 0: as many as there are processors (1)\n"
    "  -q, --quiet            no progress, no count of what was changed\n"
    "  -v, --verbose          progress of a pipe too, and a line at the end\n"
    "  -h, --help             print this\n"
    "  -V, --version          print the version of TraceCodec\n";

enum { TRACE_A, TRACE_B, TRACE_C, TRACES };
enum form { FORM_PEOPLE, FORM_JSON, FORM_TSV, FORM_FLOWS };

struct options {
	enum form form;
	bool transitions, paired, exact, some; /* some: --fail-on was given */
	struct tolerance {
		double x;
		bool times; /* the floor */
		enum { TOLD_NOT, TOLD_GROUP, TOLD_METRIC } told; /* by its group's name, or by its own, which counts more */
	} tolerance[METRICS_MAX];
	bool fail_on[METRICS_MAX];
	const char *path[TRACES];
	int traces; /* 3 with a reference */
	const char *html;
};

/* What one line a flow is written to, and for which trace. */
struct listing {
	FILE *out;
	const char *trace;
};

struct diff {
	struct filter filter; /* of its parts the options alone: there are two inputs */
	struct options options;
	struct source source[TRACES];
	struct measure measure[TRACES];
	struct listing listing[TRACES];
	struct html html;
	FILE *out;
	unsigned in_turn, threads; /* packets of a trace in a row; threads that read */
	int more[TRACES];	   /* what source_next() said last: 1, 0 at the end, -1 */
	uint64_t differences[ACTION_COUNT], paired, different;
};

/* Whether a metric is meant by a name: its own, or its group's. */
static bool
is_named(int i, const char *name)
{
	return !strcmp(metrics[i].name, name) || metrics_group(name) == (int)metrics[i].group;
}

static void
check_name(const char *name)
{
	if (metrics_find(name) < 0 && metrics_group(name) < 0)
		filter_misuse("%s: no such metric or group; tc-metrics(7) lists them", name);
}

static void
tolerance_option(struct options *o, char *text)
{
	char *value = strchr(text, '='), *end;

	if (!value)
		filter_misuse("--tolerance %s: NAME=X is wanted", text);
	*value++ = '\0';
	struct tolerance t = {.x = strtod(value, &end)};
	if (end != value && *end == 'x' && !end[1])
		t.times = true;
	if (end == value || (*end && !t.times) || !(t.x >= 0))
		filter_misuse("--tolerance %s=%s: a number from 0 is wanted, or so many times the floor, such as 2x", text, value);
	check_name(text);
	t.told = metrics_group(text) < 0 ? TOLD_METRIC : TOLD_GROUP;
	for (int i = 0; i < metrics_count; i++) {
		if (!is_named(i, text))
			continue;
		if (o->tolerance[i].told == t.told)
			filter_misuse("--tolerance: %s is given more than once", text);
		if (o->tolerance[i].told < t.told)
			o->tolerance[i] = t;
	}
}

static void
fail_on_option(struct options *o, char *list)
{
	o->some = true;
	for (char *name; (name = strsep(&list, ","));) {
		check_name(name);
		for (int i = 0; i < metrics_count; i++)
			o->fail_on[i] |= is_named(i, name);
	}
}

static void
arguments(struct diff *d, int argc, char **argv)
{
	static const struct option table[] = {
	    {"json", no_argument, NULL, 'j'},	    {"tsv", no_argument, NULL, 't'},
	    {"flows", no_argument, NULL, 'f'},	    {"transitions", no_argument, NULL, 'm'},
	    {"html", required_argument, NULL, 'H'},
	    {"paired", no_argument, NULL, 'p'},	    {"tolerance", required_argument, NULL, 'x'},
	    {"fail-on", required_argument, NULL, 'F'}, {"exact", no_argument, NULL, 'e'},
	    {"reference", required_argument, NULL, 'r'}, FILTER_JOBS,
	    FILTER_PROGRESS,			    FILTER_HELP,
	    {0}};
	struct options *o = &d->options;
	int c;

	d->filter.jobs = 1;
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
		case 'H':
			o->html = d->filter.also = optarg;
			break;
		case 'x':
			tolerance_option(o, optarg);
			break;
		case 'F':
			fail_on_option(o, optarg);
			break;
		case 'e':
			o->exact = true;
			break;
		case 'r':
			o->path[TRACE_C] = optarg;
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
	if (o->exact && o->path[TRACE_C])
		filter_misuse("--exact and --reference exclude each other");
	o->path[TRACE_A] = argv[optind];
	o->path[TRACE_B] = argv[optind + 1];
	o->traces = o->path[TRACE_C] ? 3 : 2;
	int standard = 0;
	for (int i = 0; i < o->traces; i++)
		standard += !strcmp(o->path[i], "-");
	if (standard > 1)
		filter_misuse("only one of the traces can be standard input");
}

static void
list_flow(const void *listing, const struct live *l)
{
	const struct listing *to = listing;

	report_flow(to->out, to->trace, l);
}

static void
prepare(struct diff *d)
{
	d->out = io_stream(STDOUT_FILENO);
	for (int i = 0; i < d->options.traces; i++) {
		struct source *s = &d->source[i];
		if (source_open(s, d->options.path[i]) < 0)
			errx(2, "%s: %s", s->name, s->error);
		filter_reads(&d->filter, s->fd, s->name);
	}
	filter_guard(&d->filter);
	if (d->options.html && html_open(&d->html, d->options.html) < 0)
		err(2, "%s", d->options.html);
	unpack_prepare();
	filter_confine(&d->filter);
	for (int i = 0; i < d->options.traces; i++) {
		struct source *s = &d->source[i];
		if (source_begin(s, d->options.paired) < 0) {
			if (s->actions)
				traces_mistaken(&s->stream);
			errx(2, "%s: %s", s->name, s->actions && *s->stream.error ? s->stream.error : s->error);
		}
		struct measure *m = &d->measure[i];
		if (measure_init(m, i == TRACE_A) < 0)
			err(2, NULL);
		m->on_flow = d->options.form == FORM_FLOWS ? list_flow : NULL;
		d->listing[i] = (struct listing){d->out, &"A\0B\0C"[2 * i]};
		m->context = &d->listing[i];
	}
	if (d->options.form == FORM_FLOWS)
		report_flow_names(d->out);
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

/* One packet of trace i, of which there may be more. */
static void
advance(struct diff *d, int i)
{
	struct source *s = &d->source[i];
	struct packet p;
	struct step step;

	if ((d->more[i] = source_next(s, &p, &step)) == 1)
		measure_packet(&d->measure[i], s, &p, &step);
}

/* Whether all are files. */
static bool
are_files(const struct diff *d)
{
	struct stat st;

	for (int i = 0; i < d->options.traces; i++)
		if (fstat(d->source[i].fd, &st) < 0 || !S_ISREG(st.st_mode))
			return false;
	return true;
}

/* Packets of one trace in a row: so many that what is known of it stays in the cache meanwhile. Pairs go on together, and
 * so do lists of flows as they end, and pipes, which one writer may fill in turn: by one thread. */
static void
share_out(struct diff *d)
{
	bool apart = !d->options.paired && d->options.form != FORM_FLOWS && are_files(d);
	unsigned traces = d->options.traces;

	d->in_turn = apart ? 1000 : 1;
	d->threads = !apart ? 1 : d->filter.jobs < traces ? d->filter.jobs : traces;
}

/* A thread that reads, and the first of its traces. */
struct reader {
	struct diff *diff;
	unsigned first;
	pthread_t id;
};

/* All packets of its traces, in turn; till one is in trouble. */
static void *
read_traces(void *reader)
{
	const struct reader *r = reader;
	struct diff *d = r->diff;
	unsigned traces = d->options.traces;
	bool more = true;

	while (more) {
		more = false;
		for (unsigned i = r->first; i < traces; i += d->threads) {
			for (unsigned n = 0; d->more[i] == 1 && n < d->in_turn && !io_interrupted; n++)
				advance(d, i);
			if (d->more[i] < 0 || io_interrupted)
				return NULL;
			more |= d->more[i];
		}
		if (d->options.paired && d->more[0] && d->more[1])
			pair(d);
	}
	for (unsigned i = r->first; i < traces; i += d->threads)
		measure_end(&d->measure[i]);
	return NULL;
}

/* The trouble that one thread would have met first: said once, it ends the program. */
static void
check_trouble(const struct diff *d)
{
	const struct source *first = NULL;

	for (int i = 0; i < d->options.traces; i++) {
		const struct source *s = &d->source[i];
		if (d->more[i] < 0 && (!first || s->packets / d->in_turn < first->packets / d->in_turn))
			first = s;
	}
	if (io_interrupted)
		exit(130);
	if (first)
		errx(2, "%s: after packet %" PRIu64 ": %s", first->name, first->packets, first->error);
}

/* All packets of all. */
static void
run(struct diff *d)
{
	struct reader reader[TRACES];
	const struct source *a = &d->source[0];

	share_out(d);
	progress_begin(a->fd, a->name, &a->packets, d->filter.how);
	for (int i = 0; i < d->options.traces; i++)
		d->more[i] = 1;
	for (unsigned i = 0; i < d->threads; i++)
		reader[i] = (struct reader){d, i, pthread_self()};
	for (unsigned i = 1; i < d->threads; i++)
		if ((errno = pthread_create(&reader[i].id, NULL, read_traces, &reader[i])))
			err(2, NULL);
	read_traces(&reader[0]);
	for (unsigned i = 1; i < d->threads; i++)
		pthread_join(reader[i].id, NULL);
	check_trouble(d);
	for (int i = 0; i < d->options.traces; i++) {
		if (d->source[i].packets == 0)
			errx(2, "%s: a trace without packets", d->source[i].name);
		if (d->source[i].beyond && !d->filter.quiet)
			warnx("%s: changed: %" PRIu64 " " CAPTURE_BEYOND, d->source[i].name, d->source[i].beyond);
	}
	progress_end();
}

/* The natural distance in the place of A's own variation. */
static void
refer(const struct diff *d, struct result *results)
{
	struct result natural[METRICS_MAX] = {0};

	metrics_compute(&d->measure[TRACE_A], &d->measure[TRACE_C], natural);
	for (int i = 0; i < metrics_count; i++) {
		results[i].floor = natural[i].value;
		results[i].drift = NAN;
	}
}

static void
compute(const struct diff *d, struct report *r, struct result *results)
{
	metrics_compute(r->ma, r->mb, results);
	if (d->options.traces > 2)
		refer(d, results);
	r->drifted = metrics_judge(results);
	r->memorised = reservoir_memorised(&r->ma->reservoir, d->options.traces > 2 ? &d->measure[TRACE_C].reservoir : NULL,
					   &r->mb->reservoir);
	r->memorised_halves = reservoir_memorised_halves(&r->ma->reservoir);
	for (int i = 0; i < metrics_count; i++) {
		const struct tolerance *t = &d->options.tolerance[i];
		double floor = isnan(results[i].floor) ? 0 : results[i].floor;
		results[i].tolerance = t->times ? t->x * floor : t->x;
		results[i].counts = d->options.some ? d->options.fail_on[i] : metrics[i].group != GROUP_GENERATED;
		r->outside += results[i].counts && results[i].value > results[i].tolerance;
	}
	if (!d->options.paired)
		return;
	r->paired = d->differences;
	r->paired_packets = d->paired;
	r->paired_different = d->different;
}

/* Whether somebody looks at standard output who may want colours: https://no-color.org. */
static bool
wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* What was found, in the form asked for: 1 if a metric is beyond its tolerance. */
static int
conclude(struct diff *d)
{
	struct result results[METRICS_MAX] = {0};
	struct report r = {.a = &d->source[TRACE_A], .b = &d->source[TRACE_B], .ma = &d->measure[TRACE_A],
			   .mb = &d->measure[TRACE_B], .results = results, .exact = d->options.exact,
			   .reference = d->options.traces > 2, .colour = wants_colour()};
	enum form form = d->options.form;

	compute(d, &r, results);
	if (form != FORM_FLOWS)
		(form == FORM_JSON  ? report_json
		 : form == FORM_TSV ? report_tsv
				    : report_people)(d->out, &r);
	if (d->options.transitions)
		report_transitions(d->out, &r);
	if (d->options.html) {
		html_write(d->html.file, &r);
		if (html_close(&d->html, true) < 0)
			err(2, "%s", d->options.html);
	}
	return r.outside > 0;
}

/* The exit status. */
static int
finish(struct diff *d)
{
	int status = conclude(d);

	for (int i = 0; i < d->options.traces; i++) {
		source_close(&d->source[i]);
		measure_free(&d->measure[i]);
	}
	if (ferror(d->out) | fclose(d->out))
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
