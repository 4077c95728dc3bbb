#include "neural/again.h"

#include <string.h>

static const uint8_t fields[AGAIN_FIELDS] = {ACTION_OPTS, ACTION_TAGS, ACTION_LINK};

void
again_begin(struct again *g)
{
	for (int i = 0; i < AGAIN_FIELDS; i++)
		g->of[i].n = 0;
}

static void
copy(struct action_list *to, const struct action_list *l)
{
	to->n = l->n;
	memcpy(to->v, l->v, l->n * sizeof *l->v);
}

static bool
same(const struct action_list *a, const struct action_list *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof *a->v);
}

static bool
is_rank(const struct action_list *l)
{
	return l->n == 1 && l->v[0] < 0;
}

/* To the front; the rank that it had. */
static int
touch(struct again_lists *of, const struct action_list *l)
{
	int rank = 0;

	while (rank < of->n && !same(&of->list[rank], l))
		rank++;
	int had = rank < of->n ? rank : AGAIN_RANKS;
	if (rank == 0 && of->n)
		return had;
	if (rank == of->n)
		rank = of->n < AGAIN_RANKS ? of->n++ : AGAIN_RANKS - 1;
	for (; rank > 0; rank--)
		copy(&of->list[rank], &of->list[rank - 1]);
	copy(&of->list[0], l);
	return had;
}

bool
again_note(struct again *g, const struct action *a, uint8_t rank[AGAIN_FIELDS])
{
	bool good = true;

	for (int i = 0; i < AGAIN_FIELDS; i++) {
		const struct action_list *l = action_list((struct action *)a, fields[i]);
		if (!action_has(a, fields[i]))
			continue;
		good &= !is_rank(l);
		rank[i] = touch(&g->of[i], l);
	}
	return good;
}

void
again_relate(struct action *a, const uint8_t rank[AGAIN_FIELDS])
{
	for (int i = 0; i < AGAIN_FIELDS; i++)
		if (action_has(a, fields[i]) && rank[i] < AGAIN_RANKS) {
			struct action_list *l = action_list(a, fields[i]);
			l->n = 1;
			l->v[0] = -1 - rank[i];
		}
}

void
again_resolve(const struct again *g, struct action *a)
{
	for (int i = 0; i < AGAIN_FIELDS; i++) {
		const struct again_lists *of = &g->of[i];
		struct action_list *l = action_list(a, fields[i]);
		if (!action_has(a, fields[i]) || !is_rank(l))
			continue;
		int64_t rank = -1 - l->v[0];
		if (of->n == 0)
			l->n = 0;
		else
			copy(l, &of->list[rank < of->n ? rank : of->n - 1]);
	}
}
