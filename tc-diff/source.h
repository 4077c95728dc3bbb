/* A trace as packets, whatever it is kept as: a capture, or actions, which are compiled on the fly. */
#ifndef TC_SOURCE_H
#define TC_SOURCE_H

#include "packet/capture.h"
#include "state/trace.h"

struct source {
	int fd;
	const char *name;
	bool actions;
	struct capture_reader capture;
	struct stream_reader stream;
	struct trace trace; /* flows as tc-lift has them, or as the actions say that they are */
	struct fresh fresh;
	struct trace again; /* paired actions are lifted again: what they say may be said otherwise */
	bool paired;	       /* the actions are wanted, not only the flows */
	struct action action;  /* what the packet at hand lifts to, if so */
	struct action read;    /* what it was read as, if from actions */
	const uint8_t *data;   /* octets of the packet at hand, NULL where it comes from actions */
	uint64_t packets, beyond; /* read so far; those whose times were out of range */
	char error[CAPTURE_ERROR];
};

/* Which flow a packet belongs to, and how it goes on. */
struct step {
	bool trace_begins; /* a stream's next trace: no flow of the one before goes on */
	uint32_t slot;
	int dir;
	enum flow_open open;
};

/* A file, or "-". 0, or -1 with s->error. */
int source_open(struct source *s, const char *path);
/* Captures and actions are told apart by their magic. paired: fill s->action. 0, or -1 with s->error. */
int source_begin(struct source *s, bool paired);
/* The next packet: 1, 0 at the end, -1 with s->error, after what could be read. */
int source_next(struct source *s, struct packet *p, struct step *step);
void source_close(struct source *s);

#endif
