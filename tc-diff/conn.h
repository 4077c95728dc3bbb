/*
 * A connection as Zeek counts it: conn_state and history of its conn.log, from packets alone. One
 * struct a flow, of fixed size, given each packet of the flow in order. tests/conn.py holds it
 * against what Zeek says of its own traces, and lists where and why it says something else.
 */
#ifndef TC_CONN_H
#define TC_CONN_H

#include "packet/packet.h"

#define CONN_HISTORY 32 /* letters kept; Zeek keeps all */
#define CONN_BLOCKS  4  /* runs of octets kept behind a hole; Zeek keeps all */

enum conn_state {
	CONN_S0,     /* a SYN or a first datagram, no answer */
	CONN_S1,     /* established, goes on */
	CONN_SF,     /* established and closed; UDP: answered */
	CONN_REJ,    /* a SYN, refused */
	CONN_S2,     /* established, the originator has closed */
	CONN_S3,     /* established, the responder has closed */
	CONN_RSTO,   /* established, reset by the originator */
	CONN_RSTR,   /* reset by the responder */
	CONN_RSTOS0, /* SYN and RST of the originator, no answer */
	CONN_RSTRH,  /* SYN-ACK and RST of the responder, no SYN */
	CONN_SH,     /* SYN and FIN of the originator, no answer */
	CONN_SHR,    /* SYN-ACK and FIN of the responder, no SYN; UDP: answers alone */
	CONN_OTH,    /* anything else: no SYN seen; not TCP or UDP */
	CONN_STATES
};
extern const char *const conn_state_names[CONN_STATES];

/* What one end did. Numbers count from the SYN's own, whose is 0 (made up where there was none). */
struct conn_end {
	uint8_t state, before; /* as Zeek's TCP_Endpoint; UDP and the others: active or not */
	uint8_t letters;       /* that history holds at most once, or twice for new numbers */
	uint8_t blocks : 4;      /* all in one octet: many connections are live at once */
	bool closed : 1, whole : 1, fin : 1; /* close counted; everything delivered by then; a FIN was seen */
	bool deaf : 1;           /* no longer looked into for holes */
	uint32_t start;          /* number of the SYN */
	uint32_t last_syn, last_fin, last_rst;
	uint32_t rexmits, zeros, gaps;
	int64_t next;      /* past the highest octet sent */
	int64_t acked;     /* up to where the peer has it */
	int64_t delivered; /* up to where nothing is missing */
	int64_t trimmed;   /* up to where nothing is kept */
	int64_t top;       /* past the highest octet of data */
	int64_t fin_end;   /* past the FIN */
	int64_t octets;    /* UDP, ICMP: payload */
	uint64_t packets;
	struct {
		int64_t from, to;
	} block[CONN_BLOCKS];
};

struct conn {
	int64_t start, last; /* ns; last doesn't move once both ends have closed */
	int64_t over;        /* when the last close was complete, INT64_MIN: not yet */
	uint8_t proto;       /* ICMPv6 too is PROTO_ICMP */
	uint8_t orig;        /* the flow's direction that comes from the originator */
	uint8_t seen;        /* directions that there were packets in, a bit each */
	bool partial, deferred;
	uint8_t n_history;
	uint32_t lost_history; /* letters that there was no room for */
	char history[CONN_HISTORY + 1];
	struct conn_end end[2]; /* by the flow's direction */
};

/* Begins with the packet that opens a flow, in the flow's direction dir; conn_packet() still has
 * to be given it. false, where it's of no connection to Zeek: not IP, a fragment without header,
 * a header cut short. The next packet of the flow may be of one. */
bool conn_begin(struct conn *c, int dir, const struct packet *p);
/* As in Zeek, octets that a snap length cut off are missing, and make gaps where they are
 * acknowledged. Who doesn't want that sets the packet's caplen to its len. */
void conn_packet(struct conn *c, int dir, const struct packet *p);
/* Whether Zeek would count this packet of the flow, and what follows, as another connection. Ask
 * before conn_packet(); a caller with a policy of its own doesn't ask. */
bool conn_is_over(const struct conn *c, int dir, const struct packet *p);

enum conn_state conn_state(const struct conn *c);
/* Zeek's orig_bytes and resp_bytes, by the flow's direction. */
uint64_t conn_octets(const struct conn *c, int dir);

#endif
