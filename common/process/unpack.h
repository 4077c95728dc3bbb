/*
 * What gzip, zstd, xz or lz4 compressed, as it was, by libarchive. The memory that a file asks for is its own choice, up to
 * gigabytes, so it is bounded: UNPACK_ROOM of address space more than the program has, else the file is refused.
 */
#ifndef TC_UNPACK_H
#define TC_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNPACK_ROOM ((size_t)160 << 20) /* octets: the windows of xz -9 and zstd --ultra -22 or --long, and some more */

struct unpack;

/* Before files can't be opened any more: what tells how large the address space is. */
void unpack_prepare(void);
/* Whether a file that begins so is for here. */
bool unpack_takes(const void *head, size_t n);
/*
 * Reads by `more`, as read(2) does, behind n octets at head that were read already, KIND_HEAD of them at least where there
 * are so many. NULL with errno.
 */
struct unpack *unpack_new(const void *head, size_t n, ssize_t (*more)(void *arg, void *p, size_t n), void *arg);
/* Octets, 0 at the end, -1 with unpack_error(). */
ssize_t unpack_read(struct unpack *u, void *p, size_t n);
/* Why reading failed; NULL where it didn't. */
const char *unpack_error(const struct unpack *u);
void unpack_free(struct unpack *u);

#endif
