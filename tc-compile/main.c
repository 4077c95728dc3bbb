/*
 * tc-compile: packet actions in, a capture out. One thread may read, and another (process/jobs.h) makes of each action a packet, by
 * the state of the trace, and writes it. From one to the other go actions as words. A trace begins once the one before it is
 * written.
 */
#include "packet/capture.h"
#include "state/trace.h"
#include "process/jobs.h"
#include "process/map.h"
#include "record/traces.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NANO     INT64_C(1000000000)

static const char usage_text[] =
    "usage: tc-compile [-q] [-v] [--strict] [--full | --snaplen N] [--seed N] [--start TIME]\n"
    "                  [--map FILE] [--jobs N] [-o FILE] [ACTIONS]\n"
    "Turns packet actions (standard input for none or \"-\") into a capture (pcap).\n"
    "      --strict       the first thing that can't be granted is an error\n"
    "      --full         write packets whole, not as they were captured\n"
    "      --snaplen N    write N octets of a packet at most\n"
    "      --seed N       another choice of sequence numbers and the like (0)\n"
    "      --start TIME   of the first packet: seconds since 1970, or 2026-11-23T12:00:00Z\n"
    "      --map FILE     write which slot became which address; for the owner alone\n"
    "      --jobs N       threads, two at most; 0: as many as there are processors (1)\n"
    "  -o, --output FILE  write FILE only if all succeeds; - forces standard output\n"
    "  -q, --quiet        no progress, no word of what was changed\n"
    "  -v, --verbose      progress of a pipe too, and a line at the end\n"
    "  -h, --help         print this\n"
    "  -V, --version      print the version of TraceCodec\n";

struct options {
	bool strict, full, has_start;
	uint32_t snaplen;
	uint64_t seed;
	int64_t start;
	const char *map;
};

#define BLOCK  1024 /* actions */
#define BLOCKS 8    /* on their way at once, at most */

struct block {
	int n;
	size_t words;
	uint64_t word[BLOCK * ACTION_WORDS]; /* of the actions; nearly all of it is never touched */
};

struct compile {
	struct filter filter;
	struct options options;
	struct jobs *jobs;
	/* of who reads */
	struct stream_reader reader;
	struct block *block; /* that is filled now */
	bool begun;
	struct stream_header first; /* of the first trace: the capture's */
	uint32_t snaplen;	    /* the capture's */
	uint64_t odd[ODDS];	    /* of the traces that ended */
	/* of who compiles */
	struct trace trace;
	struct fresh fresh;
	struct map map;
	struct capture_writer writer;
	uint64_t compiled;	/* records of the trace at hand */
	uint64_t clipped[ODDS]; /* what the file can't hold, of the trace at hand */
	uint64_t refused_at;	/* the record that strictness stopped at; 0: none */
	enum odd refused;
	uint8_t *frame; /* one packet as it is written */
	size_t frame_size;
};

static void
arguments(struct compile *c, int argc, char **argv)
{
	static const struct option table[] = {
	    {"strict", no_argument, NULL, 'S'},	       {"full", no_argument, NULL, 'F'},
	    {"snaplen", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'r'},
	    {"start", required_argument, NULL, 't'},   {"map", required_argument, NULL, 'm'},
	    FILTER_JOBS,			       FILTER_OUTPUT,
	    FILTER_PROGRESS,			       FILTER_HELP,
	    {0}};
	struct options *o = &c->options;
	int letter;

	c->filter.jobs = 1;
	while ((letter = filter_next(&c->filter, argc, argv, "o:qv", table)) != -1) {
		switch (letter) {
		case 'S':
			o->strict = true;
			break;
		case 'F':
			o->full = true;
			break;
		case 's':
			o->snaplen = filter_number("snaplen", optarg, 1, capture_max(-1));
			break;
		case 'r':
			o->seed = filter_number("seed", optarg, 0, UINT64_MAX);
			break;
		case 't':
			o->start = filter_time("start", optarg);
			o->has_start = true;
			break;
		case 'm':
			o->map = c->filter.also = optarg;
			break;
		default:
			filter_option(&c->filter, letter);
		}
	}
	if (o->full && o->snaplen)
		filter_misuse("--full and --snaplen exclude each other");
	filter_operand(&c->filter, argc, argv);
}

/* --- out --- */

static int
write_packet(struct compile *c, struct packet *p)
{
	const struct options *o = &c->options;
	struct capture_packet out = {.time = p->time, .caplen = p->caplen, .len = p->len};

	if (o->full)
		out.caplen = p->len < capture_max(c->trace.dlt) ? p->len : capture_max(c->trace.dlt);
	else if (o->snaplen && out.caplen > o->snaplen)
		out.caplen = o->snaplen;
	if (out.caplen > c->snaplen) { /* a trace with a larger one behind the first */
		c->clipped[ODD_RANGE]++;
		out.caplen = c->snaplen;
	}
	if (!c->writer.nano && out.time % 1000)
		c->clipped[ODD_TIME]++;
	if (out.time < 0 || out.time / NANO > UINT32_MAX) {
		c->clipped[ODD_TIME]++;
		out.time = out.time < 0 ? 0 : UINT32_MAX * NANO;
	}
	if (out.caplen > c->frame_size) {
		uint8_t *more = realloc(c->frame, out.caplen);
		if (!more) {
			snprintf(c->writer.error, sizeof c->writer.error, "%s", strerror(errno));
			return -1;
		}
		c->frame = more;
		c->frame_size = out.caplen;
	}
	uint32_t n = packet_build(p, c->trace.dlt, c->frame);
	if (n < out.caplen)
		memset(c->frame + n, 0, out.caplen - n);
	out.data = c->frame;
	return capture_write(&c->writer, &out);
}

/* The first of what could not be granted; ODDS: all was. */
static enum odd
first_odd(const uint64_t *odd)
{
	int i = 0;

	while (i < ODDS && !odd[i])
		i++;
	return i;
}

/* Whether a strict compiler goes on behind the packet at hand. */
static bool
is_granted(struct compile *c)
{
	enum odd clipped = first_odd(c->clipped), odd = first_odd(c->trace.odd);

	c->refused = clipped < odd ? clipped : odd;
	if (c->refused == ODDS)
		return true;
	c->refused_at = c->compiled;
	return false;
}

static int
compile_block(void *arg, void *block)
{
	struct compile *c = arg;
	const struct block *b = block;
	const uint64_t *word = b->word;
	struct action a;
	struct packet p;

	for (int i = 0; i < b->n; i++) {
		word = action_unpack(&a, word);
		c->map.packet++;
		c->compiled++;
		trace_compile(&c->trace, &p, &a);
		if (write_packet(c, &p) < 0 || (c->options.strict && !is_granted(c)))
			return -1;
	}
	return 0;
}

/* --- in --- */

static void
take(struct compile *c)
{
	c->block = jobs_take(c->jobs);
	c->block->n = c->block->words = 0;
}

/* The block goes on its way. */
static int
give(struct compile *c)
{
	int r = jobs_give(c->jobs);

	take(c);
	return r;
}

/* Until all that was read is written. */
static int
drain(struct compile *c)
{
	bool failed = (c->block->n && jobs_give(c->jobs) < 0) || jobs_wait(c->jobs) < 0;

	take(c);
	return failed ? -1 : 0;
}

static int
pass_on(void *arg)
{
	struct compile *c = arg;

	return !c->begun ? 0 : drain(c) < 0 ? -1 : capture_flush(&c->writer);
}

static void
prepare(struct compile *c)
{
	const struct options *o = &c->options;
	struct jobs_of of = {.arg = c, .finish = compile_block};

	filter_open_input(&c->filter);
	filter_open_output(&c->filter);
	if (o->map && map_open(&c->map, o->map) < 0)
		err(1, "%s", o->map);
	if (!(c->jobs = jobs_new(&of, c->filter.jobs, BLOCKS, sizeof *c->block)))
		err(1, NULL);
	filter_confine(&c->filter);
	traces_open(&c->reader, &c->filter, pass_on, c);
	take(c);
	c->frame_size = capture_max(-1) + PACKET_HEADERS;
	if (!(c->frame = malloc(c->frame_size)))
		err(1, NULL);
}

/* What is the same for a capture and for all traces that go into it; a clean error if it isn't. */
static int
begin(struct compile *c, const struct stream_header *h)
{
	const struct options *o = &c->options;

	if (c->begun) {
		if (h->link == c->first.link)
			return 0;
		warnx("%s: a trace of link type %" PRIu32 " after one of %" PRIu32
		      " can't go into the same capture",
		      c->filter.input, h->link, c->first.link);
		return -1;
	}
	c->first = *h;
	c->begun = true;
	c->snaplen = o->full ? capture_max(h->link) : o->snaplen ? o->snaplen : h->snaplen;
	return capture_create(&c->writer, dup(c->filter.out.fd), h->link, c->snaplen, h->nano);
}

static int
begin_trace(struct compile *c, struct stream_header *h)
{
	const struct options *o = &c->options;

	if (h->snaplen < 1 || h->snaplen > capture_max(h->link)) {
		warnx("%s: header: a snap length of %" PRIu32 "; 1 to %" PRIu32 " are possible",
		      c->filter.input, h->snaplen, capture_max(h->link));
		return -1;
	}
	if (begin(c, h) < 0)
		return -1;
	trace_free(&c->trace);
	memset(c->clipped, 0, sizeof c->clipped);
	c->compiled = 0;
	c->trace.header = *h;
	if (o->has_start)
		c->trace.header.start = o->start + (h->start - c->first.start);
	if (trace_init(&c->trace, h->link, &c->fresh, o->seed) < 0) {
		warn(NULL);
		return -1;
	}
	if (o->map) {
		c->trace.on_name = map_line;
		c->trace.on_name_arg = &c->map;
	}
	return 0;
}

/* The next action, into the block. */
static int
read_action(struct compile *c)
{
	struct action a;
	int got = stream_read(&c->reader, &a);

	if (got != 1)
		return got;
	/* Not before: what was ready went on its way while more was waited for, and another block is filled now. */
	struct block *b = c->block;
	b->words += action_pack(&a, b->word + b->words);
	return ++b->n == BLOCK && give(c) < 0 ? -1 : 1;
}

static int
compile_trace(void *arg, struct stream_header *h)
{
	struct compile *c = arg;
	int got;

	if (begin_trace(c, h) < 0)
		return -1;
	while ((got = read_action(c)) == 1)
		;
	if (drain(c) < 0) {
		if (c->refused_at)
			warnx("%s: record %" PRIu64 ": %s", c->filter.input, c->refused_at, odd_names[c->refused]);
		return -1;
	}
	for (int i = 0; i < ODDS; i++)
		c->odd[i] += c->trace.odd[i] + c->clipped[i];
	return io_interrupted ? -1 : got;
}

/* The exit status. */
static int
run(struct compile *c)
{
	int status = traces_each(&c->reader, &c->filter, compile_trace, c);

	capture_finish(&c->writer);
	filter_explain(&c->filter, c->writer.error, c->refused_at ? "" : c->reader.error);
	if (*c->writer.error)
		status = 1;
	if (c->options.map && map_close(&c->map, c->begun && filter_keeps(&c->filter, status)) < 0) {
		warn("%s", c->options.map);
		status = 1;
	}
	return status;
}

static void
report(const struct compile *c)
{
	filter_counts("changed", c->odd, odd_names, ODDS);
	traces_unknown(&c->reader);
}

static int
finish(struct compile *c, int status)
{
	if (!c->filter.quiet)
		report(c);
	status = filter_close(&c->filter, status);
	stream_reader_free(&c->reader);
	jobs_free(c->jobs);
	trace_free(&c->trace);
	free(c->frame);
	return status;
}

int
main(int argc, char **argv)
{
	static struct compile c = {.filter = {.usage = usage_text, .failure = 1}};

	io_start();
	arguments(&c, argc, argv);
	prepare(&c);
	return finish(&c, run(&c));
}
