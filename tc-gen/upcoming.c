#include "upcoming.h"

#include <stdlib.h>

int64_t
upcoming_in(const struct upcoming *u, const struct packet_seen *p, uint32_t openings)
{
	if (u->trace != p->trace + 1 || u->number >= openings + SUCCESSORS)
		return -1;
	return u->time > p->time ? u->time - p->time : 0;
}

/* The hosts of each flow, NOBODY where they aren't known. Returns how many flows open. */
static uint32_t
find_hosts(const struct corpus *c, uint32_t (*hosts)[2])
{
	uint32_t openings = 0;

	for (uint32_t i = 0; i < c->packets; i++) {
		const struct packet_seen *p = &c->packet[i];
		openings += p->opens;
		for (int k = 0; k < 2 && p->before == NOBODY; k++) {
			const struct named *w = &p->who[k ? WHO_RESP_H : WHO_ORIG_H];
			hosts[p->flow][k] = w->set && w->id != NOBODY && corpus_known(c, 0, w->id) ? w->id : NOBODY;
		}
	}
	return openings;
}

int
upcoming_find(struct corpus *c)
{
	struct upcoming *of = calloc(c->ones[0] + 1, sizeof *of), next = {0};
	uint32_t (*hosts)[2] = malloc((c->flows + 1) * sizeof *hosts);
	int bad = of && hosts ? 0 : -1;
	uint32_t openings = bad ? 0 : find_hosts(c, hosts);

	for (uint32_t i = c->packets; i-- > 0 && !bad;) {
		struct packet_seen *p = &c->packet[i];
		p->opening = upcoming_in(&next, p, openings);
		p->of_host = -1;
		for (int k = 0; k < 2; k++) {
			uint32_t host = hosts[p->flow][k];
			int64_t left = host == NOBODY ? -1 : upcoming_in(&of[host], p, openings);
			if (left >= 0 && (p->of_host < 0 || left < p->of_host))
				p->of_host = left;
		}
		if (!p->opens)
			continue;
		next = (struct upcoming){p->time, p->trace + 1, --openings};
		if (hosts[p->flow][0] != NOBODY)
			of[hosts[p->flow][0]] = next;
	}
	free(of);
	free(hosts);
	return bad;
}
