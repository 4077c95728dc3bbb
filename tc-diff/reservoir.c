#include "reservoir.h"

#include "packet/layers.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED	     UINT64_C(20220822)
#define LEAST	     3 /* packets of a flow whose beginning counts: one or two are alike everywhere */
#define TOP_BIT	     0x8000
#define EPHEMERAL    32768
#define HALVES	     UINT64_C(3)

const char *const packet_feature_names[PACKET_FEATURES] = {"direction", "flags", "length", "gap"};
const char *const flow_feature_names[FLOW_FEATURES] = {
    "protocol",    "state",	 "initiator_port", "responder_port", "initiator_ttl", "responder_ttl",
    "packets_out", "packets_in", "octets_out",	   "octets_in",	     "duration",      "mean_gap"};

/* --- numbers --- */

/* Times span 18 orders of magnitude: exact up to 128 ns, then 64 steps an octave. */
static uint32_t
time_step(int64_t ns)
{
	if (ns < 128)
		return ns < 0 ? 0 : ns;
	unsigned octave = 63 - __builtin_clzll(ns);
	return (octave - 5) * 64 + ((ns >> (octave - 6)) & 63);
}

static uint32_t
capped(uint64_t n)
{
	return n < UINT32_MAX ? n : UINT32_MAX;
}

/* Ports that are somebody's stand for themselves, the others are one. */
static uint32_t
port_class(uint16_t port)
{
	return port < EPHEMERAL ? port : EPHEMERAL;
}

/* --- how flows begin --- */

void
head_begin(struct head *h, const struct reservoir *r, uint64_t number)
{
	uint64_t state = SEED + number * UINT64_C(0x632be59bd9b4e019);

	*h = (struct head){.rank = random_next(&state)};
	/* What is too high now will be too high when the flow ends. */
	h->wanted = r->n < RESERVOIR_FLOWS || h->rank < r->sample[r->heap[0]].rank;
}

static uint32_t
payload_of(const struct packet *p)
{
	int64_t n = p->kind == PACKET_IP ? p->rest - transport_length(p) : p->len;

	return n < 0 ? 0 : n < UINT16_MAX ? n : UINT16_MAX;
}

void
head_packet(struct head *h, const struct packet *p, int dir)
{
	bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6, ip = p->kind == PACKET_IP;
	int64_t gap = h->n ? p->time - h->time : 0;

	if (h->n == HEAD_PACKETS)
		return;
	uint16_t flags = !ip ? 0 : p->proto == PROTO_TCP ? p->flags : icmp ? p->type : 0;
	flags |= dir ? TOP_BIT : 0;
	uint32_t length = payload_of(p);
	uint64_t state = h->key + ((uint64_t)flags << 16 | length);
	h->key = random_next(&state);
	h->packet[h->n].flags = flags;
	h->packet[h->n].length = length;
	h->packet[h->n++].gap = time_step(gap);
	h->time = p->time;
	if (ip && !h->ttl[dir])
		h->ttl[dir] = p->ttl;
}

/* --- the sample --- */

static uint64_t
rank_at(const struct reservoir *r, uint32_t i)
{
	return r->sample[r->heap[i]].rank;
}

static void
heap_swap(struct reservoir *r, uint32_t i, uint32_t k)
{
	uint16_t sample = r->heap[i];

	r->heap[i] = r->heap[k];
	r->heap[k] = sample;
}

static void
sift_up(struct reservoir *r, uint32_t i)
{
	for (; i && rank_at(r, i) > rank_at(r, (i - 1) / 2); i = (i - 1) / 2)
		heap_swap(r, i, (i - 1) / 2);
}

static void
sift_down(struct reservoir *r)
{
	for (uint32_t i = 0, k; (k = 2 * i + 1) < r->n; i = k) {
		if (k + 1 < r->n && rank_at(r, k + 1) > rank_at(r, k))
			k++;
		if (rank_at(r, i) >= rank_at(r, k))
			return;
		heap_swap(r, i, k);
	}
}

static void
describe(struct sample *s, const struct head *h, const struct flow_facts *f)
{
	uint64_t packets = f->packets[0] + f->packets[1];
	uint32_t *x = s->feature;

	*s = (struct sample){.rank = h->rank, .number = f->number, .key = h->key, .packets = packets};
	for (int i = 0; i < h->n; i++, x += PACKET_FEATURES) {
		x[PACKET_DIRECTION] = h->packet[i].flags & TOP_BIT ? 2 : 1;
		x[PACKET_FLAGS] = h->packet[i].flags & ~TOP_BIT;
		x[PACKET_LENGTH] = h->packet[i].length;
		x[PACKET_GAP] = h->packet[i].gap;
	}
	x = s->feature + HEAD_PACKETS * PACKET_FEATURES;
	x[FLOW_PROTOCOL] = f->proto;
	x[FLOW_STATE] = f->state;
	x[FLOW_INITIATOR_PORT] = port_class(f->port[0]);
	x[FLOW_RESPONDER_PORT] = port_class(f->port[1]);
	x[FLOW_INITIATOR_TTL] = h->ttl[0];
	x[FLOW_RESPONDER_TTL] = h->ttl[1];
	x[FLOW_PACKETS_OUT] = capped(f->packets[0]);
	x[FLOW_PACKETS_IN] = capped(f->packets[1]);
	x[FLOW_OCTETS_OUT] = capped(f->octets[0]);
	x[FLOW_OCTETS_IN] = capped(f->octets[1]);
	x[FLOW_DURATION] = time_step(f->duration);
	x[FLOW_MEAN_GAP] = packets > 1 ? time_step(f->duration / (int64_t)(packets - 1)) : 0;
}

/* Where a beginning is, or would go. */
static uint32_t
beginning_place(const struct reservoir *r, uint64_t key)
{
	uint32_t i = (key >> 32) % BEGINNINGS_WIDTH;

	while (r->beginning[i] && (r->beginning[i] | HALVES) != (key | HALVES))
		i = (i + 1) % BEGINNINGS_WIDTH;
	return i;
}

/* Half of the places stay free; beginnings that come later than that are not remembered. */
static void
remember(struct reservoir *r, uint64_t key, uint64_t number)
{
	uint32_t i = beginning_place(r, key);

	if (!r->beginning[i]) {
		if (r->n_beginnings == BEGINNINGS_WIDTH / 2)
			return;
		r->n_beginnings++;
		r->beginning[i] = key & ~HALVES;
	}
	r->beginning[i] |= 1 << (number & 1);
}

void
reservoir_count(struct reservoir *r, const struct head *h, const struct flow_facts *f)
{
	if (f->packets[0] + f->packets[1] >= LEAST)
		remember(r, h->key, f->number);
	if (!h->wanted)
		return;
	if (r->n < RESERVOIR_FLOWS) {
		describe(&r->sample[r->n], h, f);
		r->heap[r->n] = r->n;
		sift_up(r, r->n++);
	} else if (h->rank < rank_at(r, 0)) {
		describe(&r->sample[r->heap[0]], h, f);
		sift_down(r);
	}
}

/* --- what is asked of it --- */

static int
compare_ranks(const void *a, const void *b)
{
	const struct sample *const *x = a, *const *y = b;

	return (*x)->rank < (*y)->rank ? -1 : (*x)->rank > (*y)->rank;
}

size_t
reservoir_rows(const struct reservoir *r, int half, const uint32_t *rows[RESERVOIR_FLOWS])
{
	const struct sample *chosen[RESERVOIR_FLOWS];
	size_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		if (half < 0 || (r->sample[i].number & 1) == (uint64_t)half)
			chosen[n++] = &r->sample[i];
	qsort(chosen, n, sizeof *chosen, compare_ranks);
	for (size_t i = 0; i < n; i++)
		rows[i] = chosen[i]->feature;
	return n;
}

/* Whether flows of these halves began so. */
static bool
knows(const struct reservoir *r, uint64_t key, uint64_t halves)
{
	return r->beginning[beginning_place(r, key)] & halves;
}

double
reservoir_memorised(const struct reservoir *a, const struct reservoir *c, const struct reservoir *b)
{
	uint64_t n = 0, known = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct sample *s = &b->sample[i];
		if (s->packets < LEAST)
			continue;
		n++;
		known += knows(a, s->key, HALVES) || (c && knows(c, s->key, HALVES));
	}
	return n ? (double)known / n : NAN;
}

double
reservoir_memorised_halves(const struct reservoir *a)
{
	uint64_t n = 0, known = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		const struct sample *s = &a->sample[i];
		if (s->packets < LEAST)
			continue;
		n++;
		known += knows(a, s->key, s->number & 1 ? 1 : 2);
	}
	return n ? (double)known / n : NAN;
}
