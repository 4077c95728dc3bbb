#include "init.h"

#include "support/wide.h"

#include <math.h>
#include <stdlib.h>

#define BITS   NETWORK_BITS
#define MEAN   1.0f /* of a bit's coordinate */
#define LOGVAR -2.5f
#define SECOND 0.3f /* of that for the other way */
#define GAIN   6.0f /* from there to its logit */
#define REST   0.1f /* of what was drawn at random stays, in the dense ways into the latent and to the logits */

/* Which packets of a sample have a bit, or use a coordinate. */
struct set {
	uint64_t *word;
	uint64_t n;
};

/* How many packets two sets have in common, of the first's n words that have any; past `most` it is that or more. */
static uint64_t
common(const struct set *a, const struct set *b, const uint32_t *word, int n, uint64_t most)
{
	uint64_t sum = 0;

	for (int k = 0; k < n && sum <= most; k++)
		sum += __builtin_popcountll(a->word[word[k]] & b->word[word[k]]);
	return sum;
}

static int
more_often(const void *a, const void *b)
{
	const struct set *x = *(const struct set *const *)a, *y = *(const struct set *const *)b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : (x > y) - (x < y);
}

static void
find_sets(struct set *bit, const struct code *code, int n)
{
	for (int i = 0; i < n; i++)
		for (int b = 0; b < BITS; b++) {
			int d = b - CODE_COARSE;
			if (d >= 0 && !(code[i].mask[d / 64] >> d % 64 & 1))
				continue;
			bit[b].word[i / 64] |= 1ull << i % 64;
			bit[b].n++;
		}
}

/* The frequent bits first: each to the coordinate where it meets the fewest others, of such the one
 * least used; not where it went the way before. word: room for a list. Wide for the sake of a processor that counts
 * bits by itself. */
WIDE static void
assign(const struct set *bit, struct set *used, int coordinates, int words, uint32_t *word, const uint16_t *before, uint16_t *at)
{
	const struct set *order[BITS];

	for (int b = 0; b < BITS; b++)
		order[b] = &bit[b];
	qsort(order, BITS, sizeof *order, more_often);
	for (int i = 0; i < BITS; i++) {
		uint64_t least = UINT64_MAX;
		int best = -1, n = 0;
		for (int k = 0; k < words; k++)
			if (order[i]->word[k])
				word[n++] = k;
		for (int d = 0; d < coordinates; d++) {
			if (coordinates > 1 && before && before[order[i] - bit] == d)
				continue;
			uint64_t met = common(order[i], &used[d], word, n, least);
			if (met < least || (met == least && best >= 0 && used[d].n < used[best].n)) {
				least = met;
				best = d;
			}
		}
		at[order[i] - bit] = best;
		used[best].n += order[i]->n + 1;
		for (int k = 0; k < n; k++)
			used[best].word[word[k]] |= order[i]->word[word[k]];
	}
}

static void
fill(const float *row, int n, float v)
{
	for (int i = 0; i < n; i++)
		((float *)row)[i] = v;
}

static void
set_straight(struct network *net, int part)
{
	const struct straight *s = &net->straight[part];

	for (int way = 0; way < STRAIGHT_WAYS; way++) {
		float by = way ? SECOND : 1;
		fill(straight_row(s, way, STRAIGHT_IN), s->n, by * MEAN);
		fill(straight_row(s, way, STRAIGHT_SPREAD), s->n, way ? 0 : LOGVAR);
		fill(straight_row(s, way, STRAIGHT_OUT), s->n, by * GAIN);
	}
}

static void
scale(const struct layer *l, float by)
{
	for (int i = 0; i < l->in * l->out; i++)
		((float *)l->w)[i] *= by;
}

static struct set *
sets_new(int n, int words)
{
	struct set *s = calloc(n, sizeof *s);
	uint64_t *word = calloc((size_t)n * words, sizeof *word);

	if (!s || !word) {
		free(s);
		free(word);
		return NULL;
	}
	for (int i = 0; i < n; i++)
		s[i].word = word + (size_t)i * words;
	return s;
}

static void
sets_free(struct set *s)
{
	if (s)
		free(s[0].word);
	free(s);
}

int
init_weights(struct network *net, const struct code *code, int n)
{
	int z = net->shape.latent, words = (n + 63) / 64;
	struct set *bit = sets_new(BITS, words), *used = sets_new(z, words);
	uint32_t *word = malloc(words * sizeof *word);
	int bad = bit && used && word ? 0 : -1;

	if (!bad) {
		find_sets(bit, code, n);
		assign(bit, used, z, words, word, NULL, net->place);
		assign(bit, used, z, words, word, net->place, net->place + BITS);
		for (int part = 0; part <= CODE_GROUPS; part++)
			set_straight(net, part);
		fill(net->layer[ENC_LOGVAR].b, z, 0);
		scale(&net->layer[ENC_MEAN], REST);
		scale(&net->layer[DEC_COARSE], REST);
		for (int g = 0; g < CODE_GROUPS; g++)
			scale(&net->layer[DEC_OUT + g], REST);
	}
	sets_free(bit);
	sets_free(used);
	free(word);
	return bad;
}
