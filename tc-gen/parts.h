/* The parts of a model's file: what is written, and its twin, which reads it. */
#ifndef TC_GEN_PARTS_H
#define TC_GEN_PARTS_H

#include "model.h"
#include "neural/octets.h"

/* Says why in `why`, which has room for MODEL_ERROR; -1. */
int model_fail(char *why, const char *what);

/* Octets, at most. */
size_t vocabulary_size(const struct vocabulary *v);
void put_vocabulary(uint8_t **p, const struct vocabulary *v);
/* 0, or -1 with why. */
int take_vocabulary(struct octets *o, struct vocabulary *v, char *why);

/* Where what was learned ends: the vocabulary is there before. */
size_t present_size(const struct model *m);
void put_present(uint8_t **p, const struct model *m);
int take_present(struct octets *o, struct model *m, char *why);

/* Weights: whole numbers of eight bits and what they are multiples of, row by row; biases as half floats. */
size_t weights_size(const struct network *net);
void put_weights(uint8_t **p, const struct network *net);
/* Into a network of zeros. */
int take_weights(struct octets *o, struct network *net, char *why);
/* To what put_weights() can say. */
void round_weights(struct network *net);

#endif
