#include "neural/layout.h"

static void
put_span(uint8_t **p, struct code_span s)
{
	put_u32(p, s.at);
	put_u32(p, s.n);
}

void
layout_put(uint8_t **p)
{
	const struct code_layout *l = code_layout();

	put_u32(p, CODE_WORDS);
	put_u32(p, CODE_GROUPS);
	for (int g = 0; g < CODE_GROUPS; g++) {
		put_name(p, code_group_names[g]);
		put_span(p, (struct code_span){l->first[g], l->width[g]});
	}
	put_u32(p, CODE_FIELDS);
	for (int f = 0; f < CODE_FIELDS; f++) {
		put_name(p, action_fields[f].name);
		put_span(p, l->low[f]);
		put_span(p, l->high[f]);
	}
}

static struct code_span
take_span(struct octets *o, uint32_t words)
{
	struct code_span s = {take_u32(o), 0};

	s.n = take_u32(o);
	o->cut |= s.at > 64 * words || s.n > 64 * words - s.at;
	return s;
}

static void
match(struct layout *l, struct code_span own, struct code_span theirs)
{
	for (unsigned i = 0; own.n == theirs.n && i < own.n; i++)
		l->of[own.at + i] = theirs.at + i;
}

/* Fields are only ever added behind the last one, so a coarse bit keeps its number. */
bool
layout_take(struct octets *o, struct layout *l, uint32_t *field, char *theirs)
{
	const struct code_layout *own = code_layout();

	*l = (struct layout){.words = take_u32(o)};
	memset(l->of, -1, sizeof l->of);
	o->cut |= l->words > LAYOUT_WORDS;
	for (uint32_t n = take_u32(o); n > 0 && !o->cut; n--) {
		take_name(o, theirs);
		struct code_span s = take_span(o, l->words);
		for (int g = 0; g < CODE_GROUPS; g++)
			if (!strcmp(theirs, code_group_names[g]))
				l->group[g] = s;
	}
	uint32_t n = take_u32(o);
	for (uint32_t f = 0; f < n && !o->cut; f++) {
		take_name(o, theirs);
		struct code_span low = take_span(o, l->words), high = take_span(o, l->words);
		*field = f;
		if (f < CODE_FIELDS && strcmp(theirs, action_fields[f].name))
			return false;
		if (f < CODE_FIELDS) {
			match(l, own->low[f], low);
			match(l, own->high[f], high);
		}
	}
	return true;
}

/* The part of the bits that a tensor is about, and whether they are its rows: 0 or 1, or -1 where it isn't about bits. */
static int
axis_of(int i, int *group)
{
	if (i >= ENC_GROUP && i < ENC_GROUP + CODE_GROUPS) {
		*group = i - ENC_GROUP;
		return 1;
	}
	*group = i >= STRAIGHT + 1 ? i - STRAIGHT - 1 : i - DEC_OUT;
	return i >= STRAIGHT + 1 || (i >= DEC_OUT && i < DEC_OUT + CODE_GROUPS) ? 0 : -1;
}

void
layout_spread(const struct layout *l, struct tensor *t, int i, const float *v, uint32_t rows, uint32_t columns)
{
	int g, axis = axis_of(i, &g);
	const struct code_layout *own = code_layout();

	if (axis < 0) {
		memcpy(t->at, v, (size_t)rows * columns * sizeof *v);
		return;
	}
	for (unsigned b = 0; b < own->width[g]; b++) {
		int64_t theirs = (int64_t)l->of[own->first[g] + b] - l->group[g].at;
		if (theirs < 0 || theirs >= l->group[g].n)
			continue;
		if (axis)
			memcpy(t->at + (size_t)b * columns, v + theirs * columns, columns * sizeof *v);
		else
			for (uint32_t r = 0; r < rows; r++)
				t->at[(size_t)r * t->columns + b] = v[(size_t)r * columns + theirs];
	}
	if (axis) /* the biases stand behind the bits */
		memcpy(t->at + (size_t)own->width[g] * columns, v + (size_t)(rows - 1) * columns, columns * sizeof *v);
}

bool
layout_has(const struct layout *l, int i)
{
	int g;

	return axis_of(i, &g) < 0 || l->group[g].n;
}

bool
layout_fits(const struct layout *l, const struct tensor *t, int i, uint32_t rows, uint32_t columns)
{
	int g, axis = axis_of(i, &g);

	return axis < 0	 ? rows == (uint32_t)t->rows && columns == (uint32_t)t->columns
	       : axis ? rows == l->group[g].n + 1 && columns == (uint32_t)t->columns
			 : rows == (uint32_t)t->rows && columns == l->group[g].n;
}
