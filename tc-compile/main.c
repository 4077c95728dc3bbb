/* tc-compile: packet actions in, a capture out. */
#include "packet/capture.h"
#include "state/trace.h"
#include "process/map.h"
#include "record/traces.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NANO     INT64_C(1000000000)

static const char usage_text[] =
    "usage: tc-compile [-q] [-v] [--strict] [--full | --snaplen N] [--seed N] [--start TIME]\n"
    "                  [--map FILE] [-o FILE] [ACTIONS]\n"
    "Turns packet actions (standard input for none or \"-\") into a capture (pcap).\n"
    "      --strict       the first thing that can't be granted is an error\n"
    "      --full         write packets whole, not as they were captured\n"
    "      --snaplen N    write N octets of a packet at most\n"
    "      --seed N       another choice of sequence numbers and the like (0)\n"
    "      --start TIME   of the first packet: seconds since 1970, or 2026-11-23T12:00:00Z\n"
    "      --map FILE     write which slot became which address; for the owner alone\n"
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

struct compile {
	struct filter filter;
	struct stream_reader reader;
	struct options options;
	struct capture_writer writer;
	struct trace trace;
	struct fresh fresh;
	struct map map;
	bool begun;
	struct stream_header first; /* of the first trace: the capture's */
	uint32_t snaplen;	    /* the capture's */
	uint64_t packets, odd[ODDS];
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
	    FILTER_OUTPUT,			       FILTER_PROGRESS,
	    FILTER_HELP,			       {0}};
	struct options *o = &c->options;
	int letter;

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

static int
pass_on(void *arg)
{
	struct compile *c = arg;

	return c->begun ? capture_flush(&c->writer) : 0;
}

static void
prepare(struct compile *c)
{
	const struct options *o = &c->options;

	filter_open_input(&c->filter);
	filter_open_output(&c->filter);
	if (o->map && map_open(&c->map, o->map) < 0)
		err(1, "%s", o->map);
	filter_confine(&c->filter);
	traces_open(&c->reader, &c->filter, pass_on, c);
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

/* A strict compiler's complaint about what this packet could not be granted; 0 if nothing. */
static int
refused(const struct compile *c)
{
	for (int i = 0; i < ODDS; i++) {
		if (!c->trace.odd[i])
			continue;
		warnx("%s: record %" PRIu64 ": %s", c->filter.input, c->reader.packets,
		      odd_names[i]);
		return -1;
	}
	return 0;
}

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
		c->trace.odd[ODD_RANGE]++;
		out.caplen = c->snaplen;
	}
	if (!c->writer.nano && out.time % 1000)
		c->trace.odd[ODD_TIME]++;
	if (out.time < 0 || out.time / NANO > UINT32_MAX) {
		c->trace.odd[ODD_TIME]++;
		out.time = out.time < 0 ? 0 : UINT32_MAX * NANO;
	}
	if (out.caplen > c->frame_size) {
		uint8_t *more = realloc(c->frame, out.caplen);
		if (!more) {
			warn(NULL);
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

static int
compile_trace(void *arg, struct stream_header *h)
{
	struct action a;
	struct compile *c = arg;
	struct packet p;
	int got = 0;

	if (begin_trace(c, h) < 0)
		return -1;
	while ((got = stream_read(&c->reader, &a)) == 1) {
		c->map.packet = ++c->packets;
		trace_compile(&c->trace, &p, &a);
		if (write_packet(c, &p) < 0 || (c->options.strict && refused(c) < 0))
			return -1;
	}
	for (int i = 0; i < ODDS; i++)
		c->odd[i] += c->trace.odd[i];
	return io_interrupted ? -1 : got;
}

/* The exit status. */
static int
run(struct compile *c)
{
	int status = traces_each(&c->reader, &c->filter, compile_trace, c);

	capture_finish(&c->writer);
	filter_explain(&c->filter, c->writer.error, c->reader.error);
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
