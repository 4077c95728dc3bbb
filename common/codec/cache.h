/*
 * What the network said before: it is a pure function, and most packets of a trace say what another
 * one said. Octets to octets, in a ring of a fixed size: a new entry stands behind the one before, and
 * takes the place of the oldest.
 */
#ifndef TC_CACHE_H
#define TC_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_entry {
	uint32_t hash; /* 0: not to be found any more */
	uint32_t key_size;
	uint8_t octets[]; /* the key, then, from the next multiple of 8, the value */
};

/* Where an entry stands: at this octet of all that were ever written. */
struct cache_place {
	uint64_t at;
	uint32_t hash; /* 0: nowhere */
};

struct cache {
	uint8_t *ring;
	size_t size;   /* octets, a power of 2 */
	uint64_t next; /* octet of all that will have been written */
	struct cache_place *place;
	uint32_t places; /* a power of 2; 0: nothing is found */
	uint64_t found, asked;
};

/* What stands for long octets as a key: 128 bits of XXH3, which no two of them that come by have in common. */
struct cache_digest {
	uint64_t half[2];
};
struct cache_digest cache_digest(const void *octets, size_t n);
static inline uint32_t
cache_digest_hash(const struct cache_digest *key)
{
	return (uint32_t)key->half[0] | !(uint32_t)key->half[0];
}

#define CACHE_LEAST (4 << 20) /* octets of a ring */
#define CACHE_MOST  (32 << 20)
#define CACHE_STAYS 8 /* of so many parts of the ring one stays, behind what is found */

/* Octets of a ring for so many threads, where each of their blocks adds so much at most. */
size_t cache_size(size_t adds, unsigned threads);
/* So many blocks may be on their way that what their packets found stays. */
unsigned cache_blocks(const struct cache *c, size_t adds);
/* size: octets; places: as many entries as there may be at once, or 0: nothing is
 * found, and the ring holds what is at work. Both powers of 2. 0, or -1 where memory is short; the system gives it page by page. */
int cache_init(struct cache *c, size_t size, uint32_t places);
void cache_free(struct cache *c);
/* All entries go. */
void cache_forget(struct cache *c);
/* By which a key is looked for; never 0. */
uint32_t cache_hash(const void *key, size_t n);
/* The entry of a key; NULL where there is none. */
struct cache_entry *cache_find(struct cache *c, uint32_t hash, const void *key, size_t n);
/* A new entry with room for a value of `size` octets; all together no more than an eighth of the ring. Like one that was
 * found it stays until another eighth of the ring was written behind it; without places, until the ring was. */
struct cache_entry *cache_add(struct cache *c, uint32_t hash, const void *key, size_t n, size_t size);
static inline void *
cache_value(struct cache_entry *e)
{
	return e->octets + (e->key_size + 7) / 8 * 8;
}

#endif
