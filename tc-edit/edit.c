#include "edit.h"

#include "spool.h"

#include "support/random.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
pass_on(void *arg)
{
	struct edit *e = arg;

	return e->sink.begun ? sink_flush(&e->sink) : 0;
}

/* Which input a source is of. */
static uint32_t
input_of(const struct edit *e, uint32_t source)
{
	return source < e->copies ? 0 : source - e->copies + 1;
}

bool
edit_reads_twice(const struct edit *e, uint32_t input)
{
	return e->share_hosts || (input == 0 && (e->copies > 1 || e->selection.flow_expression));
}

static int
open_source(struct edit *e, uint32_t i)
{
	struct source *s = &e->source[i];
	const struct input *in = &e->input[input_of(e, i)];
	bool first = i < e->copies, copy = first && i > 0;

	*s = (struct source){.frame = &e->frame, .fresh = &e->fresh[!e->share_hosts ? 0 : copy ? e->sources : i],
			     .strict = e->strict, .mute = copy, .selection = first ? &e->selection : NULL,
			     .pace = {.speed = first ? e->speed : PACE_ONE, .move = first ? e->shift : 0}};
	int fd = copy ? spool_again(in->fd, in->pipe < 0 ? in->path : in->spool) : in->fd;
	if (fd < 0 || source_init(s, fd, in->name) < 0)
		return -1;
	s->reader.before_wait = pass_on;
	s->reader.before_wait_arg = e;
	return 0;
}

int
edit_open(struct edit *e)
{
	e->sources = e->copies + e->inputs - 1;
	e->source = calloc(e->sources, sizeof *e->source);
	e->heap = calloc(e->sources, sizeof *e->heap);
	e->share = calloc(e->inputs, sizeof *e->share);
	e->fresh = calloc(e->sources + 1, sizeof *e->fresh);
	e->random = e->seed;
	if (!e->source || !e->heap || !e->share || !e->fresh)
		return -1;
	for (uint32_t i = 0; i < e->sources; i++)
		if (open_source(e, i) < 0)
			return -1;
	return 0;
}

int
edit_headers(struct edit *e)
{
	for (uint32_t i = 0; i < e->sources; i++)
		if (source_header(&e->source[i]) != 1)
			return -1;
	return 0;
}

void
edit_free(struct edit *e)
{
	for (uint32_t i = 0; e->source && i < e->sources; i++) {
		source_free(&e->source[i]);
		if (e->share[input_of(e, i)].to && i >= e->copies)
			share_free(&e->share[input_of(e, i)]);
	}
	if (e->census.host)
		census_free(&e->census);
	select_free(&e->selection);
	sink_free(&e->sink);
	free(e->scan.stretch);
	free(e->frame.octets);
	free(e->source);
	free(e->heap);
	free(e->share);
	free(e->fresh);
	free(e->input);
}

/* --- the first pass --- */

/* A source from its start again. */
static int
rewind_source(struct edit *e, uint32_t i, off_t start)
{
	struct source *s = &e->source[i];
	int fd = s->fd;
	const char *name = s->name;
	struct source again = *s;

	source_free(s);
	if (lseek(fd, start, SEEK_SET) < 0)
		return -1;
	*s = (struct source){.frame = again.frame, .fresh = again.fresh, .strict = again.strict, .pace = again.pace,
			     .selection = again.selection, .share = again.share};
	if (source_init(s, fd, name) < 0)
		return -1;
	s->reader.before_wait = pass_on;
	s->reader.before_wait_arg = e;
	return 0;
}

static int
cannot_scan(const struct edit *e, const struct source *s)
{
	if (s && s->no_memory)
		return -1;
	if (errno == EFBIG)
		warnx("%s: its flows are too many for --buffer %" PRIu64, e->input[0].name, e->buffer >> 20);
	else
		warn(NULL);
	return -1;
}

/* Reads an input whole, from where it stood before its header was read. Its addresses begin where those of the input before
 * ended, and are the same in the second pass. */
static int
scan_input(struct edit *e, uint32_t input, struct scan *c, struct fresh *at)
{
	uint32_t i = input ? e->copies + input - 1 : 0;
	struct source *s = &e->source[i];
	bool strict = s->strict;
	off_t here = lseek(s->fd, 0, SEEK_CUR), start = here - (off_t)(s->reader.offset + s->reader.n);

	s->strict = false;
	*s->fresh = *at;
	progress_begin(s->fd, s->name, &s->reader.all, e->filter.how);
	int scanned = scan_source(c, s);
	s->strict = strict;
	struct fresh end = *s->fresh;
	*s->fresh = *at;
	*at = end;
	return scanned < 0 || rewind_source(e, i, start) < 0 ? cannot_scan(e, s) : 0;
}

/* Whose hosts the others' are taken for. */
static int
scan_shares(struct edit *e, struct fresh *at)
{
	for (uint32_t i = 1; i < e->inputs; i++) {
		struct census theirs = {0};
		struct scan c = {.census = &theirs};
		int made = census_init(&theirs) < 0 ? cannot_scan(e, NULL) : scan_input(e, i, &c, at);
		if (made == 0 && (made = share_init(&e->share[i], &e->census, &theirs)) < 0)
			cannot_scan(e, NULL);
		census_free(&theirs);
		free(c.stretch);
		if (made < 0)
			return -1;
		e->source[e->copies + i - 1].share = &e->share[i];
	}
	e->fresh[e->sources] = *at;
	return 0;
}

int
edit_scan(struct edit *e)
{
	struct fresh at = {0};

	if (!edit_reads_twice(e, 0))
		return 0;
	if (e->share_hosts && census_init(&e->census) < 0)
		return cannot_scan(e, NULL);
	e->scan.census = e->share_hosts ? &e->census : NULL;
	e->selection.named.most = e->buffer;
	e->scan.named = e->selection.flow_expression ? &e->selection.named : NULL;
	return scan_input(e, 0, &e->scan, &at) < 0 || (e->share_hosts && scan_shares(e, &at) < 0) ? -1 : 0;
}

/* --- the second pass --- */

static bool
is_earlier(const struct edit *e, uint32_t a, uint32_t b)
{
	int64_t x = e->source[a].head->time, y = e->source[b].head->time;

	return x != y ? x < y : a < b;
}

/* Moves the source at place i of the heap down to where it belongs. */
static void
heap_down(struct edit *e, uint32_t i)
{
	uint32_t moved = e->heap[i], below;

	for (; (below = 2 * i + 1) < e->in_heap; i = below) {
		if (below + 1 < e->in_heap && is_earlier(e, e->heap[below + 1], e->heap[below]))
			below++;
		if (!is_earlier(e, e->heap[below], moved))
			break;
		e->heap[i] = e->heap[below];
	}
	e->heap[i] = moved;
}

/* The next packet of a source, of its next trace where this one is at its end and all become one. */
static int
next_packet(struct edit *e, struct source *s)
{
	int got;

	while ((got = source_next(s)) == 0 && e->inputs > 1) {
		if ((got = source_begin(s)) != 1)
			return got;
		if (s->header.link != e->sink.trace.header.link) {
			warnx("%s: a trace of link type %" PRIu32 " after one of %" PRIu32 " can't go into the same trace", s->name,
			      s->header.link, e->sink.trace.header.link);
			s->failed = s->ended = true;
			s->end = STREAM_CUT;
			return -1;
		}
	}
	return got;
}

/* When the copies begin: the first where it is, the others somewhere along it. */
static void
place_copies(struct edit *e, bool nano)
{
	int64_t all = e->inputs > 1 ? scan_length_of_all(&e->scan) : scan_length(&e->scan, e->trace);
	uint64_t length = pace_length(all, e->speed);

	for (uint32_t i = 0; i < e->copies; i++) {
		uint64_t start = i ? random_next(&e->random) % (length + 1) : 0;
		e->source[i].pace.begun = false;
		e->source[i].pace.move = e->shift + (int64_t)(nano ? start : start - start % 1000);
	}
}

/* What holds for all sources together: 0, or -1 where they don't fit, as was said. */
static int
join_headers(struct edit *e, struct stream_header *h)
{
	*h = e->source[0].header;
	h->nano |= e->speed != PACE_ONE || e->shift % 1000;
	for (uint32_t i = e->copies; i < e->sources; i++) {
		const struct stream_header *other = &e->source[i].header;
		if (other->link != h->link) {
			warnx("%s: link type %" PRIu32 ", but %" PRIu32 " in %s: they can't be merged", e->source[i].name, other->link,
			      h->link, e->source[0].name);
			return -1;
		}
		h->nano |= other->nano;
		h->snaplen = other->snaplen > h->snaplen ? other->snaplen : h->snaplen;
		h->cap = other->cap > h->cap ? other->cap : h->cap;
	}
	for (uint32_t i = 0; i < e->sources; i++)
		e->source[i].snaplen = h->snaplen;
	return 0;
}

/* The next trace of all sources: 1, 0 where there is none, -1. */
static int
begin_trace(struct edit *e)
{
	struct stream_header h;
	int got = source_header(&e->source[0]);

	if (got != 1)
		return got;
	if (e->selection.link != e->source[0].header.link && (e->selection.flow_expression || e->selection.packet_expression)) {
		warnx("%s: a trace of link type %" PRIu32 " after one of %" PRIu32 ", for which the expressions are", e->source[0].name,
		      e->source[0].header.link, e->selection.link);
		return -1;
	}
	for (uint32_t i = 0; i < e->sources; i++) {
		e->source[i].end = STREAM_WHOLE;
		if (source_begin(&e->source[i]) != 1)
			return -1;
	}
	if (join_headers(e, &h) < 0)
		return -1;
	place_copies(e, h.nano);
	if (sink_begin(&e->sink, &h) < 0) {
		warn(NULL);
		return -1;
	}
	return 1;
}

/* What is written at the end of a trace. */
static enum stream_end
end_of(const struct edit *e)
{
	enum stream_end end = STREAM_WHOLE;

	if (io_interrupted)
		return STREAM_INTERRUPTED;
	for (uint32_t i = 0; i < e->sources && end == STREAM_WHOLE; i++)
		end = e->source[i].end;
	return end;
}

/* One packet of the source at the top of the heap: 0, or -1 where the trace can't go on. */
static int
pass_packet(struct edit *e)
{
	uint32_t i = e->heap[0];
	struct source *s = &e->source[i];

	if (sink_packet(&e->sink, s->head, i, s->name) < 0)
		return -1;
	if (e->strict && e->sink.odd) {
		warnx("%s: record %" PRIu64 ": %s", s->name, s->reader.packets, odd_names[ODD_TIME]);
		s->failed = true;
		s->end = STREAM_CUT;
		return -1;
	}
	if (next_packet(e, s) != 1)
		e->heap[0] = e->heap[--e->in_heap];
	heap_down(e, 0);
	return 0;
}

static int
edit_trace(struct edit *e)
{
	int r = 0;

	e->in_heap = 0;
	for (uint32_t i = 0; i < e->sources; i++)
		if (next_packet(e, &e->source[i]) == 1)
			e->heap[e->in_heap++] = i;
	for (uint32_t i = e->in_heap; i-- > 0;)
		heap_down(e, i);
	while (r == 0 && e->in_heap)
		r = pass_packet(e);
	e->trace++;
	return *e->sink.writer.error || sink_end(&e->sink, end_of(e)) < 0 ? -1 : 0;
}

static bool
any_failed(const struct edit *e)
{
	for (uint32_t i = 0; i < e->sources; i++)
		if (e->source[i].failed)
			return true;
	return false;
}

int
edit_run(struct edit *e)
{
	int got, status = 0;

	progress_begin(e->source[0].fd, e->source[0].name, &e->source[0].reader.all, e->filter.how);
	while ((got = begin_trace(e)) == 1) {
		if (edit_trace(e) < 0 || any_failed(e)) {
			status = 1;
			break;
		}
		status |= end_of(e) != STREAM_WHOLE;
		if (e->inputs > 1)
			break;
	}
	progress_end();
	if (e->sink.writer.buf && !*e->sink.writer.error)
		sink_flush(&e->sink);
	filter_explain(&e->filter, e->sink.writer.error, "");
	return io_interrupted ? 130 : got < 0 || *e->sink.writer.error ? 1 : status;
}
