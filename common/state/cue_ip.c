/* IP against the state. */
#include "state/cue.h"

#include "support/random.h"

#include <string.h>

#define DONT_FRAGMENT 0x4000

static void
cue_extensions(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;

	p->n_ext = cue_layout(c, ACTION_EXT, p->ext, p->n_ext, s->ext, s->n_ext, PACKET_EXTS);
	while (!c->lift && p->src.version == 4 && ip4_words(p->ext, p->n_ext) > 15) {
		cue_odd(c, ODD_LAYOUT);
		p->n_ext--;
	}
	cue_remember_layout(p->ext, p->n_ext, s->ext, &s->n_ext);
	if (p->src.version == 4)
		p->ip_hl =
		    cue_number(c, ACTION_IP_HL, p->ip_hl, ip4_words(p->ext, p->n_ext), 15);
}

/* Identification: by steps in this direction, or from the host's last packet where it is the
 * first. What stands at 0 is expected to stay there (RFC 6864, section 4.1). */
static void
cue_identification(struct cue *c)
{
	struct packet *p = c->p;
	uint16_t base = c->me->seen ? c->me->id : c->from && c->from->has_id ? c->from->id : 0;

	p->id = base + cue_signed(c, ACTION_ID, (int16_t)(p->id - base), base != 0, 32768);
	c->me->id = p->id;
	if (c->from) {
		c->from->id = p->id;
		c->from->has_id = true;
	}
}

static void
cue_fragment(struct cue *c)
{
	struct packet *p = c->p;
	bool has_header = false;

	if (p->src.version == 4) {
		uint16_t df = c->me->seen			? c->me->df
			      : c->f->proto == PROTO_TCP ? DONT_FRAGMENT
								: 0;
		p->frag = cue_number(c, ACTION_FRAG, p->frag, df, 0xffff);
		c->me->df = p->frag & DONT_FRAGMENT;
		return;
	}
	for (int i = 0; i < p->n_ext; i++)
		has_header |= (p->ext[i] & 255) == PROTO_FRAGMENT;
	if (!has_header)
		return;
	p->frag = cue_number(c, ACTION_FRAG, p->frag, 0, 0xffff);
	p->frag_id = cue_number(c, ACTION_FRAG_ID, p->frag_id, c->me->frag_id, UINT32_MAX);
	c->me->frag_id = p->frag_id;
}

/* Flow label: as before, none, or another one (RFC 6437). */
static void
cue_label(struct cue *c)
{
	struct packet *p = c->p;
	int what = p->label == c->me->label ? 0 : p->label == 0 ? 1 : 2;

	what = cue_number(c, ACTION_LABEL, what, 0, 2);
	if (!c->lift) {
		p->label = what == 0 ? c->me->label : 0;
		while (what == 2 && (p->label == 0 || p->label == c->me->label))
			p->label = random_next(&c->t->random) & 0xfffff;
	}
	c->me->label = p->label;
}

/* A jumbo option with the length, where it is asked for. */
static void
compile_jumbo(struct cue *c, int64_t length)
{
	int64_t asked = cue_number(c, ACTION_IP_LEN, 0, IP_LEN_ABSENT, IP_LEN_JUMBO);

	if (asked != IP_LEN_JUMBO)
		return;
	if (length < 1 || length > UINT32_MAX || !ip_has_room_for_jumbo(c->p))
		cue_odd(c, ODD_LAYOUT);
	else
		c->p->jumbo = length;
}

/*
 * The length: `len` counts what is behind the transport header, and may be below zero where the
 * datagram is too short for it. A length field of 0 (segmentation offload) takes it from the frame, or, with a jumbo option
 * (RFC 2675), from there.
 */
static void
cue_datagram_length(struct cue *c)
{
	struct packet *p = c->p;
	uint32_t fixed = p->src.version == 4 ? 0 : 40;
	bool left_out = p->ip_len == 0 &&
			!(p->src.version == 6 && p->proto == PROTO_NONE && !p->n_ext);
	int header;

	p->transport = p->net + ip_header_length(p);
	header = transport_length(p);
	if (c->lift) {
		if (left_out)
			action_set(c->a, ACTION_IP_LEN, p->jumbo ? IP_LEN_JUMBO : IP_LEN_ABSENT);
		cue_signed(c, ACTION_LEN, p->rest - header, 0, UINT32_MAX);
	} else {
		left_out = action_has(c->a, ACTION_IP_LEN);
		p->rest = header + cue_signed(c, ACTION_LEN, 0, 0, UINT32_MAX);
		int64_t length = p->transport + p->rest - p->net - fixed;
		if (!left_out && (length < 0 || length > 65535)) {
			cue_odd(c, ODD_RANGE);
			p->rest += (length < 0 ? 0 : 65535) - length;
			length = length < 0 ? 0 : 65535;
		}
		p->ip_len = left_out ? 0 : length;
		compile_jumbo(c, length);
	}
	cue_lengths(c);
	transport_see(p);
}

static void
cue_transport(struct cue *c)
{
	if (!transport_length(c->p))
		return;
	switch (c->p->proto) {
	case PROTO_TCP:
		cue_tcp(c);
		break;
	case PROTO_UDP:
		cue_udp(c);
		break;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		cue_icmp(c);
		break;
	}
}

void
cue_ip(struct cue *c)
{
	struct packet *p = c->p;
	bool is_tcp = p->proto == PROTO_TCP;

	p->ttl = cue_number(c, ACTION_TTL, p->ttl,
			    c->me->seen ? c->me->ttl : c->from ? c->from->ttl : 0, 255);
	p->tos = cue_number(c, ACTION_TOS, p->tos, c->me->tos, 255);
	cue_extensions(c);
	if (p->src.version == 4)
		cue_identification(c);
	else
		cue_label(c);
	cue_fragment(c);
	c->me->ttl = p->ttl;
	c->me->tos = p->tos;
	if (c->from)
		c->from->ttl = p->ttl;
	if (is_tcp && transport_length(p))
		cue_tcp_layout(c);
	cue_datagram_length(c);
	cue_transport(c);
	if (ip_is_fragment(p))
		datagram_note(c->t, p, c->slot, c->dir);
}
