#include "schedule.h"

#include <stdbool.h>
#include <stdlib.h>

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

int
schedule_add(struct schedule *s, int64_t time, uint32_t flow, uint32_t life, bool opens)
{
	if (s->n == s->room) {
		size_t room = 2 * s->room + 64;
		struct event *more = realloc(s->event, room * sizeof *more);
		if (!more)
			return -1;
		s->event = more;
		s->room = room;
	}
	struct event e = {time, s->added++ | (uint64_t)opens << 63, flow, life};
	size_t i = s->n++;
	for (; i && earlier(&e, &s->event[(i - 1) / 2]); i = (i - 1) / 2)
		s->event[i] = s->event[(i - 1) / 2];
	s->event[i] = e;
	return 0;
}

struct event
schedule_take(struct schedule *s)
{
	struct event first = s->event[0], e = s->event[--s->n];
	size_t i = 0;

	for (size_t k; (k = 2 * i + 1) < s->n; i = k) {
		if (k + 1 < s->n && earlier(&s->event[k + 1], &s->event[k]))
			k++;
		if (!earlier(&s->event[k], &e))
			break;
		s->event[i] = s->event[k];
	}
	s->event[i] = e;
	return first;
}

void
schedule_free(struct schedule *s)
{
	free(s->event);
	*s = (struct schedule){0};
}
