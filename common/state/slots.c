#include "state/slots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

int
slots_init(struct slots *s, uint32_t key_size, uint32_t cap)
{
	uint32_t width = 2;

	while (width < cap * 2)
		width *= 2;
	*s = (struct slots){.cap = cap, .key_size = key_size, .mask = width - 1};
	s->newest = s->oldest = SLOT_NONE;
	s->index = calloc(width, sizeof *s->index);
	s->key = calloc(cap, key_size);
	s->link = calloc(cap, sizeof *s->link);
#ifdef __linux__
	if (getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK) < 0)
#else
	if (getentropy(s->seed, sizeof s->seed) < 0)
#endif
		s->seed[0] = (uintptr_t)s;
	return s->index && s->key && s->link ? 0 : -1;
}

void
slots_free(struct slots *s)
{
	free(s->index);
	free(s->key);
	free(s->link);
	s->index = NULL;
	s->key = NULL;
	s->link = NULL;
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

/* Multiply and fold, eight octets a step, keyed by the seed. */
static uint32_t
hash(const struct slots *s, const uint8_t *key)
{
	uint64_t h = s->seed[0], v;
	uint32_t left = s->key_size;

	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&v, key, 8);
		h = mix(h ^ v, s->seed[1] | 1);
	}
	v = 0;
	memcpy(&v, key, left);
	h = mix(h ^ v, 0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static void
unlink_slot(struct slots *s, uint32_t slot)
{
	struct slot_link *l = &s->link[slot];

	*(l->newer == SLOT_NONE ? &s->newest : &s->link[l->newer].older) = l->older;
	*(l->older == SLOT_NONE ? &s->oldest : &s->link[l->older].newer) = l->newer;
}

static void
link_newest(struct slots *s, uint32_t slot)
{
	s->link[slot].older = s->newest;
	s->link[slot].newer = SLOT_NONE;
	*(s->newest == SLOT_NONE ? &s->oldest : &s->link[s->newest].newer) = slot;
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
	uint32_t h = hash(s, key);
	for (uint32_t i = h & s->mask; s->index[i]; i = (i + 1) & s->mask) {
		uint32_t slot = s->index[i] - 1;
		if (s->link[slot].hash == h &&
		    !memcmp(s->key + (size_t)slot * s->key_size, key, s->key_size))
			return slot;
	}
	return SLOT_NONE;
}

bool
slots_holds(const struct slots *s, uint32_t slot, const void *key)
{
	return slot < s->used && !memcmp(s->key + (size_t)slot * s->key_size, key, s->key_size);
}

static void
index_add(struct slots *s, uint32_t slot)
{
	uint32_t i = s->link[slot].hash & s->mask;

	while (s->index[i])
		i = (i + 1) & s->mask;
	s->index[i] = slot + 1;
}

/* Takes a slot out of the index and moves up what stood behind it, so that no gap hides a key. */
static void
index_remove(struct slots *s, uint32_t slot)
{
	uint32_t i = s->link[slot].hash & s->mask, j;

	while (s->index[i] != slot + 1)
		i = (i + 1) & s->mask;
	for (j = (i + 1) & s->mask; s->index[j]; j = (j + 1) & s->mask) {
		uint32_t home = s->link[s->index[j] - 1].hash & s->mask;
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
	uint32_t slot;

	if (s->used < s->cap) {
		slot = s->used++;
	} else {
		slot = s->oldest;
		index_remove(s, slot);
		unlink_slot(s, slot);
		s->evicted++;
	}
	memcpy(s->key + (size_t)slot * s->key_size, key, s->key_size);
	s->link[slot].hash = hash(s, key);
	index_add(s, slot);
	link_newest(s, slot);
	return slot;
}
