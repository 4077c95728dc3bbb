#include "codec/cache.h"

#include "support/hugepages.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

size_t
cache_size(size_t adds, unsigned threads)
{
	size_t octets = CACHE_LEAST;

	while (octets < CACHE_MOST && octets / CACHE_STAYS / adds < 4 * threads)
		octets *= 2;
	return octets;
}

unsigned
cache_blocks(const struct cache *c, size_t adds)
{
	return c->size / CACHE_STAYS / adds - 1;
}

int
cache_init(struct cache *c, size_t size, uint32_t places)
{
	*c = (struct cache){.size = size, .places = places};
	c->ring = hugepages_new(size);
	c->place = places ? hugepages_new(places * sizeof *c->place) : NULL;
	return c->ring && (c->place || !places) ? 0 : -1;
}

void
cache_free(struct cache *c)
{
	hugepages_free(c->ring, c->size);
	hugepages_free(c->place, c->places * sizeof *c->place);
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

uint32_t
cache_hash(const void *key, size_t n)
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

/* The entry at a place, if nothing was written over it since, nor soon will be. */
static struct cache_entry *
entry(const struct cache *c, const struct cache_place *p)
{
	if (!p->hash || c->next - p->at > c->size - c->size / CACHE_STAYS)
		return NULL;
	return (struct cache_entry *)(c->ring + (p->at & (c->size - 1)));
}

static struct cache_place *
place(const struct cache *c, uint32_t hash, unsigned i)
{
	return &c->place[(hash ^ i) & (c->places - 1)];
}

struct cache_entry *
cache_find(struct cache *c, uint32_t hash, const void *key, size_t n)
{
	c->asked++;
	for (unsigned i = 0; c->places && i < 2; i++) {
		const struct cache_place *p = place(c, hash, i);
		struct cache_entry *e = p->hash == hash ? entry(c, p) : NULL;
		if (e && e->hash == hash && e->key_size == n && !memcmp(e->octets, key, n)) {
			c->found++;
			return e;
		}
	}
	return NULL;
}

struct cache_entry *
cache_add(struct cache *c, uint32_t hash, const void *key, size_t n, size_t size)
{
	size_t all = sizeof(struct cache_entry) + (n + 7) / 8 * 8 + (size + 7) / 8 * 8;
	size_t at = c->next & (c->size - 1);

	if (at + all > c->size) { /* it would not fit before the ring's end */
		c->next += c->size - at;
		at = 0;
	}
	if (c->places) {
		struct cache_place *p = place(c, hash, 0);
		if (entry(c, p) && (!entry(c, place(c, hash, 1)) || hash >> 31))
			p = place(c, hash, 1);
		*p = (struct cache_place){c->next, hash};
	}
	struct cache_entry *e = (struct cache_entry *)(c->ring + at);
	c->next += all;
	*e = (struct cache_entry){.hash = hash, .key_size = n};
	memcpy(e->octets, key, n);
	return e;
}
