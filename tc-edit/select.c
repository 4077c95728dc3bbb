#include "select.h"

#include "support/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_FIRST 4096 /* octets */

int
marks_add(struct marks *m, uint64_t n)
{
	size_t size = m->size ? m->size : MARKS_FIRST;

	if (n / 8 >= m->most) {
		errno = EFBIG;
		return -1;
	}
	while (size <= n / 8)
		size *= 2;
	if (size > m->size) {
		uint8_t *more = realloc(m->octet, size);
		if (!more)
			return -1;
		memset(more + m->size, 0, size - m->size);
		m->octet = more;
		m->size = size;
	}
	m->octet[n / 8] |= 1 << n % 8;
	return 0;
}

bool
marks_has(const struct marks *m, uint64_t n)
{
	return n / 8 < m->size && m->octet[n / 8] >> n % 8 & 1;
}

int
select_compile(struct selection *s, uint32_t link, char *error, const char **wrong)
{
	s->link = link;
	*wrong = s->flow_expression;
	if (s->flow_expression && capture_match_open(&s->flows, link, s->flow_expression, error) < 0)
		return -1;
	*wrong = s->packet_expression;
	return s->packet_expression ? capture_match_open(&s->packets, link, s->packet_expression, error) : 0;
}

void
select_free(struct selection *s)
{
	if (s->flows.program)
		capture_match_close(&s->flows);
	if (s->packets.program)
		capture_match_close(&s->packets);
	free(s->named.octet);
	s->named.octet = NULL;
}

/* A time against a limit: below 0 before it. Unsigned, since actions may ask for any time. */
static bool
before(int64_t time, int64_t start, const struct limit *l)
{
	int64_t since;

	if (l->absolute)
		return time < l->ns;
	if (__builtin_sub_overflow(time, start, &since))
		return time < start;
	return since < l->ns;
}

bool
select_time(const struct selection *s, int64_t time, int64_t start)
{
	return !(s->from.set && before(time, start, &s->from)) && (!s->to.set || before(time, start, &s->to));
}

bool
select_flow(const struct selection *s, uint64_t flow)
{
	uint64_t state = s->seed;

	if (s->flow_expression && !marks_has(&s->named, flow))
		return false;
	if (s->sample == SELECT_ALL)
		return true;
	state = random_next(&state) ^ flow;
	return (random_next(&state) >> 32) * SELECT_ALL < (uint64_t)s->sample << 32;
}
