/*
 * TCP as Wireshark 4.0 judges it. The names in quotes are its fields, tcp.analysis.*; a rule is
 * stated as it behaves there, where that differs from what a TCP would do as well.
 */
#include "analysis.h"
#include "state/trace.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
/* A retransmission this soon after duplicate acknowledgements is a fast one. */
#define FAST_WITHIN (20 * MS)
/* Out of order is what comes within the initial RTT, or this where it isn't known. */
#define OUT_OF_ORDER_WITHIN (3 * MS)

enum { SCALE_UNKNOWN = -1, SCALE_NONE = -2, SCALE_MAX = 14 };

const char *const analysis_names[ANALYSIS_NAMES] = {
    "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
    "duplicate_ack",  "zero_window",         "zero_window_probe",       "zero_window_probe_ack",
    "window_full",    "window_update",       "keep_alive",              "keep_alive_ack",
    "lost_segment",   "ack_lost_segment",    "reused_ports"};

/* A packet, and the two ends as its sender sees them. */
struct view {
	struct analysis *a;
	struct analysis_side *me, *peer;
	struct analysis_times *times;
	int64_t time;
	uint32_t seq, ack, len, window; /* ack: 0 without the flag; len: octets of payload; window: as the header has it */
	uint16_t flags;
	uint32_t bits;
};

int
analysis_pool_init(struct analysis_pool *pool, uint32_t size)
{
	*pool = (struct analysis_pool){.size = size, .free = UNACKED_NONE};
	pool->segment = malloc(size * sizeof *pool->segment);
	return pool->segment ? 0 : -1;
}

void
analysis_pool_free(struct analysis_pool *pool)
{
	free(pool->segment);
	pool->segment = NULL;
}

void
analysis_restart(struct analysis *a)
{
	struct analysis_pool *pool = a->pool;
	bool turned = a->turned;

	for (int d = 0; d < 2; d++)
		unacked_clear(pool, &a->side[d].unacked);
	*a = (struct analysis){.pool = pool, .turned = turned};
	for (int d = 0; d < 2; d++) {
		unacked_init(&a->side[d].unacked);
		a->side[d].window = UINT32_MAX;
		a->side[d].scale = SCALE_UNKNOWN;
		a->side[d].in_flight_known = true;
	}
}

void
analysis_open(struct analysis *a, struct analysis_pool *pool, int open)
{
	if (open == FLOW_NEW || !a->pool) {
		a->pool = pool;
		a->turned = false;
		analysis_restart(a);
	} else if (open == FLOW_REUSED_REVERSED) {
		a->turned = !a->turned;
	}
}

/*
 * "reused_ports": a SYN begins another conversation on the same ports if its number isn't the base
 * of this one; FIN and RST don't matter. Otherwise it is that SYN once more, and what a RST did to
 * the numbers is undone. A SYN-ACK with another number changes the base of this conversation. Wireshark doesn't keep the
 * number of a SYN whose header is cut; the flow table does.
 */
static void
judge_syn(struct view *v)
{
	struct analysis_side *me = v->me;
	bool ack = v->flags & TCP_ACK;

	if (!(v->flags & TCP_SYN))
		return;
	if (me->has_base && v->seq == me->base) {
		if (!ack) {
			me->next = me->contiguous;
			me->has_next = me->has_contiguous;
		}
		return;
	}
	if (me->has_base) {
		v->bits |= ANALYSIS_REUSED_PORTS;
		if (!ack) {
			analysis_restart(v->a);
			v->a->begun = true; /* data with such a SYN doesn't count in tcp.completeness */
			v->a->completeness = COMPLETENESS_SYN;
		}
	}
	me->base = v->seq;
	me->has_base = true;
}

/* The number before the first octet, of both ends, as soon as a packet tells it. */
static void
learn_bases(struct view *v)
{
	if (!v->me->has_base) {
		v->me->base = v->seq - 1;
		v->me->has_base = true;
	}
	if (!(v->flags & TCP_ACK))
		return;
	if (!v->peer->has_base) {
		v->peer->base = v->ack - 1;
		v->peer->has_base = true;
	}
	v->peer->in_flight_known = true;
}

/* Whether the acknowledgement is that of the direction's last packet; 0 is a number like any other, and none another one. */
static bool
acknowledges_as_before(const struct view *v)
{
	return v->ack == v->me->last_ack && !!(v->flags & TCP_ACK) == v->me->has_ack;
}

/* An acknowledgement with nothing new in it but, perhaps, the window. */
static uint32_t
judge_repeated(const struct view *v)
{
	const struct analysis_side *me = v->me, *peer = v->peer;

	if (v->window != me->window)
		return v->window ? ANALYSIS_WINDOW_UPDATE : 0;
	if (v->window && peer->last & ANALYSIS_KEEP_ALIVE)
		return ANALYSIS_KEEP_ALIVE_ACK;
	if (!v->window && peer->last & ANALYSIS_ZERO_WINDOW_PROBE)
		return ANALYSIS_ZERO_WINDOW_PROBE_ACK;
	return v->window ? ANALYSIS_DUPLICATE_ACK : 0;
}

/* Whether a segment ends where the window that the peer announced last ends: "window_full". */
static bool
fills_window(const struct view *v)
{
	const struct analysis_side *peer = v->peer;
	/* The window of a SYN isn't scaled (RFC 7323, section 2.2). */
	int shift = peer->first_ack || peer->scale < 0 ? 0 : peer->scale;

	return peer->scale != SCALE_UNKNOWN &&
	       v->seq + v->len == peer->last_ack + (peer->window << shift);
}

/* What a packet is in its own direction. */
static void
judge_forward(struct view *v)
{
	struct analysis_side *me = v->me;
	bool plain = !(v->flags & (TCP_SYN | TCP_FIN | TCP_RST));
	bool due = me->has_next && v->seq == me->next;

	if (v->len == 1 && due && v->peer->window == 0) {
		v->bits |= ANALYSIS_ZERO_WINDOW_PROBE;
		return;
	}
	if (plain && v->window == 0)
		v->bits |= ANALYSIS_ZERO_WINDOW;
	if (me->has_next && seq_after(v->seq, me->next) && !(v->flags & TCP_RST)) {
		v->bits |= ANALYSIS_LOST_SEGMENT;
		me->in_flight_known = false;
	}
	if (!plain)
		return;
	if (v->len <= 1 && me->has_next && v->seq == me->next - 1)
		v->bits |= ANALYSIS_KEEP_ALIVE;
	if (v->len && fills_window(v))
		v->bits |= ANALYSIS_WINDOW_FULL;
	if (v->len == 0 && due && acknowledges_as_before(v))
		v->bits |= judge_repeated(v);
	if (v->bits & ANALYSIS_DUPLICATE_ACK)
		v->times->duplicate_ack_num = me->duplicates =
		    me->duplicates == UINT32_MAX ? 1 : me->duplicates + 1;
}

/* What its acknowledgement says of the other direction: "ack_lost_segment", once a gap. Where
 * nothing more is known to be sent, it is noted that it was told. */
static void
judge_acknowledgement(struct view *v)
{
	struct analysis_side *peer = v->peer;

	if (!acknowledges_as_before(v))
		v->me->duplicates = 0;
	if (peer->has_contiguous && seq_after(v->ack, peer->contiguous) && v->flags & TCP_ACK) {
		if (seq_after(peer->next, peer->contiguous)) {
			peer->contiguous = peer->next;
			v->bits |= ANALYSIS_ACK_LOST_SEGMENT;
		} else {
			if (peer->duplicates == 0)
				v->bits |= ANALYSIS_ACK_LOST_SEGMENT;
			peer->duplicates = UINT32_MAX;
		}
	}
}

/* Which of its kinds is a segment that brings nothing new, if it is one. A fast or a spurious
 * retransmission is a retransmission as well. */
static uint32_t
judge_again(const struct view *v)
{
	const struct analysis_side *me = v->me, *peer = v->peer;
	bool counts = v->flags & (TCP_SYN | TCP_FIN);
	bool old = me->has_next && seq_after(me->next, v->seq);
	/* As differences without sign: clocks that go backwards are no short time. */
	uint64_t since_ack = (uint64_t)v->time - peer->ack_time;
	uint64_t since_next = (uint64_t)v->time - me->next_time;
	uint64_t soon = v->a->initial_rtt ? v->a->initial_rtt : OUT_OF_ORDER_WITHIN;

	if (v->len > 1 && me->next - 1 == v->seq)
		old = false; /* goes on where a zero window probe began */
	if (v->len && peer->has_ack && !seq_after(v->seq + v->len, peer->last_ack))
		return ANALYSIS_RETRANSMISSION | ANALYSIS_SPURIOUS_RETRANSMISSION;
	if (!old)
		return 0;
	if (peer->duplicates >= 2 && peer->has_ack && peer->last_ack == v->seq && since_ack < FAST_WITHIN)
		return ANALYSIS_RETRANSMISSION | ANALYSIS_FAST_RETRANSMISSION;
	if (since_next < soon && me->next != v->seq + v->len + counts)
		return ANALYSIS_OUT_OF_ORDER;
	return ANALYSIS_RETRANSMISSION;
}

static void
remember(struct view *v)
{
	struct analysis_side *me = v->me;
	bool counts = v->flags & (TCP_SYN | TCP_FIN);
	uint32_t next = v->seq + v->len + counts;
	/* A reset that answers a segment without ACK has the number 0, whatever is due (RFC 9293, section 3.5.2). */
	bool tells = !(v->bits & ANALYSIS_ZERO_WINDOW_PROBE) && !(v->flags & TCP_RST && next == 0);

	if (v->len || counts)
		unacked_add(v->a->pool, &me->unacked, v->seq, next, v->time);
	if (tells && (!me->has_next || seq_after(next, me->next))) {
		me->next = next;
		me->has_next = true;
		me->next_time = v->time;
	}
	if (tells && (!me->has_contiguous || v->seq == me->contiguous)) {
		me->contiguous = me->next;
		me->has_contiguous = true;
	}
	me->window = v->window;
	me->last_ack = v->ack;
	me->has_ack = v->flags & TCP_ACK;
	me->ack_time = v->time;
	me->last = v->bits;
}

/* "ack_rtt": of the oldest segment that ends where the acknowledgement does. Wireshark lets the field
 * of a segment without ACK flag acknowledge what is before it on the circle, which hangs on the peer's ISN; here it
 * says nothing, and is 0, as it mostly is, where else it would count. */
static void
time_acknowledgement(struct view *v)
{
	int64_t sent;

	if (!(v->flags & TCP_ACK))
		return;
	if (unacked_acknowledge(v->a->pool, &v->peer->unacked, v->ack, &sent)) {
		v->times->has_ack_rtt = true;
		v->times->ack_rtt = v->time - sent;
	}
}

/* "bytes_in_flight": what isn't acknowledged, less what the peer has by its SACK blocks. */
static void
count_in_flight(struct view *v)
{
	const struct analysis_side *me = v->me;

	if (!v->times->wants_in_flight || !v->len || !me->unacked.n || !me->in_flight_known)
		return;
	uint32_t n = unacked_span(v->a->pool, &me->unacked, me->base) - v->peer->sacked;
	if (n > 0 && n < 2000000000)
		v->times->bytes_in_flight = n - !!(v->flags & (TCP_SYN | TCP_FIN));
}

/* tcp.completeness: the first packet counts only where it is a SYN. */
static void
complete(struct view *v)
{
	unsigned flags = v->flags, syn_ack = flags & (TCP_SYN | TCP_ACK), c = 0;

	if (!v->a->begun) {
		if (syn_ack == TCP_SYN)
			c = COMPLETENESS_SYN | (v->len ? COMPLETENESS_DATA : 0);
	} else {
		if (syn_ack == (TCP_SYN | TCP_ACK))
			c |= COMPLETENESS_SYN_ACK;
		if (syn_ack == TCP_ACK)
			c |= v->len ? COMPLETENESS_DATA : COMPLETENESS_ACK;
		if ((flags & (TCP_FIN | TCP_ACK)) == (TCP_FIN | TCP_ACK))
			c |= COMPLETENESS_FIN;
		if (flags & TCP_RST)
			c |= COMPLETENESS_RST;
	}
	v->a->begun = true;
	v->a->completeness |= c;
}

/* "initial_rtt": from the last SYN to the first packet with ACK and without SYN, of either end. */
static void
time_handshake(struct view *v)
{
	struct analysis *a = v->a;

	if (v->flags & TCP_SYN) {
		v->me->first_ack = true;
		if (!(v->flags & TCP_ACK))
			a->syn_time = v->time;
		return;
	}
	if (!(v->flags & TCP_ACK))
		return;
	v->me->first_ack = false;
	if (a->syn_time && !a->initial_rtt) {
		a->initial_rtt = v->time - a->syn_time;
		v->times->has_initial_rtt = a->initial_rtt != 0;
		v->times->initial_rtt = a->initial_rtt;
	}
}

/* Options come last: what they say holds from the next packet on. */
static void
learn_options(struct view *v, const struct packet *p)
{
	struct analysis_side *me = v->me, *peer = v->peer;

	for (int i = 0; i < p->n_options; i++)
		if (p->options[i] == OPTION_WSCALE)
			me->scale = p->wscale < SCALE_MAX ? p->wscale : SCALE_MAX;
	/* It counts the blocks from 1 and has room for four: the fourth is lost. */
	for (int i = 0; i < p->n_sack && i < 6; i += 2)
		me->sacked += p->sack[i + 1] - p->sack[i];
	if (!(v->flags & TCP_SYN))
		return;
	/* Scaling needs the option in both directions. */
	if (me->scale == SCALE_UNKNOWN)
		me->scale = peer->scale = SCALE_NONE;
	else if (v->flags & TCP_ACK && peer->scale == SCALE_NONE)
		me->scale = SCALE_NONE;
}

static void
judge(struct view *v)
{
	learn_bases(v);
	judge_forward(v);
	judge_acknowledgement(v);
	if ((v->len || v->flags & (TCP_SYN | TCP_FIN)) && !(v->bits & ANALYSIS_KEEP_ALIVE))
		v->bits |= judge_again(v);
	remember(v);
	time_acknowledgement(v);
	count_in_flight(v);
}

/* Sender and receiver the same: Wireshark takes all for one direction. */
static bool
has_one_end(const struct packet *p)
{
	return p->src_port == p->dst_port && !memcmp(&p->src, &p->dst, sizeof p->src);
}

uint32_t
analysis_packet(struct analysis *a, int dir, const struct packet *p, struct analysis_times *t)
{
	int64_t there = (int64_t)p->len - p->transport, len = p->rest < there ? p->rest : there;

	*t = (struct analysis_times){.wants_in_flight = t->wants_in_flight};
	/* Nothing can be said without the window; and of a fragment not how long it is. */
	if (p->kind != PACKET_IP || p->proto != PROTO_TCP || !packet_has(p, TCP_WINDOW_END) || ip_is_fragment(p))
		return 0;
	if (has_one_end(p))
		dir = 0;
	else
		dir ^= a->turned;
	struct view v = {.a = a, .me = &a->side[dir], .peer = &a->side[!dir], .times = t,
			 .time = p->time, .seq = p->seq, .ack = p->flags & TCP_ACK ? p->ack : 0, .window = p->win,
			 .flags = p->flags};
	judge_syn(&v);
	v.me->sacked = 0;
	if (len >= p->tcp_off * 4) {
		v.len = len - p->tcp_off * 4;
		judge(&v);
	}
	if (p->tcp_off < 5) { /* it counts for what follows, but there is no verdict on it */
		*t = (struct analysis_times){.wants_in_flight = t->wants_in_flight};
		return 0;
	}
	complete(&v);
	time_handshake(&v);
	if (p->n_options || v.flags & TCP_SYN)
		learn_options(&v, p);
	return v.bits;
}
