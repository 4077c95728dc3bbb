/* Where what is learned ends: the flows that go on, the latest packets and openings. Generating begins there. */
#ifndef TC_GEN_PRESENT_H
#define TC_GEN_PRESENT_H

#include "learn.h"
#include "model.h"

/* 0, or -1 where memory is short. */
int present_take(struct model *m, const struct lesson *l);

#endif
