/* TCP and UDP against the state: what RFC 9293 keeps in a transmission control block, as far as a
 * listener on the wire can know it. */
#include "state/cue.h"

#include "support/random.h"

#include <string.h>

static bool
has_option(const struct packet *p, uint32_t option)
{
	for (int i = 0; i < p->n_options; i++)
		if (p->options[i] == option)
			return true;
	return false;
}

/* Leaves an option out; returns how many there still are. */
static unsigned
without(uint32_t *options, unsigned n, uint32_t option)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (options[i] != option)
			options[kept++] = options[i];
	return kept;
}

/* Flags and options: what the length of the header depends on. */
void
cue_tcp_layout(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;
	struct action_list *sack = action_list(c->a, ACTION_SACK);

	p->flags = cue_number(c, ACTION_FLAGS, p->flags, TCP_ACK, 0xfff);
	bool syn = p->flags & TCP_SYN;
	p->n_options = cue_layout(c, ACTION_OPTS, p->options, p->n_options, s->options,
				  syn ? 0 : s->n_options, PACKET_OPTIONS);
	if (!c->lift) {
		p->n_sack = action_has(c->a, ACTION_SACK) ? sack->n : 0;
		if (p->n_sack > PACKET_SACKS || p->n_sack % 2 ||
		    (p->n_sack != 0) != has_option(p, OPTION_SACK)) {
			cue_odd(c, ODD_LAYOUT);
			p->n_sack = 0;
			p->n_options = without(p->options, p->n_options, OPTION_SACK);
		}
		while (tcp_offset_for(p->options, p->n_options, p->n_sack / 2) > 15) {
			cue_odd(c, ODD_LAYOUT);
			p->n_options--;
		}
	}
	p->tcp_off = cue_number(c, ACTION_TCP_OFF, p->tcp_off,
				tcp_offset_for(p->options, p->n_options, p->n_sack / 2), 15);
}

/* After a SYN: timestamps on every segment if it had them (RFC 7323, section 3.2). Segments with
 * SACK blocks don't count, since the next one is without again. */
static void
remember_options(struct side *s, const struct packet *p)
{
	static const uint32_t timestamps[] = {OPTION_NOP, OPTION_NOP, OPTION_TIMESTAMPS};

	if (p->flags & TCP_SYN)
		cue_remember_layout(timestamps, p->timestamps ? 3 : 0, s->options, &s->n_options);
	else if (!p->n_sack)
		cue_remember_layout(p->options, p->n_options, s->options, &s->n_options);
}

static void
cue_sequence(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;

	if (s->has_next)
		p->seq = cue_steps(c, ACTION_SEQ, p->seq, s->next);
	else if (c->peer->has_ack)
		p->seq = cue_steps(c, ACTION_SEQ, p->seq, c->peer->ack);
	else
		p->seq = cue_free(c, ACTION_SEQ, p->seq, false);
}

/*
 * The acknowledgement, against the most that is known of the peer: what it has sent, or what was
 * acknowledged before. Without the ACK flag the field is expected to be 0.
 */
static void
cue_acknowledgement(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;
	/* Where the flags were cut off, they are taken for what they nearly always are. */
	bool flag = p->flags & TCP_ACK || !packet_has(p, TCP_FLAGS_END), same;
	bool known = c->peer->has_next || s->has_ack || c->peer == s;
	uint32_t base = c->peer->has_next ? c->peer->next : s->has_ack ? s->ack : p->seq;

	if (c->peer->has_next && s->has_ack && (int32_t)(s->ack - base) > 0)
		base = s->ack;
	if (flag && !known) {
		p->ack = cue_free(c, ACTION_ACK, p->ack, false);
	} else if (flag) {
		same = s->has_ack && p->ack == s->ack && p->ack != base;
		same = cue_flag(c, ACTION_ACK_SAME, same, false) && s->has_ack;
		if (same)
			p->ack = s->ack;
		else
			p->ack = cue_steps(c, ACTION_ACK, p->ack, base);
	} else if (known && c->lift) {
		if (p->ack)
			action_set(c->a, ACTION_ACK, (int32_t)(p->ack - base));
	} else if (known) {
		p->ack = action_has(c->a, ACTION_ACK)
			     ? base + (uint32_t)cue_signed(c, ACTION_ACK, 0, 0, INT64_C(1) << 31)
			     : 0;
	} else {
		p->ack = cue_free(c, ACTION_ACK, p->ack, true);
	}
	if (flag && (known || p->ack)) {
		s->has_ack = true;
		s->ack = p->ack;
	}
}

/* RFC 7323: the clock by its steps, the echo by how far it lags behind the peer's clock. What was not captured is no news;
 * compile writes what is likely there. */
static void
cue_clock(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me, *peer = c->peer;

	if (!tcp_option_has(p, OPTION_TIMESTAMPS, 6)) {
		p->tsval = c->lift ? 0 : s->tsval;
		return;
	}
	if (s->has_tsval)
		p->tsval = cue_steps(c, ACTION_TSVAL, p->tsval, s->tsval);
	else if (peer->has_tsecr)
		p->tsval = cue_steps(c, ACTION_TSVAL, p->tsval, peer->tsecr);
	else
		p->tsval = cue_free(c, ACTION_TSVAL, p->tsval, false);
	s->has_tsval = true;
	s->tsval = p->tsval;
}

static void
cue_echo(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me, *peer = c->peer;
	bool known = peer->has_tsval || s->has_tsecr, none;
	uint32_t base = peer->has_tsval ? peer->tsval : s->tsecr;

	if (!tcp_option_has(p, OPTION_TIMESTAMPS, 10)) {
		p->tsecr = c->lift ? 0 : base;
		return;
	}
	if (known) {
		none = cue_flag(c, ACTION_NO_ECHO, p->tsecr == 0, false);
		p->tsecr = none ? 0 : base - cue_steps(c, ACTION_TSECR, base - p->tsecr, 0);
	} else {
		p->tsecr = cue_free(c, ACTION_TSECR, p->tsecr, true);
	}
	if (p->tsecr) {
		s->has_tsecr = true;
		s->tsecr = p->tsecr;
	}
}

/* SACK (RFC 2018): left edges from the acknowledgement, blocks by their length. An acknowledgement
 * of 0 is no base, since from there the edges would be the numbers themselves: the first one is. A block that was not
 * captured whole is one of no octets at that base. */
static void
cue_sack(struct cue *c)
{
	struct packet *p = c->p;
	uint32_t v[PACKET_SACKS], base = p->ack;

	if (!base)
		base = c->lift ? p->sack[0] : random_next(&c->t->random);
	for (int i = 0; c->lift && i < p->n_sack; i++)
		v[i] = !tcp_option_has(p, OPTION_SACK, 2 + (i / 2 + 1) * 8) ? 0
								 : p->sack[i] - (i % 2 ? p->sack[i - 1] : base);
	if (c->lift) {
		struct action_list *l = action_list(c->a, ACTION_SACK);
		c->a->has |= 1ull << ACTION_SACK;
		l->n = p->n_sack;
		for (int i = 0; i < p->n_sack; i++)
			l->v[i] = (int32_t)v[i];
		return;
	}
	cue_list(c, ACTION_SACK, (struct cue_array){v, 4, 0, PACKET_SACKS},
		 (struct cue_array){NULL, 4, 0, 0});
	for (int i = 0; i < p->n_sack; i++)
		p->sack[i] = v[i] + (i % 2 ? p->sack[i - 1] : base);
}

void
cue_tcp(struct cue *c)
{
	struct packet *p = c->p;

	if (packet_has(p, TCP_SEQ_END))
		cue_sequence(c);
	if (packet_has(p, TCP_ACK_END))
		cue_acknowledgement(c);
	if (packet_has(p, TCP_WINDOW_END)) {
		p->win = cue_number(c, ACTION_WIN, p->win, c->me->win, 0xffff);
		c->me->win = p->win;
	}
	if (packet_has(p, TCP_URGENT_END))
		p->urgent = cue_number(c, ACTION_URGENT, p->urgent, 0, 0xffff);
	if (!c->lift)
		p->timestamps = has_option(p, OPTION_TIMESTAMPS);
	if (tcp_option_has(p, OPTION_MSS, 4))
		p->mss = cue_number(c, ACTION_MSS, p->mss, USUAL_MSS, 0xffff);
	else if (!c->lift)
		p->mss = USUAL_MSS;
	if (tcp_option_has(p, OPTION_WSCALE, 3))
		p->wscale = cue_number(c, ACTION_WSCALE, p->wscale, USUAL_SCALE, 255);
	else if (!c->lift)
		p->wscale = USUAL_SCALE;
	if (p->timestamps) {
		cue_clock(c);
		cue_echo(c);
	}
	if (p->n_sack)
		cue_sack(c);
	if (packet_has(p, TCP_SEQ_END))
		flow_remember(c->f, c->dir, p);
	if (packet_has(p, TCP_FLAGS_END))
		remember_options(c->me, p);
}

void
cue_udp(struct cue *c)
{
	struct packet *p = c->p;

	if (packet_has(p, UDP_LENGTH_END))
		p->udp_len = cue_number(c, ACTION_UDP_LEN, p->udp_len,
					p->rest < 65536 ? p->rest : 0, 0xffff);
	if (packet_has(p, UDP_CHECKSUM_END)) {
		p->no_checksum =
		    cue_flag(c, ACTION_NO_CHECKSUM, p->no_checksum, c->me->no_checksum);
		c->me->no_checksum = p->no_checksum;
	}
}
