#include "parts.h"

#include <stdlib.h>
#include <string.h>

static void
counts_add(uint64_t *to, const uint64_t *n, size_t size)
{
	for (size_t i = 0; i < size / sizeof *n; i++)
		to[i] += n[i];
}

#define ADD_COUNT(name)		  to->name += p->name;
#define ADD_COUNTS(name, sizes)	  counts_add((uint64_t *)to->name, (const uint64_t *)p->name, sizeof to->name);
#define ADD_HISTOGRAM(name)	  histogram_add(&to->name, &p->name);
#define ADD_TALLY(name)		  tally_add(&to->name, &p->name);
#define CLEAR_COUNT(name)	  p->name = 0;
#define CLEAR_COUNTS(name, sizes) memset(p->name, 0, sizeof p->name);
#define CLEAR_HISTOGRAM(name)	  histogram_clear(&p->name);
#define CLEAR_TALLY(name)	  tally_free(&p->name);
#define NOTHING(...)

/* To the trace as a whole, which has its tallies. */
static void
part_add_to_total(struct part *to, const struct part *p)
{
	PART_MEMBERS(ADD_COUNT, ADD_COUNTS, ADD_HISTOGRAM, NOTHING)
}

static void
part_add(struct part *to, const struct part *p)
{
	part_add_to_total(to, p);
	PART_MEMBERS(NOTHING, NOTHING, NOTHING, ADD_TALLY)
}

void
part_free(struct part *p)
{
	PART_MEMBERS(CLEAR_COUNT, CLEAR_COUNTS, CLEAR_HISTOGRAM, CLEAR_TALLY)
}

int
variation_init(struct variation *v)
{
	v->length = STRETCH_FIRST;
	v->stretch = calloc(STRETCHES, sizeof *v->stretch);
	return v->stretch ? 0 : -1;
}

void
variation_free(struct variation *v)
{
	for (int h = 0; h < 2; h++) {
		for (int i = 0; v->stretch && i < STRETCHES; i++)
			part_free(&v->stretch[i][h]);
		part_free(&v->half[h]);
	}
	free(v->stretch);
	v->stretch = NULL;
}

/* Where all stretches are full, two and two become one, so that half of them are free. */
void
variation_go_on(struct variation *v, uint64_t packets)
{
	if (!v->stretch || packets < STRETCHES * v->length)
		return;
	for (int i = 1; i < STRETCHES; i++)
		for (int h = 0; h < 2; h++) {
			part_add(&v->stretch[i / 2][h], &v->stretch[i][h]);
			part_free(&v->stretch[i][h]);
		}
	v->length *= 2;
	v->doubled++;
}

/* A rest that is no half of a stretch goes to the one before. */
void
variation_end(struct variation *v, struct part *total, uint64_t packets)
{
	if (!v->stretch)
		return;
	uint64_t rest = packets % v->length;
	v->stretches = packets / v->length + (rest > 0);
	for (unsigned i = 0; i < v->stretches; i++) {
		for (int h = 0; h < 2; h++)
			part_add(&v->half[h], &v->stretch[i][h]);
		part_add(&v->stretch[i][0], &v->stretch[i][1]);
	}
	if (v->stretches > 1 && rest && rest < v->length / 2) {
		v->stretches--;
		part_add(&v->stretch[v->stretches - 1][0], &v->stretch[v->stretches][0]);
	}
	for (int h = 0; h < 2; h++)
		part_add_to_total(total, &v->half[h]);
}
