/*
 * tc-edit: packet actions in, packet actions out: cut, filtered, sped up or slowed, copied, shifted, merged.
 *
 * What flows through:
 *
 *   input -> actions -> [compile] -> packets -> chosen, moved in time -> [merge by time] -> packets -> [lift] -> actions
 *            `------------- one source for each copy and each merged file -------------'    `------- the sink -------'
 *
 * An action says what its packet is relative to its flow, so none can be taken out or moved by itself: the next one would be
 * relative to nothing. So each source renders all of its actions as tc-compile does, whatever is chosen of them, and the sink
 * lifts what is left as tc-lift does. Both are the functions of common/state; between them a packet is a struct packet that
 * was built into octets and parsed again. What comes out is what tc-lift says of a capture, so it lifts to itself.
 *
 * Who owns which state:
 *   source.c  an input's reader, the compiler's state, the numbers of its flows; its latest packet. One of each for each copy:
 *             copies are readers of one file at different places, so memory grows with their number, never with the length.
 *   select.c  what goes through: limits of time, expressions, the flows that the first pass marked (a bit each).
 *   pace.c    where in time it goes: speed, then the copy's start and the shift.
 *   scan.c    the first pass, where there are two: marks, the length over which copies begin, who is how busy.
 *   share.c   who is taken for whom: addresses of packets on their way, never of the compiler's state.
 *   spool.c   a pipe that is read twice, in memory, up to --buffer.
 *   sink.c    the lift's state, the writer, the labels: from here on nobody knows who came from where.
 *   edit.c    sources, heap and sink: the loop.
 *
 * Hard cases:
 *   - A flow is one by its input's openings. What is kept of it may open otherwise: the first packet left says how.
 *   - Addresses are apart since all sources take theirs from one counter. Those that everyone shares (broadcast, 127.0.0.1)
 *     stay, so two flows between such may become one; the sink counts that.
 *   - With --share-hosts the first pass's addresses must be the second one's, so each source counts on its own, from where
 *     the one before ended.
 *   - A flow's silence is judged anew: a gap that grows past the time-out opens a flow.
 *   - Times: each source keeps its order; the heap takes the earliest head. Nothing is sorted, so nothing waits.
 *   - A trace that is cut stays cut: all that came goes through, and the end record says the worst of the sources' ends.
 *   - Several traces of a stream are edited one by one. Where others are merged into them, all become one.
 */
#include "edit.h"

#include "process/moment.h"
#include "record/traces.h"
#include "spool.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NANO	   INT64_C(1000000000)
#define COPIES_MAX 1000
#define TIME_MAX   (INT64_C(4294967295) * NANO)

static const char usage_text[] =
    "usage: tc-edit [-q] [-v] [--strict] [--from TIME] [--to TIME] [--flows EXPR] [--sample R] [-f EXPR]\n"
    "               [--speed X] [--copies N] [--shift S] [--merge FILE] [--share-hosts] [--labels FILE]\n"
    "               [--seed N] [--buffer N] [-o FILE] [ACTIONS]\n"
    "Edits packet actions (standard input for none or \"-\"), in this order:\n"
    "      --from TIME        from then on: seconds from the start, or 2026-11-23T12:00:00Z\n"
    "      --to TIME          before then\n"
    "      --flows EXPR       flows of which a packet matches, whole, as tcpdump's expressions\n"
    "      --sample R         a share of the flows, 0 to 1\n"
    "  -f, --filter EXPR      packets that match\n"
    "      --speed X          X times as fast\n"
    "      --copies N         N of all that is there, with other hosts, beginning anywhere along it\n"
    "      --shift S          S seconds later, or earlier where S is below 0\n"
    "      --merge FILE       and the actions of FILE, by time; may be repeated\n"
    "      --share-hosts      the busiest hosts of FILE are the busiest of ACTIONS\n"
    "      --labels FILE      write which packet came from which input, in which flow\n"
    "      --seed N           another sample, other beginnings of copies (0)\n"
    "      --buffer N         MiB of memory for a pipe that must be read twice (64)\n"
    "      --strict           the first thing that can't be granted is an error\n"
    "  -o, --output FILE      write FILE only if all succeeds; - forces standard output\n"
    "  -q, --quiet            no progress, no word of what was changed\n"
    "  -v, --verbose          progress of a pipe too, and a line at the end\n"
    "  -h, --help             print this\n"
    "  -V, --version          print the version of TraceCodec\n";

/* Seconds with up to nine decimals: from the start; or a date. */
static struct limit
limit_option(const char *name, const char *text)
{
	struct limit l = {.set = true, .absolute = strchr(text, 'T') != NULL};

	if (l.absolute)
		l.ns = filter_time(name, text);
	else if (!moment_decimal(text, 9, TIME_MAX, &l.ns))
		filter_misuse("--%s %s: seconds from the start or 2026-11-23T12:00:00Z is wanted", name, text);
	return l;
}

static int64_t
shift_option(const char *text)
{
	bool earlier = *text == '-';
	int64_t ns;

	if (!moment_decimal(text + (earlier || *text == '+'), 9, TIME_MAX, &ns))
		filter_misuse("--shift %s: seconds are wanted, up to 4294967295, with nine decimals at most", text);
	return earlier ? -ns : ns;
}

static void
speed_option(struct edit *e, const char *text)
{
	if (!moment_decimal(text, 6, PACE_ONE * PACE_ONE, &e->speed) || !e->speed)
		filter_misuse("--speed %s: 0.000001 to 1000000 is wanted, with six decimals at most", text);
}

static void
sample_option(struct edit *e, const char *text)
{
	if (!moment_decimal(text, 9, SELECT_ALL, &e->selection.sample))
		filter_misuse("--sample %s: 0 to 1 is wanted, with nine decimals at most", text);
}

static void
merge_option(struct edit *e, const char *path)
{
	struct input *more = realloc(e->input, (e->inputs + 1) * sizeof *more);

	if (!more)
		err(1, NULL);
	e->input = more;
	e->input[e->inputs++] = (struct input){.name = path};
}

static void
option(struct edit *e, int c)
{
	struct selection *s = &e->selection;

	switch (c) {
	case 'F':
		s->from = limit_option("from", optarg);
		break;
	case 'T':
		s->to = limit_option("to", optarg);
		break;
	case 'W':
		s->flow_expression = optarg;
		break;
	case 'P':
		sample_option(e, optarg);
		break;
	case 'f':
		s->packet_expression = optarg;
		break;
	case 'X':
		speed_option(e, optarg);
		break;
	case 'N':
		e->copies = filter_number("copies", optarg, 1, COPIES_MAX);
		break;
	case 'S':
		e->shift = shift_option(optarg);
		break;
	case 'M':
		merge_option(e, optarg);
		break;
	case 'H':
		e->share_hosts = true;
		break;
	case 'L':
		e->labels_path = e->filter.also = optarg;
		break;
	case 'R':
		e->seed = s->seed = filter_number("seed", optarg, 0, UINT64_MAX);
		break;
	case 'B':
		e->buffer = filter_number("buffer", optarg, 1, 1 << 20) << 20;
		break;
	case 'Z':
		e->strict = true;
		break;
	default:
		filter_option(&e->filter, c);
	}
}

static void
arguments(struct edit *e, int argc, char **argv)
{
	static const struct option table[] = {
	    {"from", required_argument, NULL, 'F'},   {"to", required_argument, NULL, 'T'},
	    {"flows", required_argument, NULL, 'W'},  {"sample", required_argument, NULL, 'P'},
	    {"filter", required_argument, NULL, 'f'}, {"speed", required_argument, NULL, 'X'},
	    {"copies", required_argument, NULL, 'N'}, {"shift", required_argument, NULL, 'S'},
	    {"merge", required_argument, NULL, 'M'},  {"share-hosts", no_argument, NULL, 'H'},
	    {"labels", required_argument, NULL, 'L'}, {"seed", required_argument, NULL, 'R'},
	    {"buffer", required_argument, NULL, 'B'}, {"strict", no_argument, NULL, 'Z'},
	    FILTER_OUTPUT, FILTER_PROGRESS, FILTER_HELP, {0}};
	uint32_t standard = 0;
	int c;

	e->copies = 1;
	e->speed = PACE_ONE;
	e->selection.sample = SELECT_ALL;
	e->buffer = UINT64_C(64) << 20;
	merge_option(e, "-");
	while ((c = filter_next(&e->filter, argc, argv, "f:o:qv", table)) != -1)
		option(e, c);
	filter_operand(&e->filter, argc, argv);
	if (e->filter.input)
		e->input[0].name = e->filter.input;
	for (uint32_t i = 0; i < e->inputs; i++)
		standard += !strcmp(e->input[i].name, "-");
	if (standard > 1)
		filter_misuse("standard input can't be two inputs");
	if (e->share_hosts && e->inputs == 1)
		filter_misuse("--share-hosts needs --merge");
}

/* --- what is opened --- */

static void
open_input(struct edit *e, uint32_t i)
{
	struct input *in = &e->input[i];

	if ((in->fd = io_open(in->name)) < 0)
		err(1, "%s", in->name);
	in->path = strcmp(in->name, "-") ? in->name : NULL;
	in->name = io_name(in->name, "standard input");
	filter_reads(&e->filter, in->fd, in->name);
}

/* A pipe that is read twice waits in memory: that is opened, */
static void
open_spool(struct edit *e, uint32_t i)
{
	struct input *in = &e->input[i];

	in->pipe = -1;
	if (!edit_reads_twice(e, i) || spool_is_file(in->fd, in->path))
		return;
	in->pipe = in->fd;
	if ((in->fd = spool_new(&in->spool)) < 0)
		err(1, NULL);
}

/* and filled. */
static int
fill_spool(struct edit *e, uint32_t i)
{
	struct input *in = &e->input[i];

	if (in->pipe < 0 || spool_fill(in->fd, in->pipe, e->buffer) == 0)
		return 0;
	if (errno == EFBIG)
		warnx("%s: no file, and too long to be kept until it is read twice: --buffer %" PRIu64 " (MiB)", in->name,
		      e->buffer >> 20);
	else
		warn("%s", in->name);
	return -1;
}

static void
open_labels(struct edit *e)
{
	if (!e->labels_path)
		return;
	if (outfile_open(&e->labels, e->labels_path) < 0 || sink_label(&e->sink, dup(e->labels.fd)) < 0)
		err(1, "%s", e->labels_path);
}

static void
compile_expressions(struct edit *e)
{
	struct selection *s = &e->selection;
	char why[CAPTURE_ERROR];
	const char *wrong;

	if (select_compile(s, e->source[0].header.link, why, &wrong) < 0)
		filter_misuse("%s %s: %s", wrong == s->flow_expression ? "--flows" : "-f", wrong, why);
}

/* Opens everything: after this no path is touched. */
static int
prepare(struct edit *e)
{
	struct rlimit files;
	bool expressions = e->selection.flow_expression || e->selection.packet_expression;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (uint32_t i = 0; i < e->inputs; i++)
		open_input(e, i);
	for (uint32_t i = 0; i < e->inputs; i++)
		open_spool(e, i);
	filter_open_output(&e->filter);
	open_labels(e);
	if (edit_open(e) < 0 || stream_writer_init(&e->sink.writer, e->filter.out.fd) < 0)
		err(1, NULL);
	for (uint32_t i = 0; i < e->inputs; i++)
		spool_hide(e->input[i].spool);
	/* No octet of a stream is understood before; but names in an expression may have to be looked up, by what the first
	 * header says. */
	if (!expressions)
		filter_confine(&e->filter);
	for (uint32_t i = 0; i < e->inputs; i++)
		if (fill_spool(e, i) < 0)
			return -1;
	if (edit_headers(e) < 0)
		return -1;
	if (expressions) {
		compile_expressions(e);
		filter_confine(&e->filter);
	}
	return edit_scan(e);
}

/* --- what is said at the end --- */

static void
report(const struct edit *e)
{
	uint64_t odd[ODDS] = {[ODD_TIME] = e->sink.odd};
	const uint64_t *gone = e->sink.evicted;

	for (uint32_t i = 0; i < e->sources; i++) {
		source_counts(&e->source[i], odd);
		if (!e->source[i].mute)
			traces_unknown(&e->source[i].reader);
	}
	if (!e->strict)
		filter_counts("changed", odd, odd_names, ODDS);
	if (e->sink.mixed)
		warnx("%" PRIu64 " flows have packets of several inputs or copies: both of their ends are the same there", e->sink.mixed);
	if (gone[0] || gone[1] || gone[2] || gone[3])
		warnx("forgotten for want of room (cap %" PRIu32 "): %" PRIu64 " flows, %" PRIu64 " hosts, %" PRIu64
		      " link addresses, %" PRIu64 " IPv6 suffixes",
		      e->sink.trace.header.cap, gone[0], gone[1], gone[2], gone[3]);
}

static int
finish(struct edit *e, int status)
{
	struct filter *f = &e->filter;

	if (!f->quiet && !*e->sink.writer.error)
		report(e);
	if (e->labels_path && sink_finish(&e->sink) < 0) {
		warn("%s", e->labels_path);
		status = 1;
	}
	if (e->labels_path && !filter_keeps(f, status))
		outfile_discard(&e->labels);
	else if (e->labels_path && outfile_commit(&e->labels) < 0) {
		warn("%s", e->labels_path);
		status = 1;
	}
	status = filter_close(f, status);
	edit_free(e);
	return status;
}

int
main(int argc, char **argv)
{
	static struct edit e = {.filter = {.usage = usage_text, .repeatable = "M", .failure = 1}};

	io_start();
	arguments(&e, argc, argv);
	return finish(&e, prepare(&e) == 0 ? edit_run(&e) : io_interrupted ? 130 : 1);
}
