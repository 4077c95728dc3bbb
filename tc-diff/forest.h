/*
 * A random forest of two classes (Breiman 2001) over features in bins, in whole numbers alone, so that it is the same on
 * every machine, and treats both classes alike: from rows that each have as many of either it learns nothing at all.
 */
#ifndef TC_FOREST_H
#define TC_FOREST_H

#include <stddef.h>
#include <stdint.h>

#define FOREST_WIDTH 64	 /* features of a row at most */
#define FOREST_BINS  128 /* of a feature at most */
#define FOREST_ROWS  4096
#define FOREST_SURE  65536 /* what a leaf says that has one class alone */

/* A leaf has no feature; what it says is from -FOREST_SURE, the first class, to FOREST_SURE. */
struct forest_node {
	int16_t feature; /* -1: a leaf */
	uint8_t upto;	 /* rows with bins up to it go to node `next`, the others to the one behind it */
	int32_t next, says;
};

/* One tree, learned from n rows, each of which stands for so many of either class; features: of the row, in use. */
struct forest {
	const uint8_t (*bin)[FOREST_ROWS]; /* by feature and row: a node looks at few features of many rows */
	const uint32_t (*count)[2];
	size_t n;
	int features;
	uint64_t random;
	/* inside */
	struct forest_node node[2 * FOREST_ROWS];
	uint16_t order[FOREST_ROWS];
	uint32_t drawn[FOREST_ROWS][2]; /* of a row's count, for the tree */
	uint32_t in_bin[FOREST_BINS][2]; /* of a node's rows and the feature that it looks at; else empty */
};

/* Draws what rows stand for with replacement and learns a tree from them. */
void forest_grow(struct forest *f);
/* What the tree says of a row. */
int32_t forest_says(const struct forest *f, size_t row);

#endif
