#include "neural/cache.h"

#include <stdlib.h>
#include <string.h>

int
cache_init(struct cache *c, uint32_t entries, size_t octets)
{
	*c = (struct cache){.entries = entries, .octets = octets};
	c->entry_size = (sizeof(struct cache_entry) + octets + 7) / 8 * 8;
	return entries == 0 || (c->memory = calloc(entries, c->entry_size)) ? 0 : -1;
}

void
cache_free(struct cache *c)
{
	free(c->memory);
	c->memory = NULL;
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

static struct cache_entry *
entry(const struct cache *c, uint32_t i)
{
	return (struct cache_entry *)(c->memory + (i & (c->entries - 1)) * c->entry_size);
}

struct cache_entry *
cache_find(struct cache *c, const void *key, size_t n)
{
	c->asked++;
	if (!c->entries)
		return NULL;
	uint32_t h = hash(key, n);
	for (uint32_t i = 0; i < 2; i++) {
		struct cache_entry *e = entry(c, h ^ i);
		if (e->hash == h && e->key_size == n && !memcmp(e->octets, key, n)) {
			c->found++;
			return e;
		}
	}
	return NULL;
}

struct cache_entry *
cache_add(struct cache *c, const void *key, size_t n, size_t size)
{
	if (!c->entries || (n + 7) / 8 * 8 + size > c->octets)
		return NULL;
	uint32_t h = hash(key, n);
	struct cache_entry *e = entry(c, h);
	if (e->hash && !entry(c, h ^ 1)->hash)
		e = entry(c, h ^ 1);
	else if (e->hash && h >> 31)
		e = entry(c, h ^ 1);
	e->hash = h;
	e->ahead = 0;
	e->key_size = n;
	e->size = size;
	memcpy(e->octets, key, n);
	return e;
}
