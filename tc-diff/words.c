#include "words.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct pair {
	const struct measure *a, *b;
};

static void
say(struct words *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->text, sizeof w->text, format, ap);
	va_end(ap);
}

/* --- numbers as people write them --- */

#define TEXT 32

/* Three digits, or whole where it has more. */
static const char *
number_text(double v, char *text)
{
	int digits = v == 0 || !isfinite(v) ? 0 : (int)floor(log10(fabs(v)));

	snprintf(text, TEXT, "%.*f", digits >= 2 ? 0 : digits < -3 ? 5 : 2 - digits, v);
	if (strchr(text, '.'))
		while (strchr("0.", text[strlen(text) - 1])) {
			bool point = text[strlen(text) - 1] == '.';
			text[strlen(text) - 1] = '\0';
			if (point)
				break;
		}
	return text;
}

static const char *
per_cent_text(double share, char *text)
{
	number_text(100 * share, text);
	snprintf(text + strlen(text), TEXT - strlen(text), " %%");
	return text;
}

static const char *
time_text(double ns, char *text)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = {{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}, {60e9, "min"}, {3600e9, "h"}};
	int i = 0;

	while (i < 5 && ns >= units[i + 1].ns)
		i++;
	number_text(ns / units[i].ns, text);
	snprintf(text + strlen(text), TEXT - strlen(text), " %s", units[i].unit);
	return text;
}

/* --- forms of a line --- */

static void
shares(struct words *w, const char *what, double a, double b)
{
	char ta[TEXT], tb[TEXT];

	w->a = 100 * a;
	w->b = 100 * b;
	w->unit = "%";
	say(w, "%s: %s in A, %s in B", what, per_cent_text(a, ta), per_cent_text(b, tb));
}

static void
values(struct words *w, const char *what, double a, double b, const char *unit)
{
	char ta[TEXT], tb[TEXT];

	w->a = a;
	w->b = b;
	w->unit = unit;
	say(w, "%s: %s in A, %s in B", what, number_text(a, ta), number_text(b, tb));
}

/* How b compares with a: "82 % slower", "3.1 times slower". */
static void
comparison(struct words *w, const char *what, double a, double b, const char *more, const char *less, const char *behind)
{
	char t[TEXT];
	double ratio = b / a, times = ratio > 1 ? ratio : 1 / ratio;
	const char *which = b > a ? more : less;

	if (times >= 2 && isfinite(times))
		say(w, "%s: %s times %s in B%s", what, number_text(times, t), strcmp(which, "more") ? which : "as many", behind);
	else
		say(w, "%s: %s %s in B%s", what, per_cent_text(fabs(ratio - 1), t), which, behind);
}

static void
amounts(struct words *w, const char *what, double a, double b)
{
	char ta[TEXT], tb[TEXT], behind[3 * TEXT];

	w->a = a;
	w->b = b;
	w->unit = what;
	snprintf(behind, sizeof behind, " (%s to %s)", number_text(a, ta), number_text(b, tb));
	if (a == 0 || b == 0 || a == b)
		say(w, "%s: %s in A, %s in B", what, ta, tb);
	else
		comparison(w, what, a, b, "more", "fewer", behind);
}

/* Where two distributions are farthest apart: the share of either up to there. */
static void
farthest(struct words *w, const char *what, const char *unit, const struct histogram *a, const struct histogram *b)
{
	uint64_t na = 0, nb = 0;
	double most = -1, share_a = 0, share_b = 0;
	unsigned at = 0;
	char t[TEXT], ta[TEXT], tb[TEXT];

	for (unsigned i = 0; i < HISTOGRAM_BINS; i++) {
		na += a->bin[i];
		nb += b->bin[i];
		double sa = (double)na / a->n, sb = (double)nb / b->n;
		if (fabs(sa - sb) > most) {
			most = fabs(sa - sb);
			share_a = sa;
			share_b = sb;
			at = i;
		}
	}
	w->a = 100 * share_a;
	w->b = 100 * share_b;
	w->unit = "%";
	if (unit) {
		number_text(histogram_edge(at), t);
		int singular = !strcmp(t, "1"); /* "1 packet" */
		snprintf(t + strlen(t), TEXT - strlen(t), " %.*s", (int)strlen(unit) - singular, unit);
	} else {
		time_text(histogram_edge(at), t);
	}
	say(w, "%s up to %s: %s in A, %s in B", what, t, per_cent_text(share_a, ta), per_cent_text(share_b, tb));
}

/* Whether one of two has nothing to compare, which is then said. */
static bool
one_is_empty(struct words *w, const char *what, uint64_t a, uint64_t b)
{
	if (a && b)
		return false;
	w->a = a;
	w->b = b;
	w->unit = "";
	if (!a && !b)
		say(w, "%s: none in either", what);
	else
		say(w, "%s: %" PRIu64 " in A, %" PRIu64 " in B", what, a, b);
	return true;
}

/* By the means, and by shares where the means hardly differ for how far the distributions are apart. */
static void
times(struct words *w, const char *what, const char *plural, const struct histogram *a, const struct histogram *b,
      const char *more, const char *less)
{
	char ta[TEXT], tb[TEXT], behind[3 * TEXT];

	if (one_is_empty(w, plural, a->n, b->n))
		return;
	double ma = histogram_mean(a), mb = histogram_mean(b);
	if (fabs(ma - mb) < histogram_w1(a, b) / 2 || ma == 0 || mb == 0) {
		farthest(w, plural, NULL, a, b);
		return;
	}
	w->a = ma;
	w->b = mb;
	w->unit = "ns";
	snprintf(behind, sizeof behind, " (%s to %s)", time_text(ma, ta), time_text(mb, tb));
	comparison(w, what, ma, mb, more, less, behind);
}

/* The class whose share differs most. */
static void
classes(struct words *w, const char *format, const uint64_t *a, const uint64_t *b, const char *const *names, int n)
{
	uint64_t na = 0, nb = 0;
	int best = 0;
	double most = -1;
	char what[64];

	for (int i = 0; i < n; i++) {
		na += a[i];
		nb += b[i];
	}
	for (int i = 0; i < n; i++) {
		double d = fabs((na ? (double)a[i] / na : 0) - (nb ? (double)b[i] / nb : 0));
		if (d > most) {
			most = d;
			best = i;
		}
	}
	snprintf(what, sizeof what, format, names[best]);
	shares(w, what, na ? (double)a[best] / na : 0, nb ? (double)b[best] / nb : 0);
}

/* --- what hangs on keys --- */

static void
protocol_name(uint64_t proto, char *text, size_t n)
{
	static const struct {
		uint32_t proto;
		const char *name;
	} known[] = {{PROTO_ICMP, "ICMP"}, {2, "IGMP"}, {PROTO_TCP, "TCP"}, {PROTO_UDP, "UDP"}, {47, "GRE"}, {50, "ESP"},
		     {PROTO_ICMP6, "ICMPv6"}, {89, "OSPF"}, {PROTO_SCTP, "SCTP"}, {ETHERTYPE_ARP, "ARP"},
		     {PROTO_RUNT, "cut link headers"}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].proto == proto) {
			snprintf(text, n, "%s", known[i].name);
			return;
		}
	if (proto > PROTO_FRAME)
		snprintf(text, n, "ethertype 0x%04x", (unsigned)(proto - PROTO_FRAME));
	else
		snprintf(text, n, proto > PROTO_IP_MAX ? "ethertype 0x%04x" : "IP protocol %u", (unsigned)proto);
}

/* The key whose share differs most, and both shares. */
static uint64_t
farthest_key(const struct tally *a, const struct tally *b, double *share_a, double *share_b)
{
	const struct tally *both[2] = {a, b};
	uint64_t best = 0;
	double most = -1;

	*share_a = *share_b = 0;
	for (int t = 0; t < 2; t++)
		for (unsigned i = 0; i < both[t]->width; i++) {
			if (!both[t]->entry[i].n)
				continue;
			uint64_t key = both[t]->entry[i].key;
			double sa = a->n ? (double)tally_get(a, key) / a->n : 0, sb = b->n ? (double)tally_get(b, key) / b->n : 0;
			/* Of several that differ as much the least, wherever they stand. */
			if (fabs(sa - sb) > most || (fabs(sa - sb) == most && key < best)) {
				most = fabs(sa - sb);
				best = key;
				*share_a = sa;
				*share_b = sb;
			}
		}
	return best;
}

static void
say_protocol(struct pair p, struct words *w)
{
	double a, b;
	char name[32], what[64];

	protocol_name(farthest_key(&p.a->total.protocol, &p.b->total.protocol, &a, &b), name, sizeof name);
	snprintf(what, sizeof what, "%s packets", name);
	shares(w, what, a, b);
}

static void
say_port(struct pair p, struct words *w)
{
	double a, b;
	uint64_t key;
	char what[64];

	if (one_is_empty(w, "flows of TCP and UDP", p.a->total.port.n, p.b->total.port.n))
		return;
	key = farthest_key(&p.a->total.port, &p.b->total.port, &a, &b);
	snprintf(what, sizeof what, "flows to %s port %u", key >> 16 == PROTO_TCP ? "TCP" : "UDP", (unsigned)(key & 0xffff));
	shares(w, what, a, b);
}

static void
say_history(struct pair p, struct words *w)
{
	const struct tally *a = &p.a->total.history, *b = &p.b->total.history;
	uint64_t new = 0;
	char tb[TEXT];

	for (unsigned i = 0; i < b->width; i++)
		if (b->entry[i].n && !tally_get(a, b->entry[i].key))
			new += b->entry[i].n;
	if (new) {
		w->a = 0;
		w->b = 100.0 * new / b->n;
		w->unit = "%";
		say(w, "connections with a history that A doesn't have: %s in B", per_cent_text((double)new / b->n, tb));
		return;
	}
	double share_a, share_b;
	farthest_key(a, b, &share_a, &share_b);
	shares(w, "the history whose share changed most", share_a, share_b);
}

/* --- one function a metric, or a family --- */

static void
say_state(struct pair p, struct words *w)
{
	classes(w, "connections in state %s", p.a->total.state, p.b->total.state, conn_state_names, CONN_STATES);
}

static void
say_event(struct pair p, struct words *w)
{
	classes(w, "%s among TCP packets", p.a->total.event, p.b->total.event, event_names, EVENTS);
}

static uint64_t
row_sum(const uint64_t *row)
{
	uint64_t sum = 0;

	for (int k = 0; k < MARKED; k++)
		sum += row[k];
	return sum;
}

/* The transition whose share of its row differs most: weighted by A's occupancy of the row, or not. */
static void
say_transition(struct pair p, struct words *w, bool weighted)
{
	double most = -1, share_a = 0, share_b = 0;
	int from = 0, to = 0;
	char what[96];

	for (int i = 0; i < MARKED; i++) {
		uint64_t na = row_sum(p.a->total.bigram[i]), nb = row_sum(p.b->total.bigram[i]);
		for (int k = 0; k < MARKED; k++) {
			double sa = na ? (double)p.a->total.bigram[i][k] / na : 0, sb = nb ? (double)p.b->total.bigram[i][k] / nb : 0;
			double d = fabs(sa - sb) * (weighted ? (double)na : 1);
			if (d > most) {
				most = d;
				from = i;
				to = k;
				share_a = sa;
				share_b = sb;
			}
		}
	}
	snprintf(what, sizeof what, "%s %s after %s %s", to < EVENTS ? "initiator's" : "responder's", event_names[to % EVENTS],
		 from < EVENTS ? "initiator's" : "responder's", event_names[from % EVENTS]);
	shares(w, what, share_a, share_b);
}

static void
say_transition_tv(struct pair p, struct words *w)
{
	say_transition(p, w, true);
}

static void
say_transition_worst(struct pair p, struct words *w)
{
	say_transition(p, w, false);
}

static double
fraction(uint64_t n, uint64_t of)
{
	return of ? (double)n / of : 0;
}

static void
say_switch(struct pair p, struct words *w)
{
	shares(w, "packets of another flow than the one before", fraction(p.a->total.switches, p.a->total.pairs),
	       fraction(p.b->total.switches, p.b->total.pairs));
}

static void
say_mixing(struct pair p, struct words *w)
{
	values(w, "changes of flow for those by chance", measure_mixing(p.a), measure_mixing(p.b), "");
}

static void
say_run_mean(struct pair p, struct words *w)
{
	values(w, "packets in a run of one flow", histogram_mean(&p.a->total.run), histogram_mean(&p.b->total.run), "packets");
}

static void
say_run(struct pair p, struct words *w)
{
	if (!one_is_empty(w, "runs of one flow", p.a->total.run.n, p.b->total.run.n))
		farthest(w, "runs of one flow", "packets", &p.a->total.run, &p.b->total.run);
}

static void
say_active(struct pair p, struct words *w)
{
	values(w, "flows at once", curve_mean(&p.a->curve), curve_mean(&p.b->curve), "flows");
}

static void
say_iat(struct pair p, struct words *w)
{
	times(w, "time between packets", "times between packets", &p.a->total.iat, &p.b->total.iat, "longer", "shorter");
}

static void
say_iat_ks(struct pair p, struct words *w)
{
	if (!one_is_empty(w, "times between packets", p.a->total.iat.n, p.b->total.iat.n))
		farthest(w, "times between packets", NULL, &p.a->total.iat, &p.b->total.iat);
}

static void
say_duration(struct pair p, struct words *w)
{
	times(w, "duration of a flow", "flows", &p.a->total.duration, &p.b->total.duration, "longer", "shorter");
}

static void
say_duration_ks(struct pair p, struct words *w)
{
	if (!one_is_empty(w, "flows", p.a->total.duration.n, p.b->total.duration.n))
		farthest(w, "flows that last", NULL, &p.a->total.duration, &p.b->total.duration);
}

static void
say_rtt_syn(struct pair p, struct words *w)
{
	times(w, "SYN to SYN-ACK", "answers to a SYN", &p.a->total.syn_rtt, &p.b->total.syn_rtt, "slower", "faster");
}

static void
say_rtt_ack(struct pair p, struct words *w)
{
	times(w, "data to acknowledgement", "acknowledgements of data", &p.a->total.ack_rtt, &p.b->total.ack_rtt, "slower",
	      "faster");
}

static void
say_size(struct pair p, struct words *w)
{
	farthest(w, "packets", "octets", &p.a->total.size, &p.b->total.size);
}

static void
say_flow_size(struct pair p, struct words *w)
{
	if (!one_is_empty(w, "flows", p.a->total.flow_packets.n, p.b->total.flow_packets.n))
		farthest(w, "flows of", "packets", &p.a->total.flow_packets, &p.b->total.flow_packets);
}

static void
busiest(struct words *w, const char *what, const struct histogram *a, const struct histogram *b)
{
	shares(w, what, a->sum ? histogram_greatest(a) / a->sum : 0, b->sum ? histogram_greatest(b) / b->sum : 0);
}

static void
say_sources(struct pair p, struct words *w)
{
	busiest(w, "packets from the busiest host", &p.a->hosts[0], &p.b->hosts[0]);
}

static void
say_destinations(struct pair p, struct words *w)
{
	busiest(w, "packets to the busiest host", &p.a->hosts[1], &p.b->hosts[1]);
}

static void
say_packets(struct pair p, struct words *w)
{
	amounts(w, "packets", p.a->total.packets, p.b->total.packets);
}

static void
say_octets(struct pair p, struct words *w)
{
	amounts(w, "octets", p.a->total.octets, p.b->total.octets);
}

static void
say_flows(struct pair p, struct words *w)
{
	amounts(w, "flows", p.a->total.flows, p.b->total.flows);
}

static void
say_anomaly(struct pair p, struct words *w, int i)
{
	static const char *const names[ANOMALIES] = {"retransmissions", "fast retransmissions", "out of order",
						     "duplicate acks",	"zero windows",		"keep-alives",
						     "lost segments"};

	shares(w, names[i], fraction(p.a->total.anomaly[i], p.a->total.tcp_packets),
	       fraction(p.b->total.anomaly[i], p.b->total.tcp_packets));
}

static void
say_burst(struct pair p, struct words *w, int scale)
{
	static const char *const names[SCALES] = {"1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"};
	char what[64];

	snprintf(what, sizeof what, "burstiness at %s (variance over mean)", names[scale]);
	values(w, what, dispersion_index(&p.a->dispersion[scale]), dispersion_index(&p.b->dispersion[scale]), "");
}

/* Names of metrics, and who says them. */
static const struct {
	const char *metric;
	void (*say)(struct pair p, struct words *w);
} sayings[] = {{"transition.tv", say_transition_tv},
	       {"transition.worst", say_transition_worst},
	       {"tcp.event", say_event},
	       {"conn.state", say_state},
	       {"conn.history", say_history},
	       {"interleave.switch", say_switch},
	       {"interleave.mixing", say_mixing},
	       {"interleave.run_mean", say_run_mean},
	       {"interleave.run", say_run},
	       {"interleave.active", say_active},
	       {"time.iat", say_iat},
	       {"time.iat_ks", say_iat_ks},
	       {"time.duration", say_duration},
	       {"time.duration_ks", say_duration_ks},
	       {"rtt.syn", say_rtt_syn},
	       {"rtt.ack", say_rtt_ack},
	       {"mix.protocol", say_protocol},
	       {"mix.port", say_port},
	       {"mix.size", say_size},
	       {"mix.flow_size", say_flow_size},
	       {"endpoint.sources", say_sources},
	       {"endpoint.destinations", say_destinations},
	       {"volume.packets", say_packets},
	       {"volume.octets", say_octets},
	       {"volume.flows", say_flows}};

void
words_of(int metric, const struct measure *a, const struct measure *b, struct words *w)
{
	static const char *const scales[SCALES] = {"burst.1ms", "burst.10ms", "burst.100ms", "burst.1s", "burst.10s", "burst.100s"};
	const char *name = metrics[metric].name;
	struct pair p = {a, b};

	*w = (struct words){.a = NAN, .b = NAN, .unit = metrics[metric].unit};
	for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
		if (!strcmp(sayings[i].metric, name)) {
			sayings[i].say(p, w);
			return;
		}
	for (int i = 0; i < ANOMALIES; i++)
		if (!strncmp(name, "anomaly.", 8) && !strcmp(name + 8, anomaly_names[i]))
			say_anomaly(p, w, i);
	for (int i = 0; i < SCALES; i++)
		if (!strcmp(name, scales[i]))
			say_burst(p, w, i);
	if (!*w->text)
		say(w, "%s", metrics[metric].what);
}
