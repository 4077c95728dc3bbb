/* A model: all that generating takes, and its file. */
#ifndef TC_GEN_MODEL_H
#define TC_GEN_MODEL_H

#include "network.h"

#define MODEL_MAGIC   "tc-gener"
#define MODEL_VERSION 4
#define MODEL_HASH    32
#define MODEL_ERROR   160
#define MODEL_ALIVE   4096 /* flows that are alive at the end of what was learned, at most */
#define PROLOGUE      4
#define WAITS	      64 /* kinds of services, whose times are told apart */

/*
 * A flow that generating goes on with. Times are ns, 0 at the end of what was learned. Its prologue brings the rendering to
 * where the flow is, and is not shown: the first packet of each direction, then what each direction says as it last did.
 */
struct alive {
	struct dialogue dialogue;
	uint32_t packets; /* of the last ones, in its history */
	uint16_t history[HISTORY][FIELDS]; /* the first packet, then the last ones, the latest last */
	uint32_t says;
	uint16_t prologue[PROLOGUE][FIELDS];
};

struct model {
	struct stream_header header;
	uint64_t packets, flows, seconds; /* learned from */
	struct vocabulary vocabulary;
	struct network net[HEADS];
	struct bound *bound; /* of each service's flows: protocols x responder's ports */
	uint8_t *wait;	 /* WAITS x STATES x the symbols of FIELD_NEXT: how much likelier such a time is than the network has it */
	uint8_t *has;	 /* WAITS x FIELDS: whether a packet of such a service may have a field */
	uint8_t *has_proto; /* protocols x FIELDS: whether one that opens a flow may */
	uint8_t *after_reset; /* WAITS: packets that a flow of such a service says after an RST, at most */
	uint16_t *share; /* of each symbol among the openings that were learned, in 65535ths */
	float open_slow; /* waits for an opening are so much longer than drawn */
	uint32_t n_alive;
	struct alive *alive;
	struct pace openings;		   /* the latest ones */
	uint16_t opened[OPENINGS][FIELDS]; /* the latest last */
	uint8_t hash[MODEL_HASH];
};

#define SLOW_MOST 1e10f /* a single opening in an hour was not long after the start */
#define FAST_MOST 8.0f

uint32_t model_services(const struct model *m);
/* Of the service of a flow that such a packet opened. */
struct bound *model_bound(const struct model *m, const uint16_t *opening);
size_t model_n_waits(const struct model *m);
/* How likely times are, as draw_row has it, in a state of a flow that such a packet opened. */
uint8_t *model_waits(const struct model *m, const uint16_t *opening, int state);
uint8_t *model_after_reset(const struct model *m, const uint16_t *opening);
uint8_t *model_has(const struct model *m, const uint16_t *opening);
/* The nearest time that there is: captures of microseconds have none between them, and nothing is later than 2^60 ns. */
int64_t model_time(const struct model *m, int64_t time);
/* Weights as its file has them, so that a model is the same before and after. */
void model_round(struct model *m);
/* Octets, owned by the caller; NULL where memory is short. Sets the hash. */
uint8_t *model_build(struct model *m, size_t *n);
/* The twin: 0, or -1 with why. */
int model_parse(struct model *m, const uint8_t *p, size_t n, char *why);
/* NULL: the built-in one. */
int model_load(struct model *m, const char *path, char *why);
void model_free(struct model *m);

#endif
