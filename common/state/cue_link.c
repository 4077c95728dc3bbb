/* The link header against the state, frames that are nothing more, and ARP. */
#include "state/cue.h"

#include <string.h>

/*
 * Where the link addresses of a packet come from: the same direction's last packet, the other
 * direction's turned round, the group, the hosts' last ones; NULL where none of these knows.
 */
static const uint8_t *
predict_src(const struct cue *c)
{
	if (c->me->seen)
		return c->me->src_mac;
	if (c->peer->seen && c->p->macs == 2 && mac_class(c->peer->dst_mac) == MAC_HOST)
		return c->peer->dst_mac;
	return c->from && c->from->has_mac ? c->from->mac : NULL;
}

static const uint8_t *
predict_dst(const struct cue *c, uint8_t *group)
{
	if (c->me->seen)
		return c->me->dst_mac;
	if (mac_of_group(&c->p->dst, group))
		return group;
	if (c->peer->seen)
		return c->peer->src_mac;
	if (c->p->kind == PACKET_ARP && c->p->operation == 1) {
		memset(group, 0xff, 6);
		return group;
	}
	return c->to && c->to->has_mac ? c->to->mac : NULL;
}

static void
remember_mac(struct host *h, const uint8_t *mac)
{
	if (!h || mac[0] & 1)
		return;
	h->has_mac = true;
	memcpy(h->mac, mac, 6);
}

static struct side_link *
link_of(const struct cue *c, const struct side *s)
{
	return &c->t->flow_link[c->slot][s == &c->f->side[1]];
}

static void
fields_and_tags(struct cue *c)
{
	struct packet *p = c->p;
	struct trace *t = c->t;
	struct side *s = c->me->seen ? c->me : c->peer->seen ? c->peer : NULL;
	struct cue_array link = {t->link, 4, t->n_link, 0}, tags = {t->tags, 8, t->n_tags, 0};
	unsigned want = link_fields(p, t->dlt);

	if (s) {
		link = (struct cue_array){link_of(c, s)->link, 4, s->n_link, 0};
		tags = (struct cue_array){link_of(c, s)->tags, 8, s->n_tags, 0};
	}
	p->n_link = cue_list(c, ACTION_LINK, (struct cue_array){p->link, 4, p->n_link, PACKET_LINKS}, link);
	if (!c->lift && p->n_link != want) {
		if (action_has(c->a, ACTION_LINK))
			cue_odd(c, ODD_LAYOUT);
		for (; p->n_link < want; p->n_link++)
			p->link[p->n_link] = 0;
		p->n_link = want;
	}
	p->n_tags = cue_list(c, ACTION_TAGS, (struct cue_array){p->tags, 8, p->n_tags, PACKET_TAGS}, tags);
	p->macs = link_macs(p, t->dlt);
}

/* For the next packet of this direction, and for the first of another flow. */
static void
remember_fields_and_tags(struct cue *c)
{
	struct packet *p = c->p;
	struct trace *t = c->t;

	if (p->n_link) {
		memcpy(link_of(c, c->me)->link, p->link, p->n_link * sizeof *p->link);
		memcpy(t->link, p->link, p->n_link * sizeof *p->link);
	}
	if (p->n_tags) {
		memcpy(link_of(c, c->me)->tags, p->tags, p->n_tags * sizeof *p->tags);
		memcpy(t->tags, p->tags, p->n_tags * sizeof *p->tags);
	}
	c->me->n_link = t->n_link = p->n_link;
	c->me->n_tags = t->n_tags = p->n_tags;
}

void
cue_link(struct cue *c)
{
	struct packet *p = c->p;
	struct side *s = c->me;
	uint8_t group[6];

	fields_and_tags(c);
	if (p->macs) {
		const uint8_t *src = predict_src(c), *dst = predict_dst(c, group);
		bool moved = !s->seen;
		cue_mac(c, ACTION_SRC_MAC, p->src_mac, src);
		if (p->macs == 2)
			cue_mac(c, ACTION_DST_MAC, p->dst_mac, dst);
		moved |= memcmp(s->src_mac, p->src_mac, 6) || memcmp(s->dst_mac, p->dst_mac, 6);
		if (moved) {
			memcpy(s->src_mac, p->src_mac, 6);
			memcpy(s->dst_mac, p->dst_mac, 6);
			remember_mac(c->from, p->src_mac);
			if (p->macs == 2)
				remember_mac(c->to, p->dst_mac);
		}
	}
	remember_fields_and_tags(c);
	p->net = link_length(p, c->t->dlt);
}

/* How long the packet is and how much of it was captured; end: of what the headers account for. */
static void
capture_lengths(struct cue *c, int64_t end)
{
	struct packet *p = c->p;
	int64_t len = end;

	if (len < 0 || len > UINT32_MAX) {
		cue_odd(c, ODD_RANGE);
		len = len < 0 ? 0 : UINT32_MAX;
	}
	p->len = len;
	p->caplen = cue_number(c, ACTION_CAP, p->caplen,
			       p->len < c->t->header.snaplen ? p->len : c->t->header.snaplen,
			       c->t->header.snaplen);
}

/* A datagram of less than the least frame is padded to it, or is not where it was captured before
 * it went out (IEEE 802.3, section 4.2.3.3): as the direction's last short one. */
void
cue_lengths(struct cue *c)
{
	struct packet *p = c->p;
	int64_t end = p->kind == PACKET_ARP ? (int64_t)p->net + ARP_LENGTH : p->transport + p->rest;
	bool may_pad = c->t->dlt == 1 && end < 60;
	int64_t pad = cue_signed(c, ACTION_PAD, p->len - end, may_pad && c->me->padded ? 60 - end : 0,
				 UINT32_MAX);

	capture_lengths(c, end + pad);
	if (may_pad)
		c->me->padded = pad > 0;
}

void
cue_frame(struct cue *c)
{
	struct packet *p = c->p;

	int64_t n = cue_signed(c, ACTION_LEN, (int64_t)p->len - p->net, 0, UINT32_MAX);
	capture_lengths(c, p->net + n);
}

void
cue_arp(struct cue *c)
{
	static const uint8_t zero[6];
	struct packet *p = c->p;

	cue_mac(c, ACTION_SHA, p->sha, p->macs ? p->src_mac : NULL);
	cue_mac(c, ACTION_THA, p->tha, p->operation == 1 || p->macs < 2 ? zero : p->dst_mac);
	cue_lengths(c);
}
