#include "sink.h"

#include "process/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define NANO INT64_C(1000000000)

int
sink_label(struct sink *s, int fd)
{
	if (!(s->labels = io_stream(fd)))
		return -1;
	fputs("packet\tinput\tflow\n", s->labels);
	return 0;
}

int
sink_finish(struct sink *s)
{
	FILE *f = s->labels;

	if (!f)
		return 0;
	s->labels = NULL;
	int bad = ferror(f) | fclose(f);
	return bad ? -1 : 0;
}

int
sink_begin(struct sink *s, const struct stream_header *h)
{
	trace_free(&s->trace);
	free(s->flow);
	s->begun = false;
	s->trace.header = *h;
	s->flow = calloc(h->cap, sizeof *s->flow);
	return trace_init(&s->trace, h->link, NULL, 0) < 0 || !s->flow ? -1 : 0;
}

/* The header waits for the first packet, whose time it holds. */
static int
begin(struct sink *s, int64_t start)
{
	s->begun = true;
	s->trace.header.start = s->trace.time = start;
	return stream_write_header(&s->writer, &s->trace.header);
}

/* The time as tc-compile would write it. */
static int64_t
held(struct sink *s, int64_t time)
{
	int64_t t = time < 0 ? 0 : time / NANO > UINT32_MAX ? UINT32_MAX * NANO : time;

	if (!s->trace.header.nano)
		t -= t % 1000;
	s->odd += t != time;
	return t;
}

static void
label(struct sink *s, const char *name, uint64_t flow)
{
	fprintf(s->labels, "%" PRIu64 "\t", s->packets);
	for (; *name; name++)
		putc((unsigned char)*name < ' ' ? '?' : *name, s->labels);
	fprintf(s->labels, "\t%" PRIu64 "\n", flow);
}

int
sink_packet(struct sink *s, struct packet *p, uint32_t source, const char *name)
{
	struct action a;

	p->time = held(s, p->time);
	if (!s->begun && begin(s, p->time) < 0)
		return -1;
	trace_lift(&s->trace, p, &a);
	struct sink_flow *f = &s->flow[s->trace.at.slot];
	if (s->trace.at.open != FLOW_GOES_ON) {
		*f = (struct sink_flow){.number = ++s->flows, .source = source};
	} else if (f->source != source && !f->mixed) {
		f->mixed = true;
		s->mixed++;
	}
	s->packets++;
	if (s->labels)
		label(s, name, f->number);
	return stream_write(&s->writer, &a);
}

int
sink_end(struct sink *s, enum stream_end end)
{
	const struct trace *t = &s->trace;
	const uint64_t evicted[] = {t->flows.evicted, t->hosts.evicted, t->macs.evicted, t->suffixes.evicted};

	for (int i = 0; i < 4; i++)
		s->evicted[i] += evicted[i];
	if (!s->begun && begin(s, 0) < 0)
		return -1;
	return stream_write_end(&s->writer, end);
}

int
sink_flush(struct sink *s)
{
	return stream_flush(&s->writer);
}

void
sink_free(struct sink *s)
{
	stream_writer_free(&s->writer);
	trace_free(&s->trace);
	free(s->flow);
	s->flow = NULL;
}
