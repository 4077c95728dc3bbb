/* The packets to train on, in memory: each distinct action of a trace once, in bits, and for every
 * packet which one it is. Some traces are held back, to measure on. */
#ifndef TC_DATASET_H
#define TC_DATASET_H

#include "code/code.h"
#include "code/names.h"
#include "record/stream.h"

struct dataset_trace {
	uint64_t first; /* packet */
	uint32_t n;
};

#define DATASET_SAMPLE 4096 /* packets whose names and time steps are kept too: of all, each as likely */

struct dataset_sample {
	struct names names;
	int64_t step; /* ns */
};

struct dataset {
	struct code *code;
	uint64_t codes, packets, code_room, which_room, trace_room;
	uint32_t *which; /* of a packet: its code */
	struct dataset_trace *trace;
	uint32_t traces;
	double *weight; /* of the traces before and including this one: square roots of their lengths */
	uint32_t *by_field[CODE_FIELDS]; /* codes that have a field */
	uint32_t n_by_field[CODE_FIELDS];
	struct dataset_sample sample[DATASET_SAMPLE];
	uint32_t sampled;
	uint64_t random, seen;
	uint64_t left_out; /* packets whose actions can't be said in bits */
};

/* Reads all traces of a reader: 0, or -1 where memory is short; r->error is set where the input is
 * at fault. Every held-th trace goes to `back`, unless held is 0. */
int dataset_read(struct dataset *d, struct dataset *back, uint32_t held, struct stream_reader *r);
/* Once all is read. */
int dataset_index(struct dataset *d);
void dataset_free(struct dataset *d);
/* A packet: of a trace drawn by the square root of its length; with probability `even` a code of a
 * field drawn evenly, so that rare fields are learned too. */
const struct code *dataset_draw(const struct dataset *d, float even, uint64_t *random);

#endif
