/*
 * big [--live K] [--span S] [--snaplen L] [--seed R] -n N -o OUT CAPTURE ...: joins captures into
 * one trace of N packets, in which K of them run at a time, each with endpoints of its own;
 * disguise.h has what happens to them. The captures of a round come in an order that is drawn, and
 * as soon as one ends the next one begins. An instance takes S seconds of its capture at most; the
 * next one goes on where it ended. What was in the trace before goes in changed, and with its times
 * scaled by 0.5 to 2.
 *
 * Only Ethernet: others are left out, and so is what can't be read or has no packets. Steps back in
 * time become 0. Packets are cut to L octets: with one snap length for all, those that were cut
 * before don't stand out in their actions. Memory is that of K instances and a line per capture.
 * The same arguments give the same octets.
 */
#include "disguise.h"
#include "process/io.h"
#include "process/outfile.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ETHERNET 1
#define SECOND	 INT64_C(1000000000)
#define START	 (1767225600 * SECOND) /* 2026-01-01 */
#define SPREAD	 (60 * SECOND)	       /* in which the first instances begin */
#define PAUSE	 SECOND		       /* in which the next one begins */

static const char usage_text[] =
    "usage: big [--live K] [--span S] [--snaplen L] [--seed R] -n N -o OUT CAPTURE ...\n";

struct options {
	uint64_t packets, live, span, snaplen, seed;
	const char *output;
};

struct source {
	const char *path;
	uint64_t at;		    /* packets that went in since it was last begun */
	bool running, again, unfit; /* an instance moves `at`; all of it went in; is left out */
	uint32_t instances;
};

/* A capture, or a part of one, on its way into the trace. */
struct instance {
	uint64_t number;
	struct source *source;
	bool first; /* it moves source->at; if not, it runs beside one that does */
	struct capture_reader reader;
	struct capture_packet packet; /* the next one, as it was read */
	int64_t time;		      /* of it, in the trace */
	int64_t left;		      /* ns of the capture that it may still take */
	struct disguise disguise;
};

struct big {
	struct options options;
	struct outfile out;
	struct capture_writer writer;
	struct source *source, **order; /* as given; as this round takes them */
	uint32_t n, at;			/* sources; the next one in this round */
	uint32_t n_round;		/* instances begun in this round */
	struct instance *instance, **heap;
	uint32_t live;
	uint64_t packets, instances, random;
	int64_t now;
	struct fresh fresh;
	uint8_t *frame;
};

static void __attribute__((noreturn))
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static void
arguments(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"live", required_argument, NULL, 'l'},
					      {"span", required_argument, NULL, 's'},
					      {"snaplen", required_argument, NULL, 'c'},
					      {"seed", required_argument, NULL, 'r'},
					      {0}};
	int c;

	*o = (struct options){.live = 512, .span = 600, .snaplen = 128};
	while ((c = getopt_long(argc, argv, "n:o:", table, NULL)) != -1) {
		if (c == 'n' && io_number(optarg, 1, UINT64_MAX, &o->packets))
			continue;
		if (c == 'l' && io_number(optarg, 1, 65536, &o->live))
			continue;
		if (c == 's' && io_number(optarg, 1, 1000000, &o->span))
			continue;
		if (c == 'c' && io_number(optarg, 14, capture_max(ETHERNET), &o->snaplen))
			continue;
		if (c == 'r' && io_number(optarg, 0, UINT64_MAX, &o->seed))
			continue;
		if (c != 'o')
			usage();
		o->output = optarg;
	}
	if (!o->packets || !o->output || optind == argc)
		usage();
}

static void
prepare(struct big *b, char **paths, int n)
{
	struct rlimit files;

	b->n = b->at = n;
	b->n_round = 1;
	b->random = b->options.seed;
	b->now = START;
	b->source = calloc(n, sizeof *b->source);
	b->order = calloc(n, sizeof *b->order);
	b->instance = calloc(b->options.live, sizeof *b->instance);
	b->heap = calloc(b->options.live, sizeof *b->heap);
	b->frame = malloc(capture_max(ETHERNET) + DISGUISE_ROOM);
	if (!b->source || !b->order || !b->instance || !b->heap || !b->frame)
		err(1, NULL);
	for (int i = 0; i < n; i++) {
		b->source[i].path = paths[i];
		b->order[i] = &b->source[i];
	}
	/* Tables of an instance go back to the system as it ends, and its zeros come from there. */
	mallopt(M_MMAP_THRESHOLD, 1 << 16);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (outfile_open(&b->out, b->options.output) < 0)
		err(1, "%s", b->options.output);
	if (capture_create(&b->writer, dup(b->out.fd), ETHERNET, b->options.snaplen, true) < 0)
		errx(1, "%s", b->writer.error);
}

/* --- instances --- */

/* The next source; in each round all of them, in an order of its own. NULL if a round was in vain.
 */
static struct source *
next_source(struct big *b)
{
	if (b->at == b->n) {
		if (!b->n_round)
			return NULL;
		for (uint32_t i = b->n - 1; i > 0; i--) {
			uint32_t j = disguise_draw(&b->random, i + 1);
			struct source *s = b->order[i];
			b->order[i] = b->order[j];
			b->order[j] = s;
		}
		b->at = b->n_round = 0;
	}
	return b->order[b->at++];
}

/* Opens a source where the instance begins, and reads its first packet. */
static bool
instance_open(struct instance *i, uint64_t skip)
{
	bool read = false;

	errno = 0;
	if (capture_open(&i->reader, i->source->path, NULL, NULL) < 0) {
		if (errno == EMFILE || errno == ENFILE)
			err(1, "%s", i->source->path); /* not the capture's fault */
		return false;
	}
	if (i->reader.dlt == ETHERNET)
		do
			read = capture_read(&i->reader, &i->packet) == 1;
		while (read && skip--);
	if (!read)
		capture_close(&i->reader);
	return read;
}

/* Makes an instance of the next source that can be used; false if there is none. */
static bool
instance_begin(struct big *b, struct instance *i, int64_t within)
{
	struct source *s;

	do {
		if (!(s = next_source(b)))
			return false;
		*i = (struct instance){.number = b->instances,
				       .source = s,
				       .first = !s->running,
				       .left = b->options.span * SECOND};
		s->unfit = s->unfit || !instance_open(i, i->first ? s->at : 0);
	} while (s->unfit);
	if (disguise_begin(&i->disguise, &b->fresh, s->again || !i->first, &b->random) < 0)
		err(1, NULL);
	i->time = b->now + disguise_draw(&b->random, within);
	s->running = true;
	s->instances++;
	b->instances++;
	b->n_round++;
	return true;
}

/* over: its capture ended with it. */
static void
instance_end(struct instance *i, bool over)
{
	capture_close(&i->reader);
	disguise_end(&i->disguise);
	if (!i->first)
		return;
	i->source->running = false;
	i->source->again |= over;
	if (over)
		i->source->at = 0;
}

/* Goes on to its next packet; false if it ended. */
static bool
instance_next(struct instance *i)
{
	int64_t before = i->packet.time, step;

	i->source->at += i->first;
	if (capture_read(&i->reader, &i->packet) != 1) {
		instance_end(i, true);
		return false;
	}
	step = i->packet.time > before ? i->packet.time - before : 0;
	if (step > i->left || disguise_full(&i->disguise)) {
		instance_end(i, false);
		return false;
	}
	i->left -= step;
	i->time += step * i->disguise.factor / DISGUISE_UNIT;
	return true;
}

/* --- merging --- */

static bool
before(const struct instance *a, const struct instance *b)
{
	return a->time != b->time ? a->time < b->time : a->number < b->number;
}

static void
sift_down(struct big *b)
{
	struct instance **heap = b->heap, *moved = heap[0];
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < b->live) {
		if (child + 1 < b->live && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void
sift_up(struct big *b, struct instance *moved)
{
	uint32_t at = b->live++;

	for (; at && before(moved, b->heap[(at - 1) / 2]); at = (at - 1) / 2)
		b->heap[at] = b->heap[(at - 1) / 2];
	b->heap[at] = moved;
}

static void
write_first(struct big *b)
{
	struct instance *i = b->heap[0];
	struct capture_packet out = {.time = i->time};

	b->now = i->time;
	disguise_packet(&i->disguise, &i->packet, b->frame, &out);
	if (out.caplen > b->options.snaplen)
		out.caplen = b->options.snaplen;
	if (capture_write(&b->writer, &out) < 0)
		errx(1, "%s: %s", b->options.output, b->writer.error);
	b->packets++;
}

static void
run(struct big *b)
{
	while (b->live < b->options.live && instance_begin(b, &b->instance[b->live], SPREAD))
		sift_up(b, &b->instance[b->live]);
	if (!b->live)
		errx(1, "none of the captures is of Ethernet packets");
	while (b->live && !io_interrupted) {
		write_first(b);
		if (b->packets == b->options.packets)
			return;
		if (!instance_next(b->heap[0]) && !instance_begin(b, b->heap[0], PAUSE))
			b->heap[0] = b->heap[--b->live];
		sift_down(b);
	}
}

static void
report(const struct big *b)
{
	uint32_t unfit = 0, more = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		unfit += b->source[i].unfit;
		more += b->source[i].instances > 1;
	}
	warnx("%" PRIu64 " packets, %" PRIu64 " instances; captures: %" PRIu32 " left out, %" PRIu32
	      " used more than once",
	      b->packets, b->instances, unfit, more);
}

int
main(int argc, char **argv)
{
	static struct big b;

	io_start();
	arguments(&b.options, argc, argv);
	prepare(&b, argv + optind, argc - optind);
	run(&b);
	if (capture_finish(&b.writer) < 0)
		errx(1, "%s: %s", b.options.output, b.writer.error);
	if (io_interrupted) {
		outfile_discard(&b.out);
		return 130;
	}
	if (outfile_commit(&b.out) < 0)
		err(1, "%s", b.options.output);
	report(&b);
	return 0;
}
