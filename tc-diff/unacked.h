/*
 * Segments that were sent and, as far as was seen, not acknowledged. Each direction has its list;
 * the segments of all lists lie in one pool, so that memory is bounded and none is asked for while
 * packets come. Inline, since the analysis of every packet goes through it, and nothing else does.
 */
#ifndef TC_UNACKED_H
#define TC_UNACKED_H

#include <stdbool.h>
#include <stdint.h>

#define UNACKED_LIST 1024       /* segments of one list, at most */
#define UNACKED_NONE UINT32_MAX

/* Where it is full, a new segment takes the place of an old one, of whatever list. */
struct analysis_pool {
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

struct unacked_segment {
	struct unacked *list; /* that it is in */
	int64_t time;
	uint32_t seq, next;
	uint32_t older, newer; /* older: in the free list, too */
};

static inline void
unacked_init(struct unacked *list)
{
	*list = (struct unacked){.newest = UNACKED_NONE, .oldest = UNACKED_NONE, .ordered = true};
}

static inline void
unacked_unlink(struct analysis_pool *pool, uint32_t i)
{
	struct unacked_segment *s = &pool->segment[i];
	struct unacked *list = s->list;

	if (s->older == UNACKED_NONE)
		list->oldest = s->newer;
	else
		pool->segment[s->older].newer = s->newer;
	if (s->newer == UNACKED_NONE)
		list->newest = s->older;
	else
		pool->segment[s->newer].older = s->older;
	if (!--list->n)
		list->ordered = true;
}

static inline void
unacked_free(struct analysis_pool *pool, uint32_t i)
{
	unacked_unlink(pool, i);
	pool->segment[i].older = pool->free;
	pool->free = i;
}

/* The twin: gives back what the list holds. */
static inline void
unacked_clear(struct analysis_pool *pool, struct unacked *list)
{
	while (list->n)
		unacked_free(pool, list->oldest);
}

/* A free one, or where there is none the next in turn; a list that has its share gives its own. */
static inline uint32_t
unacked_take(struct analysis_pool *pool, struct unacked *list)
{
	uint32_t i = pool->free;

	if (list->n == UNACKED_LIST) {
		i = list->oldest;
	} else if (i != UNACKED_NONE) {
		pool->free = pool->segment[i].older;
		return i;
	} else if (pool->fresh < pool->size) {
		return pool->fresh++;
	} else {
		i = pool->hand++ % pool->size;
	}
	pool->dropped++;
	unacked_unlink(pool, i);
	return i;
}

static inline void
unacked_add(struct analysis_pool *pool, struct unacked *list, uint32_t seq, uint32_t next,
	    int64_t time)
{
	uint32_t i = unacked_take(pool, list);

	pool->segment[i] = (struct unacked_segment){.list = list, .time = time, .seq = seq,
						    .next = next, .older = list->newest,
						    .newer = UNACKED_NONE};
	if (list->newest == UNACKED_NONE) {
		list->oldest = i;
	} else {
		pool->segment[list->newest].newer = i;
		if (seq_after(pool->segment[list->newest].next, seq))
			list->ordered = false;
	}
	list->newest = i;
	list->n++;
}

/* Lets go of what an acknowledgement covers, and shortens what it covers in part. True if a
 * segment ends at it; then *time is when the oldest such was sent. */
static inline bool
unacked_acknowledge(struct analysis_pool *pool, struct unacked *list, uint32_t ack, int64_t *time)
{
	bool ends = false;
	uint32_t newer;

	for (uint32_t i = list->oldest; i != UNACKED_NONE; i = newer) {
		struct unacked_segment *s = &pool->segment[i];
		newer = s->newer;
		if (ack == s->next && !ends) {
			ends = true;
			*time = s->time;
		}
		if (!seq_after(s->next, ack)) {
			unacked_free(pool, i);
			continue;
		}
		if (seq_after(ack, s->seq))
			s->seq = ack;
		/* In order, nothing newer is acknowledged either: unless this is no
		 * acknowledgement at all, but any number. */
		if (list->ordered && ack - s->seq + (1u << 30) < 1u << 31)
			break;
	}
	return ends;
}

/* Octets from the first to the last of a list that isn't empty, all taken relative to base. */
static inline uint32_t
unacked_span(const struct analysis_pool *pool, const struct unacked *list, uint32_t base)
{
	const struct unacked_segment *segment = pool->segment;
	uint32_t first = segment[list->oldest].seq - base;
	uint32_t last = segment[list->newest].next - base;

	if (list->ordered && first <= last)
		return last - first;
	for (uint32_t i = list->oldest; i != UNACKED_NONE; i = segment[i].newer) {
		uint32_t seq = segment[i].seq - base, next = segment[i].next - base;
		first = seq < first ? seq : first;
		last = next > last ? next : last;
	}
	return last - first;
}

#endif
