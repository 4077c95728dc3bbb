/* Inputs that are read more than once, each time through a descriptor of its own. */
#ifndef TC_EDIT_SPOOL_H
#define TC_EDIT_SPOOL_H

#include <stdint.h>
#include <sys/types.h>

/* Whether it can be, as it is. */
int spool_is_file(int fd);
/* A file in memory; -1 with errno. */
int spool_new(void);
/* Puts all that comes from a descriptor there, up to so many octets, to be read from its start. 0, or -1 with errno: EFBIG where
 * it was more. */
int spool_fill(int memory, int fd, uint64_t most);
/* Another descriptor of the same file, from where that one stands; -1 with errno. */
int spool_again(int fd);

#endif
