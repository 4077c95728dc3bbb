#include "measure.h"

#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"
#include "support/hugepages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECOND INT64_C(1000000)
#define LIVE_OCTETS (STREAM_CAP_MAX * sizeof(struct live))

const char *const event_names[EVENTS] = {"RST", "SYN-ACK", "SYN", "FIN", "DATA", "ACK", "other"};
const char *const anomaly_names[ANOMALIES] = {
    "retransmission", "fast_retransmission", "out_of_order", "duplicate_ack",
    "zero_window",    "keep_alive",	     "lost_segment"};
const char *const illegal_names[ILLEGALS] = {"checksum", "length", "ack_of_unseen"};

int
measure_init(struct measure *m, bool varies)
{
	if (varies && variation_init(&m->variation) < 0)
		return -1;
	m->curve.width = MILLISECOND;
	m->live = hugepages_new(LIVE_OCTETS); /* as slots are used */
	m->zeek = calloc(STREAM_CAP_MAX, sizeof *m->zeek);
	for (int i = 0; i < 2; i++)
		m->host_packets[i] = calloc(TRACE_CAP, sizeof **m->host_packets);
	return analysis_pool_init(&m->pool, ANALYSIS_POOL) == 0 && m->live && m->zeek && m->host_packets[0] && m->host_packets[1] &&
		       slots_init(&m->host_slots, sizeof(struct address), TRACE_CAP) == 0
		   ? 0
		   : -1;
}

void
measure_free(struct measure *m)
{
	variation_free(&m->variation);
	part_free(&m->total);
	hugepages_free(m->live, LIVE_OCTETS);
	free(m->zeek);
	free(m->host_packets[0]);
	free(m->host_packets[1]);
	slots_free(&m->host_slots);
	analysis_pool_free(&m->pool);
}

/* --- events --- */

static enum event
event_of(const struct packet *p)
{
	if (p->flags & TCP_RST)
		return EVENT_RST;
	if (p->flags & TCP_SYN)
		return p->flags & TCP_ACK ? EVENT_SYN_ACK : EVENT_SYN;
	if (p->flags & TCP_FIN)
		return EVENT_FIN;
	if (p->rest > transport_length(p))
		return EVENT_DATA;
	return p->flags & TCP_ACK ? EVENT_ACK : EVENT_OTHER;
}

/* --- active flows --- */

static void
curve_double(struct curve *c)
{
	for (int i = 0; i < CURVE_BINS; i++) {
		int64_t opened = c->opened[i], closed = c->closed[i], packets = c->packets[i];
		c->opened[i] = c->closed[i] = c->packets[i] = 0;
		c->opened[i / 2] += opened;
		c->closed[i / 2] += closed;
		c->packets[i / 2] += packets;
	}
	c->width *= 2;
	c->doubled++;
}

static unsigned
curve_bin(struct curve *c, int64_t at)
{
	at = at < 0 ? 0 : at / MILLISECOND;
	while (at >> c->doubled >= CURVE_BINS)
		curve_double(c);
	return at >> c->doubled;
}

/* Area between the two curves over the area under the first, bins of the coarser. */
double
curve_distance(const struct curve *a, const struct curve *b)
{
	struct curve ca = *a, cb = *b;
	double between = 0, under = 0;
	int64_t alive_a = 0, alive_b = 0;

	while (ca.width < cb.width)
		curve_double(&ca);
	while (cb.width < ca.width)
		curve_double(&cb);
	for (int i = 0; i < CURVE_BINS; i++) {
		alive_a += ca.opened[i];
		alive_b += cb.opened[i];
		between += llabs(alive_a - alive_b);
		under += alive_a;
		alive_a -= ca.closed[i];
		alive_b -= cb.closed[i];
	}
	return under ? between / under : between > 0;
}

double
curve_mean(const struct curve *c)
{
	int64_t alive = 0;
	double sum = 0;
	int used = 0;

	for (int i = 0; i < CURVE_BINS; i++) {
		alive += c->opened[i];
		sum += alive;
		if (alive)
			used = i + 1;
		alive -= c->closed[i];
	}
	return used ? sum / used : 0;
}

/* --- burstiness --- */

/* The window of a scale, whose packets are those of the next scale's too. */
static void
dispersion_close(struct dispersion *d, int scale)
{
	if (scale + 1 < SCALES)
		d[scale + 1].count += d[scale].count;
	d[scale].sum += d[scale].count;
	d[scale].squares += (double)d[scale].count * d[scale].count;
	d[scale].count = 0;
}

/* A packet in a window of the finest scale; each of the others has ten of the one below. */
static void
dispersion_count(struct dispersion *d, int64_t window)
{
	for (int i = 0; i < SCALES && window > d[i].window; i++, window /= 10) {
		dispersion_close(d, i);
		d[i].window = window;
	}
	d->count++;
}

double
dispersion_index(const struct dispersion *d)
{
	double n = d->window + 1, mean = d->sum / n;

	return mean > 0 ? (d->squares / n - mean * mean) / mean : 0;
}

/* --- legality --- */

/* Whether a transport checksum is there to be checked and wrong: the datagram must be whole. */
static bool
checksum_wrong(const struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->transport;
	uint64_t sum = 0;

	if (p->src.version == 4 && p->transport <= p->caplen && p->ip_hl >= 5 &&
	    checksum_fold(checksum_add(0, data + p->net, p->ip_hl * 4)) != 0)
		return true;
	if (p->rest < transport_length(p) || p->transport + p->rest > p->caplen || ip_is_fragment(p))
		return false;
	switch (transport_length(p) ? p->proto : 0) {
	case PROTO_UDP:
		if (p->no_checksum || p->udp_len != p->rest)
			return false;
		/* fall through */
	case PROTO_TCP:
	case PROTO_ICMP:
	case PROTO_ICMP6:
		break;
	default:
		return false;
	}
	if (p->proto != PROTO_ICMP)
		sum = checksum_pseudo(p, p->rest);
	return checksum_fold(checksum_add(sum, h, p->rest)) != 0;
}

static bool
length_wrong(const struct packet *p)
{
	if (p->rest < transport_length(p) || ip_end(p) + p->net > p->len)
		return true;
	if (!transport_length(p))
		return p->src.version == 4 && p->ip_hl < 5;
	if (p->proto == PROTO_TCP)
		return p->seen >= 13 && p->tcp_off < 5;
	return p->proto == PROTO_UDP && p->seen >= 6 && !ip_is_fragment(p) && p->udp_len != p->rest;
}

/* --- flows --- */

static void
count_key(struct tally *part, struct tally *whole, uint64_t key)
{
	tally_count(whole, key, 1);
	if (part != whole)
		tally_count(part, key, 1);
}

/* Into the sample of flows. */
static void
sample_flow(struct measure *m, const struct live *l)
{
	struct flow_facts facts = {.number = l->number, .proto = l->proto, .port = l->port, .packets = l->side_packets,
				   .octets = l->side_octets, .duration = l->last - l->first,
				   .state = l->is_conn ? 1 + conn_state(&l->conn) : 0};

	reservoir_count(&m->reservoir, &l->head, &facts);
}

static void
end_flow(struct measure *m, struct live *l)
{
	struct part *part = variation_part(&m->variation, &m->total, l->began, l->number);
	const char *history;
	uint64_t key = 0;

	if (!l->number)
		return;
	part->flows++;
	histogram_count(&part->flow_packets, l->packets);
	histogram_count(&part->flow_octets, l->octets);
	histogram_count(&part->duration, l->last - l->first);
	m->flow_squares += (double)l->packets * l->packets;
	m->curve.closed[curve_bin(&m->curve, l->last - m->start)]++;
	if (l->is_conn) {
		part->state[conn_state(&l->conn)]++;
		for (history = l->conn.history; *history; history++)
			key = (key ^ (uint8_t)*history) * 0x100000001b3 + 0x9e3779b97f4a7c15;
		count_key(&part->history, &m->total.history, key);
		if (l->proto == PROTO_TCP || l->proto == PROTO_UDP)
			count_key(&part->port, &m->total.port, l->proto << 16 | l->port[1]);
	}
	sample_flow(m, l);
	if (m->on_flow)
		m->on_flow(m->context, l);
	l->number = 0;
}

static void
begin_flow(struct measure *m, struct live *l, const struct flow *f, const struct packet *p,
	   enum flow_open open)
{
	bool goes_on = open == FLOW_RESUMED; /* to Zeek, which has its own idea of silence */
	bool zeek_begun = l->zeek_begun;

	if (goes_on && zeek_begun && !l->zeek_apart)
		m->zeek[l - m->live] = l->conn;
	clear(l, offsetof(struct live, conn));
	l->zeek_begun = l->zeek_apart = goes_on && zeek_begun;
	l->number = ++m->flows;
	l->began = m->packets;
	l->first = l->last = p->time;
	l->event = -1;
	l->proto = f->proto;
	memcpy(l->port, f->port, sizeof l->port);
	memcpy(l->address, f->address, sizeof l->address);
	head_begin(&l->head, &m->reservoir, l->number);
	analysis_open(&l->analysis, &m->pool, open);
	if (l >= m->live + m->slots)
		m->slots = l - m->live + 1;
	m->curve.opened[curve_bin(&m->curve, p->time - m->start)]++;
}

static void
tcp_packet(struct measure *m, struct part *part, struct live *l, const struct packet *p, int dir)
{
	struct part *by_flow = variation_part(&m->variation, &m->total, m->packets, l->number);
	struct analysis_times times = {0};
	enum event event = event_of(p);
	int marked = dir * EVENTS + event;
	static const uint32_t bits[ANOMALIES] = {
	    ANALYSIS_RETRANSMISSION, ANALYSIS_FAST_RETRANSMISSION, ANALYSIS_OUT_OF_ORDER,
	    ANALYSIS_DUPLICATE_ACK,  ANALYSIS_ZERO_WINDOW,	   ANALYSIS_KEEP_ALIVE,
	    ANALYSIS_LOST_SEGMENT};

	part->tcp_packets++;
	part->event[event]++;
	if (l->event >= 0)
		by_flow->bigram[l->event][marked]++;
	l->event = marked;
	uint32_t found = analysis_packet(&l->analysis, dir, p, &times);
	for (int i = 0; i < ANOMALIES; i++)
		part->anomaly[i] += (found & bits[i]) != 0;
	m->conversations[0] += event == EVENT_SYN && found & ANALYSIS_REUSED_PORTS;
	part->illegal[ILLEGAL_ACK] += (found & ANALYSIS_ACK_LOST_SEGMENT) != 0;
	if (times.has_ack_rtt && times.ack_rtt >= 0)
		histogram_count(&part->ack_rtt, times.ack_rtt);
	if (event == EVENT_SYN && l->syn == SYN_NONE) {
		l->syn = SYN_SENT;
		l->syn_time = p->time;
	}
	if (event == EVENT_SYN_ACK && l->syn == SYN_SENT && p->time >= l->syn_time) {
		histogram_count(&by_flow->syn_rtt, p->time - l->syn_time);
		l->syn = SYN_ANSWERED;
	}
}

/* The place where a host's packets are counted; one that had to make room has its count noted. */
static uint32_t
host_place(struct measure *m, const struct address *a)
{
	uint32_t slot = slots_find(&m->host_slots, a);
	uint64_t evicted = m->host_slots.evicted;

	if (slot != SLOT_NONE) {
		slots_touch(&m->host_slots, slot);
		return slot;
	}
	slot = slots_add(&m->host_slots, a);
	for (int i = 0; i < 2 && evicted != m->host_slots.evicted; i++) {
		if (m->host_packets[i][slot])
			histogram_count(&m->hosts[i], m->host_packets[i][slot]);
		m->host_packets[i][slot] = 0;
	}
	return slot;
}

static void
count_hosts(struct measure *m, struct live *l, int dir)
{
	for (int i = 0; i < 2; i++) {
		int end = i ? !dir : dir;
		if (!slots_holds(&m->host_slots, l->host[end], &l->address[end]))
			l->host[end] = host_place(m, &l->address[end]);
		m->host_packets[i][l->host[end]]++;
	}
}

/* Returns the time since the packet before. */
static int64_t
count_time(struct measure *m, const struct packet *p)
{
	int64_t since = m->packets && p->time > m->last ? p->time - m->last : 0;

	if (m->packets == 0)
		m->start = m->end = p->time;
	else
		m->backwards += p->time < m->last;
	m->last = p->time;
	if (p->time > m->end)
		m->end = p->time;
	dispersion_count(m->dispersion, (m->end - m->start) / MILLISECOND);
	return since;
}

static void
count_run(struct measure *m, struct part *part, uint64_t flow)
{
	part->pairs += m->run > 0;
	if (flow == m->run_flow) {
		m->run++;
		return;
	}
	if (m->run) {
		histogram_count(&part->run, m->run);
		part->switches++;
	}
	m->run_flow = flow;
	m->run = 1;
}

static void
end_flows(struct measure *m)
{
	for (uint32_t i = 0; i < m->slots; i++)
		end_flow(m, &m->live[i]);
}

/*
 * A duplicate is an IP datagram that has the look of the one before in its direction, 100 ms after it at
 * most, whatever tags and padding are around it. A packet that is sent again has another IPv4 identification; without one nobody can tell.
 */
static void
count_duplicate(struct measure *m, struct live *l, const struct packet *p, int dir)
{
	const uint64_t prime = 0x100000001b3;
	uint64_t look = p->src.version == 4 ? p->id : 0;

	if (!look)
		return;
	look = (look * prime ^ p->seq) * prime ^ p->ack;
	look = ((look * prime ^ p->flags) * prime ^ p->win) * prime ^ (uint64_t)p->rest;
	look = ((look * prime ^ p->tsval) * prime ^ p->word) * prime ^ p->frag;
	if (look == l->look[dir] && p->time >= l->looked[dir] &&
	    p->time - l->looked[dir] <= 100 * MILLISECOND)
		m->duplicates++;
	l->look[dir] = look;
	l->looked[dir] = p->time;
}

/* A later fragment begins no connection, but what comes after it may. */
static void
connection_packet(struct measure *m, struct live *l, struct packet *p, int dir)
{
	struct conn *zeek = &m->zeek[l - m->live];
	uint32_t caplen = p->caplen;

	if (l->zeek_begun && conn_is_over(l->zeek_apart ? zeek : &l->conn, dir, p))
		l->zeek_begun = false;
	bool begins = !l->is_conn && conn_begin(&l->conn, dir, p);
	l->is_conn |= begins;
	if (!l->zeek_begun) {
		l->zeek_apart = !begins;
		l->zeek_begun = begins || conn_begin(zeek, dir, p);
		m->connections += l->zeek_begun;
	}
	p->caplen = p->len; /* what the snap length cut off is no gap in the connection */
	if (l->is_conn)
		conn_packet(&l->conn, dir, p);
	if (l->zeek_begun && l->zeek_apart)
		conn_packet(zeek, dir, p);
	p->caplen = caplen;
}

/* A flow's lines of the cache all at once, while there is something else to do. */
static void
fetch(const struct live *l)
{
	for (size_t at = 0; at < sizeof *l; at += 64)
		__builtin_prefetch((const char *)l + at, 1);
}

void
measure_packet(struct measure *m, const struct source *s, struct packet *p,
	       const struct step *step)
{
	if (step->trace_begins)
		end_flows(m);
	variation_go_on(&m->variation, m->packets);
	uint64_t block = m->packets / MEASURE_BLOCK;
	struct part *part = variation_part(&m->variation, &m->total, m->packets, block);
	struct live *l = &m->live[step->slot];

	fetch(l);
	int64_t since = count_time(m, p);
	histogram_fetch(&part->iat, since);
	for (int i = 0; i < 2; i++)
		__builtin_prefetch(&m->ports[i].half[block & 1][i ? p->dst_port : p->src_port], 1);
	m->curve.packets[curve_bin(&m->curve, p->time - m->start)]++;
	part->packets++;
	part->octets += p->len;
	histogram_count(&part->size, p->len);
	count_key(&part->protocol, &m->total.protocol, packet_proto(p));
	if (step->open != FLOW_GOES_ON) {
		end_flow(m, l);
		/* No silence ends a conversation, and a SYN begins one by itself: tcp_packet(). */
		if (step->open == FLOW_NEW && p->kind == PACKET_IP && p->seen >= 4)
			m->conversations[p->proto == PROTO_UDP] +=
			    p->proto == PROTO_UDP || p->proto == PROTO_TCP;
		begin_flow(m, l, &s->trace.flow[step->slot], p, step->open);
	}
	l->packets++;
	l->octets += p->len;
	head_packet(&l->head, p, step->dir);
	l->side_packets[step->dir]++;
	if (p->kind == PACKET_IP && p->rest > transport_length(p))
		l->side_octets[step->dir] += p->rest - transport_length(p);
	if (p->time > l->last)
		l->last = p->time;
	if (p->time < l->first)
		l->first = p->time;
	count_run(m, part, l->number);
	if (p->kind == PACKET_IP && (p->proto == PROTO_TCP || p->proto == PROTO_UDP) && p->seen >= 4) {
		m->ports[0].half[block & 1][p->src_port]++;
		m->ports[1].half[block & 1][p->dst_port]++;
	}
	if (p->kind == PACKET_IP) {
		count_hosts(m, l, step->dir);
		count_duplicate(m, l, p, step->dir);
		connection_packet(m, l, p, step->dir);
		if (s->data)
			part->illegal[ILLEGAL_CHECKSUM] += checksum_wrong(p, s->data) ||
							   (ip_is_fragment(p) && fragments_wrong(&m->fragments, p, s->data));
		part->illegal[ILLEGAL_LENGTH] += length_wrong(p);
		if (p->proto == PROTO_TCP && p->seen >= 14)
			tcp_packet(m, part, l, p, step->dir);
	}
	if (m->packets++)
		histogram_count(&part->iat, since);
}

void
measure_end(struct measure *m)
{
	end_flows(m);
	if (m->run)
		histogram_count(&variation_part(&m->variation, &m->total, m->packets - 1, (m->packets - 1) / MEASURE_BLOCK)->run, m->run);
	for (int i = 0; i < SCALES; i++)
		dispersion_close(m->dispersion, i);
	for (uint32_t i = 0; i < m->host_slots.used; i++)
		for (int w = 0; w < 2; w++)
			if (m->host_packets[w][i])
				histogram_count(&m->hosts[w], m->host_packets[w][i]);
	variation_end(&m->variation, &m->total, m->packets);
	for (int i = 0; i < 2 * PORTS; i++) {
		struct ports *ports = &m->ports[i / PORTS];
		ports->total[i % PORTS] = ports->half[0][i % PORTS] + ports->half[1][i % PORTS];
	}
}
