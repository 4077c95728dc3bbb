#include "first.h"

#include <stdlib.h>
#include <string.h>

#define BITS	 (CODE_COARSE + CODE_WORDS * 64) /* coarse ones, then details */
#define MEAN	 1.0f				 /* of a bit's coordinate */
#define LOGVAR	 -2.5f
#define GAIN	 6.0f				 /* from there to its logit */
#define IN_REST	 0.05f				 /* of what was drawn at random stays, on the way in */
#define OUT_REST 0.1f				 /* and on the way out */

/* Which packets of a sample care for a bit, or use a coordinate. */
struct set {
	uint64_t *word;
	uint64_t n;
};

static uint64_t
common(const struct set *a, const struct set *b, int words)
{
	uint64_t n = 0;

	for (int k = 0; k < words; k++)
		n += __builtin_popcountll(a->word[k] & b->word[k]);
	return n;
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
			if (d >= 0 && !(code[i].care[d / 64] >> d % 64 & 1))
				continue;
			bit[b].word[i / 64] |= 1ull << i % 64;
			bit[b].n++;
		}
}

/* The frequent bits first: each to the coordinate where it meets the fewest others, of such the one
 * least used. */
static void
assign(const struct set *bit, struct set *used, int coordinates, int words, int *at)
{
	const struct set *order[BITS];

	for (int b = 0; b < BITS; b++)
		order[b] = &bit[b];
	qsort(order, BITS, sizeof *order, more_often);
	for (int i = 0; i < BITS; i++) {
		uint64_t least = UINT64_MAX;
		int best = 0;
		for (int d = 0; d < coordinates; d++) {
			uint64_t met = common(order[i], &used[d], words);
			if (met < least || (met == least && used[d].n < used[best].n)) {
				least = met;
				best = d;
			}
		}
		at[order[i] - bit] = best;
		used[best].n += order[i]->n + 1;
		for (int k = 0; k < words; k++)
			used[best].word[k] |= order[i]->word[k];
	}
}

/* The layers' matrices for bits whose coordinates are at[0], at[1] ...; spread: NULL for coarse bits,
 * that are always there. */
static void
set_layers(const struct network *net, int in, int out, float *spread, const int *at)
{
	int z = net->shape.latent, e = net->shape.encoder, n = net->layer[in].in;
	float *to = (float *)net->layer[in].w, *from = (float *)net->layer[out].w;

	for (int b = 0; b < n; b++)
		for (int d = 0; d < z; d++) {
			float *i = &to[b * (e + z) + e + d], *o = &from[d * n + b];
			*i = d == at[b] ? MEAN : *i * IN_REST;
			*o = d == at[b] ? GAIN : *o * OUT_REST;
			if (spread)
				spread[b * z + d] = d == at[b] ? LOGVAR : 0;
		}
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
first_weights(struct network *net, const struct code *code, int n)
{
	const struct code_layout *l = code_layout();
	int z = net->shape.latent, words = (n + 63) / 64, at[BITS];
	struct set *bit = sets_new(BITS, words), *used = sets_new(z, words);

	if (bit && used) {
		find_sets(bit, code, n);
		assign(bit, used, z, words, at);
		const struct layer *mean = &net->layer[ENC_MEAN];
		for (int i = 0; i < mean->in * mean->out; i++)
			((float *)mean->w)[i] *= OUT_REST;
		float *logvar = (float *)net->layer[ENC_LOGVAR].b;
		memset(logvar, 0, z * sizeof *logvar);
		for (int b = 0; b < CODE_COARSE; b++)
			logvar[at[b]] = LOGVAR;
		set_layers(net, ENC_COARSE, DEC_COARSE, NULL, at);
		for (int g = 0; g < CODE_GROUPS; g++)
			set_layers(net, ENC_GROUP + g, DEC_OUT + g, (float *)net->layer[ENC_SPREAD + g].w,
				   at + CODE_COARSE + l->first[g]);
	}
	int bad = bit && used ? 0 : -1;
	sets_free(bit);
	sets_free(used);
	return bad;
}
