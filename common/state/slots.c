#include "state/slots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LINE	  64 /* octets of one of the cache */
#define SLOT_BITS 21 /* of an index's entry; the others are the hash's upper ones */
#define SLOT_MASK ((1u << SLOT_BITS) - 1)

struct slot_link {
	uint32_t hash, newer, older;
};

int
slots_init(struct slots *s, uint32_t key_size, uint32_t cap)
{
	uint32_t width = 2;

	while (width < cap * 2)
		width *= 2;
	*s = (struct slots){.cap = cap, .key_size = key_size, .mask = width - 1, .stride = 16};
	while (s->stride < sizeof(struct slot_link) + key_size)
		s->stride *= 2;
	s->newest = s->oldest = SLOT_NONE;
	s->index = calloc(width, sizeof *s->index);
	s->entry = aligned_alloc(LINE, ((size_t)cap * s->stride + LINE - 1) / LINE * LINE);
#ifdef __linux__
	if (getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK) < 0)
#else
	if (getentropy(s->seed, sizeof s->seed) < 0)
#endif
		s->seed[0] = (uintptr_t)s;
	return s->index && s->entry ? 0 : -1;
}

void
slots_free(struct slots *s)
{
	free(s->index);
	free(s->entry);
	s->index = NULL;
	s->entry = NULL;
}

static struct slot_link *
link_of(const struct slots *s, uint32_t slot)
{
	return (struct slot_link *)(s->entry + (size_t)slot * s->stride);
}

static uint8_t *
key_of(const struct slots *s, uint32_t slot)
{
	return (uint8_t *)(link_of(s, slot) + 1);
}

/* Up to eight octets. */
static uint64_t
load(const uint8_t *p, uint32_t n)
{
	uint64_t v = 0;
	uint32_t half;

	if (n >= 8) {
		memcpy(&v, p, 8);
		return v;
	}
	for (uint32_t i = 0; i < (n & 3); i++)
		v = v << 8 | p[(n & 4) + i];
	if (n & 4) {
		memcpy(&half, p, 4);
		v = v << 32 | half;
	}
	return v;
}

static bool
same(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	for (; n > 8; n -= 8, a += 8, b += 8)
		if (load(a, 8) != load(b, 8))
			return false;
	return load(a, n) == load(b, n);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ typedef unsigned __int128 wide;
	wide p = (wide)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
#else /* 32-bit machines */
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
	uint64_t middle = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;

	return (middle << 32 | (uint32_t)ll) ^ (ah * bh + (lh >> 32) + (hl >> 32) + (middle >> 32));
#endif
}

/* Multiply and fold, sixteen octets a step, keyed by the seed. */
static uint32_t
hash(const struct slots *s, const uint8_t *key)
{
	uint64_t h = s->seed[0];
	uint32_t left = s->key_size;

	for (; left > 16; left -= 16, key += 16)
		h = mix(h ^ load(key, 8), s->seed[1] ^ load(key + 8, 8));
	h = mix(h ^ load(key, left), s->seed[1] ^ (left > 8 ? load(key + 8, left - 8) : 0));
	h = mix(h, 0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static void
unlink_slot(struct slots *s, uint32_t slot)
{
	struct slot_link *l = link_of(s, slot);

	*(l->newer == SLOT_NONE ? &s->newest : &link_of(s, l->newer)->older) = l->older;
	*(l->older == SLOT_NONE ? &s->oldest : &link_of(s, l->older)->newer) = l->newer;
}

static void
link_newest(struct slots *s, uint32_t slot)
{
	struct slot_link *l = link_of(s, slot);

	l->older = s->newest;
	l->newer = SLOT_NONE;
	*(s->newest == SLOT_NONE ? &s->oldest : &link_of(s, s->newest)->newer) = slot;
	s->newest = slot;
}

void
slots_touch(struct slots *s, uint32_t slot)
{
	if (slot == s->newest)
		return;
	unlink_slot(s, slot);
	link_newest(s, slot);
}

uint32_t
slots_find(const struct slots *s, const void *key)
{
	/* Mostly it is the one that was used last. */
	if (s->newest != SLOT_NONE && same(key_of(s, s->newest), key, s->key_size))
		return s->newest;
	uint32_t h = hash(s, key);
	for (uint32_t i = h & s->mask; s->index[i]; i = (i + 1) & s->mask) {
		uint32_t slot = (s->index[i] & SLOT_MASK) - 1;
		if (!((s->index[i] ^ h) & ~SLOT_MASK) && same(key_of(s, slot), key, s->key_size))
			return slot;
	}
	return SLOT_NONE;
}

bool
slots_holds(const struct slots *s, uint32_t slot, const void *key)
{
	return slot < s->used && same(key_of(s, slot), key, s->key_size);
}

static void
index_add(struct slots *s, uint32_t hash, uint32_t slot)
{
	uint32_t i = hash & s->mask;

	while (s->index[i])
		i = (i + 1) & s->mask;
	s->index[i] = (hash & ~SLOT_MASK) | (slot + 1);
}

/* Takes a slot out of the index and moves up what stood behind it, so that no gap hides a key. */
static void
index_remove(struct slots *s, uint32_t slot)
{
	uint32_t i = link_of(s, slot)->hash & s->mask, j;

	while ((s->index[i] & SLOT_MASK) != slot + 1)
		i = (i + 1) & s->mask;
	for (j = (i + 1) & s->mask; s->index[j]; j = (j + 1) & s->mask) {
		uint32_t home = link_of(s, (s->index[j] & SLOT_MASK) - 1)->hash & s->mask;
		if (((j - home) & s->mask) >= ((j - i) & s->mask)) {
			s->index[i] = s->index[j];
			i = j;
		}
	}
	s->index[i] = 0;
}

uint32_t
slots_add(struct slots *s, const void *key)
{
	uint32_t slot, h = hash(s, key);

	if (s->used < s->cap) {
		slot = s->used++;
	} else {
		slot = s->oldest;
		index_remove(s, slot);
		unlink_slot(s, slot);
		s->evicted++;
	}
	memcpy(key_of(s, slot), key, s->key_size);
	link_of(s, slot)->hash = h;
	index_add(s, h, slot);
	link_newest(s, slot);
	return slot;
}
