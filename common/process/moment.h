/* Moments and numbers with decimals, as people give them to options. */
#ifndef TC_MOMENT_H
#define TC_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* A number with up to so many decimals, 0 to max, in units of the last one: false where it is none. */
bool moment_decimal(const char *text, int decimals, int64_t max, int64_t *v);
/* Seconds since 1970 with up to nine decimals, or a date of RFC 3339 in UTC: ns since 1970. NULL, or what is wrong with it. */
const char *moment_read(const char *text, int64_t *ns);

#endif
