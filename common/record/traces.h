/* A filter's input as traces, one after the other: the loop of the programs that read streams. It speaks for their mains, as
 * filter.h does. */
#ifndef TC_TRACES_H
#define TC_TRACES_H

#include "process/filter.h"
#include "record/stream.h"

/* A reader on the filter's input, and its progress. flush passes on what is ready before the input is waited for. */
void traces_open(struct stream_reader *r, const struct filter *f, int (*flush)(void *), void *arg);
/* Each trace of the input: trace reads it, and returns 0 after its end, else -1. The exit status. */
int traces_each(struct stream_reader *r, const struct filter *f, int (*trace)(void *, struct stream_header *), void *arg);
/* Where the input is no stream at all, but something that another program takes: r->error says so. traces_each() does it. */
void traces_mistaken(struct stream_reader *r);
/* How many records were not understood. */
void traces_unknown(const struct stream_reader *r);

#endif
