#include "curves.h"

#include <math.h>

/* --- distributions --- */

/* Values above 0: the least and the greatest; false where there is none. */
static bool
range(const struct histogram *h, double *low, double *high)
{
	bool any = false;

	for (int i = 1; h->n && i < HISTOGRAM_BINS; i++) {
		if (!h->bin[i])
			continue;
		*low = fmin(*low, histogram_edge(i));
		*high = fmax(*high, histogram_edge(i));
		any = true;
	}
	return any;
}

/* The share of values up to each of so many places along the axis. */
static void
distribution(FILE *f, const char *class, const struct axis *x, const struct axis *y, const struct histogram *h)
{
	double at[CURVE_POINTS + 1], share[CURVE_POINTS];
	uint64_t below = 0;

	if (!h->n)
		return;
	for (int i = 0, bin = 0; i < CURVE_POINTS; i++) {
		at[i] = x->low * pow(x->high / x->low, (double)i / CURVE_POINTS);
		while (bin < HISTOGRAM_BINS && histogram_edge(bin) <= at[i] * (1 + 1e-9))
			below += h->bin[bin++];
		share[i] = (double)below / h->n;
	}
	at[CURVE_POINTS] = x->high;
	svg_steps(f, class, x, y, at, share, CURVE_POINTS);
}

/* What a logarithmic axis has no place for, and traces that have none at all. */
static void
note(char *to, size_t n, const struct histogram *a, const struct histogram *b)
{
	*to = '\0';
	if (!a->n || !b->n)
		snprintf(to, n, "%s", a->n ? "B has none." : b->n ? "A has none." : "Neither trace has any.");
	else if (a->bin[0] || b->bin[0])
		snprintf(to, n, "0 in A: %.3g %%, in B: %.3g %%", 100.0 * a->bin[0] / a->n, 100.0 * b->bin[0] / b->n);
}

void
curves_distribution(FILE *f, const char *title, const char *axis, enum svg_unit unit, const struct histogram *a,
		    const struct histogram *b)
{
	struct axis x = {.unit = unit, .from = 50, .to = SVG_WIDTH - 14};
	struct axis y = {.unit = SVG_SHARE, .from = 180, .to = 22};
	double low = INFINITY, high = 0;
	char text[80];
	bool any = range(a, &low, &high);

	any |= range(b, &low, &high);
	axis_log(&x, any ? low : 1, any ? high * 1.001 : 10);
	axis_linear(&y, 1);
	svg_begin(f, title, 220);
	svg_legend(f, false);
	axis_up(f, &x, &y);
	axis_across(f, &x, &y, axis);
	distribution(f, "a", &x, &y, a);
	distribution(f, "b", &x, &y, b);
	note(text, sizeof text, a, b);
	svg_end(f, text);
}

/* --- over time --- */

/* What there is to see in bins from i to one before n; alive counts on from bin to bin. */
static double
active_in(const struct curve *c, int i, int n, int64_t *alive)
{
	int64_t most = 0;

	for (; i < n; i++) {
		*alive += c->opened[i];
		most = *alive > most ? *alive : most;
		*alive -= c->closed[i];
	}
	return most;
}

/* Packets a second. */
static double
rate_in(const struct curve *c, int i, int n, int64_t *unused)
{
	int64_t packets = 0;
	int bins = n - i;

	(void)unused;
	for (; i < n; i++)
		packets += c->packets[i];
	return packets / (c->width / 1e9 * bins);
}

struct series {
	int n;
	double at[CURVE_POINTS + 1], value[CURVE_POINTS];
};

static double
duration(const struct curve *c)
{
	int used = CURVE_BINS;

	while (used && !c->packets[used - 1] && !c->closed[used - 1])
		used--;
	return (double)used * c->width;
}

/* In columns of so many ns, which bins divide; the greatest value. */
static double
series_of(struct series *s, const struct curve *c, double column, double (*in)(const struct curve *, int, int, int64_t *))
{
	int64_t alive = 0;
	int each = lround(column / c->width), used = lround(duration(c) / c->width);
	double most = 0;

	s->n = 0;
	for (int i = 0; i < used && s->n < CURVE_POINTS; i += each) {
		s->at[s->n] = (double)i * c->width;
		s->value[s->n] = in(c, i, i + each < CURVE_BINS ? i + each : CURVE_BINS, &alive);
		most = fmax(most, s->value[s->n++]);
	}
	s->at[s->n] = s->n * column;
	return most;
}

static void
over_time(FILE *f, const char *title, const struct curve *a, const struct curve *b,
	  double (*in)(const struct curve *, int, int, int64_t *))
{
	struct axis x = {.unit = SVG_TIME, .from = 50, .to = SVG_WIDTH - 14};
	struct axis y = {.unit = SVG_COUNT, .from = 180, .to = 22};
	double longest = fmax(duration(a), duration(b)), coarse = a->width > b->width ? a->width : b->width;
	double column = coarse * fmax(1, ceil(longest / coarse / CURVE_POINTS));
	struct series sa, sb;

	axis_linear(&x, longest);
	double most = fmax(series_of(&sa, a, column, in), series_of(&sb, b, column, in));
	axis_linear(&y, most);
	svg_begin(f, title, 220);
	svg_legend(f, false);
	axis_up(f, &x, &y);
	axis_across(f, &x, &y, "time since the first packet");
	svg_steps(f, "a", &x, &y, sa.at, sa.value, sa.n);
	svg_steps(f, "b", &x, &y, sb.at, sb.value, sb.n);
	svg_end(f, NULL);
}

void
curves_active(FILE *f, const struct curve *a, const struct curve *b)
{
	over_time(f, "active flows", a, b, active_in);
}

void
curves_rate(FILE *f, const struct curve *a, const struct curve *b)
{
	over_time(f, "packets per second", a, b, rate_in);
}
