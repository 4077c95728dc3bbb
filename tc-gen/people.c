#include "people.h"

#include "scale.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIED 64 /* of those named lately, for one of a class */

static const struct symbol *
symbol_of(const struct vocabulary *v, enum field f, int i)
{
	return &v->symbol[v->first[f] + i];
}

/* Which of those who have a symbol. */
static uint32_t
number_of(const struct people *p, const struct symbol *s)
{
	const int64_t *id = bsearch(&s->low, p->id, p->known, sizeof *p->id, scale_order);

	return id - p->id;
}

/* Fewer: of each class the commonest in that part stay, and stand for the others in turn. */
static void
stand_in(struct people *p, const struct vocabulary *v, enum part part, enum field f)
{
	for (int class = 0; class < 256; class++) {
		uint32_t n = 0, of[256], k = 0;
		for (int i = 1; i < v->n[f]; i++)
			n += symbol_of(v, f, i)->kind == SYMBOL_NAMED && symbol_of(v, f, i)->class == class;
		uint32_t stay = (uint32_t)(n * p->many) < 1 ? 1 : n * p->many < 256 ? (uint32_t)(n * p->many) : 256;
		for (int i = 1; n && i < v->n[f]; i++) {
			const struct symbol *s = symbol_of(v, f, i);
			if (s->kind != SYMBOL_NAMED || s->class != class)
				continue;
			if (k < stay)
				of[k] = number_of(p, s);
			p->stands[part][number_of(p, s)] = of[k++ % stay];
		}
	}
}

int
people_init(struct people *p, const struct vocabulary *v, enum field a, enum field b, uint32_t cap, float many)
{
	enum field f[PARTS] = {a, b};

	*p = (struct people){.cap = cap, .many = many, .copies = many > 1 ? ceilf(many) : 1};
	p->id = malloc((v->n[a] + v->n[b]) * sizeof *p->id);
	p->owner = malloc(cap * sizeof *p->owner);
	p->class = calloc(cap, sizeof *p->class);
	if (!p->id || !p->owner || !p->class)
		return -1;
	for (int k = 0; k < PARTS; k++)
		for (int i = 1; i < v->n[f[k]]; i++)
			if (symbol_of(v, f[k], i)->kind == SYMBOL_NAMED)
				p->id[p->known++] = symbol_of(v, f[k], i)->low;
	qsort(p->id, p->known, sizeof *p->id, scale_order);
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->known; i++)
		if (!n || p->id[n - 1] != p->id[i])
			p->id[n++] = p->id[i];
	p->known = n;
	p->slot = malloc(((size_t)n * p->copies + 1) * sizeof *p->slot);
	for (int k = 0; k < PARTS; k++)
		p->stands[k] = calloc(n + 1, sizeof *p->stands[k]);
	if (!p->slot || !p->stands[0] || !p->stands[1])
		return -1;
	memset(p->slot, 255, ((size_t)n * p->copies + 1) * sizeof *p->slot);
	memset(p->owner, 255, cap * sizeof *p->owner);
	for (int k = 0; k < PARTS && many < 1; k++)
		stand_in(p, v, k, f[k]);
	return 0;
}

void
people_free(struct people *p)
{
	free(p->id);
	free(p->slot);
	free(p->owner);
	free(p->class);
	free(p->stands[0]);
	free(p->stands[1]);
	*p = (struct people){0};
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
name_new(struct people *p, const struct symbol *s, int family, struct action_ref *r, uint32_t who)
{
	uint32_t slot = p->named++ % p->cap;

	if (p->owner[slot] != NOBODY)
		p->slot[p->owner[slot]] = NOBODY;
	p->owner[slot] = who;
	if (who != NOBODY)
		p->slot[who] = slot;
	p->class[slot] = s->kind == SYMBOL_RECENT && family == 6 ? ADDRESS_V6 : s->class;
	*r = (struct action_ref){.kind = REF_NEW, .class = p->class[slot], .slot = slot};
	if (action_ref_scoped(r)) {
		r->has_suffix = true;
		r->suffix = s->scope;
	} else if (r->class & ADDRESS_V6) {
		r->has_suffix = r->new_suffix = true;
		r->suffix = p->suffixes++ % p->cap;
	}
	move_to_front(p, slot);
}

/* Which of those who have a symbol, or of their copies. */
static uint32_t
choose(const struct people *p, enum part part, const struct symbol *s, uint64_t *random)
{
	uint32_t who = number_of(p, s);

	if (p->many < 1)
		who = p->stands[part][who];
	who *= p->copies;
	if (p->copies > 1) {
		uint32_t copy = random_uniform(random) * p->many;
		who += copy < p->copies ? copy : 0;
	}
	return who;
}

/* Where there are fewer, one that was named lately instead of a new one. */
static uint32_t
instead(const struct people *p, const struct symbol *s, uint64_t *random)
{
	if (p->many >= 1 || random_uniform(random) < p->many)
		return NOBODY;
	for (uint32_t i = 0; i < TRIED && p->n; i++) {
		uint32_t slot = p->recent[random_next(random) % p->n];
		if (p->class[slot] == s->class)
			return slot;
	}
	return NOBODY;
}

/* One that was named lately, of that family. */
static uint32_t
recent(const struct people *p, const struct symbol *s, int family, uint64_t *random)
{
	if (p->n <= s->low)
		return NOBODY;
	uint32_t n = (p->n < s->high ? p->n : s->high) - s->low, at = s->low + random_next(random) % n;
	for (uint32_t i = 0; i < p->n; i++, at = (at + 1) % p->n)
		if (!family || (p->class[p->recent[at]] & ADDRESS_V6 ? 6 : 4) == family)
			return p->recent[at];
	return NOBODY;
}

void
people_name(struct people *p, const struct vocabulary *v, enum part part, const struct symbol *s, uint32_t other,
	    int family, struct action_ref *r, uint64_t *random)
{
	uint32_t slot = NOBODY, who = NOBODY;

	if (s->kind == SYMBOL_FIXED) {
		*r = (struct action_ref){.kind = REF_FIXED};
		memcpy(r->text, v->word + s->at, ACTION_TEXT_MAX);
		return;
	}
	if (s->kind == SYMBOL_NAMED)
		slot = p->slot[who = choose(p, part, s, random)];
	else if (s->kind == SYMBOL_RECENT)
		slot = recent(p, s, family, random);
	else if (s->kind == SYMBOL_NEW)
		slot = instead(p, s, random);
	if (slot == NOBODY || (slot == other && p->many != 1)) {
		name_new(p, s, family, r, slot == other && slot != NOBODY ? NOBODY : who);
		return;
	}
	*r = (struct action_ref){.kind = REF_KNOWN, .slot = slot};
	move_to_front(p, slot);
}
