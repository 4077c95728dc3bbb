#include "generated.h"

#include "c2st.h"

#include <math.h>

/* --- classifier two-sample test --- */

static size_t
fewer(size_t a, size_t b)
{
	return a < b ? a : b;
}

double
generated_c2st(const struct measure *a, const struct measure *b)
{
	const uint32_t *of_a[RESERVOIR_FLOWS], *of_b[RESERVOIR_FLOWS];
	size_t n = fewer(reservoir_rows(&a->reservoir, -1, of_a), reservoir_rows(&b->reservoir, -1, of_b));

	return c2st(of_a, of_b, n);
}

double
generated_c2st_halves(const struct measure *a)
{
	const uint32_t *half[2][RESERVOIR_FLOWS];
	size_t n = fewer(reservoir_rows(&a->reservoir, 0, half[0]), reservoir_rows(&a->reservoir, 1, half[1]));

	return n ? c2st(half[0], half[1], n) : NAN;
}

/* --- divergences --- */

static double
share(double part, double whole)
{
	return whole ? part / whole : 0;
}

/* What a class adds that has shares p and q. */
static double
divergence(double p, double q)
{
	double mean = (p + q) / 2;

	return p == q ? 0 : (p ? p / 2 * log(p / mean) : 0) + (q ? q / 2 * log(q / mean) : 0);
}

/* Something against nothing is as far as can be; rounding must not make less than none of it. */
static double
bounded(double sum, bool any_a, bool any_b)
{
	return any_a != any_b ? M_LN2 : !any_a ? 0 : fmin(fmax(sum, 0), M_LN2);
}

double
counts_jsd(const uint64_t *a, const uint64_t *b, size_t n)
{
	uint64_t na = 0, nb = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		na += a[i];
		nb += b[i];
	}
	for (size_t i = 0; i < n; i++)
		if (a[i] | b[i])
			sum += divergence(share(a[i], na), share(b[i], nb));
	return bounded(sum, na, nb);
}

double
tally_jsd(const struct tally *a, const struct tally *b)
{
	double sum = divergence(share(a->rest, a->n), share(b->rest, b->n));

	for (unsigned i = 0; i < a->width; i++)
		if (a->entry[i].n)
			sum += divergence(share(a->entry[i].n, a->n), share(tally_get(b, a->entry[i].key), b->n));
	for (unsigned i = 0; i < b->width; i++)
		if (b->entry[i].n && !tally_get(a, b->entry[i].key))
			sum += divergence(0, share(b->entry[i].n, b->n));
	return bounded(sum, a->n, b->n);
}

double
ranks_jsd(const struct histogram *a, const struct histogram *b)
{
	struct ranks r = ranks_begin(a, b);
	double sum = 0;

	while (ranks_next(&r))
		sum += r.n * divergence(r.share[0], r.share[1]);
	return bounded(sum, a->n, b->n);
}

double
histogram_emd(const struct histogram *a, const struct histogram *b)
{
	double w1 = histogram_w1(a, b);
	int low = 0, high = HISTOGRAM_BINS - 1;

	if (w1 == 0)
		return 0;
	while (low < high && !a->bin[low])
		low++;
	while (high > low && !a->bin[high])
		high--;
	return low < high ? w1 / (histogram_edge(high) - histogram_edge(low)) : 1;
}
