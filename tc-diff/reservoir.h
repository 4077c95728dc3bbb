/*
 * Flows as a classifier sees them: a sample of a trace's flows, each a row of numbers, and what all its flows began with. The
 * sample is of the flows whose number has the least hash, so that it hangs neither on the order in which they end nor on
 * time, and equal traces have equal samples. tc-metrics(7), section FEATURES.
 */
#ifndef TC_RESERVOIR_H
#define TC_RESERVOIR_H

#include "packet/packet.h"

#include <stddef.h>

#define RESERVOIR_FLOWS	 2000
#define HEAD_PACKETS	 10 /* of a flow that are looked at */
#define BEGINNINGS_WIDTH (1 << 17)

/* A row: of each of the first packets these, 0 where there is none; then of the flow these. */
enum packet_feature { PACKET_DIRECTION, PACKET_FLAGS, PACKET_LENGTH, PACKET_GAP, PACKET_FEATURES };
enum flow_feature { FLOW_PROTOCOL, FLOW_STATE, FLOW_INITIATOR_PORT, FLOW_RESPONDER_PORT, FLOW_INITIATOR_TTL, FLOW_RESPONDER_TTL,
		    FLOW_PACKETS_OUT, FLOW_PACKETS_IN, FLOW_OCTETS_OUT, FLOW_OCTETS_IN, FLOW_DURATION, FLOW_MEAN_GAP,
		    FLOW_FEATURES };
#define FEATURES (HEAD_PACKETS * PACKET_FEATURES + FLOW_FEATURES)
extern const char *const packet_feature_names[PACKET_FEATURES], *const flow_feature_names[FLOW_FEATURES];

/* How a flow that is alive began. */
struct head {
	uint64_t rank; /* the hash of its number */
	uint64_t key;  /* a hash of the first packets' directions, flags, lengths */
	int64_t time;  /* of its last packet so far */
	bool wanted;   /* it may come into the sample */
	uint8_t n, ttl[2];
	struct {
		uint16_t flags; /* TCP's, or ICMP's type; the top bit is the direction */
		uint16_t length, gap;
	} packet[HEAD_PACKETS];
};

/* What there is to be said of a flow as it ends. */
struct flow_facts {
	uint64_t number; /* from 1 */
	uint32_t proto, state; /* state: of a connection, from 1 */
	const uint16_t *port;
	const uint64_t *packets, *octets; /* by direction */
	int64_t duration;
};

struct sample {
	uint64_t rank, number, key, packets;
	uint32_t feature[FEATURES];
};

struct reservoir {
	uint32_t n;
	uint16_t heap[RESERVOIR_FLOWS]; /* of samples, the one with the highest rank first */
	struct sample sample[RESERVOIR_FLOWS];
	/* How flows of three packets or more began, by hash; the lowest two bits: which halves had one, flow numbers alternately. */
	uint32_t n_beginnings;
	uint64_t beginning[BEGINNINGS_WIDTH];
};

void head_begin(struct head *h, const struct reservoir *r, uint64_t number);
void head_packet(struct head *h, const struct packet *p, int dir);
/* The flow of that head has ended. */
void reservoir_count(struct reservoir *r, const struct head *h, const struct flow_facts *f);

/* Rows in the order of their ranks, of flows whose number is in the half (0, 1), or of all (-1): how many. */
size_t reservoir_rows(const struct reservoir *r, int half, const uint32_t *rows[RESERVOIR_FLOWS]);
/* The share of b's flows of three packets or more that begin as one of a does, or of c, unless that is NULL; NAN where there
 * is none. */
double reservoir_memorised(const struct reservoir *a, const struct reservoir *c, const struct reservoir *b);
/* The same of a's flows, by those of the half that they aren't in. */
double reservoir_memorised_halves(const struct reservoir *a);

#endif
