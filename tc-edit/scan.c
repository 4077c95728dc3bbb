#include "scan.h"

#include <errno.h>
#include <stdlib.h>

static struct stretch *
new_stretch(struct scan *c)
{
	if ((c->n & (c->n - 1)) == 0) {
		struct stretch *more = realloc(c->stretch, (c->n ? 2 * c->n : 1) * sizeof *more);
		if (!more)
			return NULL;
		c->stretch = more;
	}
	c->stretch[c->n] = (struct stretch){0};
	return &c->stretch[c->n++];
}

static void
extend(struct stretch *s, const struct stretch *by)
{
	if (!by->any)
		return;
	if (!s->any || by->first < s->first)
		s->first = by->first;
	if (!s->any || by->last > s->last)
		s->last = by->last;
	s->any = true;
}

/* One packet, between --from and --to. */
static int
scan_packet(struct scan *c, struct source *s)
{
	uint64_t flow = source_flow(s);

	if (c->census)
		census_count(c->census, &s->packet);
	if (!c->named || marks_has(c->named, flow))
		return 0;
	int matches = source_matches(s, &s->selection->flows);
	return matches < 0 ? -1 : matches ? marks_add(c->named, flow) : 0;
}

static int
scan_trace(struct scan *c, struct source *s)
{
	struct stretch *all = new_stretch(c);

	while (all && source_read(s) == 1) {
		int64_t t = s->packet.time;
		if (s->selection && !select_time(s->selection, t, s->header.start))
			continue;
		extend(all, &(struct stretch){true, t, t});
		if (scan_packet(c, s) < 0)
			return -1;
	}
	return all ? 0 : -1;
}

int
scan_source(struct scan *c, struct source *s)
{
	s->mute = true;
	while (source_begin(s) == 1)
		if (scan_trace(c, s) < 0)
			return -1;
	return s->no_memory ? -1 : 0;
}

static int64_t
length(const struct stretch *s)
{
	int64_t ns;

	return !s->any ? 0 : __builtin_sub_overflow(s->last, s->first, &ns) ? INT64_MAX : ns;
}

int64_t
scan_length(const struct scan *c, size_t i)
{
	return i < c->n ? length(&c->stretch[i]) : 0;
}

int64_t
scan_length_of_all(const struct scan *c)
{
	struct stretch all = {0};

	for (size_t i = 0; i < c->n; i++)
		extend(&all, &c->stretch[i]);
	return length(&all);
}
