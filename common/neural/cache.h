/*
 * What the network said before: it is a pure function, and most packets of a trace say what another
 * one said. Octets to octets, in memory of a fixed size; a new entry takes the place of an older one.
 */
#ifndef TC_CACHE_H
#define TC_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_entry {
	uint32_t hash;	/* 0: free */
	uint32_t ahead; /* number, from 1, of the row of a block that will be the value; 0: it is here */
	uint16_t key_size, size;
	uint8_t octets[]; /* the key, then, from the next multiple of 8, the value */
};

struct cache {
	uint32_t entries;	      /* a power of 2; 0: nothing is remembered */
	size_t entry_size, octets;    /* of an entry, of its key and value */
	uint8_t *memory;
	uint64_t found, asked;
};

/* entries (a power of 2, or 0) of up to `octets` of key and value. 0, or -1 where memory is short;
 * the system gives it page by page. */
int cache_init(struct cache *c, uint32_t entries, size_t octets);
void cache_free(struct cache *c);
/* The entry of a key; NULL where there is none. */
struct cache_entry *cache_find(struct cache *c, const void *key, size_t n);
/* A new entry with room for `size` octets, or NULL where it would be too large. It lives until the
 * next one is made. */
struct cache_entry *cache_add(struct cache *c, const void *key, size_t n, size_t size);
static inline void *
cache_value(struct cache_entry *e)
{
	return e->octets + (e->key_size + 7) / 8 * 8;
}

#endif
