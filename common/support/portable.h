/*
 * What systems other than Linux with glibc lack, in the terms of those that have it. `make PORTABLE=1` builds with the
 * stand-ins that any system can have, on Linux too, so that they are tested; what only Apple's have is marked so.
 */
#ifndef TC_PORTABLE_H
#define TC_PORTABLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <endian.h>
#else

/* --- byte order --- */

#undef le16toh
#undef le32toh
#undef be32toh
#undef htole16
#undef htole32
#undef be64toh
#undef htobe32
#undef htobe64
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16toh(x) ((uint16_t)(x))
#define le32toh(x) ((uint32_t)(x))
#define be32toh(x) __builtin_bswap32(x)
#define be64toh(x) __builtin_bswap64(x)
#else
#define le16toh(x) __builtin_bswap16(x)
#define le32toh(x) __builtin_bswap32(x)
#define be32toh(x) ((uint32_t)(x))
#define be64toh(x) ((uint64_t)(x))
#endif
#define htole16(x) le16toh(x)
#define htole32(x) le32toh(x)
#define htobe32(x) be32toh(x)
#define htobe64(x) be64toh(x)

#endif

/* --- descriptors --- */

#if !defined __linux__ || !defined __GLIBC__
/* No program here has more open. */
#define closefrom(first) portable_closefrom(first)
static inline void
portable_closefrom(int first)
{
	for (int fd = first; fd < 1024; fd++)
		close(fd);
}
#endif

/* --- Apple's --- */

#ifdef __APPLE__
#define program_invocation_short_name getprogname()
#define fputs_unlocked(text, f)	      fputs(text, f)
#define fwrite_unlocked(p, n, m, f)   fwrite(p, n, m, f)

typedef struct {
	ssize_t (*read)(void *, char *, size_t);
	ssize_t (*write)(void *, const char *, size_t);
	int (*close)(void *);
} cookie_io_functions_t;

/* What a stream of funopen() calls, whose functions count in int. */
struct portable_cookie {
	void *cookie;
	cookie_io_functions_t functions;
};

static inline int
portable_read(void *c, char *p, int n)
{
	struct portable_cookie *k = c;

	return k->functions.read(k->cookie, p, n);
}

static inline int
portable_write(void *c, const char *p, int n)
{
	struct portable_cookie *k = c;
	ssize_t written = k->functions.write(k->cookie, p, n);

	return written > 0 ? written : -1;
}

static inline int
portable_close(void *c)
{
	struct portable_cookie *k = c;
	int r = k->functions.close ? k->functions.close(k->cookie) : 0;

	free(k);
	return r;
}

static inline FILE *
fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions)
{
	struct portable_cookie *k = malloc(sizeof *k);

	(void)mode;
	if (!k)
		return NULL;
	*k = (struct portable_cookie){cookie, functions};
	FILE *f = funopen(k, functions.read ? portable_read : NULL, functions.write ? portable_write : NULL, NULL,
			  portable_close);
	if (!f)
		free(k);
	return f;
}
#endif

#endif
