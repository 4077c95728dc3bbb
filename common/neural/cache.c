#include "neural/cache.h"

#include <stdlib.h>
#include <string.h>

int
cache_init(struct cache *c, size_t size, uint32_t places)
{
	*c = (struct cache){.size = size, .places = places};
	if (!size)
		return 0;
	c->ring = malloc(size);
	c->place = calloc(places, sizeof *c->place);
	cache_forget(c);
	return c->ring && c->place ? 0 : -1;
}

void
cache_free(struct cache *c)
{
	free(c->ring);
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

static uint64_t
mix(uint64_t h, const uint8_t *key, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, key, n);
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

/* Four lanes, so that a long key isn't one chain of products. */
static uint32_t
hash(const uint8_t *key, size_t n)
{
	uint64_t h[4] = {n, 1, 2, 3};

	for (; n >= 32; n -= 32, key += 32)
		for (int i = 0; i < 4; i++)
			h[i] = mix(h[i], key + 8 * i, 8);
	for (; n >= 8; n -= 8, key += 8)
		h[0] = mix(h[0], key, 8);
	h[0] = mix(h[0], key, n);
	for (int i = 1; i < 4; i++)
		h[0] = (h[0] ^ h[i]) * 0xbf58476d1ce4e5b9;
	uint32_t sum = h[0] ^ h[0] >> 32;
	return sum ? sum : 1;
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
