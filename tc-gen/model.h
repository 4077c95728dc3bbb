/* A model: all that generating takes, and its file. */
#ifndef TC_GEN_MODEL_H
#define TC_GEN_MODEL_H

#include "network.h"

#define MODEL_MAGIC   "tc-gener"
#define MODEL_VERSION 1
#define MODEL_HASH    32
#define MODEL_ERROR   160
#define MODEL_ALIVE   4096 /* flows that are alive at the start, at most */

struct model {
	struct stream_header header;
	uint64_t packets, flows, seconds; /* learned from */
	struct vocabulary vocabulary;
	struct network net;
	uint32_t alive; /* flows that were, when the trace began */
	int64_t *delay; /* ns, until each was seen */
	uint16_t *first; /* its first packet: FIELDS symbols each */
	uint8_t hash[MODEL_HASH];
};

/* Weights as its file has them, so that a model is the same before and after. */
void model_round(struct model *m);
/* Octets, owned by the caller; NULL where memory is short. Sets the hash. */
uint8_t *model_build(struct model *m, size_t *n);
/* The twin: 0, or -1 with why. */
int model_parse(struct model *m, const uint8_t *p, size_t n, char *why);
int model_load(struct model *m, const char *path, char *why);
void model_free(struct model *m);

#endif
