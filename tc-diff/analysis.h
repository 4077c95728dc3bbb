/*
 * What a listener on the wire can tell of a TCP conversation's health, in the sense of Wireshark
 * 4.0's tcp.analysis: the same verdicts by the same rules, written anew. One struct analysis a
 * flow, both directions in it; what isn't acknowledged yet lies in a pool that all flows share.
 */
#ifndef TC_ANALYSIS_H
#define TC_ANALYSIS_H

#include "packet/packet.h"
#include "unacked.h"

#include <stdbool.h>
#include <stdint.h>

#define ANALYSIS_POOL (1u << 18) /* unacknowledged segments, of all flows: 8 MiB */

/* Each is Wireshark's tcp.analysis field of that name; analysis_names has them in this order. */
enum {
	ANALYSIS_RETRANSMISSION = 1, /* the fast and the spurious ones, too */
	ANALYSIS_FAST_RETRANSMISSION = 1 << 1,
	ANALYSIS_SPURIOUS_RETRANSMISSION = 1 << 2,
	ANALYSIS_OUT_OF_ORDER = 1 << 3,
	ANALYSIS_DUPLICATE_ACK = 1 << 4,
	ANALYSIS_ZERO_WINDOW = 1 << 5,
	ANALYSIS_ZERO_WINDOW_PROBE = 1 << 6,
	ANALYSIS_ZERO_WINDOW_PROBE_ACK = 1 << 7,
	ANALYSIS_WINDOW_FULL = 1 << 8,
	ANALYSIS_WINDOW_UPDATE = 1 << 9,
	ANALYSIS_KEEP_ALIVE = 1 << 10,
	ANALYSIS_KEEP_ALIVE_ACK = 1 << 11,
	ANALYSIS_LOST_SEGMENT = 1 << 12,
	ANALYSIS_ACK_LOST_SEGMENT = 1 << 13,
	ANALYSIS_REUSED_PORTS = 1 << 14,
};
#define ANALYSIS_NAMES 15
extern const char *const analysis_names[ANALYSIS_NAMES];

/* tcp.completeness: what a conversation has been seen to do. */
enum {
	COMPLETENESS_SYN = 1,
	COMPLETENESS_SYN_ACK = 2,
	COMPLETENESS_ACK = 4,
	COMPLETENESS_DATA = 8,
	COMPLETENESS_FIN = 16,
	COMPLETENESS_RST = 32,
};

/* One direction. To Wireshark 0 is "unknown" in next, contiguous and last_ack; here no number is special. */
struct analysis_side {
	uint32_t base;       /* the ISN, or a guess at it */
	uint32_t next;       /* the highest sequence number that is due */
	uint32_t contiguous; /* up to where nothing is missing: what the peer may acknowledge */
	uint32_t last_ack, window;
	uint32_t duplicates; /* acknowledgements in a row; UINT32_MAX: one of the unseen was noted */
	uint32_t sacked;     /* octets in the SACK blocks of the last packet */
	struct unacked unacked;
	uint16_t last; /* the verdicts on the last packet */
	int8_t scale;  /* window scale; SCALE_ in analysis.c */
	bool has_base : 1, has_next : 1, has_contiguous : 1, has_ack : 1, first_ack : 1, in_flight_known : 1;
	int64_t next_time, ack_time; /* when next was reached, when last_ack was sent: ns */
};

/* May not be moved while it is in use: the pool points at it. */
struct analysis {
	struct analysis_pool *pool;
	struct analysis_side side[2];
	int64_t syn_time;    /* of the last SYN without ACK: ns; 0: none */
	int64_t initial_rtt; /* ns; 0: unknown */
	uint8_t completeness;
	bool begun, turned;
};

/* What a packet tells besides. */
struct analysis_times {
	bool has_initial_rtt; /* it completes the handshake */
	bool has_ack_rtt;     /* it acknowledges a segment that was seen, up to its last octet */
	int64_t initial_rtt;  /* SYN to first ACK, seen in the middle: ns */
	int64_t ack_rtt;      /* ns; may be negative where timestamps go backwards */
	uint32_t duplicate_ack_num;
	uint32_t bytes_in_flight; /* 0: unknown, or none */
	bool wants_in_flight;	  /* to be set by who asks for it: it may be a walk along all that isn't acknowledged */
};

/* 0, or -1 where memory is short. */
int analysis_pool_init(struct analysis_pool *pool, uint32_t size);
void analysis_pool_free(struct analysis_pool *pool);

/*
 * To be called before analysis_packet(), with what the flow table said of the packet (enum
 * flow_open, ACTION_OPEN): the one place that knows what it means here. A new flow begins with
 * nothing; one that is turned round keeps what it knows, with its ends changed. The rest is of no
 * concern, since Wireshark knows no idle time-out, and analysis_packet() sees for itself whether a
 * SYN begins a new conversation.
 */
void analysis_open(struct analysis *a, struct analysis_pool *pool, int open);
/* Forgets a conversation, and gives back what it holds of the pool. */
void analysis_restart(struct analysis *a);

/* The next packet of a flow, in this direction. Returns the verdicts: none on what isn't TCP, is
 * a fragment, or was cut before the window. */
uint32_t analysis_packet(struct analysis *a, int dir, const struct packet *p,
			 struct analysis_times *t);

#endif
