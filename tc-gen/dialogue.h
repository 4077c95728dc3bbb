/* What a flow has done so far, as the network sees it: the same for learning and for generating. */
#ifndef TC_GEN_DIALOGUE_H
#define TC_GEN_DIALOGUE_H

#include "vocabulary.h"

#define HISTORY	 6 /* the packet that opened it, and its last five */
#define RATES	 3
#define OCTAVES	 28 /* of times that are told exactly */
/* Of the dialogue, each direction, its course, its times, the trace, successors, what comes. */
#define FEATURES (3 + 2 * 7 + 8 + 4 + RATES + 3 + 2 * OCTAVES)

struct dialogue {
	uint32_t packets;
	uint64_t octets[2];
	uint32_t waiting[2]; /* octets that the peer has not acknowledged */
	uint8_t flags[2];
	uint8_t dir; /* of the last packet */
	bool data;   /* it had octets */
	uint32_t row, alike; /* packets in a row of one direction; of the same flags and length besides */
	uint32_t tries;	     /* how often its ports were used anew since the peer last spoke; */
	uint32_t tried;	     /* at most, so far */
	uint32_t all;	     /* packets, whatever its ports were used for */
	uint32_t after;	     /* packets since another flow opened for the same */
	uint32_t kind;	     /* of the last packet: its flags and length */
	bool said[2];
	int64_t opened, last[2], before; /* ns: its first packet, each direction's last one, the packet before the last */
};

/* What the dialogues of a service do at most. */
struct bound {
	uint32_t packets; /* 0: there is none; UINT32_MAX: any number */
	uint32_t after;	  /* packets after another flow opened for the same */
	uint32_t tries;	  /* uses of its ports anew that the peer says nothing to */
};

/* Openings to come after a packet, as they are drawn first: ns until the next one, one of a host of the packet's flow, one for the same;
 * -1: none is known. */
struct coming {
	int64_t any, host, same;
};

/* The latest openings of a trace, for its rate. */
#define PACE 64
struct pace {
	int64_t time[PACE];
	uint32_t n;
};

/* Whether an RST ended it. */
static inline bool
dialogue_reset(const struct dialogue *d)
{
	return (d->flags[0] | d->flags[1]) & TCP_RST;
}

void dialogue_take(struct dialogue *d, const struct action *a, int64_t time);
void pace_take(struct pace *p, int64_t time);
/* Who has octets that are not acknowledged, who spoke last, and whether with octets: below STATES. */
#define STATES	      16
#define DIALOGUE_DIR  4 /* bits of it */
#define DIALOGUE_DATA 8
int dialogue_state(const struct dialogue *d);
/*
 * What the network is told once the dialogue's last packet has come, such openings before it, and those to come. Who connects again
 * often does so as the connection before ends, so that this is when a flow is likely to; and what opens a flow is often a packet of
 * another.
 */
void dialogue_features(const struct dialogue *d, const struct pace *p, const struct coming *next, float *x);
/* The same for the next opening. */
void pace_features(const struct pace *p, int64_t time, float *x);

#endif
