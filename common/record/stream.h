/*
 * The stream between the filters: a header, one record a packet, an end record; tc-records(5).
 * Errors are sticky: after one, calls do nothing and return it again; error holds the reason.
 */
#ifndef TC_STREAM_H
#define TC_STREAM_H

#include "record/action.h"

#include <stdio.h>

#define STREAM_MAGIC   "tracecodec"
#define STREAM_ERROR   160
#define STREAM_CAP_MIN 16 /* live flows, of a header */
#ifndef STREAM_CAP_MAX	  /* what is built to be fuzzed has less room, for speed */
#define STREAM_CAP_MAX (1u << 20)
#endif

/* What the records are: tc-records(5), tc-latents(5). */
enum stream_kind { STREAM_ACTIONS, STREAM_LATENTS, STREAM_KINDS };
extern const char *const stream_kind_names[STREAM_KINDS];
extern const int stream_versions[STREAM_KINDS]; /* of the formats */
enum latent_type { LATENT_F32, LATENT_F16, LATENT_TYPES };
extern const char *const latent_type_names[LATENT_TYPES];
#define STREAM_COORDINATES 4096 /* of a latent, at most */
/* A latent's blocks, in their order: what an action does, whom it names, when it comes. */
enum stream_block { STREAM_WHAT, STREAM_WHO, STREAM_WHEN, STREAM_BLOCKS };
extern const char *const stream_block_names[STREAM_BLOCKS];

enum stream_end { STREAM_WHOLE, STREAM_CUT, STREAM_INTERRUPTED };
extern const char *const stream_end_names[3];

/* What holds for a whole trace. */
struct stream_header {
	uint32_t link;    /* libpcap's DLT_ number */
	uint32_t snaplen; /* octets */
	uint32_t nano;    /* timestamps of the capture: 1 nanoseconds, 0 microseconds */
	int64_t start;    /* of the first packet, ns since 1970 */
	uint32_t cap;     /* live flows, and live hosts, at most */
	uint32_t idle[FLOW_KINDS]; /* seconds of silence that end a flow */
	enum stream_kind kind;
	/* of latents alone */
	enum latent_type type;
	uint32_t block[STREAM_BLOCKS]; /* coordinates */
	uint8_t weights[32];	       /* SHA-256 */
};

/* Of a latent, in all. */
static inline uint32_t
stream_coordinates(const struct stream_header *h)
{
	return h->block[STREAM_WHAT] + h->block[STREAM_WHO] + h->block[STREAM_WHEN];
}

/* A latent, and beside it, where that is not the action that it decodes to, the true one. */
struct latent {
	const uint8_t *octets; /* coordinates, of the header's type */
	size_t size;
	const uint8_t *rest; /* to be written: those behind, where they stand elsewhere */
	size_t rest_size;
	bool patched;
	struct action patch;
};

/* Which fields a trace has, as its header names them: field[i] is what bit i of a record's mask stands for, ACTION_COUNT
 * where this program doesn't know it; n of them. */
struct action_order {
	uint8_t field[64];
	int n;
	uint64_t known, unknown; /* bits of the fields that this program knows, and of those that it doesn't */
};

struct stream_writer {
	int fd;
	char *buf;
	size_t n, summed; /* octets in buf, and how many of them crc has seen */
	uint32_t crc;
	uint64_t packets, flows;
	char error[STREAM_ERROR];
};

/* 0 or -1; the writer owns its buffer, not the descriptor. */
int stream_writer_init(struct stream_writer *w, int fd);
void stream_writer_free(struct stream_writer *w);
/* Each 0, or -1 with w->error. Records wait for a flush, a full buffer, or 1024 of them. */
int stream_write_header(struct stream_writer *w, const struct stream_header *h);
int stream_write(struct stream_writer *w, const struct action *a);
/* flows: whether the packet opens one. */
int stream_write_latent(struct stream_writer *w, const struct latent *l, bool opens);
int stream_write_end(struct stream_writer *w, enum stream_end end);
int stream_flush(struct stream_writer *w);

struct stream_reader {
	int fd;
	char *buf;
	size_t at, n;    /* next octet to look at, octets in buf */
	size_t record;   /* where in buf the last object began */
	uint64_t offset; /* of buf[0] in the input */
	size_t summed;
	uint32_t crc;
	uint64_t packets, flows; /* of this trace so far */
	uint64_t all;		 /* packets of all traces so far */
	enum stream_end end;     /* how this trace ended, once stream_read() said 0 */
	bool traced;             /* a trace was begun */
	unsigned kinds;          /* that are read: bit k, kind k; at first actions alone */
	struct stream_header header;
	uint64_t unknown;        /* records and fields passed over because nobody here knows them */
	struct action_order order;
	struct msgpack_zone *zone;
	/* Called before the input is waited for: the place to pass on what is ready. */
	int (*before_wait)(void *);
	void *before_wait_arg;
	char error[STREAM_ERROR];
};

int stream_reader_init(struct stream_reader *r, int fd);
/* Octets of the input that were read already, before the first call below. */
void stream_reader_give(struct stream_reader *r, const void *head, size_t n);
void stream_reader_free(struct stream_reader *r);
/* The next trace of the input: 1 with *h filled, 0 at the end of the input, -1 with r->error. */
int stream_read_header(struct stream_reader *r, struct stream_header *h);
/* The next packet of the trace: 1, 0 after its end record (r->end), -1 with r->error. */
int stream_read(struct stream_reader *r, struct action *a);
/* The same for latents; the octets live until the next call. */
int stream_read_latent(struct stream_reader *r, struct latent *l);

#endif
