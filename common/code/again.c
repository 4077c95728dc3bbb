#include "code/again.h"

#include <string.h>

void
again_begin(struct again *g)
{
	for (int i = 0; i < AGAIN_PLACES; i++)
		g->of[i].n = 0;
}

static void
copy(struct action_list *to, const struct action_list *l)
{
	to->n = l->n;
	memcpy(to->v, l->v, l->n * sizeof *l->v);
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

	while (rank < of->n && !action_list_same(&of->list[rank], l))
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
again_note(struct again *g, const struct action *a, uint8_t rank[AGAIN_PLACES])
{
	bool good = true;

	for (uint64_t left = a->has & AGAIN_FIELDS; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		const struct action_list *l = action_list((struct action *)a, f);
		good &= !is_rank(l);
		rank[f - ACTION_OPTS] = touch(&g->of[f - ACTION_OPTS], l);
	}
	return good;
}

void
again_relate(struct action *a, const uint8_t rank[AGAIN_PLACES])
{
	for (uint64_t left = a->has & AGAIN_FIELDS; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		struct action_list *l = action_list(a, f);
		if (rank[f - ACTION_OPTS] == AGAIN_RANKS)
			continue;
		l->n = 1;
		l->v[0] = -1 - rank[f - ACTION_OPTS];
	}
}

void
again_resolve(const struct again *g, struct action *a)
{
	for (uint64_t left = a->has & AGAIN_FIELDS; left; left &= left - 1) {
		enum action_field f = __builtin_ctzll(left);
		const struct again_lists *of = &g->of[f - ACTION_OPTS];
		struct action_list *l = action_list(a, f);
		if (!is_rank(l))
			continue;
		int64_t rank = -1 - l->v[0];
		if (of->n == 0)
			l->n = 0;
		else
			copy(l, &of->list[rank < of->n ? rank : of->n - 1]);
	}
}
