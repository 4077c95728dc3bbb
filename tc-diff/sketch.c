#include "sketch.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(HISTOGRAM_BINS % SKETCH_CHUNK == 0 && HISTOGRAM_BINS / SKETCH_CHUNK <= 64, "a bit for each chunk");

/* All i of used chunks, from the lowest up. */
#define EACH_USED(i, used)                                                                                                  \
	for (uint64_t left = (used), chunk; left && (chunk = __builtin_ctzll(left), true); left &= left - 1)                    \
		for (unsigned i = chunk * SKETCH_CHUNK; i < (chunk + 1) * SKETCH_CHUNK; i++)

static unsigned
bin_of(uint64_t v)
{
	if (v < 2048)
		return v;
	unsigned octave = 63 - __builtin_clzll(v);
	return 2048 + (octave - 11) * 1024 + ((v >> (octave - 10)) & 1023);
}

double
histogram_edge(unsigned bin)
{
	if (bin < 2048)
		return bin;
	return ldexp(1024 + (bin - 2048) % 1024, (bin - 2048) / 1024 + 1);
}

double
histogram_middle(unsigned bin)
{
	return bin < 2048 ? bin : (histogram_edge(bin) + histogram_edge(bin + 1) - 1) / 2;
}

void
histogram_count(struct histogram *h, uint64_t v)
{
	unsigned bin = bin_of(v);

	h->n++;
	h->sum += v;
	h->used |= UINT64_C(1) << bin / SKETCH_CHUNK;
	h->bin[bin] += h->bin[bin] < UINT32_MAX;
}

void
histogram_fetch(const struct histogram *h, uint64_t v)
{
	__builtin_prefetch(&h->bin[bin_of(v)], 1);
}

void
histogram_add(struct histogram *to, const struct histogram *h)
{
	if (!h->n)
		return;
	to->n += h->n;
	to->sum += h->sum;
	to->used |= h->used;
	EACH_USED(i, h->used)
		to->bin[i] = UINT32_MAX - to->bin[i] > h->bin[i] ? to->bin[i] + h->bin[i] : UINT32_MAX;
}

void
histogram_clear(struct histogram *h)
{
	EACH_USED(i, h->used)
		h->bin[i] = 0;
	h->n = h->used = 0;
	h->sum = 0;
}

double
histogram_greatest(const struct histogram *h)
{
	for (int i = HISTOGRAM_BINS; i-- > 0;)
		if (h->bin[i])
			return histogram_middle(i);
	return 0;
}

double
histogram_mean(const struct histogram *h)
{
	return h->n ? h->sum / h->n : 0;
}

static double
share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / whole : 0;
}

double
histogram_tv(const struct histogram *a, const struct histogram *b)
{
	if (!a->n || !b->n)
		return a->n != b->n;

	double sum = 0;
	EACH_USED(i, a->used | b->used)
		if (share(a->bin[i], a->n) != share(b->bin[i], b->n))
			sum += fabs(share(a->bin[i], a->n) - share(b->bin[i], b->n));
	return sum / 2;
}

double
histogram_ks(const struct histogram *a, const struct histogram *b)
{
	uint64_t ca = 0, cb = 0;
	double worst = 0;

	if (!a->n || !b->n)
		return a->n != b->n;
	EACH_USED(i, a->used | b->used) {
		ca += a->bin[i];
		cb += b->bin[i];
		worst = fmax(worst, fabs(share(ca, a->n) - share(cb, b->n)));
	}
	return worst;
}

double
histogram_w1(const struct histogram *a, const struct histogram *b)
{
	uint64_t ca = 0, cb = 0;
	double area = 0;

	if (!a->n || !b->n)
		return fabs(histogram_mean(a) - histogram_mean(b));
	/* Where both are empty it goes on as far apart as they were. */
	for (unsigned from = 0; from < HISTOGRAM_BINS; from += SKETCH_CHUNK) {
		bool used = (a->used | b->used) >> from / SKETCH_CHUNK & 1;
		if (!used && share(ca, a->n) == share(cb, b->n))
			continue;
		double width = histogram_edge(from + 1) - histogram_edge(from);
		for (unsigned i = from; i < from + SKETCH_CHUNK && i + 1 < HISTOGRAM_BINS; i++) {
			ca += a->bin[i];
			cb += b->bin[i];
			if (share(ca, a->n) != share(cb, b->n))
				area += fabs(share(ca, a->n) - share(cb, b->n)) * width;
		}
	}
	return area;
}

struct ranks
ranks_begin(const struct histogram *a, const struct histogram *b)
{
	return (struct ranks){.h = {a, b}, .bin = {HISTOGRAM_BINS, HISTOGRAM_BINS}};
}

bool
ranks_next(struct ranks *r)
{
	for (int t = 0; t < 2; t++) {
		r->left[t] -= r->left[t] ? r->n : 0;
		while (r->bin[t] > 0 && !r->left[t])
			r->left[t] = r->h[t]->bin[--r->bin[t]];
		r->share[t] = r->left[t] && r->h[t]->sum ? histogram_middle(r->bin[t]) / r->h[t]->sum : 0;
	}
	r->n = !r->left[0] ? r->left[1] : !r->left[1] || r->left[0] < r->left[1] ? r->left[0] : r->left[1];
	return r->n > 0;
}

/* Where a key is, or would go. */
static unsigned
place(const struct tally *t, uint64_t key)
{
	uint64_t h = (key ^ key >> 29) * 0xbf58476d1ce4e5b9;
	unsigned last = t->width - 1, i = (h ^ h >> 32) & last; /* the width is a power of two */

	while (t->entry[i].n && t->entry[i].key != key)
		i = (i + 1) & last;
	return i;
}

/* False where there may be no more keys, or no memory for them. */
static bool
has_room(struct tally *t)
{
	struct tally old = *t;

	if (t->keys == TALLY_KEYS)
		return false;
	if (t->keys < t->width / 2)
		return true;
	t->width = old.width ? 2 * old.width : 64;
	t->entry = calloc(t->width, sizeof *t->entry);
	if (!t->entry) {
		*t = old;
		return false;
	}
	for (unsigned i = 0; i < old.width; i++)
		if (old.entry[i].n)
			t->entry[place(t, old.entry[i].key)] = old.entry[i];
	free(old.entry);
	return true;
}

void
tally_count(struct tally *t, uint64_t key, uint64_t n)
{
	struct tally_entry *e = t->width ? &t->entry[place(t, key)] : NULL;

	t->n += n;
	if (e && e->n) {
		e->n += n;
	} else if (has_room(t)) {
		t->keys++;
		t->entry[place(t, key)] = (struct tally_entry){key, n};
	} else {
		t->rest += n;
	}
}

void
tally_add(struct tally *to, const struct tally *t)
{
	for (unsigned i = 0; i < t->width; i++)
		if (t->entry[i].n)
			tally_count(to, t->entry[i].key, t->entry[i].n);
	to->n += t->rest;
	to->rest += t->rest;
}

void
tally_free(struct tally *t)
{
	free(t->entry);
	*t = (struct tally){0};
}

uint64_t
tally_get(const struct tally *t, uint64_t key)
{
	return t->width ? t->entry[place(t, key)].n : 0;
}

double
tally_tv(const struct tally *a, const struct tally *b)
{
	double sum = fabs(share(a->rest, a->n) - share(b->rest, b->n));

	if (!a->n || !b->n)
		return a->n != b->n;
	for (unsigned i = 0; i < a->width; i++)
		if (a->entry[i].n)
			sum += fabs(share(a->entry[i].n, a->n) - share(tally_get(b, a->entry[i].key), b->n));
	for (unsigned i = 0; i < b->width; i++)
		if (b->entry[i].n && !tally_get(a, b->entry[i].key))
			sum += share(b->entry[i].n, b->n);
	return sum / 2;
}

double
counts_tv(const uint64_t *a, const uint64_t *b, size_t n)
{
	uint64_t na = 0, nb = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		na += a[i];
		nb += b[i];
	}
	if (!na || !nb)
		return na != nb;
	for (size_t i = 0; i < n; i++)
		if (share(a[i], na) != share(b[i], nb))
			sum += fabs(share(a[i], na) - share(b[i], nb));
	return sum / 2;
}
