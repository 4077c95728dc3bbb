/* Where all goes: packets are lifted as by tc-lift, and written as actions; and a table that says where each came from. */
#ifndef TC_EDIT_SINK_H
#define TC_EDIT_SINK_H

#include "process/outfile.h"
#include "record/stream.h"
#include "state/trace.h"

#include <stdio.h>

struct sink {
	struct stream_writer writer;
	struct trace trace;
	bool begun;	  /* the header of the trace at hand is written */
	uint64_t packets; /* of all traces */
	struct sink_flow {
		uint64_t number; /* of the flow, from 1, in all traces */
		uint32_t source; /* that opened it */
		bool mixed;	 /* another one went on with it */
	} *flow;
	uint64_t flows, mixed;
	uint64_t odd; /* times that a capture can't hold */
	uint64_t evicted[4]; /* flows, hosts, link addresses, suffixes */
	FILE *labels; /* NULL: none */
};

/* A table of where packets come from, on fd, which the sink takes. 0, or -1 with errno. */
int sink_label(struct sink *s, int fd);
/* 0, or -1 with errno, where the table wasn't written. */
int sink_finish(struct sink *s);
/* A trace begins, with this header but its start. 0, or -1 where memory is short. */
int sink_begin(struct sink *s, const struct stream_header *h);
/* A packet of the source of that number and name. 0, or -1 with s->writer.error. */
int sink_packet(struct sink *s, struct packet *p, uint32_t source, const char *name);
int sink_end(struct sink *s, enum stream_end end);
int sink_flush(struct sink *s);
void sink_free(struct sink *s);

#endif
