/*
 * Segments that were sent and, as far as was seen, not acknowledged. Each direction has its list;
 * the segments of all lists lie in one pool, so that memory is bounded and none is asked for while
 * packets come.
 */
#ifndef TC_UNACKED_H
#define TC_UNACKED_H

#include <stdbool.h>
#include <stdint.h>

#define UNACKED_POOL (1u << 18) /* segments of all lists, for want of a better number: 8 MiB */
#define UNACKED_LIST 1024       /* segments of one list, at most */
#define UNACKED_NONE UINT32_MAX

/* Where it is full, a new segment takes the place of an old one, of whatever list. */
struct unacked_pool {
	struct unacked_segment *segment;
	uint32_t size, fresh, free, hand;
	uint64_t dropped; /* segments forgotten before they were acknowledged */
};

/* May not be moved while it holds segments: the pool points at it. */
struct unacked {
	uint32_t newest, oldest;
	uint16_t n;
	bool ordered; /* none begins before the one that was sent before it ends */
};

/* RFC 9293, section 3.4: sequence numbers are on a circle. */
static inline bool
seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* 0, or -1 where memory is short. */
int unacked_pool_init(struct unacked_pool *pool, uint32_t size);
void unacked_pool_free(struct unacked_pool *pool);

void unacked_init(struct unacked *list);
/* The twin: gives back what the list holds. */
void unacked_clear(struct unacked_pool *pool, struct unacked *list);

void unacked_add(struct unacked_pool *pool, struct unacked *list, uint32_t seq, uint32_t next,
		 int64_t time);
/* Lets go of what an acknowledgement covers, and shortens what it covers in part. True if a
 * segment ends at it; then *time is when the oldest such was sent. */
bool unacked_acknowledge(struct unacked_pool *pool, struct unacked *list, uint32_t ack,
			 int64_t *time);
/* Octets from the first to the last of a list that isn't empty, all taken relative to base. */
uint32_t unacked_span(const struct unacked_pool *pool, const struct unacked *list, uint32_t base);

#endif
