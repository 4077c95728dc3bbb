#include "c2st.h"

#include "forest.h"
#include "reservoir.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FEATURES <= FOREST_WIDTH && 2 * C2ST_MOST <= FOREST_ROWS && RESERVOIR_FLOWS <= C2ST_MOST, "room");

#define SEED  UINT64_C(2017)
#define FOLDS 5
#define TREES 30
#define BINS  64 /* aimed at; as many again may have one value alone */

struct item {
	const uint32_t *feature;
	int class;
};

/*
 * Flows that are alike are one row, whose flows of either class go to the folds in turn, both from the same fold on. So a fold has
 * as many of a as of b of each row where the traces do, and nothing can be learned from the others.
 */
struct test {
	struct item item[2 * C2ST_MOST];
	size_t items, rows;
	const uint32_t *feature[FOREST_ROWS]; /* of a row */
	uint32_t in_fold[FOLDS][FOREST_ROWS][2];
	uint32_t learned[FOREST_ROWS][2];
	int32_t says[FOREST_ROWS]; /* by all trees */
	uint8_t bin[FEATURES][FOREST_ROWS];
	struct forest tree;
	uint32_t values[2 * C2ST_MOST], edges[FOREST_BINS];
};

static int
compare_features(const uint32_t *a, const uint32_t *b)
{
	for (int i = 0; i < FEATURES; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int
compare_items(const void *a, const void *b)
{
	return compare_features(((const struct item *)a)->feature, ((const struct item *)b)->feature);
}

static int
compare_values(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
take(struct test *t, const uint32_t *const *rows, size_t n, int class)
{
	for (size_t i = 0; i < n; i++)
		t->item[t->items++] = (struct item){rows[i], class};
}

static void
make_rows(struct test *t)
{
	uint64_t random = SEED;
	unsigned at[2] = {0};

	qsort(t->item, t->items, sizeof *t->item, compare_items);
	for (size_t i = 0; i < t->items; i++) {
		const struct item *item = &t->item[i];
		if (i == 0 || compare_items(item - 1, item) != 0) {
			t->feature[t->rows++] = item->feature;
			at[0] = at[1] = (random_next(&random) >> 32) * FOLDS >> 32;
		}
		t->in_fold[at[item->class]++ % FOLDS][t->rows - 1][item->class]++;
	}
}

/*
 * The highest value of each bin but the last: each value has its own if there are few, else those that are frequent do, and the
 * others share bins of about equal numbers. How many.
 */
static unsigned
find_edges(struct test *t, int feature)
{
	size_t aim = t->items / BINS + 1, held = 0;
	unsigned n = 0;

	for (size_t i = 0; i < t->items; i++)
		t->values[i] = t->item[i].feature[feature];
	qsort(t->values, t->items, sizeof *t->values, compare_values);
	for (size_t i = 0, next; i < t->items; i = next) {
		for (next = i; next < t->items && t->values[next] == t->values[i]; next++)
			;
		if (held && held + (next - i) > aim) {
			t->edges[n++] = t->values[i - 1];
			held = 0;
		}
		held += next - i;
	}
	return n;
}

static void
make_bins(struct test *t)
{
	for (int f = 0; f < FEATURES; f++) {
		unsigned n = find_edges(t, f);
		for (size_t r = 0; r < t->rows; r++) {
			unsigned low = 0, high = n;
			while (low < high) {
				unsigned middle = (low + high) / 2;
				if (t->feature[r][f] <= t->edges[middle])
					high = middle;
				else
					low = middle + 1;
			}
			t->bin[f][r] = low;
		}
	}
}

/* Twice the flows of a fold that the others' trees tell right; who can't tell is right about half of them. */
static size_t
judge_fold(struct test *t, int fold)
{
	const uint32_t (*held)[2] = (const uint32_t (*)[2])t->in_fold[fold];
	size_t right = 0;

	memset(t->learned, 0, sizeof t->learned);
	memset(t->says, 0, sizeof t->says);
	for (int k = 0; k < FOLDS; k++)
		for (size_t r = 0; k != fold && r < t->rows; r++)
			for (int c = 0; c < 2; c++)
				t->learned[r][c] += t->in_fold[k][r][c];
	for (int i = 0; i < TREES; i++) {
		forest_grow(&t->tree);
		for (size_t r = 0; r < t->rows; r++)
			if (held[r][0] | held[r][1])
				t->says[r] += forest_says(&t->tree, r);
	}
	for (size_t r = 0; r < t->rows; r++)
		right += t->says[r] ? 2 * held[r][t->says[r] > 0] : held[r][0] + held[r][1];
	return right;
}

double
c2st(const uint32_t *const *a, const uint32_t *const *b, size_t n)
{
	struct test *t = calloc(1, sizeof *t);
	size_t right = 0;

	if (!t)
		return NAN;
	take(t, a, n, 0);
	take(t, b, n, 1);
	make_rows(t);
	make_bins(t);
	t->tree.bin = (const uint8_t (*)[FOREST_ROWS])t->bin;
	t->tree.count = (const uint32_t (*)[2])t->learned;
	t->tree.n = t->rows;
	t->tree.features = FEATURES;
	t->tree.random = SEED;
	for (int fold = 0; fold < FOLDS; fold++)
		right += judge_fold(t, fold);
	double above = n && right > t->items ? 100.0 * (right - t->items) / (2 * t->items) : 0;
	free(t);
	return above;
}
