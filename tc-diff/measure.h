/* Everything that is measured of one trace, while it goes by. tc-metrics(7). */
#ifndef TC_MEASURE_H
#define TC_MEASURE_H

#include "analysis.h"
#include "conn.h"
#include "fragments.h"
#include "parts.h"
#include "reservoir.h"
#include "unacked.h"
#include "sketch.h"
#include "source.h"

#define MEASURE_BLOCK 1000 /* packets of a block */
#define SCALES        6	   /* of the index of dispersion: 1 ms, 10 ms, … 100 s */
#define CURVE_BINS    1024
#define PORTS	      65536

/* Packets of TCP and UDP by port, which would be too many numbers in each part. */
struct ports {
	uint64_t half[2][PORTS], total[PORTS]; /* total: at the end */
};

/* Flows that are alive, and packets, over the time of the trace, in bins that double as it grows. */
struct curve {
	int64_t width;	/* ns: 1 ms, doubled so many times */
	unsigned doubled;
	int64_t opened[CURVE_BINS], closed[CURVE_BINS], packets[CURVE_BINS];
};

/* Counts in windows of one length. */
struct dispersion {
	int64_t window; /* number of the one at hand */
	uint64_t count; /* in it, without those of the window that is open on the scale below */
	double sum, squares;
};

/* A flow that is alive, or has just ended. */
struct live {
	uint64_t number; /* of the flow, from 1; 0: none */
	uint32_t proto;
	uint16_t port[2];
	struct address address[2]; /* initiator, responder */
	bool is_conn;		   /* Zeek would have a line for it */
	/* The connection by Zeek's own cuts: it may outlast the flow, or end before. Apart: it didn't begin with the packet that
	 * conn began with, and stands in the measure's zeek; else conn is both. */
	bool zeek_begun, zeek_apart;
	uint32_t host[2];	   /* their places in host_packets, as long as these are theirs */
	int event;		   /* the last one, with its direction; -1 before the first */
	int64_t first, last, syn_time;
	uint64_t began; /* packets of the trace before it */
	enum { SYN_NONE, SYN_SENT, SYN_ANSWERED } syn;
	uint64_t packets, octets; /* on the wire */
	uint64_t side_packets[2], side_octets[2]; /* octets of payload */
	struct head head;
	uint64_t look[2];   /* of the last packet of each direction, and when */
	int64_t looked[2];
	struct conn conn; /* from here on nothing is cleared as a flow begins */
	struct analysis analysis;
};

struct measure {
	/* Whoever wants each flow as it ends sets them; on_flow NULL: nobody does. */
	void (*on_flow)(const void *context, const struct live *l);
	const void *context;
	struct part total;
	struct variation variation;
	uint64_t packets;
	int64_t start, end, last; /* times of the first packet, the latest, the one before */
	uint64_t backwards;	  /* packets that are earlier than the one before */
	uint64_t duplicates;	  /* packets that a mirror delivered twice */
	uint64_t conversations[2]; /* as Wireshark counts them: TCP, UDP */
	uint64_t connections;	  /* as Zeek counts them */
	double flow_squares;	  /* sum of the squares of the flows' packets */
	struct curve curve;
	struct dispersion dispersion[SCALES];
	struct ports ports[2];	   /* of source, of destination */
	struct histogram hosts[2]; /* packets by source, by destination host */
	struct reservoir reservoir;
	/* inside */
	struct analysis_pool pool;
	struct fragments fragments;
	struct live *live; /* by slot, as many as any trace may have */
	struct conn *zeek; /* by slot too */
	uint32_t slots; /* used */
	uint64_t flows, run;
	uint64_t run_flow;
	uint32_t *host_packets[2];
	struct slots host_slots;
};

/* Of a measure that is all zero: 0, or -1 where memory is short. varies: somebody asks how the trace varies. */
int measure_init(struct measure *m, bool varies);
void measure_packet(struct measure *m, const struct source *s, struct packet *p,
		    const struct step *step);
/* After the last packet: ends all flows and sums the parts. */
void measure_end(struct measure *m);
void measure_free(struct measure *m);

/* Flows that are alive at once, on average over the trace. */
double curve_mean(const struct curve *c);
double curve_distance(const struct curve *a, const struct curve *b);
/* Index of dispersion for counts: variance over mean. */
double dispersion_index(const struct dispersion *d);

#endif
