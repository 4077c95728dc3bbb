#include "source.h"

#include "process/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
fail(struct source *s, const char *why)
{
	snprintf(s->error, sizeof s->error, "%s", why);
	return -1;
}

/* Flows begin anew: for the first trace, and for each further one of a stream. */
static int
begin(struct source *s, const struct stream_header *h)
{
	trace_free(&s->trace);
	s->trace.header = *h;
	if (trace_init(&s->trace, h->link, s->actions ? &s->fresh : NULL, 0) < 0)
		return fail(s, strerror(errno));
	if (!s->actions || !s->paired)
		return 0;
	trace_free(&s->again);
	s->again.header = *h;
	if (trace_init(&s->again, h->link, NULL, 0) < 0)
		return fail(s, strerror(errno));
	return 0;
}

/* 1: a trace has begun, 0: there is none, -1. */
static int
next_trace(struct source *s)
{
	struct stream_header h;
	int got = stream_read_header(&s->stream, &h);

	if (got < 0)
		return fail(s, s->stream.error);
	if (got == 0)
		return 0;
	return begin(s, &h) < 0 ? -1 : 1;
}

int
source_open(struct source *s, const char *path)
{
	*s = (struct source){.fd = io_open(path), .name = io_name(path, "standard input")};
	return s->fd < 0 ? fail(s, strerror(errno)) : 0;
}

int
source_begin(struct source *s, bool paired)
{
	uint8_t head[4];
	ssize_t n = 0, got = 1;
	int fd = s->fd;

	s->paired = paired;
	while (n < 4 && (got = read_some(fd, head + n, 4 - n)) > 0)
		n += got;
	if (got < 0)
		return fail(s, strerror(errno));
	/* A map of msgpack; no capture begins so. */
	s->actions = n && (head[0] >> 4 == 8 || head[0] == 0xde || head[0] == 0xdf);
	if (s->actions) {
		if (stream_reader_init(&s->stream, fd) < 0)
			return fail(s, s->stream.error);
		stream_reader_give(&s->stream, head, n);
		return next_trace(s) == 1 ? 0 : -1;
	}
	if (capture_open_fd(&s->capture, fd, head, n, NULL, NULL) < 0)
		return fail(s, s->capture.error);
	struct stream_header h = {.link = s->capture.dlt, .snaplen = s->capture.snaplen,
				  .cap = TRACE_CAP, .idle = FLOW_IDLE_DEFAULT};
	return begin(s, &h);
}

static int
next_action(struct source *s, struct packet *p, struct step *step)
{
	struct action *a = &s->read;
	int got;

	while ((got = stream_read(&s->stream, a)) == 0) {
		if (s->stream.end != STREAM_WHOLE)
			return fail(s, "the trace was cut or interrupted");
		if ((got = next_trace(s)) <= 0)
			return got;
		step->trace_begins = true;
	}
	if (got < 0)
		return fail(s, s->stream.error);
	trace_compile(&s->trace, p, a);
	/* Actions may ask for any time; the difference of two must have 63 bits, as that of two of captures. */
	int64_t asked = p->time;
	p->time = asked < CAPTURE_TIME_MIN   ? CAPTURE_TIME_MIN
		  : asked > CAPTURE_TIME_MAX ? CAPTURE_TIME_MAX
					     : asked;
	s->beyond += p->time != asked;
	return 1;
}

static int
next_captured(struct source *s, struct packet *p)
{
	struct capture_packet c;
	int got = capture_read(&s->capture, &c);

	if (got < 0)
		return fail(s, s->capture.error);
	if (got == 0)
		return 0;
	packet_clear(p);
	p->time = c.time;
	p->caplen = c.caplen;
	p->len = c.len;
	s->beyond += c.beyond;
	packet_parse(p, s->trace.dlt, c.data);
	s->data = c.data;
	return 1;
}

int
source_next(struct source *s, struct packet *p, struct step *step)
{
	*step = (struct step){0};
	int got = s->actions ? next_action(s, p, step) : next_captured(s, p);

	if (got != 1)
		return got;
	if (s->packets++ == 0 && !s->actions)
		s->trace.time = p->time; /* where actions count from, too */
	if (s->actions && s->paired)
		trace_lift(&s->again, p, &s->action);
	else if (s->paired)
		trace_lift(&s->trace, p, &s->action);
	else if (!s->actions)
		trace_follow(&s->trace, p);
	step->slot = s->trace.at.slot;
	step->dir = s->trace.at.dir;
	step->open = s->trace.at.open;
	return 1;
}

void
source_close(struct source *s)
{
	trace_free(&s->trace);
	trace_free(&s->again);
	if (s->actions)
		stream_reader_free(&s->stream);
	else
		capture_close(&s->capture);
}
