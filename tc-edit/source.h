/*
 * A source: one input, or one copy of it, as packets. It reads actions, renders them as tc-compile does, with a state of its
 * own, and parses again what goes through.
 */
#ifndef TC_EDIT_SOURCE_H
#define TC_EDIT_SOURCE_H

#include "pace.h"
#include "select.h"
#include "share.h"

#include "record/stream.h"
#include "state/trace.h"

/* A packet in octets: what follows its headers is zeros. */
struct frame {
	uint8_t *octets;
	size_t size;
	uint32_t written; /* octets that may be other than 0 */
	bool built;	  /* they are those of the packet at hand */
};

struct source {
	const char *name;
	int fd;
	struct stream_reader reader;
	struct stream_header header; /* of the trace at hand */
	bool has_header, ended;	     /* it was read already; there are no more traces */
	uint32_t snaplen;	     /* of what is made of it, 0: its own */
	bool strict, mute;	     /* what goes wrong ends it; another copy says what does */
	enum stream_end end;	     /* the worst of its traces */
	bool failed;		     /* it broke off, or was refused: said already */
	bool no_memory;		     /* or that was short: said, even of a mute one */
	const struct selection *selection; /* NULL: all goes through */
	const struct share *share;	   /* NULL: hosts as they are */
	struct fresh *fresh;		   /* where addresses come from, maybe for other sources too */
	struct pace pace;
	struct frame *frame; /* for all sources */
	struct trace trace;
	uint64_t *flow; /* by slot: the number of its flow, from 0, in all of the input */
	uint64_t flows;
	uint64_t odd[ODDS];   /* what was changed in traces before this one */
	struct packet packet; /* the last one that was read, as it is to be built */
	struct packet parsed; /* that one, where it had to be built and parsed to know what is seen of it */
	struct packet *head;  /* the last one that goes through, of these two; with its new time */
};

/* 0, or -1 where memory is short. The source doesn't own the descriptor. */
int source_init(struct source *s, int fd, const char *name);
void source_free(struct source *s);
/* The next trace: 1, 0 where there is none, -1 where the input is wrong, as was said. */
int source_begin(struct source *s);
/* The header of the trace that source_begin() begins next: the same, and it can be asked for again. */
int source_header(struct source *s);
/* The next packet of the trace, whatever it is: 1, 0 at its end, -1. */
int source_read(struct source *s);
/* The number of its flow. */
uint64_t source_flow(const struct source *s);
/* Whether it matches, once it is built. -1 where memory is short, as was said. */
int source_matches(struct source *s, const struct capture_match *m);
/* The next packet of the trace that goes through, in s->head: 1, 0 at its end, -1. */
int source_next(struct source *s);
/* Adds how often something was changed, by reason. */
void source_counts(const struct source *s, uint64_t *odd);

#endif
