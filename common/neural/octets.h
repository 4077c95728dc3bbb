/* Little-endian octets of a file that is parsed, or built. */
#ifndef TC_OCTETS_H
#define TC_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OCTETS_NAME 24 /* octets of a name, the rest 0 */

/* What is parsed. Sticky: behind its end all is 0, and `cut`. */
struct octets {
	const uint8_t *at, *end;
	bool cut;
};

/* n octets; NULL where there are fewer. */
static inline const uint8_t *
take(struct octets *o, size_t n)
{
	const uint8_t *p = o->at;

	if (o->cut || n > (size_t)(o->end - o->at)) {
		o->cut = true;
		return NULL;
	}
	o->at += n;
	return p;
}

static inline uint32_t
take_u32(struct octets *o)
{
	const uint8_t *p = take(o, 4);

	return p ? p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static inline uint16_t
take_u16(struct octets *o)
{
	const uint8_t *p = take(o, 2);

	return p ? p[0] | p[1] << 8 : 0;
}

static inline uint64_t
take_u64(struct octets *o)
{
	uint64_t low = take_u32(o);

	return low | (uint64_t)take_u32(o) << 32;
}

/* name has room for OCTETS_NAME + 1. */
static inline void
take_name(struct octets *o, char *name)
{
	const uint8_t *p = take(o, OCTETS_NAME);

	memset(name, 0, OCTETS_NAME + 1);
	if (p)
		memcpy(name, p, OCTETS_NAME);
}

static inline void
put_u16(uint8_t **p, uint16_t v)
{
	*(*p)++ = v;
	*(*p)++ = v >> 8;
}

static inline void
put_u32(uint8_t **p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*(*p)++ = v >> 8 * i;
}

static inline void
put_u64(uint8_t **p, uint64_t v)
{
	put_u32(p, v);
	put_u32(p, v >> 32);
}

/* Into octets that are 0. */
static inline void
put_name(uint8_t **p, const char *name)
{
	size_t n = strlen(name);

	memcpy(*p, name, n < OCTETS_NAME ? n : OCTETS_NAME);
	*p += OCTETS_NAME;
}

#define OCTETS_HASH 32

/* SHA-256 of n octets. */
void octets_hash(const uint8_t *p, size_t n, uint8_t *hash);
/* All of a regular file of at most so many octets, owned by the caller. NULL with errno: EINVAL for what is no regular file,
 * EFBIG for one that is too large. */
uint8_t *octets_read(const char *path, size_t limit, size_t *n);

#endif
