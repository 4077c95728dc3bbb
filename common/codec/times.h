/*
 * Time steps as the encoder says them: against the clock that the decoder will have, so that what is
 * rounded away from one step is made up for in the next ones; and, for each step that can be said, what
 * its latent is and what that decodes to, as long as that is remembered.
 */
#ifndef TC_TIMES_H
#define TC_TIMES_H

#include "codec/cache.h"
#include "neural/network.h"
#include "record/latent.h"

/* The decoder's clock. */
struct clock {
	int unit;     /* ns */
	int64_t debt; /* ns that it is behind */
};

struct clock clock_of(const struct stream_header *h);
/* The code of the step to say for a true one. What the clock is behind is made up for, but never by more
 * than rounding could do to this step, so that no gap is bent for another's sake. */
uint32_t clock_aim(const struct clock *c, int64_t step);
/* The code of a step of at least, or at most, so many ns. */
uint32_t clock_bound(const struct clock *c, int64_t step, bool at_least);
/* The true clock goes on by a step, the decoder's by what was said. */
void clock_tick(struct clock *c, int64_t step, int64_t said);

#define TIMES_MAX 64 /* made together */

/* Made when it is first wanted. */
struct time_entry {
	bool made, right;
	uint32_t code, decoded;
	float kl;	  /* nats, where rates are wanted */
	uint8_t octets[]; /* of the latent's coordinates */
};

struct times {
	const struct network *net;
	struct pass *pass; /* for TIMES_MAX rows; not owned */
	enum latent_type type;
	bool rates;
	uint64_t *random; /* NULL: latents are means; else draws, each good for one packet */
	float margin;	  /* that a decision needs to be right */
	int held;	  /* entries that a block may hold at once */
	struct cache cache; /* of entries, by code */
	size_t size;	    /* octets of an entry */
};

/* The other members are set before. 0, or -1 where memory is short. */
int times_init(struct times *t);
void times_free(struct times *t);
/* A code's entry is asked for soon. */
void times_expect(const struct times *t, uint32_t code);
/* The entry of a code. It stays where it is for a block at least. */
struct time_entry *times_entry(struct times *t, uint32_t code);
/* Makes n entries, at most TIMES_MAX. */
void times_make(struct times *t, struct time_entry *const *entry, int n);

#endif
