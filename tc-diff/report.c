#include "report.h"

#include "verdict.h"
#include "words.h"

#include <inttypes.h>
#include <math.h>

#define NANO INT64_C(1000000000)
/* In 80 columns, but for the name. */
static void
print_trace(FILE *f, char which, const struct source *s, const struct measure *m)
{
	fprintf(f, "%c  %s\n", which, s->name);
	fprintf(f, "   %" PRIu64 " packets, %" PRIu64 " flows, %" PRIu64 " octets, %.6f s", m->total.packets,
		m->total.flows, m->total.octets, (m->end - m->start) / 1e9);
	if (m->backwards)
		fprintf(f, "; %" PRIu64 " out of time order", m->backwards);
	if (m->duplicates)
		fprintf(f, "; %" PRIu64 " duplicates", m->duplicates);
	fputc('\n', f);
}

static void
print_conversations(FILE *f, const struct report *r)
{
	const struct measure *a = r->ma, *b = r->mb;

	fprintf(f, "\n%-28s %12s %12s\n", "as others count", "A", "B");
	fprintf(f, "%-28s %12" PRIu64 " %12" PRIu64 "\n", "Wireshark's TCP", a->conversations[0], b->conversations[0]);
	fprintf(f, "%-28s %12" PRIu64 " %12" PRIu64 "\n", "Wireshark's UDP", a->conversations[1], b->conversations[1]);
	fprintf(f, "%-28s %12" PRIu64 " %12" PRIu64 "\n", "Zeek's connections", a->connections, b->connections);
}

static void
print_metric(FILE *f, int i, const struct result *r)
{
	char floor[32] = "n/a";

	if (!isnan(r->floor))
		snprintf(floor, sizeof floor, "%.6g", r->floor);
	fprintf(f, "%-28s %12.6g %12s  %-4s %s\n", metrics[i].name, r->value, floor, metrics[i].unit,
		metrics[i].what);
}

/* Actions have no checksums that could be wrong. */
static const char *
illegal_text(const struct source *s, const struct measure *m, int i, char *text, size_t n)
{
	if (s->actions && i == ILLEGAL_CHECKSUM)
		return "n/a";
	snprintf(text, n, "%" PRIu64, m->total.illegal[i]);
	return text;
}

static const char *
share_text(double share, char *text, size_t n)
{
	if (isnan(share))
		return "n/a";
	snprintf(text, n, "%.1f %%", 100 * share);
	return text;
}

static void
print_legality(FILE *f, const struct report *r)
{
	char a[24], b[24];

	fprintf(f, "\n%-28s %12s %12s\n", "legality, packets of each", "A", "B");
	for (int i = 0; i < ILLEGALS; i++)
		fprintf(f, "%-28s %12s %12s\n", illegal_names[i],
			illegal_text(r->a, r->ma, i, a, sizeof a),
			illegal_text(r->b, r->mb, i, b, sizeof b));
	fprintf(f, "%-28s %12s %12s  of the flows of three packets or more; of A's halves, B's in %s\n", "memorised",
		share_text(r->memorised_halves, a, sizeof a), share_text(r->memorised, b, sizeof b),
		r->reference ? "A or C" : "A");
}

static void
print_paired(FILE *f, const struct report *r)
{
	fprintf(f, "\npaired: %" PRIu64 " packets, %" PRIu64 " with a difference\n", r->paired_packets,
		r->paired_different);
	for (int i = 0; i < ACTION_COUNT; i++)
		if (r->paired[i])
			fprintf(f, "%-28s %12" PRIu64 "\n", action_fields[i].name, r->paired[i]);
}

void
report_people(FILE *f, const struct report *r)
{
	fprintf(f, "%-28s %12s %12s  metrics_version %d; tc-metrics(7) defines them\n", "metric",
		"B from A", "floor", METRICS_VERSION);
	for (int i = 0; i < metrics_count; i++)
		print_metric(f, i, &r->results[i]);
	print_legality(f, r);
	print_conversations(f, r);
	if (r->paired)
		print_paired(f, r);
	fputc('\n', f);
	print_trace(f, 'A', r->a, r->ma);
	print_trace(f, 'B', r->b, r->mb);
	verdict_print(f, r, r->colour);
}

void
report_tsv(FILE *f, const struct report *r)
{
	fprintf(f, "metric\tvalue\tfloor\ttolerance\tunit\tmetrics_version=%d\tgroup\twords\n", METRICS_VERSION);
	for (int i = 0; i < metrics_count; i++) {
		const struct result *x = &r->results[i];
		struct words w;
		words_of(i, r->ma, r->mb, &w);
		fprintf(f, "%s\t%.17g\t", metrics[i].name, x->value);
		if (isnan(x->floor))
			fputs("n/a", f);
		else
			fprintf(f, "%.17g", x->floor);
		fprintf(f, "\t%.17g\t%s\t%s\t%s\t%s\n", x->tolerance, metrics[i].unit, metrics[i].what,
			group_names[metrics[i].group], w.text);
	}
	for (int i = 0; r->paired && i < ACTION_COUNT; i++)
		fprintf(f, "paired.%s\t%" PRIu64 "\tn/a\tn/a\tpackets\tof %" PRIu64 "\n",
			action_fields[i].name, r->paired[i], r->paired_packets);
}

void
report_transitions(FILE *f, const struct report *r)
{
	fputs("\nfrom\tto\tA\tB\tshare of row in A\tin B\n", f);
	for (int i = 0; i < MARKED; i++) {
		uint64_t row_a = 0, row_b = 0;
		for (int k = 0; k < MARKED; k++) {
			row_a += r->ma->total.bigram[i][k];
			row_b += r->mb->total.bigram[i][k];
		}
		for (int k = 0; k < MARKED; k++) {
			uint64_t a = r->ma->total.bigram[i][k], b = r->mb->total.bigram[i][k];
			if (!a && !b)
				continue;
			fprintf(f, "%c %s\t%c %s\t%" PRIu64 "\t%" PRIu64 "\t%.6f\t%.6f\n",
				i < EVENTS ? '>' : '<', event_names[i % EVENTS],
				k < EVENTS ? '>' : '<', event_names[k % EVENTS], a, b,
				row_a ? (double)a / row_a : 0, row_b ? (double)b / row_b : 0);
		}
	}
}

void
report_flow_names(FILE *f)
{
	fputs("trace\tstart\tduration\tproto\torig_h\torig_p\tresp_h\tresp_p\torig_pkts\tresp_pkts\t"
	      "orig_bytes\tresp_bytes\tconn_state\thistory\n",
	      f);
}

void
report_flow(FILE *f, const char *trace, const struct live *l)
{
	char text[2][64] = {"-", "-"};

	/* Zeek's originator, where it says another than the flow table. */
	int o = l->is_conn ? l->conn.orig : 0;
	uint64_t first = l->first < 0 ? -(uint64_t)l->first : (uint64_t)l->first;

	for (int d = 0; d < 2; d++)
		if (l->address[d].version)
			address_text(&l->address[d], text[d], sizeof text[d]);
	fprintf(f,
		"%s\t%s%" PRIu64 ".%09" PRIu64 "\t%.9f\t%" PRIu32 "\t%s\t%d\t%s\t%d\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		"\t%" PRIu64 "\t%s\t%s\n",
		trace, l->first < 0 ? "-" : "", first / NANO, first % NANO, (l->last - l->first) / 1e9, l->proto, text[o],
		l->port[o], text[!o], l->port[!o], l->side_packets[o], l->side_packets[!o],
		l->side_octets[o], l->side_octets[!o], l->is_conn ? conn_state_names[conn_state(&l->conn)] : "-",
		l->is_conn ? l->conn.history : "-");
}
