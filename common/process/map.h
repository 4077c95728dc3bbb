/* --map: a table of who is behind a slot, readable for its owner alone. tc-lift(1), MAPS. */
#ifndef TC_MAP_H
#define TC_MAP_H

#include "process/outfile.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct map {
	struct outfile out;
	FILE *file;
	uint64_t packet; /* number of the packet that is at work, from 1 */
};

/* 0, or -1 with errno. */
int map_open(struct map *m, const char *path);
/* It appears whole, or, unless it is to be kept, not at all. */
int map_close(struct map *m, bool keep);
/* One line; arg is the struct map. */
void map_line(void *arg, const char *what, uint32_t slot, const char *text);

#endif
