/* Inputs that are read more than once, each time through a descriptor of its own. */
#ifndef TC_EDIT_SPOOL_H
#define TC_EDIT_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

/* Whether it can be, as it is; path: where it was opened, NULL for standard input. */
bool spool_is_file(int fd, const char *path);
/* A file that nobody else sees: in memory, or, where the system has no such, a temporary one, whose name is *path until
 * spool_hide(). -1 with errno. */
int spool_new(char **path);
void spool_hide(char *path);
/* Puts all that comes from a descriptor there, up to so many octets, to be read from its start. 0, or -1 with errno: EFBIG where
 * it was more. */
int spool_fill(int spool, int fd, uint64_t most);
/* Another descriptor of the same file, from where that one stands; -1 with errno. */
int spool_again(int fd, const char *path);

#endif
