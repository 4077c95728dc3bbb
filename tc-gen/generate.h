/*
 * Traffic from a model. Every flow's next packet waits for its time; openings are a process of their own; the schedule
 * interleaves. What is drawn is rendered and lifted anew, so that the actions are those of a capture.
 */
#ifndef TC_GEN_GENERATE_H
#define TC_GEN_GENERATE_H

#include "flows.h"
#include "people.h"
#include "schedule.h"
#include "state/trace.h"

struct generate_options {
	uint64_t seed;
	float temperature, rate, hosts; /* openings, and hosts, so many times as many */
	int64_t start; /* ns since 1970; -1: where what was learned ends */
};

struct generator;

/* NULL where memory is short. */
struct generator *generator_new(const struct model *m, const struct generate_options *o);
void generator_free(struct generator *g);
/* From now on each packet counts in n, by its wait's place among the model's; those that open flows count as 0. */
void generator_count_waits(struct generator *g, uint32_t *n);
/* What the stream's header says. */
struct stream_header *generator_header(struct generator *g);
/* The next action, and its time from the start: 1, 0 where nothing more comes, -1 where memory is short. */
int generator_next(struct generator *g, struct action *a, int64_t *time);

#endif
