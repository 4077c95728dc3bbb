/*
 * ICMP (RFC 792, RFC 950), ICMPv6 (RFC 4443) with neighbour discovery (RFC 4861) and listener
 * discovery (RFC 2710), and the packets that errors quote.
 */
#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"

#include <string.h>

#define ICMP_HEADER 8

enum { V6_MLD_QUERY = 130, V6_MLD_DONE = 132, V6_RS = 133, V6_RA, V6_NS, V6_NA, V6_REDIRECT };
enum { V4_REDIRECT = 5 };
enum { ND_SOURCE = 1, ND_TARGET = 2 }; /* link-layer address options */

unsigned
icmp_quote_at(const struct packet *p)
{
	if (p->proto == PROTO_ICMP6)
		return p->type >= 1 && p->type <= 4 ? ICMP_HEADER : 0;
	switch (p->type) {
	case 3:
	case 4:
	case V4_REDIRECT:
	case 11:
	case 12:
		return ICMP_HEADER;
	}
	return 0;
}

unsigned
icmp_target_at(const struct packet *p)
{
	if (p->proto == PROTO_ICMP)
		return p->type == V4_REDIRECT ? 4 : 0;
	if ((p->type >= V6_MLD_QUERY && p->type <= V6_MLD_DONE) ||
	    (p->type >= V6_NS && p->type <= V6_REDIRECT))
		return 8;
	return 0;
}

unsigned
icmp_options_at(const struct packet *p)
{
	static const uint8_t at[] = {8, 16, 24, 24, 40};

	if (p->proto == PROTO_ICMP6 && p->type >= V6_RS && p->type <= V6_REDIRECT)
		return at[p->type - V6_RS];
	return 0;
}

bool
icmp_is_query(const struct packet *p)
{
	if (p->proto == PROTO_ICMP6)
		return p->type == 128 || p->type == 129;
	return p->type == 0 || p->type == 8 || (p->type >= 13 && p->type <= 18);
}

bool
icmp_is_reply(const struct packet *p)
{
	if (p->proto == PROTO_ICMP6)
		return p->type == 129;
	return p->type == 0 || p->type == 14 || p->type == 16 || p->type == 18;
}

static void
options_parse(struct packet *p, const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 2 && p->n_options < PACKET_OPTIONS) {
		p->options[p->n_options++] = at[1] << 8 | at[0];
		if (at[1] == 0 || at[1] * 8 > end - at)
			return;
		at += at[1] * 8;
	}
}

/* The header behind an IP header that is quoted: four octets at least, or nothing is said. */
static void
quote_transport_parse(struct quote *q, const uint8_t *at, int32_t left)
{
	if (q->src.version == 4 ? q->frag & 0x1fff : 0)
		return;
	if (left < 8)
		return;
	if (q->proto == PROTO_TCP || q->proto == PROTO_UDP || q->proto == PROTO_SCTP) {
		q->src_port = get16(at);
		q->dst_port = get16(at + 2);
		q->word = q->proto == PROTO_SCTP ? 0 : get32(at + 4);
		if (q->proto == PROTO_UDP)
			q->word >>= 16;
		if (q->proto == PROTO_TCP && left >= 14)
			q->bits = get16(at + 12);
	} else if (q->proto == PROTO_ICMP || q->proto == PROTO_ICMP6) {
		q->bits = get16(at);
		q->word = get32(at + 4);
	}
}

static void
quote_parse(struct quote *q, const uint8_t *h, int32_t left)
{
	uint32_t n;

	if (left >= 20 && h[0] >> 4 == 4 && (h[0] & 15) >= 5) {
		q->src.version = q->dst.version = 4;
		q->ip_hl = h[0] & 15;
		q->tos = h[1];
		q->ip_len = get16(h + 2);
		q->id = get16(h + 4);
		q->frag = get16(h + 6);
		q->ttl = h[8];
		q->proto = h[9];
		memcpy(q->src.octet, h + 12, 4);
		memcpy(q->dst.octet, h + 16, 4);
		n = q->ip_hl * 4;
	} else if (left >= 40 && h[0] >> 4 == 6) {
		q->src.version = q->dst.version = 6;
		q->tos = get16(h) >> 4;
		q->ip_len = get16(h + 4);
		q->proto = h[6];
		q->ttl = h[7];
		memcpy(q->src.octet, h + 8, 16);
		memcpy(q->dst.octet, h + 24, 16);
		n = 40;
	} else {
		return;
	}
	q->set = true;
	quote_transport_parse(q, h + n, left - (int32_t)n);
}

void
icmp_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->transport;
	int64_t left = p->caplen - (int64_t)p->transport;
	unsigned target = 0, length = p->src.version == 4 ? 4 : 16, at;

	transport_see(p);
	if (left > p->rest)
		left = p->rest;
	p->type = packet_has(p, ICMP_TYPE_END) ? h[0] : 0;
	p->code = packet_has(p, ICMP_CODE_END) ? h[1] : 0;
	if (!packet_has(p, ICMP_REST_END))
		return;
	p->word = get32(h + 4);
	target = icmp_target_at(p);
	if (target && left >= target + length) {
		p->has_target = true;
		p->target.version = p->src.version;
		memcpy(p->target.octet, h + target, length);
		if (target == 4)
			p->word = 0;
	}
	if ((at = icmp_options_at(p)) && left > at)
		options_parse(p, h + at, h + left);
	if (icmp_quote_at(p))
		quote_parse(&p->quote, h + ICMP_HEADER, left - ICMP_HEADER);
}

static unsigned
options_build(const struct packet *p, uint8_t *h, unsigned at, int64_t rest)
{
	for (int i = 0; i < p->n_options && at + 2 <= rest; i++) {
		unsigned kind = p->options[i] & 255, n = (p->options[i] >> 8 & 255) * 8;

		memset(h + at, 0, n < 8 ? 8 : n);
		h[at] = kind;
		h[at + 1] = n / 8;
		if (n && p->macs && (kind == ND_SOURCE || kind == ND_TARGET))
			memcpy(h + at + 2, p->src_mac, 6);
		at += n < 8 ? 8 : n;
	}
	return at;
}

static unsigned
quote_build(const struct quote *q, uint8_t *h)
{
	unsigned n = q->src.version == 4 ? q->ip_hl * 4 : 40;
	uint8_t *at = h + n;

	memset(h, 0, n + 20);
	if (q->src.version == 4) {
		h[0] = 0x40 | q->ip_hl;
		h[1] = q->tos;
		put16(h + 2, q->ip_len);
		put16(h + 4, q->id);
		put16(h + 6, q->frag);
		h[8] = q->ttl;
		h[9] = q->proto;
		memcpy(h + 12, q->src.octet, 4);
		memcpy(h + 16, q->dst.octet, 4);
		put16(h + 10, checksum_fold(checksum_add(0, h, n)));
		if (q->frag & 0x1fff)
			return n;
	} else {
		put32(h, 0x60000000 | (uint32_t)q->tos << 20);
		put16(h + 4, q->ip_len);
		h[6] = q->proto;
		h[7] = q->ttl;
		memcpy(h + 8, q->src.octet, 16);
		memcpy(h + 24, q->dst.octet, 16);
	}
	if (q->proto == PROTO_ICMP || q->proto == PROTO_ICMP6) {
		put16(at, q->bits);
		put32(at + 4, q->word);
		return n + 8;
	}
	if (q->proto != PROTO_TCP && q->proto != PROTO_UDP && q->proto != PROTO_SCTP)
		return n;
	put16(at, q->src_port);
	put16(at + 2, q->dst_port);
	put32(at + 4, q->proto == PROTO_UDP ? q->word << 16 : q->word);
	if (q->proto != PROTO_TCP)
		return n + 8;
	put16(at + 12, q->bits);
	return n + 20;
}

uint32_t
icmp_build(const struct packet *p, uint8_t *h)
{
	unsigned n = ICMP_HEADER, length = p->src.version == 4 ? 4 : 16, target;
	uint64_t sum = 0;

	memset(h, 0, 40);
	h[0] = p->type;
	h[1] = p->code;
	put32(h + 4, p->word);
	if ((target = icmp_target_at(p)) && p->has_target) {
		memcpy(h + target, p->target.octet, length);
		if (n < target + length)
			n = target + length;
	}
	if (icmp_options_at(p))
		n = options_build(p, h, icmp_options_at(p), p->rest);
	if (icmp_quote_at(p) && p->quote.set)
		n = ICMP_HEADER + quote_build(&p->quote, h + ICMP_HEADER);
	if (n > p->rest)
		n = p->rest < 0 ? 0 : p->rest;
	if (p->src.version == 6)
		sum = checksum_pseudo(p, p->whole ? p->whole : p->rest);
	if (n >= 4)
		put16(h + 2, checksum_fold(checksum_add(sum, h, n)));
	return n;
}
