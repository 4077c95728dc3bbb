#include "packet/unacked.h"

#include <stdlib.h>

struct unacked_segment {
	struct unacked *list; /* that it is in */
	int64_t time;
	uint32_t seq, next;
	uint32_t older, newer; /* older: in the free list, too */
};

int
unacked_pool_init(struct unacked_pool *pool, uint32_t size)
{
	*pool = (struct unacked_pool){.size = size, .free = UNACKED_NONE};
	pool->segment = malloc(size * sizeof *pool->segment);
	return pool->segment ? 0 : -1;
}

void
unacked_pool_free(struct unacked_pool *pool)
{
	free(pool->segment);
	pool->segment = NULL;
}

void
unacked_init(struct unacked *list)
{
	*list = (struct unacked){.newest = UNACKED_NONE, .oldest = UNACKED_NONE, .ordered = true};
}

static void
unlink_segment(struct unacked_pool *pool, uint32_t i)
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

static void
free_segment(struct unacked_pool *pool, uint32_t i)
{
	unlink_segment(pool, i);
	pool->segment[i].older = pool->free;
	pool->free = i;
}

void
unacked_clear(struct unacked_pool *pool, struct unacked *list)
{
	while (list->n)
		free_segment(pool, list->oldest);
}

/* A free one, or where there is none the next in turn; a list that has its share gives its own. */
static uint32_t
take_segment(struct unacked_pool *pool, struct unacked *list)
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
	unlink_segment(pool, i);
	return i;
}

void
unacked_add(struct unacked_pool *pool, struct unacked *list, uint32_t seq, uint32_t next,
	    int64_t time)
{
	uint32_t i = take_segment(pool, list);

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

bool
unacked_acknowledge(struct unacked_pool *pool, struct unacked *list, uint32_t ack, int64_t *time)
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
			free_segment(pool, i);
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

uint32_t
unacked_span(const struct unacked_pool *pool, const struct unacked *list, uint32_t base)
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
