#include "codec/idle.h"

#include <stdlib.h>
#include <string.h>

int
idle_begin(struct idle *s, const struct stream_header *h)
{
	struct idle_flow *flow = s->flow;

	if (h->cap != s->cap) {
		free(flow);
		flow = calloc(h->cap, sizeof *flow);
	}
	*s = (struct idle){.cap = h->cap, .trace = s->trace + 1, .unit = h->nano ? 1 : 1000, .flow = flow};
	if (!flow) {
		s->cap = 0;
		return -1;
	}
	memcpy(s->seconds, h->idle, sizeof s->seconds);
	return 0;
}

void
idle_free(struct idle *s)
{
	free(s->flow);
	s->flow = NULL;
	s->cap = 0;
}

static struct idle_flow *
flow_of(const struct idle *s, const struct action *a)
{
	uint64_t slot = action_number(a, ACTION_FLOW);

	return slot < s->cap ? &s->flow[slot] : NULL;
}

/* What the clock will be after a step. */
static int64_t
clock_after(const struct idle *s, int which, int64_t step)
{
	int64_t now;

	if (__builtin_add_overflow(s->now[which], step, &now))
		return s->clock[which];
	return now > s->clock[which] ? now : s->clock[which];
}

int64_t
idle_keep(const struct idle *s, const struct action *a, int64_t step, int64_t said)
{
	const struct idle_flow *f = flow_of(s, a);

	if (!f || f->trace != s->trace || action_number(a, ACTION_OPEN) == FLOW_NEW)
		return said;
	uint32_t seconds = s->seconds[f->kind];
	int64_t left;
	bool over = flow_is_idle(clock_after(s, TRUE_TIME, step) - f->last[TRUE_TIME], seconds);
	if (over == flow_is_idle(clock_after(s, SAID_TIME, said) - f->last[SAID_TIME], seconds))
		return said;
	if (__builtin_sub_overflow(f->last[SAID_TIME], s->now[SAID_TIME], &left) ||
	    __builtin_add_overflow(left, seconds * INT64_C(1000000000) + (over ? s->unit : 0), &left))
		return said;
	return left;
}

void
idle_tick(struct idle *s, const struct action *a, int64_t step, int64_t said)
{
	struct idle_flow *f = flow_of(s, a);
	int64_t steps[2] = {step, said};

	if (f && action_number(a, ACTION_OPEN) == FLOW_NEW) {
		f->trace = s->trace;
		f->kind = action_flow_kind(a);
	}
	for (int i = 0; i < 2; i++) {
		s->clock[i] = clock_after(s, i, steps[i]);
		if (__builtin_add_overflow(s->now[i], steps[i], &s->now[i]))
			s->now[i] = s->clock[i];
		if (f)
			f->last[i] = s->clock[i];
	}
}
