#include "people.h"

#include "support/random.h"

#include <stdlib.h>
#include <string.h>

int
people_init(struct people *p, const struct vocabulary *v, enum field a, enum field b, uint32_t cap)
{
	*p = (struct people){.cap = cap};
	for (int i = 0; i < v->n[a] + v->n[b]; i++) {
		const struct symbol *s = &v->symbol[i < v->n[a] ? v->first[a] + i : v->first[b] + i - v->n[a]];
		if (s->kind == SYMBOL_NAMED && s->low >= p->slots)
			p->slots = s->low + 1;
	}
	p->slot = malloc((p->slots + 1) * sizeof *p->slot);
	p->owner = malloc(cap * sizeof *p->owner);
	if (!p->slot || !p->owner)
		return -1;
	memset(p->slot, 255, (p->slots + 1) * sizeof *p->slot);
	memset(p->owner, 255, cap * sizeof *p->owner);
	return 0;
}

void
people_free(struct people *p)
{
	free(p->slot);
	free(p->owner);
}

static void
move_to_front(struct people *p, uint32_t slot)
{
	uint32_t at = 0;

	while (at < p->n && p->recent[at] != slot)
		at++;
	if (at == p->n && p->n < PEOPLE_RECENT)
		p->n++;
	if (at == PEOPLE_RECENT)
		at--;
	memmove(p->recent + 1, p->recent, at * sizeof *p->recent);
	p->recent[0] = slot;
}

static void
name_new(struct people *p, const struct symbol *s, struct action_ref *r, uint32_t who)
{
	uint32_t slot = p->named++ % p->cap;

	if (p->owner[slot] != NOBODY)
		p->slot[p->owner[slot]] = NOBODY;
	p->owner[slot] = who;
	if (who != NOBODY)
		p->slot[who] = slot;
	*r = (struct action_ref){.kind = REF_NEW, .class = s->class, .slot = slot};
	if (action_ref_scoped(r)) {
		r->has_suffix = true;
		r->suffix = s->scope;
	} else if (s->class & ADDRESS_V6) {
		r->has_suffix = r->new_suffix = true;
		r->suffix = p->suffixes++ % p->cap;
	}
	move_to_front(p, slot);
}

void
people_name(struct people *p, const struct vocabulary *v, const struct symbol *s, struct action_ref *r, uint64_t *random)
{
	uint32_t slot = NOBODY;

	if (s->kind == SYMBOL_FIXED) {
		*r = (struct action_ref){.kind = REF_FIXED};
		memcpy(r->text, v->word + s->at, ACTION_TEXT_MAX);
		return;
	}
	if (s->kind == SYMBOL_NAMED)
		slot = p->slot[s->low];
	else if (s->kind == SYMBOL_RECENT && p->n > s->low)
		slot = p->recent[s->low + random_next(random) % ((p->n < s->high ? p->n : s->high) - s->low)];
	if (slot == NOBODY) {
		name_new(p, s, r, s->kind == SYMBOL_NAMED ? (uint32_t)s->low : NOBODY);
		return;
	}
	*r = (struct action_ref){.kind = REF_KNOWN, .slot = slot};
	move_to_front(p, slot);
}
