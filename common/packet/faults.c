/*
 * Headers that contradict each other: lengths that lie, tags and options that lead nowhere, messages without what
 * they must hold. What was captured so says as_is, and is kept so; of any other action the compiler makes a sound
 * packet. One list of rules does both: they tell whether a packet is sound, or make it so. What stands behind the
 * captured octets nobody can judge, so no rule asks for it.
 */
#include "packet/layers.h"

#include <string.h>

#define LOCAL_EXPERIMENT 0x88b5 /* IEEE 802: an ethertype of which nobody expects anything */
#define BACKBONE	 0x88e7 /* IEEE 802.1ah */

struct rules {
	struct packet *p;
	int dlt;
	bool mend;
	unsigned broken; /* without mend, whether there is one is enough */
};

/* A rule is broken: whether to mend it. */
static bool
breaks(struct rules *r, bool is)
{
	r->broken += is;
	return is && r->mend;
}

/* The header before the network's is shorter by n octets. */
static void
shorten(struct packet *p, uint32_t n)
{
	p->net -= n;
	p->transport -= p->transport < n ? p->transport : n;
	p->len -= p->len < n ? p->len : n;
}

static bool
is_vlan(uint64_t tag)
{
	return tag >> 32 == ETHERTYPE_VLAN || tag >> 32 == ETHERTYPE_QINQ || tag >> 32 == ETHERTYPE_QINQ_OLD;
}

/* What an opaque frame is where it may not be what it was. A link without header names none. */
static uint16_t
experiment(const struct rules *r)
{
	struct packet bare = {.kind = PACKET_FRAME};

	return link_length(&bare, r->dlt) ? LOCAL_EXPERIMENT : 0;
}

/* A label stack ends where its bottom is, and all tags end there; a PPPoE session carries IP, and no tags. */
static void
tags_rules(struct rules *r)
{
	struct packet *p = r->p;
	uint32_t before = link_length(p, r->dlt);

	if (breaks(r, p->n_tags && before == 4u * p->n_tags)) /* there is no ethertype before the first one */
		p->n_tags = 0;
	for (int i = 0; i < p->n_tags; i++) {
		uint64_t *tag = &p->tags[i];
		bool last = i + 1 == p->n_tags;
		if (breaks(r, !is_vlan(*tag) && !ethertype_is_mpls(*tag >> 32) && *tag >> 32 != ETHERTYPE_PPPOE))
			*tag = (uint64_t)ETHERTYPE_VLAN << 32 | (*tag & 0xffff);
		if (breaks(r, *tag >> 32 == ETHERTYPE_PPPOE && (!last || p->kind != PACKET_IP)))
			p->n_tags = i;
		if (!ethertype_is_mpls(*tag >> 32))
			continue;
		if (breaks(r, !last && !ethertype_is_mpls(tag[1] >> 32)))
			p->n_tags = i + 1;
		if (breaks(r, (i + 1 == p->n_tags) != (*tag >> 8 & 1)))
			*tag ^= 0x100;
	}
	if (r->mend)
		shorten(p, before - link_length(p, r->dlt));
}

/* Opaque frames: the ethertype is none whose header would have to follow. */
static void
frame_rules(struct rules *r)
{
	struct packet *p = r->p;

	if (breaks(r, p->runt)) {
		p->runt = false;
		p->ethertype = experiment(r);
		p->n_link = link_fields(p, r->dlt);
		memset(p->link, 0, sizeof p->link);
		p->macs = link_macs(p, r->dlt);
		p->net = link_length(p, r->dlt);
	}
	if (breaks(r, !p->runt && p->len < p->net))
		p->len = p->net;
	int64_t rest = (int64_t)p->len - p->net;
	switch (p->ethertype) {
	case ETHERTYPE_IP4:
	case ETHERTYPE_IP6:
		rest = -1;
		break;
	case ETHERTYPE_ARP:
	case ETHERTYPE_RARP:
		rest -= 8;
		break;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_GROUP:
		rest = p->n_tags && ethertype_is_mpls(p->tags[p->n_tags - 1] >> 32) ? rest - 1 : -1;
		break;
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
		rest -= 4;
		break;
	case ETHERTYPE_PPPOE_DISCOVERY:
	case ETHERTYPE_PPPOE:
		rest -= 6;
		break;
	case BACKBONE:
		rest -= 18;
		break;
	}
	if (breaks(r, rest < 0 && !p->runt))
		p->ethertype = experiment(r);
	if (r->dlt != 1 || p->runt || p->ethertype > 1500)
		return;
	/* IEEE 802.3: a length, in which there is room for LLC. */
	if (breaks(r, p->ethertype != 0)) {
		p->link[0] = p->ethertype;
		p->ethertype = 0;
	}
	rest = (int64_t)p->len - p->net;
	if (breaks(r, p->link[0] > rest || p->link[0] > 1500))
		p->link[0] = rest > 1500 ? 1500 : rest;
	if (breaks(r, p->link[0] < 3)) {
		p->ethertype = experiment(r);
		p->n_link = 0;
	}
}

/* Options of IPv4 and TCP: a kind that needs a length has one that can be. Returns how many are sound. */
static unsigned
options_sound(const uint32_t *v, unsigned n, unsigned fixed)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		unsigned kind = v[i] & 255, length = v[i] >> 8 & 255;
		if (v[i] & OPTION_BAD || (kind < 2 ? length != 0 : length < 2 && (length || kind > fixed)))
			break;
	}
	return i;
}

static void
ip4_rules(struct rules *r)
{
	struct packet *p = r->p;
	unsigned n = options_sound(p->ext, p->n_ext, 0), words;

	if (breaks(r, n < p->n_ext))
		p->n_ext = n;
	words = ip4_words(p->ext, p->n_ext);
	if (breaks(r, p->ip_hl < words))
		p->ip_hl = words;
}

static void
ip6_rules(struct rules *r)
{
	struct packet *p = r->p;
	uint16_t kept = p->frag;
	int n = 0;

	for (int i = 0; i < p->n_ext; i++) {
		/* A routing header of type 0 has whole addresses; nothing but a hop-by-hop header comes first. */
		uint32_t kind = p->ext[i] & 255, length = p->ext[i] >> 8 & 255;
		bool bad = p->ext[i] & OPTION_BAD || !ip_is_extension(kind) || (kind == 43 && length % 2) ||
			   (kind == 0 && i > 0) || (kind == PROTO_FRAGMENT && i + 1 < p->n_ext && ip_is_later_fragment(p)) ||
			   (kind == 51 && length < 1) ||
			   (kind >= 135 && (i + 1 < p->n_ext || p->proto != PROTO_NONE));
		if (breaks(r, bad))
			continue;
		p->ext[n++] = p->ext[i];
	}
	if (r->mend && n < p->n_ext) {
		p->n_ext = n;
		p->frag = 0;
		for (int i = 0; i < n; i++)
			p->frag |= (p->ext[i] & 255) == PROTO_FRAGMENT ? kept : 0;
	}
	if (breaks(r, ip_is_extension(p->proto) && !ip_is_later_fragment(p)))
		p->proto = PROTO_NONE;
}

/* Octets that an ICMP message has at least. */
static int64_t
message_length(const struct packet *p)
{
	static const uint8_t v4[] = {[13] = 20, [14] = 20, [17] = 12, [18] = 12};
	static const uint8_t v6[] = {[130] = 24, [131] = 24, [132] = 24, [133] = 8, [134] = 16, [135] = 24, [136] = 24,
				     [137] = 40, [138] = 16, [139] = 16, [140] = 16, [144] = 8, [145] = 24, [155] = 8};
	bool is4 = p->src.version == 4;

	if (icmp_quote_at(p) && p->quote.set)
		return icmp_quote_at(p) + (is4 ? p->quote.ip_hl * 4 : 40) + 8;
	if (icmp_quote_at(p))
		return icmp_quote_at(p) + (is4 ? 28 : 48);
	if (is4 && p->type == 9)
		return 8 + (int64_t)(p->word >> 24) * (p->word >> 16 & 255) * 4;
	if (!is4 && p->type == 143)
		return 8 + (int64_t)(p->word & 0xffff) * 20;
	if (is4)
		return p->type < sizeof v4 && v4[p->type] ? v4[p->type] : 8;
	return p->type < sizeof v6 && v6[p->type] ? v6[p->type] : 8;
}

static void
quote_rules(struct rules *r)
{
	struct packet *p = r->p;
	struct quote *q = &p->quote;
	bool is4 = p->src.version == 4;
	bool all = (int64_t)p->caplen - p->transport >= 8 + (is4 ? 20 : 40);

	/* One that was cut off is nobody's fault, and no longer cut off in a packet that is written whole. */
	if (!q->set && (all ? breaks(r, true) : r->mend))
		*q = (struct quote){.set = true, .proto = 17, .ttl = 64, .ip_hl = 5, .ip_len = is4 ? 28 : 8,
				    .src = p->dst, .dst = p->src, .word = 8};
	if (!q->set)
		return;
	if (breaks(r, q->src.version != p->src.version || q->dst.version != p->src.version)) {
		q->src = p->dst;
		q->dst = p->src;
	}
	if (breaks(r, is4 && q->ip_hl < 5))
		q->ip_hl = 5;
	int header = is4 ? q->ip_hl * 4 : 40;
	if (breaks(r, is4 && q->ip_len && q->ip_len < header))
		q->ip_len = header + 8;
	bool first = !is4 || !(q->frag & 0x1fff);
	int64_t there = p->rest - 8 - header, seen = (int64_t)p->caplen - p->transport - 8 - header;
	bool short_tcp = first && q->proto == PROTO_TCP && there >= TCP_FLAGS_END && q->bits >> 12 < 5;
	bool short_udp = first && q->proto == PROTO_UDP && (q->word < 8 || q->word > 0xffff);
	if (short_tcp && (seen >= TCP_FLAGS_END ? breaks(r, true) : r->mend))
		q->bits |= 0x5000;
	if (short_udp && (seen >= UDP_CHECKSUM_END ? breaks(r, true) : r->mend))
		q->word = 8;
}

static void
icmp_rules(struct rules *r)
{
	struct packet *p = r->p;
	unsigned at = icmp_options_at(p);
	bool whole = p->caplen >= p->transport + p->rest;

	if (breaks(r, message_length(p) > 1500))
		p->word = 0;
	if (icmp_quote_at(p))
		quote_rules(r);
	if (breaks(r, p->rest < message_length(p)))
		p->rest = message_length(p);
	if (!at || !whole)
		return;
	/* Neighbour discovery: options of eight octets and more, to the end. */
	int64_t end = at;
	for (int i = 0; i < p->n_options; i++) {
		unsigned n = (p->options[i] >> 8 & 255) * 8;
		if (breaks(r, n == 0 || end + n > 1500))
			p->n_options = i;
		else
			end += n;
	}
	if (breaks(r, p->rest != end))
		p->rest = end;
	if (icmp_target_at(p) && breaks(r, !p->has_target)) {
		p->has_target = true;
		p->target = p->dst;
	}
}

static void
tcp_rules(struct rules *r)
{
	struct packet *p = r->p;
	unsigned n = options_sound(p->options, p->n_options, OPTION_TIMESTAMPS), words;

	if (breaks(r, n < p->n_options))
		p->n_options = n;
	words = tcp_offset_for(p->options, p->n_options, p->n_sack / 2);
	if (breaks(r, p->tcp_off < words))
		p->tcp_off = words;
}

/* Octets that the header of another protocol has at least. */
static int64_t
other_length(const struct packet *p)
{
	static const struct {
		uint8_t proto, octets;
	} least[] = {{1, 8}, {2, 8}, {4, 20}, {33, 12}, {41, 40}, {46, 8}, {47, 4}, {50, 8}, {51, 12}, {58, 8},
		     {88, 20}, {89, 24}, {97, 16}, {103, 4}, {108, 4}, {112, 8}, {115, 4}, {136, 8}};

	for (size_t i = 0; i < sizeof least / sizeof *least && !ip_is_fragment(p); i++)
		if (least[i].proto == p->proto)
			return least[i].octets;
	return 0;
}

/* The lengths that headers give, the frame's, and what was captured of it. */
static void
length_rules(struct rules *r)
{
	struct packet *p = r->p;
	int64_t fixed = p->src.version == 4 ? 0 : 40, header = transport_length(p);

	if (!header)
		header = other_length(p);
	if (breaks(r, p->rest < header))
		p->rest = header;
	int64_t length = p->transport + p->rest - p->net - fixed;
	uint64_t *session = p->n_tags && p->tags[p->n_tags - 1] >> 32 == ETHERTYPE_PPPOE ? &p->tags[p->n_tags - 1] : NULL;
	/* Left to the interface: then it is what the frame has. */
	bool open = p->ip_len == 0 && fixed == 0 && !session && p->len == p->transport + p->rest;
	int64_t most = session ? 65533 : p->jumbo ? UINT32_MAX : 65535;
	/* A jumbo option is for what the length field can't say, and then that is 0 (RFC 2675, section 3). */
	if (breaks(r, p->jumbo && (length <= 65535 || !ip_has_room_for_jumbo(p))))
		p->jumbo = 0;
	if (breaks(r, !open && length > most)) {
		p->rest -= length - most;
		length = most;
	}
	if (breaks(r, p->jumbo && p->jumbo != length))
		p->jumbo = length;
	if (breaks(r, !p->jumbo && !open && p->ip_len != length))
		p->ip_len = length;
	if (breaks(r, (int64_t)p->len < p->transport + p->rest))
		p->len = p->transport + p->rest;
	/* A session's length may count padding. */
	uint32_t inside = session ? *session & 0xffff : 0;
	if (breaks(r, inside && (inside < ip_end(p) + 2 || inside > (int64_t)p->len - p->net + 2)))
		*session &= ~0xffffull;
	header = transport_length(p);
	if (p->proto == PROTO_SCTP && header)
		if (breaks(r, p->rest > 12 && p->rest < 16))
			p->rest = 12;
	if (p->proto == PROTO_UDP && header) {
		bool bad = ip_is_fragment(p) ? p->udp_len < p->rest : (p->udp_len < 8 && !(p->jumbo && !p->udp_len)) || p->udp_len > p->rest;
		if (breaks(r, packet_has(p, UDP_LENGTH_END) && bad) || (r->mend && !packet_has(p, UDP_LENGTH_END)))
			p->udp_len = p->rest <= UINT16_MAX ? p->rest : p->jumbo ? 0 : UINT16_MAX;
	}
}

unsigned
packet_faults(struct packet *p, int dlt, bool mend)
{
	struct rules r = {p, dlt, mend, 0};

	tags_rules(&r);
	if (p->kind == PACKET_FRAME)
		frame_rules(&r);
	if (p->kind == PACKET_ARP && breaks(&r, p->len < p->net + ARP_LENGTH))
		p->len = p->net + ARP_LENGTH;
	if (p->kind == PACKET_IP) {
		p->src.version == 4 ? ip4_rules(&r) : ip6_rules(&r);
		if (mend)
			p->transport = p->net + ip_header_length(p);
		if (!transport_length(p) || (ip_is_fragment(p) && p->proto != PROTO_TCP))
			;
		else if (p->proto == PROTO_TCP && (packet_has(p, TCP_OFFSET_END) || mend))
			tcp_rules(&r);
		else if ((p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) && packet_has(p, ICMP_REST_END))
			icmp_rules(&r);
		length_rules(&r);
	}
	if (breaks(&r, p->caplen > p->len))
		p->caplen = p->len;
	return r.broken;
}
