#include "source.h"

#include "plain.h"

#include "record/traces.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int
source_init(struct source *s, int fd, const char *name)
{
	s->fd = fd;
	s->name = name;
	return stream_reader_init(&s->reader, fd);
}

void
source_free(struct source *s)
{
	stream_reader_free(&s->reader);
	trace_free(&s->trace);
	free(s->flow);
	s->flow = NULL;
}

/* What went wrong, once; an interrupt is no mistake. */
static int
fail(struct source *s, const char *why)
{
	if (*why && !s->mute && !io_interrupted)
		warnx("%s: %s", s->name, why);
	s->failed = s->ended = true;
	if (s->end == STREAM_WHOLE)
		s->end = io_interrupted ? STREAM_INTERRUPTED : STREAM_CUT;
	return -1;
}

static int
no_memory(struct source *s)
{
	warnx("%s: %s", s->name, strerror(ENOMEM));
	s->no_memory = true;
	return fail(s, "");
}

int
source_header(struct source *s)
{
	if (s->has_header)
		return 1;
	if (s->ended)
		return s->failed ? -1 : 0;
	int got = stream_read_header(&s->reader, &s->header);
	traces_mistaken(&s->reader);
	if (got < 0)
		return fail(s, s->reader.error);
	s->has_header = got;
	s->ended = !got;
	if (got && (s->header.snaplen < 1 || s->header.snaplen > capture_max(s->header.link))) {
		char why[80];
		snprintf(why, sizeof why, "header: a snap length of %" PRIu32 "; 1 to %" PRIu32 " are possible", s->header.snaplen,
			 capture_max(s->header.link));
		return fail(s, why);
	}
	return got;
}

int
source_begin(struct source *s)
{
	int got = source_header(s);

	if (got != 1)
		return got;
	s->has_header = false;
	for (int i = 0; i < ODDS; i++)
		s->odd[i] += s->trace.odd[i];
	trace_free(&s->trace);
	s->trace.header = s->header;
	free(s->flow);
	s->flow = calloc(s->header.cap, sizeof *s->flow);
	if (trace_init(&s->trace, s->header.link, s->fresh, 0) < 0 || !s->flow)
		return no_memory(s);
	return 1;
}

void
source_counts(const struct source *s, uint64_t *odd)
{
	for (int i = 0; i < ODDS; i++)
		odd[i] += s->odd[i] + s->trace.odd[i];
}

/* What a strict compiler doesn't grant: 0 if nothing. */
static int
refused(struct source *s)
{
	char why[120];

	for (int i = 0; i < ODDS; i++) {
		if (!s->trace.odd[i])
			continue;
		snprintf(why, sizeof why, "record %" PRIu64 ": %s", s->reader.packets, odd_names[i]);
		return fail(s, why);
	}
	return 0;
}

/* The trace at hand is at its end, which the readers of what is made of it are to hear of. */
static int
trace_ends(struct source *s)
{
	enum stream_end end = s->reader.end;

	if (end != STREAM_WHOLE && !s->mute)
		warnx("%s: the trace ends %s after %" PRIu64 " packets", s->name, stream_end_names[end], s->reader.packets);
	if (s->end == STREAM_WHOLE)
		s->end = end;
	return 0;
}

int
source_read(struct source *s)
{
	struct action a;
	int got = stream_read(&s->reader, &a);

	if (got == 0)
		return trace_ends(s);
	if (got < 0)
		return fail(s, s->reader.error);
	trace_compile(&s->trace, &s->packet, &a);
	if (s->snaplen && s->packet.caplen > s->snaplen) { /* a trace with a larger one behind the first */
		s->trace.odd[ODD_RANGE]++;
		s->packet.caplen = s->snaplen;
	}
	if (s->trace.at.open != FLOW_GOES_ON)
		s->flow[s->trace.at.slot] = s->flows++;
	if (s->share)
		share_apply(s->share, &s->packet);
	s->frame->built = false;
	return s->strict && refused(s) < 0 ? -1 : 1;
}

uint64_t
source_flow(const struct source *s)
{
	return s->flow[s->trace.at.slot];
}

/* The packet at hand in octets: as tc-compile writes it. */
static int
build(struct source *s)
{
	struct frame *f = s->frame;
	size_t room = (s->packet.caplen > capture_max(-1) ? s->packet.caplen : capture_max(-1)) + PACKET_HEADERS;

	if (f->built)
		return 0;
	if (f->size < room) {
		uint8_t *more = realloc(f->octets, room);
		if (!more)
			return no_memory(s);
		memset(more + f->size, 0, room - f->size);
		f->octets = more;
		f->size = room;
	}
	uint32_t n = packet_build(&s->packet, s->trace.dlt, f->octets);
	if (n < f->written)
		memset(f->octets + n, 0, f->written - n);
	f->written = n;
	f->built = true;
	return 0;
}

int
source_matches(struct source *s, const struct capture_match *m)
{
	if (build(s) < 0)
		return -1;
	return capture_matches(m, s->frame->octets, s->packet.caplen, s->packet.len);
}

static int
goes_through(struct source *s)
{
	const struct selection *c = s->selection;

	if (!c)
		return 1;
	if (!select_time(c, s->packet.time, s->header.start) || !select_flow(c, source_flow(s)))
		return 0;
	return c->packet_expression ? source_matches(s, &c->packets) : 1;
}

int
source_next(struct source *s)
{
	int got, goes = 0;

	while (!goes) {
		if ((got = source_read(s)) != 1)
			return got;
		goes = goes_through(s);
	}
	if (goes < 0)
		return -1;
	int64_t time = pace_time(&s->pace, s->packet.time);
	s->head = &s->packet;
	if (!packet_is_plain(&s->packet, s->trace.dlt)) {
		if (build(s) < 0)
			return -1;
		s->head = &s->parsed;
		packet_clear(&s->parsed);
		s->parsed.caplen = s->packet.caplen;
		s->parsed.len = s->packet.len;
		packet_parse(&s->parsed, s->trace.dlt, s->frame->octets);
	}
	s->head->time = time;
	return 1;
}
