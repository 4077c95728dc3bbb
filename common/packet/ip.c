/* IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200). */
#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"

#include <string.h>

/* RFC 791, section 3.1
 *  0                   1                   2                   3
 *  |Version|  IHL  |Type of Service|          Total Length         |
 *  |         Identification        |Flags|      Fragment Offset    |
 *  |  Time to Live |    Protocol   |         Header Checksum       |
 *  |                       Source Address                          |
 *  |                    Destination Address                        |
 *  |                    Options                    |    Padding    |
 */
#define IP4_HEADER    20u
#define IP6_HEADER    40u

enum { IP6_HOP = 0, IP6_ROUTING = 43, IP6_AUTH = 51, IP6_DEST = 60, IP6_MOBILITY = 135,
       IP6_HIP = 139, IP6_SHIM = 140 };

#define IP6_OPTION_JUMBO 0xc2 /* RFC 2675 */

static uint32_t
ext_length(uint32_t ext)
{
	uint32_t kind = ext & 255, length = ext >> 8 & 255;

	return kind == PROTO_FRAGMENT ? 8 : kind == IP6_AUTH ? (length + 2) * 4 : (length + 1) * 8;
}

unsigned
ip4_words(const uint32_t *ext, unsigned n)
{
	unsigned length = 20;

	for (unsigned i = 0; i < n; i++)
		length += (ext[i] & 255) < 2 ? 1 : ext[i] & OPTION_BAD ? 1 : ext[i] >> 8 & 255;
	return (length + 3) / 4;
}

uint32_t
ip_header_length(const struct packet *p)
{
	uint32_t n = IP6_HEADER;

	if (p->src.version == 4)
		return p->ip_hl < 5 ? IP4_HEADER : p->ip_hl * 4;
	for (int i = 0; i < p->n_ext; i++)
		n += ext_length(p->ext[i]);
	return n;
}

uint32_t
ip_end(const struct packet *p)
{
	if (p->kind != PACKET_IP || (!p->ip_len && !p->jumbo))
		return 0;
	return p->src.version == 4 ? p->ip_len : IP6_HEADER + (p->jumbo ? p->jumbo : p->ip_len);
}

/* The options from at to end, of which those before cut were captured. */
static void
options4_parse(struct packet *p, const uint8_t *at, const uint8_t *cut, const uint8_t *end)
{
	while (at < cut && p->n_ext < PACKET_EXTS) {
		uint32_t kind = *at, n = cut - at > 1 ? at[1] : 0;
		if (kind < 2) {
			p->ext[p->n_ext++] = kind;
			at++;
			if (kind == OPTION_EOL)
				return;
			continue;
		}
		if (n < 2 || n > end - at) {
			p->ext[p->n_ext++] = OPTION_BAD | n << 8 | kind;
			return;
		}
		p->ext[p->n_ext++] = n << 8 | kind;
		at += n;
	}
}

static void
ip4_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->net;
	uint32_t length, left = p->caplen - p->net;

	p->kind = PACKET_IP;
	p->src.version = p->dst.version = 4;
	p->ip_hl = h[0] & 15;
	p->tos = h[1];
	p->ip_len = get16(h + 2);
	p->id = get16(h + 4);
	p->frag = get16(h + 6);
	p->ttl = h[8];
	p->proto = h[9];
	memcpy(p->src.octet, h + 12, 4);
	memcpy(p->dst.octet, h + 16, 4);
	length = ip_header_length(p);
	options4_parse(p, h + IP4_HEADER, h + (length < left ? length : left), h + length);
}

bool
ip_is_extension(uint8_t kind)
{
	return kind == IP6_HOP || kind == IP6_ROUTING || kind == IP6_AUTH || kind == IP6_DEST ||
	       kind == PROTO_FRAGMENT || kind == IP6_MOBILITY || kind == IP6_HIP ||
	       kind == IP6_SHIM;
}

bool
ip_has_room_for_jumbo(const struct packet *p)
{
	return p->src.version == 6 && p->n_ext && (p->ext[0] & 255) == IP6_HOP;
}

/* The length that a hop-by-hop header's options give, of which n octets are there; 0 where they give none. */
static uint32_t
jumbo_parse(const uint8_t *h, uint32_t n)
{
	for (uint32_t at = 2; at < n; at += h[at] ? 2 + h[at + 1] : 1) {
		if (h[at] == IP6_OPTION_JUMBO && at + 6 <= n && h[at + 1] == 4)
			return get32(h + at + 2);
		if (h[at] && at + 1 == n)
			break;
	}
	return 0;
}

static void
ip6_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->net;
	uint32_t at = IP6_HEADER, left = p->caplen - p->net, end;

	p->kind = PACKET_IP;
	p->src.version = p->dst.version = 6;
	p->tos = get16(h) >> 4;
	p->label = get32(h) & 0xfffff;
	p->ip_len = get16(h + 4);
	p->proto = h[6];
	p->ttl = h[7];
	memcpy(p->src.octet, h + 8, 16);
	memcpy(p->dst.octet, h + 24, 16);
	end = p->ip_len && IP6_HEADER + p->ip_len < left ? IP6_HEADER + p->ip_len : left;
	/* The first two octets of a header are enough to know it, though the rest may be cut. */
	while (ip_is_extension(p->proto) && p->n_ext < PACKET_EXTS &&
	       at + (p->proto == PROTO_FRAGMENT ? 8 : 2) <= end) {
		uint32_t ext = h[at + 1] << 8 | p->proto;
		if (p->proto == PROTO_FRAGMENT) {
			p->frag = get16(h + at + 2);
			p->frag_id = get32(h + at + 4);
		}
		uint32_t length = ext_length(ext);
		p->ext[p->n_ext++] = ext;
		p->proto = h[at];
		if (!p->ip_len && p->n_ext == 1 && ip_has_room_for_jumbo(p))
			p->jumbo = jumbo_parse(h + at, length < end - at ? length : end - at);
		at += length;
		if (ip_is_later_fragment(p))
			return;
	}
}

/* A PPPoE length that is the datagram's own plus two is the rule, and written as 0. */
static void
pppoe_settle(struct packet *p)
{
	for (int i = 0; i < p->n_tags; i++)
		if (p->tags[i] >> 32 == ETHERTYPE_PPPOE && (p->tags[i] & 0xffff) == (uint16_t)(ip_end(p) + 2))
			p->tags[i] &= ~0xffffull;
}

void
ip_parse(struct packet *p, const uint8_t *data)
{
	uint32_t left = p->caplen - p->net;

	if (p->ethertype == ETHERTYPE_IP4 && left >= IP4_HEADER && data[p->net] >> 4 == 4)
		ip4_parse(p, data);
	else if (p->ethertype == ETHERTYPE_IP6 && left >= IP6_HEADER && data[p->net] >> 4 == 6)
		ip6_parse(p, data);
	pppoe_settle(p);
	if (p->kind != PACKET_IP)
		return;
	p->transport = p->net + ip_header_length(p);
	if (p->ip_len == 0 && !(p->src.version == 6 && p->proto == PROTO_NONE && !p->n_ext))
		p->rest = p->jumbo ? (int64_t)p->net + ip_end(p) - p->transport
				   : (int64_t)p->len - p->transport; /* left to the interface */
	else
		p->rest = (int64_t)p->net + (p->src.version == 4 ? 0 : IP6_HEADER) + p->ip_len -
			  p->transport;
}

static void
options4_build(const struct packet *p, uint8_t *at, const uint8_t *end)
{
	for (int i = 0; i < p->n_ext && at < end; i++) {
		uint32_t kind = p->ext[i] & 255, length = p->ext[i] >> 8 & 255;
		*at++ = kind;
		if (kind < 2)
			continue;
		if (at == end)
			return;
		*at = length;
		if (p->ext[i] & OPTION_BAD || length < 2)
			return;
		/* Record route and timestamp point at their first free place; source routes are used
		 * up, so that the destination is the last one. */
		if (length > 2 && at + 1 < end && (kind == 7 || kind == 68))
			at[1] = kind == 7 ? 4 : 5;
		if (length > 2 && at + 1 < end && (kind == 131 || kind == 137))
			at[1] = length + 1;
		at += length - 1;
	}
}

static uint32_t
ip4_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = ip_header_length(p);

	memset(h, 0, n);
	h[0] = 0x40 | p->ip_hl;
	h[1] = p->tos;
	put16(h + 2, p->ip_len);
	put16(h + 4, p->id);
	put16(h + 6, p->frag);
	h[8] = p->ttl;
	h[9] = p->proto;
	memcpy(h + 12, p->src.octet, 4);
	memcpy(h + 16, p->dst.octet, 4);
	options4_build(p, h + IP4_HEADER, h + n);
	put16(h + 10, checksum_fold(checksum_add(0, h, n)));
	return n;
}

static uint32_t
ip6_build(const struct packet *p, uint8_t *h)
{
	uint8_t *next = h + 6;
	uint32_t at = IP6_HEADER;

	put32(h, 0x60000000 | (uint32_t)p->tos << 20 | p->label);
	put16(h + 4, p->ip_len);
	h[7] = p->ttl;
	memcpy(h + 8, p->src.octet, 16);
	memcpy(h + 24, p->dst.octet, 16);
	for (int i = 0; i < p->n_ext; i++) {
		uint32_t n = ext_length(p->ext[i]);
		*next = p->ext[i];
		memset(h + at, 0, n);
		next = h + at;
		h[at + 1] = p->ext[i] >> 8;
		if ((p->ext[i] & 255) == PROTO_FRAGMENT) {
			put16(h + at + 2, p->frag);
			put32(h + at + 4, p->frag_id);
		}
		if (i == 0 && p->jumbo) {
			h[at + 2] = IP6_OPTION_JUMBO;
			h[at + 3] = 4;
			put32(h + at + 4, p->jumbo);
		}
		at += n;
	}
	*next = p->proto;
	return at;
}

uint32_t
ip_build(const struct packet *p, uint8_t *out)
{
	return p->src.version == 4 ? ip4_build(p, out) : ip6_build(p, out);
}
