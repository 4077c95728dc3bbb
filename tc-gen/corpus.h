/* What is learned from: the packets of action streams, each with its flow, its time, and whom it names. */
#ifndef TC_GEN_CORPUS_H
#define TC_GEN_CORPUS_H

#include "record/stream.h"

#define NOBODY UINT32_MAX
#define OFTEN  4 /* what was seen so often is a symbol of its own */
enum who { WHO_ORIG_H, WHO_RESP_H, WHO_SRC_MAC, WHO_DST_MAC, WHOS };

/* Whom an action names. */
struct named {
	uint8_t kind;  /* enum ref_kind */
	bool set;
	uint32_t id;   /* of a host or link address: its own number, whatever its slot */
	uint32_t rank; /* how many others were named since; NOBODY for a new one */
};

struct packet_seen {
	int64_t time;	 /* ns since the trace's start */
	uint64_t at;	 /* its words */
	uint32_t trace, flow;
	uint32_t before, next; /* of its flow; NOBODY: none */
	bool opens;		/* a flow of which the trace has the beginning */
	bool alive;		/* the flow was alive when the trace began, and this is its first packet */
	bool begins;		/* the first of its direction: */
	uint8_t ttl;		/* its TTL, */
	uint32_t sender;	/* and who sends it by IP, as id in named; NOBODY: an address that everyone shares */
	int64_t opening, of_host; /* ns until the next opening, and until one of a host of the flow, who is known; as upcoming_in() */
	struct named who[WHOS];
};

struct someone {
	uint8_t class;
	uint32_t scope, opened; /* flows that name it where they open */
};

struct corpus {
	struct stream_header header; /* of the first trace */
	struct packet_seen *packet;
	uint32_t packets, room;
	uint32_t flows, traces;
	bool layered; /* some packets have tags, or fields of the link header */
	uint32_t *size;	 /* packets of each flow */
	int64_t *length; /* of each trace, ns */
	uint64_t *word;
	uint64_t words, words_room;
	struct someone *one[2]; /* hosts, link addresses */
	uint32_t ones[2];
};

/* Adds a trace whose header was read. 0, or -1: r->error says why, or, where it is empty, errno. */
int corpus_add(struct corpus *c, const struct stream_header *h, struct stream_reader *r);
/* Once all are read: which openings are beginnings, and how large flows are. 0, or -1 where memory is short. */
int corpus_finish(struct corpus *c);
/* What a packet does, once all is finished. Flows are drawn in another order than they were seen in, so that what hangs on packets
 * of other flows is said with each direction's first packet, not only where it is another than before: the TTL of who has a symbol,
 * tags, and fields of the link header. */
void corpus_action(const struct corpus *c, uint32_t packet, struct action *a);
/* Whether a host or link address is known by itself, as it takes part so often. */
bool corpus_known(const struct corpus *c, int link, uint32_t id);
void corpus_free(struct corpus *c);

#endif
