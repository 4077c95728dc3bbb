#include "metrics.h"

#include "generated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* tc-metrics(7), VERDICT, says why. */
#define DRIFT_SHARE 0.03
#define DRIFT_TIMES 6

/* --- formulas --- */

/* |B - A| over A, in per cent; 100 for something against nothing. */
static double
relative(double a, double b)
{
	return a == b ? 0 : a == 0 ? 100 : 100 * fabs(b - a) / fabs(a);
}

static double
rate(uint64_t n, uint64_t of)
{
	return of ? (double)n / of : 0;
}

/* W1 over A's mean, in per cent. */
static double
w1_over_mean(const struct histogram *a, const struct histogram *b)
{
	double w1 = histogram_w1(a, b), mean = histogram_mean(a);

	return w1 == 0 ? 0 : mean == 0 ? 100 : 100 * w1 / mean;
}

#define OF_PARTS(name, formula)                                                                    \
	static double name(const struct part *a, const struct part *b)                             \
	{                                                                                          \
		return formula;                                                                    \
	}
#define OF_TRACES(name, formula)                                                                   \
	static double name(const struct measure *a, const struct measure *b)                       \
	{                                                                                          \
		return formula;                                                                    \
	}

/* Two whole blocks of packets and two flows are the least that can be compared. */
static bool
has_halves(const struct measure *a)
{
	return a->variation.half[1].packets >= MEASURE_BLOCK && a->variation.half[0].flows && a->variation.half[1].flows;
}

#define OF_HALVES(name, formula)                                                                   \
	static double name(const struct measure *a)                                                \
	{                                                                                          \
		return formula;                                                                    \
	}

static double
worst_row(const struct part *a, const struct part *b)
{
	double worst = 0;

	for (int i = 0; i < MARKED; i++)
		worst = fmax(worst, counts_tv(a->bigram[i], b->bigram[i], MARKED));
	return worst;
}

/* Row by row, in A's weights; a row that only B has weighs nothing. */
static double
row_tv(const struct part *a, const struct part *b)
{
	double sum = 0;
	uint64_t all = 0;

	for (int i = 0; i < MARKED; i++) {
		uint64_t row = 0;
		for (int k = 0; k < MARKED; k++)
			row += a->bigram[i][k];
		all += row;
		if (row)
			sum += row * counts_tv(a->bigram[i], b->bigram[i], MARKED);
	}
	/* Where A has none at all, any that B has is all that can be different. */
	return all ? sum / all : worst_row(a, b);
}

static double
switch_rate(const struct part *p)
{
	return rate(p->switches, p->pairs);
}

/* Switches over those that packets drawn at random from the same flows would make, 1 - sum p². */
double
measure_mixing(const struct measure *m)
{
	double n = m->total.packets, random = n ? 1 - m->flow_squares / (n * n) : 0;

	return random > 0 ? switch_rate(&m->total) / random : 0;
}

/* Shares of the hosts in order of rank: half the sum of their differences. */
static double
rank_distance(const struct histogram *a, const struct histogram *b)
{
	struct ranks r = ranks_begin(a, b);
	double sum = 0;

	if (!a->n || !b->n)
		return a->n != b->n;
	while (ranks_next(&r))
		if (r.share[0] != r.share[1])
			sum += r.n * fabs(r.share[0] - r.share[1]);
	return sum / 2;
}

OF_PARTS(packets, relative(a->packets, b->packets))
OF_PARTS(octets, relative(a->octets, b->octets))
OF_PARTS(flows, relative(a->flows, b->flows))
OF_PARTS(protocol, tally_tv(&a->protocol, &b->protocol))
OF_PARTS(port, tally_tv(&a->port, &b->port))
OF_PARTS(size, histogram_tv(&a->size, &b->size))
OF_PARTS(flow_size, histogram_tv(&a->flow_packets, &b->flow_packets))
OF_PARTS(iat, w1_over_mean(&a->iat, &b->iat))
OF_PARTS(iat_ks, histogram_ks(&a->iat, &b->iat))
OF_PARTS(duration, w1_over_mean(&a->duration, &b->duration))
OF_PARTS(duration_ks, histogram_ks(&a->duration, &b->duration))
OF_PARTS(tcp_event, 200 * counts_tv(a->event, b->event, EVENTS))
OF_PARTS(conn_state_tv, counts_tv(a->state, b->state, CONN_STATES))
OF_PARTS(history, tally_tv(&a->history, &b->history))
OF_PARTS(rtt_syn, w1_over_mean(&a->syn_rtt, &b->syn_rtt))
OF_PARTS(rtt_ack, w1_over_mean(&a->ack_rtt, &b->ack_rtt))
OF_PARTS(switches, fabs(switch_rate(a) - switch_rate(b)))
OF_PARTS(run_mean, relative(histogram_mean(&a->run), histogram_mean(&b->run)))
OF_PARTS(run_tv, histogram_tv(&a->run, &b->run))
OF_TRACES(mixing_difference, fabs(measure_mixing(a) - measure_mixing(b)))
OF_TRACES(active, 100 * curve_distance(&a->curve, &b->curve))
OF_TRACES(sources, rank_distance(&a->hosts[0], &b->hosts[0]))
OF_TRACES(destinations, rank_distance(&a->hosts[1], &b->hosts[1]))
OF_PARTS(jsd_protocol, tally_jsd(&a->protocol, &b->protocol))
OF_TRACES(jsd_source_port, counts_jsd(a->ports[0].total, b->ports[0].total, PORTS))
OF_TRACES(jsd_destination_port, counts_jsd(a->ports[1].total, b->ports[1].total, PORTS))
OF_HALVES(jsd_source_port_halves, has_halves(a) ? counts_jsd(a->ports[0].half[0], a->ports[0].half[1], PORTS) : NAN)
OF_HALVES(jsd_destination_port_halves, has_halves(a) ? counts_jsd(a->ports[1].half[0], a->ports[1].half[1], PORTS) : NAN)
OF_TRACES(jsd_source, ranks_jsd(&a->hosts[0], &b->hosts[0]))
OF_TRACES(jsd_destination, ranks_jsd(&a->hosts[1], &b->hosts[1]))
OF_PARTS(emd_size, histogram_emd(&a->size, &b->size))
OF_PARTS(emd_iat, histogram_emd(&a->iat, &b->iat))
OF_PARTS(emd_packets, histogram_emd(&a->flow_packets, &b->flow_packets))
OF_PARTS(emd_octets, histogram_emd(&a->flow_octets, &b->flow_octets))
OF_PARTS(emd_duration, histogram_emd(&a->duration, &b->duration))

#define ANOMALY(name, which)                                                                       \
	OF_PARTS(name, 100 * fabs(rate(a->anomaly[which], a->tcp_packets) -                        \
				  rate(b->anomaly[which], b->tcp_packets)))
ANOMALY(retransmission, ANOMALY_RETRANSMISSION)
ANOMALY(fast, ANOMALY_FAST)
ANOMALY(out_of_order, ANOMALY_OUT_OF_ORDER)
ANOMALY(duplicate_ack, ANOMALY_DUPLICATE_ACK)
ANOMALY(zero_window, ANOMALY_ZERO_WINDOW)
ANOMALY(keep_alive, ANOMALY_KEEP_ALIVE)
ANOMALY(lost_segment, ANOMALY_LOST)

#define BURST(name, scale)                                                                         \
	OF_TRACES(name, relative(dispersion_index(&a->dispersion[scale]),                          \
				 dispersion_index(&b->dispersion[scale])))
BURST(burst_1ms, 0)
BURST(burst_10ms, 1)
BURST(burst_100ms, 2)
BURST(burst_1s, 3)
BURST(burst_10s, 4)
BURST(burst_100s, 5)

const char *const group_names[GROUPS] = {"connection", "time", "interleaving", "mix", "volume", "endpoints",
					   "generated"};

/* Joint and sequential ones first: a synthetic trace can tie with a real one on the others. */
const struct metric metrics[] = {
    {"transition.tv", GROUP_CONNECTION, "TV", "TCP event bigrams along a flow, rows in A's weights", row_tv, NULL},
    {"transition.worst", GROUP_CONNECTION, "TV", "the worst row of them", worst_row, NULL},
    {"tcp.event", GROUP_CONNECTION, "pp", "RST SYN-ACK SYN FIN DATA ACK other, L1", tcp_event, NULL},
    {"conn.state", GROUP_CONNECTION, "TV", "Zeek's conn_state", conn_state_tv, NULL},
    {"conn.history", GROUP_CONNECTION, "TV", "Zeek's history", history, NULL},
    {"interleave.switch", GROUP_INTERLEAVING, "rate", "packets of another flow than the one before", switches, NULL},
    {"interleave.mixing", GROUP_INTERLEAVING, "rate", "the same over 1 - sum of squared flow shares", NULL,
     mixing_difference},
    {"interleave.run_mean", GROUP_INTERLEAVING, "%", "mean run of one flow", run_mean, NULL},
    {"interleave.run", GROUP_INTERLEAVING, "TV", "runs of one flow", run_tv, NULL},
    {"interleave.active", GROUP_INTERLEAVING, "%", "curve of active flows, area between", NULL, active},
    {"time.iat", GROUP_TIME, "%", "inter-arrival time, W1 over A's mean", iat, NULL},
    {"time.iat_ks", GROUP_TIME, "KS", "inter-arrival time", iat_ks, NULL},
    {"time.duration", GROUP_TIME, "%", "flow duration, W1 over A's mean", duration, NULL},
    {"time.duration_ks", GROUP_TIME, "KS", "flow duration", duration_ks, NULL},
    {"rtt.syn", GROUP_TIME, "%", "SYN to SYN-ACK, W1 over A's mean", rtt_syn, NULL},
    {"rtt.ack", GROUP_TIME, "%", "data to ack, W1 over A's mean", rtt_ack, NULL},
    {"anomaly.retransmission", GROUP_CONNECTION, "pp", "of TCP packets", retransmission, NULL},
    {"anomaly.fast_retransmission", GROUP_CONNECTION, "pp", "of TCP packets", fast, NULL},
    {"anomaly.out_of_order", GROUP_CONNECTION, "pp", "of TCP packets", out_of_order, NULL},
    {"anomaly.duplicate_ack", GROUP_CONNECTION, "pp", "of TCP packets", duplicate_ack, NULL},
    {"anomaly.zero_window", GROUP_CONNECTION, "pp", "of TCP packets", zero_window, NULL},
    {"anomaly.keep_alive", GROUP_CONNECTION, "pp", "of TCP packets", keep_alive, NULL},
    {"anomaly.lost_segment", GROUP_CONNECTION, "pp", "of TCP packets", lost_segment, NULL},
    {"burst.1ms", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_1ms},
    {"burst.10ms", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_10ms},
    {"burst.100ms", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_100ms},
    {"burst.1s", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_1s},
    {"burst.10s", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_10s},
    {"burst.100s", GROUP_TIME, "%", "index of dispersion for counts", NULL, burst_100s},
    {"mix.protocol", GROUP_MIX, "TV", "IP protocol, ethertype", protocol, NULL},
    {"mix.port", GROUP_MIX, "TV", "responder's port of TCP and UDP flows", port, NULL},
    {"mix.size", GROUP_MIX, "TV", "packet size", size, NULL},
    {"mix.flow_size", GROUP_MIX, "TV", "packets of a flow", flow_size, NULL},
    {"endpoint.sources", GROUP_ENDPOINTS, "TV", "packets by rank of the source host", NULL, sources},
    {"endpoint.destinations", GROUP_ENDPOINTS, "TV", "packets by rank of the destination host", NULL, destinations},
    {"volume.packets", GROUP_VOLUME, "%", "packets", packets, NULL},
    {"volume.octets", GROUP_VOLUME, "%", "octets on the wire", octets, NULL},
    {"volume.flows", GROUP_VOLUME, "%", "flows", flows, NULL},
    {"c2st", GROUP_GENERATED, "pp", "flows that a classifier tells from A's, over 50 %", NULL, generated_c2st, generated_c2st_halves},
    {"netshare.jsd_protocol", GROUP_GENERATED, "nats", "IP protocol, ethertype", jsd_protocol, NULL},
    {"netshare.jsd_source_port", GROUP_GENERATED, "nats", "source port of TCP and UDP packets", NULL, jsd_source_port,
     jsd_source_port_halves},
    {"netshare.jsd_destination_port", GROUP_GENERATED, "nats", "their destination port", NULL, jsd_destination_port,
     jsd_destination_port_halves},
    {"netshare.jsd_source", GROUP_GENERATED, "nats", "packets by rank of the source host", NULL, jsd_source},
    {"netshare.jsd_destination", GROUP_GENERATED, "nats", "packets by rank of the destination host", NULL, jsd_destination},
    {"netshare.emd_size", GROUP_GENERATED, "EMD", "packet size", emd_size, NULL},
    {"netshare.emd_iat", GROUP_GENERATED, "EMD", "inter-arrival time", emd_iat, NULL},
    {"netshare.emd_packets", GROUP_GENERATED, "EMD", "packets of a flow", emd_packets, NULL},
    {"netshare.emd_octets", GROUP_GENERATED, "EMD", "octets of a flow on the wire", emd_octets, NULL},
    {"netshare.emd_duration", GROUP_GENERATED, "EMD", "flow duration", emd_duration, NULL},
};
const int metrics_count = sizeof metrics / sizeof *metrics;

int
metrics_find(const char *name)
{
	for (int i = 0; i < metrics_count; i++)
		if (!strcmp(name, metrics[i].name))
			return i;
	return -1;
}

int
metrics_group(const char *name)
{
	for (int g = 0; g < GROUPS; g++)
		if (!strcmp(name, group_names[g]))
			return g;
	return -1;
}

double
result_times(const struct result *r)
{
	return !r->judged || isnan(r->own) ? NAN : r->value == 0 ? 0 : r->own == 0 ? INFINITY : r->value / r->own;
}

bool
result_stands_out(const struct result *r)
{
	return r->judged && r->value > (isnan(r->own) ? r->least : r->own);
}

/* Two real traces of one kind are farther apart than this in nearly everything. */
static double
least_of(const char *unit)
{
	return !strcmp(unit, "%") ? 2 : !strcmp(unit, "pp") ? 1 : !strcmp(unit, "rate") ? 0.01 : 0.02;
}

static double
farthest_stretch(const struct metric *m, const struct measure *a)
{
	double farthest = 0;

	for (unsigned i = 0; i < a->variation.stretches; i++)
		farthest = fmax(farthest, m->of_parts(&a->total, &a->variation.stretch[i][0]));
	return farthest;
}

void
metrics_compute(const struct measure *a, const struct measure *b, struct result *results)
{
	bool halves = has_halves(a), stretches = a->variation.stretches >= STRETCHES / 2;

	for (int i = 0; i < metrics_count; i++) {
		const struct metric *m = &metrics[i];
		struct result *r = &results[i];
		bool by_parts = m->of_parts && m->group != GROUP_VOLUME;
		r->value = m->of_parts ? m->of_parts(&a->total, &b->total) : m->of_traces(a, b);
		r->least = least_of(m->unit);
		r->floor = by_parts && halves ? m->of_parts(&a->variation.half[0], &a->variation.half[1])
			   : m->of_halves && a->variation.half[0].flows && a->variation.half[1].flows ? m->of_halves(a)
										  : NAN;
		r->drift = by_parts && stretches && m->group != GROUP_GENERATED ? farthest_stretch(m, a) : NAN;
	}
}

static int
compare_shares(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* How much of A's drift B shows, at least, in three quarters of the metrics that either shows anything in. */
static double
share_of_drift(const struct result *results)
{
	double share[METRICS_MAX];
	int n = 0;

	for (int i = 0; i < metrics_count; i++) {
		const struct result *r = &results[i];
		if (r->drift > 0)
			share[n++] = r->value / r->drift;
		else if (r->drift == 0 && r->value > 0)
			share[n++] = r->value > r->least ? INFINITY : 0;
	}
	qsort(share, n, sizeof *share, compare_shares);
	return n ? share[n / 4] : 0;
}

/* DRIFT_TIMES a distance; of what is 1 at most, as much as that many distances leave no place for together. */
static double
many_times(const struct metric *m, double distance)
{
	bool bounded = !strcmp(m->unit, "TV") || !strcmp(m->unit, "KS") || !strcmp(m->unit, "rate");

	return bounded ? 1 - pow(1 - fmin(distance, 1), DRIFT_TIMES) : DRIFT_TIMES * distance;
}

bool
metrics_judge(struct result *results)
{
	bool drifted = share_of_drift(results) >= DRIFT_SHARE;

	for (int i = 0; i < metrics_count; i++) {
		struct result *r = &results[i];
		r->judged = !drifted || !isnan(r->drift) || metrics[i].group == GROUP_VOLUME || metrics[i].group == GROUP_GENERATED;
		r->own = drifted && !isnan(r->drift) ? many_times(&metrics[i], fmax(r->drift, fmax(r->floor, r->least))) : r->floor;
	}
	return drifted;
}
