#include "neural/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int
cache_init(struct cache *c, size_t size, uint32_t places)
{
	*c = (struct cache){.size = size, .places = places};
	if (!size)
		return 0;
	c->place = calloc(places, sizeof *c->place);
	c->ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->ring == MAP_FAILED)
		c->ring = NULL;
	else /* fewer page faults, and misses of the TLB, where the kernel has huge pages */
		madvise(c->ring, size, MADV_HUGEPAGE);
	cache_forget(c);
	return c->ring && c->place ? 0 : -1;
}

void
cache_free(struct cache *c)
{
	if (c->ring)
		munmap(c->ring, c->size);
	free(c->place);
	c->ring = NULL;
	c->place = NULL;
}

void
cache_forget(struct cache *c)
{
	if (c->place)
		memset(c->place, 0, c->places * sizeof *c->place);
	c->next = 0;
}

static uint32_t
hash(const void *key, size_t n)
{
	uint32_t h = XXH3_64bits(key, n);

	return h ? h : 1;
}

struct cache_digest
cache_digest(const void *octets, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(octets, n);

	return (struct cache_digest){{h.low64, h.high64}};
}

/* The entry at a place, if nothing was written over it since. */
static struct cache_entry *
entry(const struct cache *c, const struct cache_place *p)
{
	if (!p->hash || c->next - p->at > c->size)
		return NULL;
	return (struct cache_entry *)(c->ring + p->at % c->size);
}

static struct cache_place *
place(const struct cache *c, uint32_t hash, unsigned i)
{
	return &c->place[(hash ^ i) & (c->places - 1)];
}

struct cache_entry *
cache_find(struct cache *c, const void *key, size_t n)
{
	c->asked++;
	if (!c->size)
		return NULL;
	uint32_t h = hash(key, n);
	for (unsigned i = 0; i < 2; i++) {
		const struct cache_place *p = place(c, h, i);
		struct cache_entry *e = p->hash == h ? entry(c, p) : NULL;
		if (e && e->hash == h && e->key_size == n && !memcmp(e->octets, key, n)) {
			c->found++;
			return e;
		}
	}
	return NULL;
}

struct cache_entry *
cache_add(struct cache *c, const void *key, size_t n, size_t size)
{
	size_t all = sizeof(struct cache_entry) + (n + 7) / 8 * 8 + (size + 7) / 8 * 8;

	if (all > c->size / 8)
		return NULL;
	if (c->next % c->size + all > c->size) /* it would not fit before the ring's end */
		c->next += c->size - c->next % c->size;
	uint32_t h = hash(key, n);
	struct cache_place *p = place(c, h, 0);
	if (entry(c, p) && (!entry(c, place(c, h, 1)) || h >> 31))
		p = place(c, h, 1);
	*p = (struct cache_place){c->next, h};
	struct cache_entry *e = (struct cache_entry *)(c->ring + c->next % c->size);
	c->next += all;
	*e = (struct cache_entry){.hash = h, .key_size = n, .size = size};
	memcpy(e->octets, key, n);
	return e;
}
