/*
 * What is drawn freely strays from what was learned: each opening is told of those before, each packet of its flow's last ones, so
 * that small errors feed on themselves. So traffic is generated, and what comes too often or too seldom is made up for. In place:
 * the model is otherwise whole, as present_take() leaves it. 0, or -1 where memory is short.
 */
#ifndef TC_GEN_STEER_H
#define TC_GEN_STEER_H

#include "learn.h"
#include "model.h"

/* Openings: the biases of the network, until each symbol of each field comes as often as it was learned, and their rate. */
int steer_openings(struct model *m, const struct lesson *l);
/* The waits of flows, of each service in each state of its dialogue: the model's table of them. */
int steer_waits(struct model *m, const struct lesson *l);

#endif
