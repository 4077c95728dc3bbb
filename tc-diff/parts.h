/*
 * The parts of a trace that counts are kept for. Where somebody asks how the trace varies, these are stretches, one after the
 * other, and in each of them two halves (flows alternately for what is counted by flow, blocks of packets alternately for what
 * is counted by packet): their sum is the trace, the distance of the halves the floor, that of the farthest stretch from the
 * trace the drift. tc-metrics(7).
 */
#ifndef TC_PARTS_H
#define TC_PARTS_H

#include "conn.h"
#include "sketch.h"

#define STRETCHES     8	   /* at most; then two and two become one, of twice the length */
#define STRETCH_FIRST 100  /* packets of one, at first */

/* The paper's events: the first that applies. */
enum event { EVENT_RST, EVENT_SYN_ACK, EVENT_SYN, EVENT_FIN, EVENT_DATA, EVENT_ACK, EVENT_OTHER, EVENTS };
#define MARKED (2 * EVENTS) /* with the direction: initiator's first, then responder's */

enum anomaly { ANOMALY_RETRANSMISSION, ANOMALY_FAST, ANOMALY_OUT_OF_ORDER, ANOMALY_DUPLICATE_ACK,
	       ANOMALY_ZERO_WINDOW, ANOMALY_KEEP_ALIVE, ANOMALY_LOST, ANOMALIES };
enum illegal { ILLEGAL_CHECKSUM, ILLEGAL_LENGTH, ILLEGAL_ACK, ILLEGALS };
extern const char *const event_names[EVENTS], *const anomaly_names[ANOMALIES],
    *const illegal_names[ILLEGALS];

/*
 * What is counted in a part and in the whole, a line each: the struct is declared from these lines and parts are added
 * up by them, so that no count is forgotten. A tally is counted in both at once, as the order of keys matters where there
 * are too many.
 */
#define PART_MEMBERS(COUNT, COUNTS, HISTOGRAM, TALLY)		\
	/* by packet */						\
	COUNT(packets)						\
	COUNT(octets)						\
	COUNT(tcp_packets)					\
	COUNTS(event, [EVENTS])					\
	COUNTS(anomaly, [ANOMALIES])				\
	COUNTS(illegal, [ILLEGALS])				\
	COUNT(pairs) /* of neighbours */			\
	COUNT(switches) /* those of two flows */		\
	HISTOGRAM(size)						\
	HISTOGRAM(iat)						\
	HISTOGRAM(run)						\
	HISTOGRAM(ack_rtt)					\
	TALLY(protocol)						\
	/* by flow */						\
	COUNT(flows)						\
	COUNTS(state, [CONN_STATES])				\
	COUNTS(bigram, [MARKED][MARKED])			\
	HISTOGRAM(flow_packets)					\
	HISTOGRAM(flow_octets)					\
	HISTOGRAM(duration)					\
	HISTOGRAM(syn_rtt)					\
	TALLY(port)						\
	TALLY(history)

#define PART_COUNT(name)	    uint64_t name;
#define PART_COUNTS(name, sizes)    uint64_t name sizes;
#define PART_HISTOGRAM(name)	    struct histogram name;
#define PART_TALLY(name)	    struct tally name;
struct part {
	PART_MEMBERS(PART_COUNT, PART_COUNTS, PART_HISTOGRAM, PART_TALLY)
};

struct variation {
	struct part half[2];	   /* at the end */
	struct part (*stretch)[2]; /* by halves, in the end with both in the first; NULL: nobody asks */
	unsigned stretches;	   /* at the end */
	uint64_t length;	   /* packets of a stretch: STRETCH_FIRST, doubled so many times */
	unsigned doubled;
};

/* 0, or -1 where memory is short. */
int variation_init(struct variation *v);
void variation_free(struct variation *v);
void part_free(struct part *p);
/* Makes room for one more packet behind so many. */
void variation_go_on(struct variation *v, uint64_t packets);
/* What all parts come to, after so many packets; nothing where nobody asks. */
void variation_end(struct variation *v, struct part *total, uint64_t packets);

/* That of a half, in the stretch of that packet; the whole where nobody asks. */
static inline struct part *
variation_part(struct variation *v, struct part *total, uint64_t packet, uint64_t half)
{
	return v->stretch ? &v->stretch[packet / STRETCH_FIRST >> v->doubled][half & 1] : total;
}

#endif
