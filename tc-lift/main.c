/*
 * tc-lift: captures in, packet actions out. One thread may read, and another (process/jobs.h) makes of each packet an action, by
 * the state of the trace, and writes it. From one to the other go packets as they were captured, which is the least there is to
 * hand over.
 */
#include "packet/capture.h"
#include "packet/layers.h"
#include "state/trace.h"
#include "process/filter.h"
#include "process/jobs.h"
#include "process/map.h"
#include "process/unpack.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char usage_text[] =
    "usage: tc-lift [-q] [-v] [-f EXPR] [-o FILE] [--cap N] [--idle tcp=S,udp=S,other=S]\n"
    "               [--map FILE] [--jobs N] [CAPTURE ...]\n"
    "Turns captures (pcap, pcapng; standard input for none or \"-\") into packet actions.\n"
    "  -f, --filter EXPR  only packets that match, as tcpdump's expressions\n"
    "  -o, --output FILE  write FILE only if all succeeds; - forces standard output\n"
    "      --cap N        live flows, and live hosts, at most (65536)\n"
    "      --idle LIST    seconds of silence that end a flow (tcp=300,udp=60,other=60)\n"
    "      --map FILE     write which address became which slot; for the owner alone\n"
    "      --jobs N       threads, two at most; 0: as many as there are processors (1)\n"
    "  -q, --quiet        no progress, no count of what was not lifted whole or changed\n"
    "  -v, --verbose      progress of a pipe too, and a line at the end\n"
    "  -h, --help         print this\n"
    "  -V, --version      print the version of TraceCodec\n";

/* Why a packet is less than whole in its action: tc-lift(1), DIAGNOSTICS. */
enum shortfall { CUT_LINK, OPAQUE_FRAME, CUT_NETWORK, CUT_TRANSPORT, OPAQUE_PROTOCOL, SHORTFALLS };
static const char *const shortfall_names[SHORTFALLS] = {
    "cut in the link header", "of other link types or ethertypes", "cut or damaged in the IP header",
    "cut in the transport header", "of other IP protocols"};

struct options {
	const char *filter, *map;
	bool idled[3]; /* --idle named them */
	struct stream_header header;
};

/* Packets of a block, and octets of them from which on it is full. */
#define BLOCK  1024
#define OCTETS (1 << 18)
#define BLOCKS 8 /* on their way at once, at most */

struct block {
	int n;
	struct capture_packet packet[BLOCK];
	size_t octets;
	uint8_t octet[OCTETS + PACKET_HEADERS]; /* of the packets */
};

struct lift {
	struct filter filter;
	struct options options;
	struct capture_reader *reader;
	char **paths;
	int n;
	struct jobs *jobs;
	/* of who reads */
	struct block *block; /* that is filled now */
	bool begun;
	uint64_t packets, beyond;
	/* of who lifts */
	struct trace trace;
	struct map map;
	uint64_t shortfall[SHORTFALLS];
	struct stream_writer writer;
};

static void
idle_option(struct options *o, char *list)
{
	static char *const names[] = {FLOW_KIND_NAMES, NULL};
	char *value;

	while (*list) {
		int i = getsubopt(&list, names, &value);
		if (i < 0 || !value)
			filter_misuse("--idle: tcp=SECONDS, udp=SECONDS or other=SECONDS is wanted");
		if (o->idled[i])
			filter_misuse("--idle: %s is given more than once", names[i]);
		o->idled[i] = true;
		o->header.idle[i] = filter_number("idle", value, 1, UINT32_MAX);
	}
}

static void
arguments(struct lift *l, int argc, char **argv)
{
	static const struct option table[] = {
	    {"filter", required_argument, NULL, 'f'}, {"cap", required_argument, NULL, 'c'},
	    {"idle", required_argument, NULL, 'i'},   {"map", required_argument, NULL, 'm'},
	    FILTER_JOBS,			      FILTER_OUTPUT,
	    FILTER_PROGRESS,			      FILTER_HELP,
	    {0}};
	static char *standard_input[] = {"-"};
	struct options *o = &l->options;
	int c;

	l->filter.jobs = 1;
	*o = (struct options){.header = {.cap = TRACE_CAP, .idle = FLOW_IDLE_DEFAULT}};
	while ((c = filter_next(&l->filter, argc, argv, "f:o:qv", table)) != -1) {
		switch (c) {
		case 'f':
			o->filter = optarg;
			break;
		case 'c':
			o->header.cap = filter_number("cap", optarg, STREAM_CAP_MIN, STREAM_CAP_MAX);
			break;
		case 'i':
			idle_option(o, optarg);
			break;
		case 'm':
			o->map = l->filter.also = optarg;
			break;
		default:
			filter_option(&l->filter, c);
		}
	}
	l->n = optind < argc ? argc - optind : 1;
	l->paths = optind < argc ? argv + optind : standard_input;
}

static void
take(struct lift *l)
{
	l->block = jobs_take(l->jobs);
	l->block->n = l->block->octets = 0;
}

/* Until all that was read is written: 0, or -1 with the writer's error. */
static int
drain(struct lift *l)
{
	if (l->block->n)
		jobs_give(l->jobs);
	jobs_wait(l->jobs);
	take(l);
	return *l->writer.error ? -1 : 0;
}

static int
pass_on(void *arg)
{
	struct lift *l = arg;

	return !l->begun ? 0 : drain(l) < 0 ? -1 : stream_flush(&l->writer);
}

static void
count_shortfall(struct lift *l, const struct packet *p)
{
	bool ip = p->ethertype == ETHERTYPE_IP4 || p->ethertype == ETHERTYPE_IP6;

	if (p->kind == PACKET_FRAME)
		l->shortfall[p->runt ? CUT_LINK : ip ? CUT_NETWORK : OPAQUE_FRAME]++;
	else if (p->kind == PACKET_IP && p->seen < transport_length(p))
		l->shortfall[CUT_TRANSPORT]++;
	else if (p->kind == PACKET_IP && !transport_length(p) && !ip_is_fragment(p) &&
		 p->proto != PROTO_NONE)
		l->shortfall[OPAQUE_PROTOCOL]++;
}

static int
lift_packet(struct lift *l, const struct capture_packet *c)
{
	struct packet p;
	struct action a;

	packet_clear(&p);
	p.time = c->time;
	p.caplen = c->caplen;
	p.len = c->len;
	packet_parse(&p, l->trace.dlt, c->data);
	count_shortfall(l, &p);
	l->map.packet++;
	trace_lift(&l->trace, &p, &a);
	return stream_write(&l->writer, &a);
}

static int
lift_block(void *arg, void *block)
{
	const struct block *b = block;
	int r = 0;

	for (int i = 0; i < b->n && r == 0; i++)
		r = lift_packet(arg, &b->packet[i]);
	return r;
}

/* The captures, open already, begin: their link types must agree. */
static void
begin_captures(struct lift *l)
{
	struct stream_header *h = &l->options.header;

	for (int i = 0; i < l->n; i++) {
		struct capture_reader *r = &l->reader[i];
		if (capture_open_fd(r, r->fd, NULL, 0, pass_on, l) < 0)
			errx(1, "%s: %s", l->paths[i], r->error);
		if (l->options.filter && capture_filter(r, l->options.filter) < 0)
			filter_misuse("-f %s: %s", l->options.filter, r->error);
		if (r->dlt != l->reader[0].dlt)
			errx(1, "%s: link type %d, but %d in %s; lift them one by one",
			     l->paths[i], r->dlt, l->reader[0].dlt, l->paths[0]);
		if (r->snaplen > h->snaplen)
			h->snaplen = r->snaplen;
		h->nano |= r->nano;
	}
	h->link = l->reader[0].dlt;
}

/* Opens everything: after this no path is touched. */
static void
prepare(struct lift *l)
{
	struct jobs_of of = {.arg = l, .finish = lift_block};
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!(l->reader = calloc(l->n, sizeof *l->reader)))
		err(1, NULL);
	for (int i = 0; i < l->n; i++) {
		if ((l->reader[i].fd = io_open(l->paths[i])) < 0)
			err(1, "%s", l->paths[i]);
		l->paths[i] = (char *)io_name(l->paths[i], "standard input");
		filter_reads(&l->filter, l->reader[i].fd, l->paths[i]);
	}
	if (!(l->jobs = jobs_new(&of, l->filter.jobs, BLOCKS, sizeof *l->block)))
		err(1, NULL);
	take(l);
	unpack_prepare();
	filter_open_output(&l->filter);
	if (l->options.map && map_open(&l->map, l->options.map) < 0)
		err(1, "%s", l->options.map);
	/* No octet of a capture is looked at before; but names in an expression may have to be looked up, by what the
	 * capture's header says. */
	if (!l->options.filter)
		filter_confine(&l->filter);
	begin_captures(l);
	if (l->options.filter)
		filter_confine(&l->filter);
	if (stream_writer_init(&l->writer, l->filter.out.fd) < 0)
		errx(1, "%s", l->writer.error);
	l->trace.header = l->options.header;
	if (trace_init(&l->trace, l->trace.header.link, NULL, 0) < 0)
		err(1, NULL);
}

/* The header waits for the first packet, whose time it holds. */
static int
begin(struct lift *l, int64_t start)
{
	l->begun = true;
	l->trace.header.start = l->trace.time = start;
	if (l->options.map) {
		l->trace.on_name = map_line;
		l->trace.on_name_arg = &l->map;
	}
	return stream_write_header(&l->writer, &l->trace.header);
}

static int
read_packet(struct lift *l, const struct capture_packet *c)
{
	struct block *b = l->block;
	struct capture_packet *to = &b->packet[b->n];
	size_t n = c->caplen < PACKET_HEADERS ? c->caplen : PACKET_HEADERS;

	if (!l->begun && begin(l, c->time) < 0)
		return -1;
	*to = *c;
	to->data = memcpy(b->octet + b->octets, c->data, n);
	b->octets += n;
	b->n++;
	l->beyond += c->beyond;
	l->packets++;
	if (b->n < BLOCK && b->octets < OCTETS)
		return 0;
	int r = jobs_give(l->jobs);
	take(l);
	return r;
}

/* How the trace ended. */
static enum stream_end
lift_captures(struct lift *l)
{
	enum stream_end end = STREAM_WHOLE;
	struct capture_packet c;

	for (int i = 0; i < l->n; i++) {
		struct capture_reader *r = &l->reader[i];
		int got = 0;
		progress_begin(r->fd, l->paths[i], &l->packets, l->filter.how);
		while ((got = capture_read(r, &c)) == 1)
			if (read_packet(l, &c) < 0)
				return STREAM_CUT;
		progress_clear();
		if (io_interrupted)
			return STREAM_INTERRUPTED;
		if (drain(l) < 0)
			return STREAM_CUT;
		if (got < 0) {
			warnx("%s: after packet %" PRIu64 ": %s", l->paths[i], r->packets, r->error);
			end = STREAM_CUT;
		}
		capture_close(r);
	}
	return end;
}

/* The exit status. */
static int
run(struct lift *l)
{
	enum stream_end end = lift_captures(l);
	int status = end == STREAM_INTERRUPTED ? 130 : end != STREAM_WHOLE;

	drain(l);
	progress_end();
	if (!l->begun)
		begin(l, 0);
	if (stream_write_end(&l->writer, end) < 0 || stream_flush(&l->writer) < 0) {
		filter_explain(&l->filter, l->writer.error, "");
		status = 1;
	}
	if (l->options.map && map_close(&l->map, filter_keeps(&l->filter, status)) < 0) {
		warn("%s", l->options.map);
		status = 1;
	}
	return status;
}

static void
report(const struct lift *l)
{
	const struct trace *t = &l->trace;

	filter_counts("not lifted whole", l->shortfall, shortfall_names, SHORTFALLS);
	filter_counts("changed", &l->beyond, &(const char *){CAPTURE_BEYOND}, 1);
	if (t->flows.evicted || t->hosts.evicted || t->macs.evicted || t->suffixes.evicted)
		warnx("forgotten for want of room (--cap %" PRIu32 "): %" PRIu64 " flows, %" PRIu64
		      " hosts, %" PRIu64 " link addresses, %" PRIu64 " IPv6 suffixes",
		      t->header.cap, t->flows.evicted, t->hosts.evicted, t->macs.evicted,
		      t->suffixes.evicted);
}

static int
finish(struct lift *l, int status)
{
	if (!l->filter.quiet)
		report(l);
	status = filter_close(&l->filter, status);
	jobs_free(l->jobs);
	trace_free(&l->trace);
	stream_writer_free(&l->writer);
	return status;
}

int
main(int argc, char **argv)
{
	static struct lift l = {.filter = {.usage = usage_text, .repeatable = "i", .failure = 1}};

	io_start();
	arguments(&l, argc, argv);
	prepare(&l);
	return finish(&l, run(&l));
}
