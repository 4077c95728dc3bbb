/*
 * What a trace has done so far: its flows, hosts, link addresses. Lift and compile keep the same
 * state and change it by the same rules, each with its own addresses and numbers in it; that is
 * what makes one the inverse of the other.
 */
#ifndef TC_TRACE_H
#define TC_TRACE_H

#include "packet/packet.h"
#include "state/slots.h"
#include "record/stream.h"

#ifndef TRACE_CAP /* what is built to be fuzzed has less room, for speed */
#define TRACE_CAP   65536
#endif
#define MEMORY_LIST 12 /* options or extension headers that are remembered as a layout */
#define DATAGRAMS      64    /* datagrams in fragments that are remembered */
#define DATAGRAM_MAX   65536 /* octets of one */
#define DATAGRAM_WORDS 8     /* of each, the latest that were written for the checksum's sake */

/* What one end of a flow was last seen to do. Sequence numbers: RFC 9293 section 3.3.1. What each packet asks for comes
 * first, since a trace has more flows than a cache holds. */
struct side {
	bool seen;
	bool has_next, has_isn, has_ack, has_tsval, has_tsecr, padded, no_checksum;
	uint8_t ttl, tos, type, code;
	uint8_t n_options, n_ext, n_link, n_tags;
	uint16_t id, df, win;
	uint8_t src_mac[6], dst_mac[6];
	uint32_t next; /* RCV.NXT of the peer: the sequence number that is due */
	uint32_t isn;  /* initial sequence number; without a SYN, one less than the first that was sent or acknowledged */
	uint32_t ack, tsval, tsecr;
	uint16_t options[MEMORY_LIST], ext[MEMORY_LIST];
	uint32_t label, frag_id, word;
};

/* The same of its link header, which on most links has none of this. */
struct side_link {
	uint32_t link[PACKET_LINKS];
	uint64_t tags[PACKET_TAGS];
};

struct flow {
	struct side side[2]; /* of the initiator, of the responder */
	int64_t last;	     /* the clock at its last packet */
	uint32_t opened; /* how often the slot was given to a new 5-tuple; 0: never */
	uint32_t proto;  /* as the action's field */
	uint32_t host[2], host_named[2]; /* slot, and its `named` then; SLOT_NONE: fixed address */
	uint16_t port[2];
	struct address address[2];
	bool closed; /* FIN or RST was seen */
};

struct host {
	uint32_t named; /* how often the slot was given to a new host; 0: never */
	struct address address;
	bool has_mac, has_id;
	uint8_t mac[6], ttl;
	uint16_t id;
};

/* Which octets of a datagram came, in blocks of eight, as fragments are cut. */
struct datagram_cover {
	uint32_t blocks; /* that came */
	uint64_t came[DATAGRAM_MAX / 8 / 64];
};

/* A datagram in fragments: the flow that its first one names, and what makes its checksum right (datagram.c). */
struct datagram {
	struct address src, dst;
	uint8_t proto, dir;
	uint32_t id;
	uint32_t flow, opened;	    /* of the first fragment; SLOT_NONE: not seen yet */
	uint32_t end, total;	    /* octet behind the furthest so far; behind the last, 0: not seen yet */
	uint32_t whole, length;	    /* what the first one's checksum takes for the length; for which it is right by now */
	struct datagram_cover cover;
	unsigned words;
	struct datagram_word {
		uint32_t at; /* octets from the datagram's start */
		uint16_t word;
	} word[DATAGRAM_WORDS];
};

/* What an action asked for that could not be granted; the rules are in tc-compile(1). */
enum odd { ODD_SLOT, ODD_HOST, ODD_MAC, ODD_RANGE, ODD_LAYOUT, ODD_QUOTE, ODD_SHAPE, ODD_TIME, ODDS };
extern const char *const odd_names[ODDS];

struct trace {
	struct stream_header header;
	int dlt;
	int64_t time;  /* of the last packet */
	struct {       /* its flow, its direction, and whether it opened it */
		uint32_t slot;
		int dir;
		enum flow_open open;
	} at;
	int64_t clock; /* latest timestamp so far */
	struct flow *flow;
	struct side_link (*flow_link)[2]; /* of each flow's sides; what their n_link and n_tags don't count is not set */
	struct host *host;
	uint32_t n_link, n_tags;
	uint32_t link[PACKET_LINKS];
	uint64_t tags[PACKET_TAGS];
	struct datagram datagram[DATAGRAMS];
	uint32_t next_datagram;

	/* lift: names for what is met */
	struct slots flows, hosts, macs, suffixes;
	/* compile: what the names stand for */
	uint8_t (*mac)[6];
	bool *mac_named;
	uint32_t *suffix; /* plus one; 0: not named */
	struct fresh *fresh;
	uint64_t random; /* state of the compiler's generator */
	uint64_t odd[ODDS];
	/* Told of each address that is named; NULL where nobody asked. */
	void (*on_name)(void *arg, const char *what, uint32_t slot, const char *text);
	void *on_name_arg;
};

/* For lifting, or, with fresh set, for compiling; t->header is filled, header.cap within its
 * bounds. 0, or -1 where memory is short. */
int trace_init(struct trace *t, int dlt, struct fresh *fresh, uint64_t seed);
void trace_free(struct trace *t);

/*
 * The two directions of one relation, each a packet further:
 * a parsed packet to its action; an action, any action, to the packet that it asks for.
 */
void trace_lift(struct trace *t, struct packet *p, struct action *a);
void trace_compile(struct trace *t, struct packet *p, struct action *a);

#define FLOW_KEY 40 /* octets of what tells flows apart */
/* Finds the flow that a packet belongs to, or opens one: the policy of tc-lift(1), FLOWS. Returns
 * the slot; sets the direction and how it opens. */
uint32_t flow_find(struct trace *t, const struct packet *p, int *dir, enum flow_open *open);
/* The flow that a quoted packet belongs to, SLOT_NONE if none; opens nothing. */
uint32_t flow_find_quoted(const struct trace *t, const struct quote *q, int *dir);
/* The state of a direction. Where source and destination are the same address and port, nobody can
 * tell who sends (CERT CA-1997-28, "land"): both directions are one. */
struct side *flow_side(struct flow *f, int dir);
/* All of a flow is on its way to the cache at once, not one line after the other as it is asked for. */
static inline void
flow_fetch(const struct flow *f)
{
	for (size_t at = 0; at < sizeof *f; at += 64)
		__builtin_prefetch((const char *)f + at, 1);
}
/* A slot's flow is another one, of which nothing is known. */
void flow_renew(struct flow *f);
/* What a flow forgets as it opens again; its ends may change places. */
void flow_reopen(struct trace *t, uint32_t slot, enum flow_open open);
/* What a TCP segment whose sequence number was captured leaves behind. */
void flow_remember(struct flow *f, int dir, const struct packet *p);
/* The sequence number of a SYN that would not be a new connection's: false if any would be. */
bool flow_syn_base(const struct side *s, uint32_t *base);
/* Lifts a packet's flow, which t->at then says, and nothing else: for those who want no action. */
void trace_follow(struct trace *t, struct packet *p);
/* Octets from the start of a datagram to that of a fragment's payload. */
uint32_t datagram_offset(const struct packet *p);
/* Notes that octets came. Returns where the first of them stand that hadn't come before, DATAGRAM_MAX where all had. */
uint32_t datagram_cover(struct datagram_cover *c, uint32_t from, uint32_t end);
/* Whether all of a datagram of so many octets came. */
bool datagram_covered(const struct datagram_cover *c, uint32_t total);
/* The flow of a later fragment, by its datagram's first one, and its direction; SLOT_NONE where that wasn't seen. */
uint32_t datagram_flow(struct trace *t, const struct packet *p, int *dir);
/* Notes a fragment of a flow, both in lifting and in compiling, once all its fields are known; sets p->whole and p->amends. */
void datagram_note(struct trace *t, struct packet *p, uint32_t flow, int dir);

#endif
