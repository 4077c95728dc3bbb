#include "define.h"

#include <stddef.h>
#include <string.h>

struct definition {
	const char *name, *text;
};

static const struct definition metrics_defined[] = {
    {"transition.tv", "Which TCP event follows which along a flow, both directions together: how far each row of the matrix is "
		      "from A's, on average, rows weighed by how often A has them."},
    {"transition.worst", "The row of that matrix that differs most. A row that only one trace has counts as 1."},
    {"tcp.event", "Shares of TCP packets by their first flag that applies: RST, SYN-ACK, SYN, FIN, then data, plain "
		  "acknowledgement, other. The sum of the seven differences."},
    {"conn.state", "How connections end, in Zeek's thirteen states: established and closed, refused, reset, unanswered, ..."},
    {"conn.history", "What happened in each connection and in which order, as Zeek's history writes it: a letter for an event, "
		     "a capital for the originator's."},
    {"anomaly.retransmission", "Packets that send again what was sent before, as Wireshark tells them; share of TCP packets."},
    {"anomaly.fast_retransmission", "Those sent again at once after two or more duplicate acknowledgements."},
    {"anomaly.out_of_order", "Packets that come shortly after one that should have followed them."},
    {"anomaly.duplicate_ack", "Acknowledgements that repeat the one before, since something is missing."},
    {"anomaly.zero_window", "Packets that tell the other end to stop sending."},
    {"anomaly.keep_alive", "Packets that only ask whether the other end is still there."},
    {"anomaly.lost_segment", "Packets before which something is missing in the capture."},
    {"interleave.switch", "Share of packets that belong to another flow than the packet before."},
    {"interleave.mixing", "The same, over what it would be were the packets shuffled: 1 is mixed at random, less is in bursts."},
    {"interleave.run_mean", "How many packets of one flow follow one another, on average."},
    {"interleave.run", "The distribution of these runs by their lengths."},
    {"interleave.active", "How many flows are active at each time: the area between the curves over the area under A's."},
    {"time.iat", "Time from packet to packet: how far a value would have to be moved, on average, over A's mean."},
    {"time.iat_ks", "The same: the largest gap between the two cumulative curves."},
    {"time.duration", "Time from the first to the last packet of a flow: how far to be moved, on average, over A's mean."},
    {"time.duration_ks", "The same: the largest gap between the two cumulative curves."},
    {"rtt.syn", "Time from a flow's first SYN to its SYN-ACK."},
    {"rtt.ack", "Time from a segment to the packet that acknowledges just it, as Wireshark measures it."},
    {"burst.1ms", "How unevenly packets come: variance over mean of the number of packets in windows of 1 ms. 1 is a Poisson process."},
    {"burst.10ms", "The same in windows of 10 ms."},
    {"burst.100ms", "The same in windows of 100 ms."},
    {"burst.1s", "The same in windows of 1 s."},
    {"burst.10s", "The same in windows of 10 s."},
    {"burst.100s", "The same in windows of 100 s."},
    {"mix.protocol", "Packets by IP protocol, or by ethertype where there is no IP."},
    {"mix.port", "TCP and UDP connections by the port of the responder."},
    {"mix.size", "Packets by their length on the wire."},
    {"mix.flow_size", "Flows by their number of packets."},
    {"endpoint.sources", "How packets are spread over source hosts, the busiest first, whoever they are."},
    {"endpoint.destinations", "The same by destination host."},
    {"volume.packets", "Number of packets."},
    {"volume.octets", "Octets on the wire, link headers included."},
    {"volume.flows", "Number of flows of any kind."},
    {"c2st", "A classifier learns flows of both traces, and is asked about others: how many more than half it tells right. 0: it "
	     "can't tell B from A, 50: always."},
    {"netshare.jsd_protocol", "Packets by protocol, as papers after NetShare measure it: Jensen-Shannon divergence."},
    {"netshare.jsd_source_port", "The same of TCP and UDP packets by source port."},
    {"netshare.jsd_destination_port", "The same by destination port."},
    {"netshare.jsd_source", "The same of packets by the rank of the source host."},
    {"netshare.jsd_destination", "The same by that of the destination host."},
    {"netshare.emd_size", "Packet sizes, as those papers measure them: how far to be moved, on average, over the range of A's."},
    {"netshare.emd_iat", "The same of inter-arrival times."},
    {"netshare.emd_packets", "The same of flows by their packets."},
    {"netshare.emd_octets", "The same of flows by their octets."},
    {"netshare.emd_duration", "The same of flows by their duration."},
};

static const struct definition units_defined[] = {
    {"TV", "total variation, 0 to 1: the share that would have to be moved to make B's distribution A's"},
    {"KS", "Kolmogorov-Smirnov, 0 to 1: the largest gap between the cumulative distributions"},
    {"%", "difference over A's value; of a distribution, how far a value would have to be moved on average, over A's mean"},
    {"pp", "percentage points: difference of two shares in per cent"},
    {"rate", "difference of two rates, which have no unit"},
    {"nats", "Jensen-Shannon divergence by the natural logarithm, 0 to ln 2 (0.693)"},
    {"EMD", "earth mover's distance: how far values would have to be moved, on average, over the range of A's"},
};

static const char *
find(const struct definition *d, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(d[i].name, name))
			return d[i].text;
	return NULL;
}

const char *
define_metric(const char *name)
{
	return find(metrics_defined, sizeof metrics_defined / sizeof *metrics_defined, name);
}

const char *
define_unit(const char *unit)
{
	return find(units_defined, sizeof units_defined / sizeof *units_defined, unit);
}
