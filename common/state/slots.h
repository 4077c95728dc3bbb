/*
 * Names for keys: a key seen again has the slot it had, a new one gets the lowest free slot, and
 * when all are taken that of the key which was longest unused. Memory is bounded by the cap.
 */
#ifndef TC_SLOTS_H
#define TC_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define SLOT_NONE UINT32_MAX

struct slots {
	uint32_t cap, used;
	uint32_t key_size;
	uint64_t evicted;
	/* inside */
	uint32_t mask;
	uint32_t *index; /* open addressing: bits of the hash, and slot + 1; 0: free */
	uint8_t *entry;	 /* of each slot struct slot_link and its key, stride octets: none stands in two lines of the cache */
	uint32_t stride;
	uint32_t newest, oldest;
	uint64_t seed[2]; /* of the hash, from the system: nobody outside can make keys collide */
};

/* key_size in octets, cap 1 to 2^20. The system gives the memory page by page as slots are used.
 * 0, or -1 where there is none. */
int slots_init(struct slots *s, uint32_t key_size, uint32_t cap);
void slots_free(struct slots *s);
/* The slot of a key, SLOT_NONE if it has none. Doesn't count as use. */
uint32_t slots_find(const struct slots *s, const void *key);
/* Whether a slot is this key's. */
bool slots_holds(const struct slots *s, uint32_t slot, const void *key);
/* The key was used. */
void slots_touch(struct slots *s, uint32_t slot);
/* A slot for a key that has none. */
uint32_t slots_add(struct slots *s, const void *key);

#endif
