#include "succession.h"

#include "dialogue.h"
#include "support/random.h"
#include "upcoming.h"

#include <stdlib.h>

#define PURPOSES 65536 /* that are told apart; 0: none */

/* What flows open for: how many did so far, and, from the end on, the earliest opening. */
struct purpose {
	uint32_t n;
	struct upcoming next;
};

static uint32_t
purpose_of(const struct vocabulary *v, const uint16_t *token)
{
	uint64_t purpose = vocabulary_purpose(v, token);

	return purpose ? 1 + random_next(&purpose) % (PURPOSES - 1) : 0;
}

/* Counts the packets since; of: each flow's purpose, to be found; before: how many opened for it, up to the flow. Returns how
 * many flows opened at all. */
static uint32_t
count_after(struct succession *s, const struct corpus *c, const struct vocabulary *v, const uint16_t *token,
	    struct purpose *purpose, uint32_t *of, uint32_t *before)
{
	uint32_t openings = 0;

	for (uint32_t i = 0; i < c->packets; i++) {
		const struct packet_seen *p = &c->packet[i];
		bool first = p->before == NOBODY;
		if (first) {
			of[p->flow] = purpose_of(v, token + (size_t)i * FIELDS);
			purpose[of[p->flow]].n += p->opens;
			before[p->flow] = purpose[of[p->flow]].n;
		}
		openings += p->opens;
		s[i].after = first ? 0 : s[p->before].after + (of[p->flow] && purpose[of[p->flow]].n > before[p->flow]);
	}
	return openings;
}

/* openings: those up to packet i. */
static void
find_next(struct succession *s, const struct corpus *c, struct purpose *purpose, const uint32_t *of, uint32_t openings)
{
	for (uint32_t i = c->packets; i-- > 0;) {
		const struct packet_seen *p = &c->packet[i];
		struct upcoming *next = &purpose[of[p->flow]].next;
		s[i].next = of[p->flow] ? upcoming_in(next, p, openings) : -1;
		if (p->opens)
			*next = (struct upcoming){p->time, p->trace + 1, --openings};
	}
}

struct succession *
succession_find(const struct corpus *c, const struct vocabulary *v, const uint16_t *token)
{
	struct succession *s = calloc(c->packets + 1, sizeof *s);
	struct purpose *purpose = calloc(PURPOSES, sizeof *purpose);
	uint32_t *of = calloc(c->flows + 1, sizeof *of), *before = calloc(c->flows + 1, sizeof *before);

	if (s && purpose && of && before) {
		find_next(s, c, purpose, of, count_after(s, c, v, token, purpose, of, before));
	} else {
		free(s);
		s = NULL;
	}
	free(purpose);
	free(of);
	free(before);
	return s;
}
