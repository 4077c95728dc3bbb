#include "plots.h"

#include "conn.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>

#define LEAST	 0.1 /* times A's own variation, where the bars begin */
#define ROW	 34 /* height of a name and its bar */
#define BARS_MAX 16

/* --- distances over floors --- */

/* The same axis for all groups, so that their bars can be compared. */
static struct axis
times_axis(const struct result *results)
{
	struct axis x = {.unit = SVG_TIMES, .from = 8, .to = SVG_WIDTH - 8};
	double high = 10;

	for (int i = 0; i < metrics_count; i++) {
		double times = result_times(&results[i]);
		if (isfinite(times))
			high = fmax(high, times);
	}
	axis_log(&x, LEAST, fmin(high, 1e6));
	return x;
}

/* How many times A's own variation, in words that fit beside the metric's name. */
static void
times_text(char *to, size_t n, const struct result *r, const char *unit)
{
	double times = result_times(r);

	if (r->value == 0)
		snprintf(to, n, "no difference");
	else if (isnan(times))
		snprintf(to, n, "%.3g %s, no floor", r->value, unit);
	else if (isinf(times))
		snprintf(to, n, "floor is 0");
	else if (times < LEAST)
		snprintf(to, n, "under 0.1×");
	else
		svg_number(to, n, SVG_TIMES, times);
}

static void
times_row(FILE *f, const struct axis *x, double y, int metric, const struct result *r)
{
	double times = result_times(r);
	char text[40];

	svg_text(f, x->from, y, 's', "", metrics[metric].name);
	times_text(text, sizeof text, r, metrics[metric].unit);
	svg_text(f, x->to, y, 'e', "dim", text);
	if (isnan(times) || r->value == 0)
		return;
	svg_rect(f, "track", x->from, y + 5, x->to - x->from, 9, 1);
	svg_rect(f, result_stands_out(r) ? "out" : "within", x->from, y + 5, axis_at(x, times) - x->from, 9, 1);
	svg_line(f, "one", axis_at(x, 1), y + 3, axis_at(x, 1), y + 16);
}

void
plot_group(FILE *f, enum group group, const struct result *results, const char *floor)
{
	struct axis x = times_axis(results), y = {.to = 6};
	char title[40];
	int rows = 0;

	for (int i = 0; i < metrics_count; i++)
		rows += metrics[i].group == group;
	y.from = 6 + rows * ROW;
	svg_begin(f, group_names[group], y.from + 40);
	snprintf(title, sizeof title, "times %s", floor);
	axis_across(f, &x, &y, title);
	for (int i = 0, row = 0; i < metrics_count; i++)
		if (metrics[i].group == group)
			times_row(f, &x, 6 + row++ * ROW + 12, i, &results[i]);
	svg_end(f, NULL);
}

/* --- matrices --- */

static double
share_of_row(const struct part *p, int i, int k)
{
	uint64_t row = 0;

	for (int j = 0; j < MARKED; j++)
		row += p->bigram[i][j];
	return row ? (double)p->bigram[i][k] / row : 0;
}

/* Events that either trace has at all. */
static int
events_seen(const struct part *a, const struct part *b, int seen[MARKED])
{
	int n = 0;

	for (int i = 0; i < MARKED; i++) {
		uint64_t any = 0;
		for (int k = 0; k < MARKED; k++)
			any |= a->bigram[i][k] | a->bigram[k][i] | b->bigram[i][k] | b->bigram[k][i];
		if (any)
			seen[n++] = i;
	}
	return n;
}

static const char *
event_text(char *to, size_t n, int marked)
{
	snprintf(to, n, "%s %s", marked < EVENTS ? "→" : "←", event_names[marked % EVENTS]);
	return to;
}

static void
cell(FILE *f, enum plot_matrix which, double x, double y, double size, double v)
{
	const char *class = which == MATRIX_A || (which == MATRIX_CHANGE && v < 0) ? "a" : "b";

	svg_rect(f, class, x + .5, y + .5, size - 1, size - 1, fmax(fabs(v), 0.05));
	/* The sign can be read without the colour. */
	if (which == MATRIX_CHANGE && fabs(v) >= 0.05)
		svg_text(f, x + size / 2, y + size / 2 + 4, 'm', "sign", v < 0 ? "−" : "+");
}

/* The cells that change most, in words. */
static void
changes(char *to, size_t n, const struct part *a, const struct part *b)
{
	double before = INFINITY;
	size_t used = 0;
	char from[32], then[32];

	*to = '\0';
	for (int count = 0; count < 3; count++) {
		double most = 0;
		int best = -1;
		for (int i = 0; i < MARKED * MARKED; i++) {
			double v = fabs(share_of_row(b, i / MARKED, i % MARKED) - share_of_row(a, i / MARKED, i % MARKED));
			if (v < before && v > most) {
				most = v;
				best = i;
			}
		}
		if (best < 0)
			return;
		before = most;
		int i = best / MARKED, k = best % MARKED;
		used += snprintf(to + used, n - used, "%s%s then %s: %.3g %% of the row in A, %.3g %% in B", count ? "; " : "",
				 event_text(from, sizeof from, i), event_text(then, sizeof then, k),
				 100 * share_of_row(a, i, k), 100 * share_of_row(b, i, k));
	}
}

void
plot_matrix(FILE *f, enum plot_matrix which, const struct part *a, const struct part *b)
{
	static const char *const titles[] = {"A: share of each row", "B: share of each row", "change from A to B: + more in B, − less"};
	int seen[MARKED], n = events_seen(a, b, seen);
	double left = 82, top = 78, size = n ? fmin(26, (SVG_WIDTH - left - 6) / n) : 0;
	char text[32], note[300] = "";

	svg_begin(f, titles[which], top + n * size + 8);
	svg_text(f, left - 6, top - 6, 'e', "dim", "then ↗");
	for (int i = 0; i < n; i++) {
		svg_text(f, left - 6, top + (i + .5) * size + 4, 'e', "", event_text(text, sizeof text, seen[i]));
		double x = left + (i + .5) * size + 4;
		fprintf(f, "<g transform=\"rotate(-90 %.5g %.5g)\">", x, top - 5);
		svg_text(f, x, top - 5, 's', "", text);
		fputs("</g>\n", f);
		svg_line(f, "grid", left, top + i * size, left + n * size, top + i * size);
		for (int k = 0; k < n; k++) {
			double va = share_of_row(a, seen[i], seen[k]), vb = share_of_row(b, seen[i], seen[k]);
			double v = which == MATRIX_A ? va : which == MATRIX_B ? vb : vb - va;
			if (v != 0)
				cell(f, which, left + k * size, top + i * size, size, v);
		}
	}
	svg_line(f, "frame", left, top, left, top + n * size);
	svg_line(f, "frame", left, top, left + n * size, top);
	if (which == MATRIX_CHANGE)
		changes(note, sizeof note, a, b);
	svg_end(f, n ? note : "Neither trace has any.");
}

/* --- shares --- */

struct bar {
	char name[24];
	double a, b;
};

static void
bars(FILE *f, const char *title, const struct bar *bar, int n)
{
	struct axis x = {.from = 86, .to = SVG_WIDTH - 56};
	double most = 0;
	char text[32];

	for (int i = 0; i < n; i++)
		most = fmax(most, fmax(bar[i].a, bar[i].b));
	axis_linear(&x, most);
	svg_begin(f, title, 22 + n * 34);
	svg_legend(f, true);
	for (int i = 0; i < n; i++) {
		double y = 22 + i * 34, v[2] = {bar[i].a, bar[i].b};
		svg_text(f, x.from - 6, y + 17, 'e', "", bar[i].name);
		for (int k = 0; k < 2; k++) {
			double to = axis_at(&x, v[k]);
			svg_rect(f, k ? "b bar" : "a", x.from, y + 1 + k * 13, to - x.from, 11, 1);
			svg_number(text, sizeof text, SVG_SHARE, v[k]);
			svg_text(f, to + 4, y + 11 + k * 13, 's', "dim", text);
		}
	}
	svg_line(f, "axis", x.from, 20, x.from, 22 + n * 34 - 4);
	svg_end(f, n ? NULL : "Neither trace has any.");
}

static double
share(uint64_t n, uint64_t of)
{
	return of ? (double)n / of : 0;
}

void
plot_states(FILE *f, const struct part *a, const struct part *b)
{
	struct bar bar[CONN_STATES] = {0};
	uint64_t na = 0, nb = 0;
	int n = 0;

	for (int i = 0; i < CONN_STATES; i++) {
		na += a->state[i];
		nb += b->state[i];
	}
	for (int i = 0; i < CONN_STATES; i++) {
		if (!a->state[i] && !b->state[i])
			continue;
		snprintf(bar[n].name, sizeof bar[n].name, "%s", conn_state_names[i]);
		bar[n].a = share(a->state[i], na);
		bar[n++].b = share(b->state[i], nb);
	}
	bars(f, "connections by Zeek's conn_state", bar, n);
}

/* The busiest of both, by the sum of their shares; equal ones by number, so that the same traces make the same page. */
static int
busiest(const struct tally *a, const struct tally *b, uint64_t *keys, int most)
{
	double weight[BARS_MAX];
	int n = 0;

	for (unsigned i = 0; i < a->width + b->width; i++) {
		const struct tally *t = i < a->width ? a : b;
		const struct tally_entry *e = &t->entry[i < a->width ? i : i - a->width];
		uint64_t key = e->key;
		if (!e->n || (t == b && tally_get(a, key)))
			continue;
		double w = share(tally_get(a, key), a->n) + share(tally_get(b, key), b->n);
		int at = n < most ? n++ : n;
		for (; at && (w > weight[at - 1] || (w == weight[at - 1] && key < keys[at - 1])); at--)
			if (at < most) {
				weight[at] = weight[at - 1];
				keys[at] = keys[at - 1];
			}
		if (at < most) {
			weight[at] = w;
			keys[at] = key;
		}
	}
	return n;
}

void
plot_ports(FILE *f, const struct part *a, const struct part *b)
{
	struct bar bar[BARS_MAX] = {0};
	uint64_t keys[BARS_MAX];
	int n = busiest(&a->port, &b->port, keys, BARS_MAX - 1);
	double rest[2] = {a->port.n > 0, b->port.n > 0};

	for (int i = 0; i < n; i++) {
		snprintf(bar[i].name, sizeof bar[i].name, "%s %" PRIu64, keys[i] >> 16 == PROTO_TCP ? "TCP" : "UDP",
			 keys[i] & 0xffff);
		rest[0] -= bar[i].a = share(tally_get(&a->port, keys[i]), a->port.n);
		rest[1] -= bar[i].b = share(tally_get(&b->port, keys[i]), b->port.n);
	}
	if (rest[0] > 1e-9 || rest[1] > 1e-9) {
		snprintf(bar[n].name, sizeof bar[n].name, "all others");
		bar[n].a = fmax(rest[0], 0);
		bar[n++].b = fmax(rest[1], 0);
	}
	bars(f, "connections by the responder's port", bar, n);
}
