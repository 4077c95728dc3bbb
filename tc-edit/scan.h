/* The first pass over an input that is read twice: what the second one must know before it begins. */
#ifndef TC_EDIT_SCAN_H
#define TC_EDIT_SCAN_H

#include "source.h"

/* Of one trace: the times of its packets between --from and --to. */
struct stretch {
	bool any;
	int64_t first, last; /* ns since 1970 */
};

struct scan {
	struct stretch *stretch; /* of each trace */
	size_t n;
	struct marks *named;   /* NULL, or flows of which a packet matches the selection's expression */
	struct census *census; /* NULL, or who is how busy */
};

/* Reads a source to its end. What is wrong with it stays unsaid, since the second pass meets it too. 0, or -1 with errno where
 * memory is short: EFBIG where --buffer is. */
int scan_source(struct scan *c, struct source *s);
/* From the first packet to the last: ns, of trace i, or of all together. */
int64_t scan_length(const struct scan *c, size_t i);
int64_t scan_length_of_all(const struct scan *c);

#endif
