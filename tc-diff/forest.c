#include "forest.h"

#include "support/random.h"

#include <stdbool.h>

#define TRIED 8	 /* features that a node looks at, about the square root of all */
#define SCALE 16 /* bits behind the point, of a split's worth */

/* Rows of a node: a range of the order, and how many of either class they are. */
struct span {
	uint32_t from, to;
	uint64_t count[2];
};

struct split {
	int feature; /* -1: none is worth it */
	uint8_t upto;
	uint64_t worth, left[2];
};

struct bins {
	uint64_t used[FOREST_BINS / 64]; /* a bit each */
};
_Static_assert(FOREST_BINS % 64 == 0, "all bins have a bit");

/* Sum of squares over the sum, which is highest where one class is alone: Gini's impurity the other way round. */
static uint64_t
purity(uint64_t a, uint64_t b)
{
	return a + b ? ((a * a + b * b) << SCALE) / (a + b) : 0;
}

/* Counts a node's rows by the bin of a feature, into what is empty. Most nodes have few rows, so few bins: which ones? */
static struct bins
count_bins(struct forest *f, const struct span *s, int feature)
{
	const uint8_t *bins = f->bin[feature];
	struct bins found = {{0}};

	for (uint32_t i = s->from; i < s->to; i++) {
		uint32_t row = f->order[i];
		unsigned bin = bins[row];
		found.used[bin / 64] |= UINT64_C(1) << bin % 64;
		f->in_bin[bin][0] += f->drawn[row][0];
		f->in_bin[bin][1] += f->drawn[row][1];
	}
	return found;
}

/* The lowest of these, which is one no more; -1: there are none. */
static int
next_bin(struct bins *b)
{
	for (int i = 0; i < FOREST_BINS / 64; i++)
		if (b->used[i]) {
			int bin = i * 64 + __builtin_ctzll(b->used[i]);
			b->used[i] &= b->used[i] - 1;
			return bin;
		}
	return -1;
}

/* The best place to cut a feature; false where all rows have the same bin. */
static bool
try_feature(struct forest *f, const struct span *s, int feature, struct split *best)
{
	struct bins bins = count_bins(f, s, feature);
	uint64_t left[2] = {0};
	int bin = next_bin(&bins), next;

	for (int first = bin;; bin = next) {
		uint32_t *count = f->in_bin[bin];
		left[0] += count[0];
		left[1] += count[1];
		count[0] = count[1] = 0;
		if ((next = next_bin(&bins)) < 0)
			return bin != first;
		uint64_t worth = purity(left[0], left[1]) + purity(s->count[0] - left[0], s->count[1] - left[1]);
		if (worth > best->worth)
			*best = (struct split){feature, bin, worth, {left[0], left[1]}};
	}
}

/* Features at random, without those that tell nothing apart. */
static struct split
find_split(struct forest *f, const struct span *s)
{
	uint8_t left[FOREST_WIDTH];
	/* Whole numbers are rounded down twice in a split, once here. */
	struct split best = {-1, 0, purity(s->count[0], s->count[1]) + 1, {0}};

	for (int i = 0; i < f->features; i++)
		left[i] = i;
	for (int n = f->features, tried = 0; n && tried < TRIED; n--) {
		int i = (random_next(&f->random) >> 32) * n >> 32;
		tried += try_feature(f, s, left[i], &best);
		left[i] = left[n - 1];
	}
	return best;
}

/* Rows up to the cut first: where the others begin. */
static uint32_t
partition(struct forest *f, const struct span *s, const struct split *at)
{
	uint32_t i = s->from, k = s->to;

	while (i < k) {
		uint16_t row = f->order[i];
		if (f->bin[at->feature][row] <= at->upto) {
			i++;
		} else {
			f->order[i] = f->order[--k];
			f->order[k] = row;
		}
	}
	return i;
}

/* How often one of n is drawn, as good as by Poisson's law of mean 1, which n draws out of n come to. */
static uint8_t
draw(uint64_t *random)
{
	static const uint16_t below[] = {24109, 48219, 60273, 64291, 65296, 65497}; /* of 65536 */
	uint16_t x = random_next(random) >> 48;
	uint8_t n = 0;

	while (n < 6 && x >= below[n])
		n++;
	return n;
}

/* One of each class is drawn together as long as there are both, so that as many stay as many. */
static struct span
draw_rows(struct forest *f)
{
	struct span all = {0};

	for (size_t row = 0; row < f->n; row++) {
		uint32_t *drawn = f->drawn[row];
		drawn[0] = drawn[1] = 0;
		for (uint32_t i = 0; i < f->count[row][0] || i < f->count[row][1]; i++) {
			uint8_t times = draw(&f->random);
			drawn[0] += i < f->count[row][0] ? times : 0;
			drawn[1] += i < f->count[row][1] ? times : 0;
		}
		if (!(drawn[0] | drawn[1]))
			continue;
		f->order[all.to++] = row;
		all.count[0] += drawn[0];
		all.count[1] += drawn[1];
	}
	return all;
}

static int32_t
verdict(const struct span *s)
{
	int64_t a = s->count[0], b = s->count[1];

	return a + b ? (b - a) * FOREST_SURE / (a + b) : 0;
}

void
forest_grow(struct forest *f)
{
	struct span span[64], s; /* of nodes whose rows are still to be cut; smaller ones go first, so that few wait */
	int32_t of[64], nodes = 1, waiting = 1;

	span[0] = draw_rows(f);
	of[0] = 0;
	while (waiting) {
		struct forest_node *node = &f->node[of[--waiting]];
		s = span[waiting];
		struct split cut = s.count[0] && s.count[1] ? find_split(f, &s) : (struct split){-1};
		*node = (struct forest_node){.feature = cut.feature, .upto = cut.upto, .says = verdict(&s)};
		if (cut.feature < 0)
			continue;
		uint32_t middle = partition(f, &s, &cut);
		struct span half[2] = {{s.from, middle, {cut.left[0], cut.left[1]}},
				       {middle, s.to, {s.count[0] - cut.left[0], s.count[1] - cut.left[1]}}};
		bool first_is_smaller = middle - s.from < s.to - middle;
		node->next = nodes;
		for (int i = 0; i < 2; i++) {
			int which = first_is_smaller ? 1 - i : i; /* what is pushed last is taken first */
			span[waiting] = half[which];
			of[waiting++] = nodes + which;
		}
		nodes += 2;
	}
}

int32_t
forest_says(const struct forest *f, size_t row)
{
	const struct forest_node *node = f->node;

	while (node->feature >= 0)
		node = &f->node[node->next + (f->bin[node->feature][row] > node->upto)];
	return node->says;
}
