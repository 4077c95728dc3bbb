#include "html.h"

#include "curves.h"
#include "define.h"
#include "markup.h"
#include "plots.h"
#include "process/io.h"
#include "process/version.h"
#include "style.h"
#include "verdict.h"
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* --- the file --- */

int
html_open(struct html *h, const char *path)
{
	if (outfile_open(&h->out, path) < 0)
		return -1;
	if (!(h->file = io_stream(dup(h->out.fd)))) {
		outfile_discard(&h->out);
		return -1;
	}
	return 0;
}

int
html_close(struct html *h, bool keep)
{
	int bad = ferror(h->file) | fclose(h->file), error = errno;

	if (keep && !bad)
		return outfile_commit(&h->out);
	outfile_discard(&h->out);
	errno = error;
	return bad ? -1 : 0;
}

/* --- tables --- */

/* <TAG>text</TAG>, escaped. */
static void
element(FILE *f, const char *tag, const char *class, const char *text)
{
	fprintf(f, *class ? "<%s class=\"%s\">" : "<%s>", tag, class);
	markup_text(f, text);
	fprintf(f, "</%s>", tag);
}

static void
count_row(FILE *f, const char *name, uint64_t a, uint64_t b)
{
	fprintf(f, "<tr><th>%s</th><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64 "</td></tr>\n", name, a, b);
}

/* What a person reads, and what the number is to its last digit. */
static void
number_cell(FILE *f, double v, const char *none)
{
	if (isnan(v))
		element(f, "td", "n", none);
	else
		fprintf(f, "<td class=\"n\" data-value=\"%.17g\">%.4g</td>", v, v);
}

/* --- the traces --- */

static void
name_row(FILE *f, const char *which, const struct source *s)
{
	fprintf(f, "<p><b>%s</b> <bdi>", which);
	markup_text(f, s->name);
	fputs("</bdi></p>\n", f);
}

static void
traces(FILE *f, const struct report *r)
{
	const struct measure *a = r->ma, *b = r->mb;

	fputs("<h2>The traces</h2>\n<div class=\"scroll\"><table>\n<tr><th></th><th class=\"n\">A</th><th class=\"n\">B</th></tr>\n", f);
	count_row(f, "packets", a->total.packets, b->total.packets);
	count_row(f, "flows", a->total.flows, b->total.flows);
	count_row(f, "octets on the wire", a->total.octets, b->total.octets);
	fprintf(f, "<tr><th>seconds</th><td class=\"n\">%.6f</td><td class=\"n\">%.6f</td></tr>\n", (a->end - a->start) / 1e9,
		(b->end - b->start) / 1e9);
	count_row(f, "TCP conversations, by Wireshark's rules", a->conversations[0], b->conversations[0]);
	count_row(f, "UDP conversations, likewise", a->conversations[1], b->conversations[1]);
	count_row(f, "connections, by Zeek's rules", a->connections, b->connections);
	count_row(f, "packets out of time order", a->backwards, b->backwards);
	count_row(f, "duplicates", a->duplicates, b->duplicates);
	fputs("</table></div>\n", f);
}

/* --- the verdict --- */

/* How many times that a distance is, behind its line. */
static void
telling_times(FILE *f, const struct report *r, int metric)
{
	double times = result_times(&r->results[metric]);
	char number[32];

	if (r->exact)
		return;
	if (isnan(times))
		snprintf(number, sizeof number, "drift unknown");
	else if (isinf(times))
		snprintf(number, sizeof number, "new");
	else
		svg_number(number, sizeof number, SVG_TIMES, times);
	fprintf(f, " <span class=\"dim\">(%s)</span>", number);
}

/* Groups by the metric of theirs that tells most. */
static void
telling_groups(FILE *f, const struct report *r, const int *order, int n)
{
	bool done[GROUPS] = {false};

	for (int k = 0; k < n; k++) {
		enum group group = metrics[order[k]].group;
		if (done[group])
			continue;
		done[group] = true;
		element(f, "h3", "", group_names[group]);
		fputs("<ul>\n", f);
		for (int m = k; m < n; m++) {
			struct words words;
			if (metrics[order[m]].group != group)
				continue;
			words_of(order[m], r->ma, r->mb, &words);
			fputs("<li>", f);
			markup_text(f, words.text);
			telling_times(f, r, order[m]);
			fputs("</li>\n", f);
		}
		fputs("</ul>\n", f);
	}
}

/* The rest in one line, and what the exit status says, which is another question. */
static void
verdict_rest(FILE *f, const struct report *r, int n)
{
	int count = 0, same = 0, unknown = verdict_unknown(r);

	for (int i = 0; i < metrics_count; i++) {
		count += r->results[i].counts;
		same += r->results[i].counts && r->results[i].value == 0;
	}
	if (r->exact || same == count - n)
		fprintf(f, "<p>No difference in %d of %d metrics.</p>\n", same, count);
	else
		fprintf(f, "<p>Within %s: %d of %d metrics, %d without any difference.</p>\n", verdict_variation(r),
			count - n - unknown, count, same);
	if (unknown)
		fprintf(f, "<p>Not judged, since A's drift in them isn't known: %d.</p>\n", unknown);
	fprintf(f, "<p class=\"dim\">Outside tolerance: %d of %d metrics (exit status %d).</p>\n", r->outside, count, r->outside > 0);
}

static void
verdict(FILE *f, const struct report *r)
{
	int order[METRICS_MAX], n = verdict_order(r, order);

	fprintf(f, "<section class=\"verdict%s\">\n<p class=\"answer\">", n ? " differs" : "");
	if (r->exact)
		fputs(n ? "B is not as A." : "B is as A.", f);
	else
		fputs(n ? "B can't stand in for A." : "B can stand in for A.", f);
	fputs("</p>\n", f);
	if (n && !r->exact)
		fprintf(f, "<p>What differs, the most telling first, and in brackets how many times %s that is; new: it doesn't occur "
			   "there at all.</p>\n", verdict_variation(r));
	telling_groups(f, r, order, n);
	verdict_rest(f, r, n);
	fputs("</section>\n", f);
}

/* --- plots --- */

static void
groups(FILE *f, const struct report *r)
{
	fprintf(f, "<h2>Distance over %s</h2>\n<p>%s The thick mark is at 1×: bars that end before it are no more than that.</p>\n"
		   "<div class=\"plots\">\n", verdict_variation(r),
		r->reference ? "The floor of a metric is how far C, another real trace, is from A."
		: r->drifted ? "The drift of a metric is made of how far A's own stretches are from all of A."
			     : "The floor of a metric is how far A is from itself, part from part.");
	for (int g = 0; g < GROUPS; g++)
		plot_group(f, g, r->results, verdict_variation(r));
	fputs("</div>\n", f);
}

static void
distributions(FILE *f, const struct report *r)
{
	const struct part *a = &r->ma->total, *b = &r->mb->total;

	fputs("<h2>Distributions</h2>\n<p>Each curve says which share of the values is at most as large. A is drawn through, B is "
	      "dashed.</p>\n<div class=\"plots\">\n", f);
	curves_distribution(f, "inter-arrival time", "time from packet to packet", SVG_TIME, &a->iat, &b->iat);
	curves_distribution(f, "packet size", "octets on the wire", SVG_COUNT, &a->size, &b->size);
	curves_distribution(f, "flow duration", "time from first to last packet", SVG_TIME, &a->duration, &b->duration);
	curves_distribution(f, "flow size", "packets of a flow", SVG_COUNT, &a->flow_packets, &b->flow_packets);
	curves_distribution(f, "round trip, SYN to SYN-ACK", "time", SVG_TIME, &a->syn_rtt, &b->syn_rtt);
	curves_distribution(f, "round trip, data to ack", "time", SVG_TIME, &a->ack_rtt, &b->ack_rtt);
	curves_distribution(f, "run length", "packets of one flow in a row", SVG_COUNT, &a->run, &b->run);
	fputs("</div>\n<h2>Over time</h2>\n<div class=\"plots\">\n", f);
	curves_active(f, &r->ma->curve, &r->mb->curve);
	curves_rate(f, &r->ma->curve, &r->mb->curve);
	fputs("</div>\n", f);
}

static void
connections(FILE *f, const struct report *r)
{
	const struct part *a = &r->ma->total, *b = &r->mb->total;

	fputs("<h2>Which TCP event follows which</h2>\n<p>A row is an event, a column what comes next in the same flow; → is sent by the "
	      "initiator, ← by the responder. The darker a cell, the larger its share of the row.</p>\n<div class=\"plots\">\n", f);
	plot_matrix(f, MATRIX_A, a, b);
	plot_matrix(f, MATRIX_B, a, b);
	plot_matrix(f, MATRIX_CHANGE, a, b);
	fputs("</div>\n<h2>Connections</h2>\n<div class=\"plots\">\n", f);
	plot_states(f, a, b);
	plot_ports(f, a, b);
	fputs("</div>\n", f);
}

/* --- what isn't a distance --- */

static void
legality(FILE *f, const struct report *r)
{
	static const char *const what[ILLEGALS] = {"wrong checksum", "wrong length", "acknowledges what nobody has seen"};
	const struct part *p[2] = {&r->ma->total, &r->mb->total};
	const struct source *s[2] = {r->a, r->b};

	fputs("<h2>Legality</h2>\n<p>Packets that are not as the RFCs want them. They stand apart from the verdict; B should have none "
	      "where A has none.</p>\n<div class=\"scroll\"><table>\n<tr><th></th><th class=\"n\">A</th><th class=\"n\">B</th></tr>\n", f);
	for (int i = 0; i < ILLEGALS; i++) {
		fputs("<tr>", f);
		element(f, "th", "", what[i]);
		for (int k = 0; k < 2; k++)
			if (s[k]->actions && i == ILLEGAL_CHECKSUM) /* actions have none */
				element(f, "td", "n", "n/a");
			else
				fprintf(f, "<td class=\"n\">%" PRIu64 "</td>", p[k]->illegal[i]);
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n", f);
}

static void
paired(FILE *f, const struct report *r)
{
	if (!r->paired)
		return;
	fprintf(f, "<h2>Packet against packet</h2>\n<p>%" PRIu64 " packets compared, %" PRIu64 " with a difference.</p>\n",
		r->paired_packets, r->paired_different);
	if (!r->paired_different)
		return;
	fputs("<div class=\"scroll\"><table>\n<tr><th>field</th><th class=\"n\">packets that differ in it</th></tr>\n", f);
	for (int i = 0; i < ACTION_COUNT; i++)
		if (r->paired[i])
			fprintf(f, "<tr><th>%s</th><td class=\"n\">%" PRIu64 "</td></tr>\n", action_fields[i].name, r->paired[i]);
	fputs("</table></div>\n", f);
}

/* --- all metrics --- */

static void
metric_row(FILE *f, const struct report *r, int i)
{
	const struct result *x = &r->results[i];
	const char *text = define_metric(metrics[i].name);
	double times = result_times(x);
	struct words words;

	words_of(i, r->ma, r->mb, &words);
	fprintf(f, "<tr%s id=\"%s\"><td>%s</td>", result_stands_out(x) ? " class=\"out\"" : "", metrics[i].name, metrics[i].name);
	element(f, "td", "", words.text);
	number_cell(f, x->value, "n/a");
	number_cell(f, x->floor, "n/a");
	number_cell(f, x->tolerance, "n/a");
	element(f, "td", "", metrics[i].unit);
	if (isinf(times))
		element(f, "td", "n", "∞");
	else if (isnan(times))
		element(f, "td", "n", "n/a");
	else
		fprintf(f, "<td class=\"n\">%.3g×</td>", times);
	element(f, "td", "", text ? text : metrics[i].what);
	fputs("</tr>\n", f);
}

static void
units(FILE *f)
{
	fputs("<h3>Units of distances</h3>\n<dl>\n", f);
	for (int i = 0; i < metrics_count; i++) {
		const char *text = define_unit(metrics[i].unit);
		bool seen = false;
		for (int k = 0; k < i; k++)
			seen |= !strcmp(metrics[i].unit, metrics[k].unit);
		if (seen || !text)
			continue;
		element(f, "dt", "", metrics[i].unit);
		element(f, "dd", "", text);
	}
	fputs("</dl>\n", f);
}

static void
all_metrics(FILE *f, const struct report *r)
{
	fputs("<h2>All metrics</h2>\n<div class=\"scroll\"><table class=\"all\">\n<tr><th>metric</th><th>in words</th><th class=\"n\">distance"
	      "</th><th class=\"n\">floor</th><th class=\"n\">tolerance</th><th>unit</th><th class=\"n\">over floor</th>"
	      "<th>what it is</th></tr>\n", f);
	for (int g = 0; g < GROUPS; g++) {
		fprintf(f, "<tr class=\"group\"><th colspan=\"8\">%s</th></tr>\n", group_names[g]);
		for (int i = 0; i < metrics_count; i++)
			if ((int)metrics[i].group == g)
				metric_row(f, r, i);
	}
	fputs("</table></div>\n", f);
	units(f);
}

/* --- the page --- */

static void
head(FILE *f, const struct report *r)
{
	/* It is XML as well, so that either kind of parser reads it. The policy lets nothing be loaded, not even by mistake. */
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>tc-diff: ", f);
	markup_text(f, r->a->name);
	fputs(" and ", f);
	markup_text(f, r->b->name);
	fprintf(f, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"patterns\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"5\" "
	      "height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path d=\"M0 0V5\"/></pattern></defs></svg>\n", f);
	fputs("<header><h1>Can B stand in for A?</h1>\n", f);
	name_row(f, "A", r->a);
	name_row(f, "B", r->b);
	fputs("</header>\n<main>\n", f);
}

void
html_write(FILE *f, const struct report *r)
{
	static void (*const sections[])(FILE *, const struct report *) = {
	    verdict, traces, groups, distributions, connections, legality, paired, all_metrics};

	head(f, r);
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		sections[i](f, r);
	fprintf(f, "</main>\n<footer class=\"dim\">tc-diff of TraceCodec %s, metrics_version %d; tc-metrics(7) defines all of it.</footer>\n"
		   "</body>\n</html>\n", TC_VERSION, METRICS_VERSION);
}
