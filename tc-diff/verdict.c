#include "verdict.h"

#include "words.h"

#include <math.h>
#include <string.h>

#define LINES 15 /* so that all of it fits a screen of 24 */
#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

/* By how many times A's own variation, and beyond all of these where A doesn't vary at all; behind them where nobody knows how
 * it varies, by how far the distance is. */
static double
prominence(const struct report *r, int i)
{
	const struct result *x = &r->results[i];
	double times = result_times(x);

	if (r->exact || isnan(times))
		return x->value / 1e6;
	return isinf(times) ? 1e6 + x->value : times;
}

static bool
stands_out(const struct report *r, int i)
{
	const struct result *x = &r->results[i];

	return x->counts && (r->exact ? x->value > 0 : result_stands_out(x));
}

/* What a group's metrics are on average, those within A's own variation too: so one that stands out alone doesn't lead. */
static void
average(const struct report *r, double of_group[GROUPS])
{
	int n[GROUPS] = {0};

	for (int i = 0; i < metrics_count; i++) {
		const struct result *x = &r->results[i];
		if (!x->counts || isnan(result_times(x)))
			continue;
		of_group[metrics[i].group] += prominence(r, i);
		n[metrics[i].group]++;
	}
	for (int g = 0; g < GROUPS; g++)
		of_group[g] /= n[g] && !r->exact ? n[g] : INFINITY;
}

int
verdict_order(const struct report *r, int order[METRICS_MAX])
{
	double group[GROUPS] = {0};
	int n = 0;

	average(r, group);
	for (int i = 0; i < metrics_count; i++) {
		if (!stands_out(r, i))
			continue;
		double mine = group[metrics[i].group];
		int at = n++;
		for (; at > 0; at--) {
			double other = group[metrics[order[at - 1]].group];
			if (other > mine || (other == mine && prominence(r, order[at - 1]) >= prominence(r, i)))
				break;
			order[at] = order[at - 1];
		}
		order[at] = i;
	}
	return n;
}

static void
print_times(FILE *f, const struct report *r, int i)
{
	double times = result_times(&r->results[i]);

	if (r->exact || isnan(times))
		fprintf(f, "%7s ", "");
	else if (isinf(times))
		fprintf(f, "%7s ", "new");
	else
		fprintf(f, times < 9.95 ? "%6.1fx " : "%6.0fx ", times);
}

/* The groups of what stands out, in the order of their most telling metric, and what each says. */
static void
print_groups(FILE *f, const struct report *r, const int *order, int n)
{
	bool done[GROUPS] = {false};
	int lines = 0, said = 0, groups = 0;
	int of_group[GROUPS] = {0};

	for (int k = 0; k < n; k++)
		groups += of_group[metrics[order[k]].group]++ == 0;
	int each = LINES / (groups ? groups : 1) - 1;
	for (int k = 0; k < n; k++) {
		enum group g = metrics[order[k]].group;
		if (done[g])
			continue;
		done[g] = true;
		fprintf(f, "%s\n", group_names[g]);
		lines = 0;
		for (int m = k; m < n && lines < (each < 1 ? 1 : each); m++) {
			struct words w;
			if (metrics[order[m]].group != g)
				continue;
			words_of(order[m], r->ma, r->mb, &w);
			print_times(f, r, order[m]);
			fprintf(f, "%s\n", w.text);
			lines++;
			said++;
		}
	}
	if (said < n)
		fprintf(f, "and %d more metrics of these groups.\n", n - said);
}

int
verdict_unknown(const struct report *r)
{
	int n = 0;

	for (int i = 0; i < metrics_count; i++) {
		const struct result *x = &r->results[i];
		n += x->counts && x->value != 0 && !x->judged && !r->exact;
	}
	return n;
}

const char *
verdict_variation(const struct report *r)
{
	return r->reference ? "what C's distance from A allows" : r->drifted ? "what A's drift allows" : "what A's own variation allows";
}

static bool
knows_variation(const struct report *r)
{
	for (int i = 0; i < metrics_count; i++)
		if (!isnan(r->results[i].floor))
			return true;
	return false;
}

static void
print_rest(FILE *f, const struct report *r, int n)
{
	int count = 0, same = 0, unknown = verdict_unknown(r);

	for (int i = 0; i < metrics_count; i++) {
		count += r->results[i].counts;
		same += r->results[i].counts && r->results[i].value == 0;
	}
	if (r->exact || same == count - n)
		fprintf(f, "No difference in %d of %d metrics.\n", same, count);
	else
		fprintf(f, "Within %s: %d of %d metrics, %d without any difference.\n", verdict_variation(r),
			count - n - unknown, count, same);
	if (unknown)
		fprintf(f, "Not judged, since A's drift in them isn't known: %d.\n", unknown);
}

/* What the exit status says, which is another question. */
static void
print_tolerance(FILE *f, const struct report *r)
{
	int count = 0;

	for (int i = 0; i < metrics_count; i++)
		count += r->results[i].counts;
	if (r->outside)
		fprintf(f, "Outside tolerance: %d of %d metrics (exit status 1).\n", r->outside, count);
	else
		fprintf(f, "Within tolerance: %d of %d metrics (exit status 0).\n", count, count);
}

void
verdict_print(FILE *f, const struct report *r, bool colour)
{
	int order[METRICS_MAX], n = verdict_order(r, order);

	fputs(colour ? BOLD : "", f);
	fputs("Verdict: ", f);
	fputs(colour ? n ? RED : GREEN : "", f);
	if (n == 0)
		fputs(r->exact ? "B is as A" : "B can stand in for A", f);
	else
		fputs(r->exact ? "B is not as A" : "B can't stand in for A", f);
	fputs(colour ? PLAIN : "", f);
	if (n)
		fprintf(f, ". What differs%s%s:\n", r->exact ? "" : ", in times ", r->exact ? "" : verdict_variation(r));
	else
		fputs(".\n", f);
	if (n && !r->exact && !knows_variation(r))
		fputs("(A is too short to know its own variation; --reference names another real trace.)\n", f);
	print_groups(f, r, order, n);
	print_rest(f, r, n);
	print_tolerance(f, r);
}
