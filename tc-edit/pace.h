/* Times as --speed, --copies and --shift move them. */
#ifndef TC_EDIT_PACE_H
#define TC_EDIT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_ONE INT64_C(1000000) /* speed, in parts of it */

struct pace {
	int64_t speed; /* of PACE_ONE */
	int64_t move;  /* ns, after that */
	bool begun;
	int64_t origin; /* the first packet's time, which stays where it is */
};

/* ns as long as they are at that speed; what would be beyond 63 bits is the nearest that isn't. */
int64_t pace_length(int64_t ns, int64_t speed);
/* Where a time goes; the first one asked for is the origin. */
int64_t pace_time(struct pace *p, int64_t time);

#endif
