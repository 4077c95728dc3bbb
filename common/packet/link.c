/*
 * Link headers and the tags behind them: Ethernet, Linux cooked v1 and v2, BSD loopback, PPP, raw
 * IP; IEEE 802.1Q and 802.1ad, MPLS (RFC 3032), PPPoE sessions (RFC 2516).
 */
#include "packet/bytes.h"
#include "packet/layers.h"

#include <string.h>

/* libpcap's DLT_ numbers; <pcap.h> itself lives in capture.c. 101 is DLT_RAW in files. */
enum {
	DLT_NULL_ = 0,
	DLT_ETHER = 1,
	DLT_PPP_ = 9,
	DLT_RAW_ = 12,
	DLT_RAW_BSD = 14,
	DLT_RAW_FILE = 101,
	DLT_LOOP_ = 108,
	DLT_SLL = 113,
	DLT_IP4 = 228,
	DLT_IP6 = 229,
	DLT_SLL2 = 276
};

enum { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057 };

#define LENGTH_FIELD 1500 /* an Ethernet type up to this is a length, IEEE 802.3 section 3.2.6 */

/* Octets of the link header itself. PPP's has two more in HDLC-like framing (RFC 1662). */
static uint32_t
header_length(const struct packet *p, int dlt)
{
	switch (dlt) {
	case DLT_PPP_:
		return p->link[0] ? 4 : 2;
	case DLT_ETHER:
		return 14;
	case DLT_SLL:
		return 16;
	case DLT_SLL2:
		return 20;
	case DLT_NULL_:
	case DLT_LOOP_:
		return 4;
	}
	return 0;
}

unsigned
link_fields(const struct packet *p, int dlt)
{
	if (p->runt)
		return 0;
	switch (dlt) {
	case DLT_ETHER: /* a length instead of a type */
		return p->kind == PACKET_FRAME && p->ethertype == 0;
	case DLT_SLL:
		return 3;
	case DLT_SLL2:
		return 4;
	case DLT_PPP_:
		return 2;
	case DLT_NULL_:
	case DLT_LOOP_:
		return 1;
	}
	return 0;
}

unsigned
link_macs(const struct packet *p, int dlt)
{
	if (p->runt)
		return 0;
	if (dlt == DLT_SLL || dlt == DLT_SLL2)
		return p->link[2] == 6;
	return dlt == DLT_ETHER ? 2 : 0;
}

/* BSD address families; IPv6 has as many as there are systems. */
static uint16_t
family_ethertype(uint32_t family)
{
	switch (family < 0x10000 ? family : __builtin_bswap32(family)) {
	case 2:
		return ETHERTYPE_IP4;
	case 10:
	case 24:
	case 28:
	case 30:
		return ETHERTYPE_IP6;
	}
	return 0;
}

static uint16_t
version_ethertype(uint8_t first)
{
	return first >> 4 == 4 ? ETHERTYPE_IP4 : first >> 4 == 6 ? ETHERTYPE_IP6 : 0;
}

static void
cooked_parse(struct packet *p, const uint8_t *type, const uint8_t *arphrd, unsigned length,
	     const uint8_t *address)
{
	p->link[0] = type[0];
	p->link[1] = get16(arphrd);
	p->link[2] = length;
	if (length == 6)
		memcpy(p->src_mac, address, 6);
}

/* The tags, one after the other, until something else stands there or PACKET_TAGS are read. */
static void
tags_parse(struct packet *p, const uint8_t *data)
{
	while (p->n_tags < PACKET_TAGS) {
		const uint8_t *at = data + p->net;
		uint32_t left = p->caplen - p->net;
		uint64_t *tag = &p->tags[p->n_tags];

		*tag = (uint64_t)p->ethertype << 32;
		switch (p->ethertype) {
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			if (left < 4)
				return;
			*tag |= get16(at);
			p->ethertype = get16(at + 2);
			p->net += 4;
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_GROUP:
			if (left < 4)
				return;
			*tag |= get32(at);
			p->net += 4;
			if (at[2] & 1) { /* bottom of the stack */
				p->n_tags++;
				if (left > 4 && version_ethertype(at[4]))
					p->ethertype = version_ethertype(at[4]);
				return;
			}
			break;
		case ETHERTYPE_PPPOE:
			/* Only IP in a session; the rest stays an opaque frame. The length field is
			 * compared with the datagram's later, in ip_parse(). */
			if (left < 8 || get16(at) != 0x1100 ||
			    (get16(at + 6) != PPP_IP4 && get16(at + 6) != PPP_IP6))
				return;
			*tag |= get32(at + 2);
			p->ethertype = get16(at + 6) == PPP_IP4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
			p->net += 8;
			break;
		default:
			return;
		}
		p->n_tags++;
	}
}

void
link_parse(struct packet *p, int dlt, const uint8_t *data)
{
	if (dlt == DLT_PPP_ && p->caplen >= 2 && get16(data) == 0xff03)
		p->link[0] = 0xff03;
	p->net = header_length(p, dlt);
	/* A PPP packet of less than four octets may be in either framing: nothing is said of it. */
	if (p->caplen < p->net || (dlt == DLT_PPP_ && p->caplen < 4)) {
		p->link[0] = 0;
		p->net = 0;
		p->runt = true;
		return;
	}
	switch (dlt) {
	case DLT_PPP_:
		p->link[1] = get16(data + p->net - 2);
		p->ethertype = p->link[1] == PPP_IP4   ? ETHERTYPE_IP4
			       : p->link[1] == PPP_IP6 ? ETHERTYPE_IP6
						       : 0;
		break;
	case DLT_ETHER:
		memcpy(p->dst_mac, data, 6);
		memcpy(p->src_mac, data + 6, 6);
		p->ethertype = get16(data + 12);
		break;
	case DLT_SLL:
		cooked_parse(p, data + 1, data + 2, get16(data + 4), data + 6);
		p->link[0] = get16(data);
		p->ethertype = get16(data + 14);
		break;
	case DLT_SLL2:
		cooked_parse(p, data + 10, data + 8, data[11], data + 12);
		p->link[3] = get32(data + 4);
		p->ethertype = get16(data);
		break;
	case DLT_NULL_:
	case DLT_LOOP_:
		p->link[0] = get32(data);
		p->ethertype = family_ethertype(p->link[0]);
		break;
	case DLT_RAW_:
	case DLT_RAW_BSD:
	case DLT_RAW_FILE:
	case DLT_IP4:
	case DLT_IP6:
		if (p->caplen)
			p->ethertype = version_ethertype(data[0]);
		break;
	}
	tags_parse(p, data);
	if (dlt == DLT_ETHER && p->ethertype <= LENGTH_FIELD) {
		p->link[0] = p->ethertype;
		p->ethertype = 0;
	}
	p->n_link = link_fields(p, dlt);
	p->macs = link_macs(p, dlt);
}

uint32_t
link_length(const struct packet *p, int dlt)
{
	uint32_t n = p->runt ? 0 : header_length(p, dlt);

	for (int i = 0; i < p->n_tags; i++)
		n += p->tags[i] >> 32 == ETHERTYPE_PPPOE ? 8 : 4;
	return n;
}

/* What the type field before a tag, or before the payload (i = n_tags), says. */
static uint16_t
type_of(const struct packet *p, int i)
{
	if (i < p->n_tags)
		return p->tags[i] >> 32;
	return p->ethertype || p->macs < 2 ? p->ethertype : p->link[0]; /* a length, IEEE 802.3 */
}

static uint32_t
tags_build(const struct packet *p, uint8_t *out)
{
	uint8_t *at = out;

	for (int i = 0; i < p->n_tags; i++) {
		uint16_t next = type_of(p, i + 1);
		uint32_t value = p->tags[i];

		if (ethertype_is_mpls(p->tags[i] >> 32)) {
			put32(at, value);
		} else if (p->tags[i] >> 32 == ETHERTYPE_PPPOE) {
			put16(at, 0x1100);
			put16(at + 2, value >> 16);
			put16(at + 4, value & 0xffff ? value : ip_end(p) + 2);
			put16(at + 6, next == ETHERTYPE_IP6 ? PPP_IP6 : PPP_IP4);
			at += 4;
		} else {
			put16(at, value);
			put16(at + 2, next);
		}
		at += 4;
	}
	return at - out;
}

static bool
told_by_version(const struct packet *p, int dlt)
{
	if (p->n_tags)
		return ethertype_is_mpls(p->tags[p->n_tags - 1] >> 32) && !ethertype_is_mpls(p->ethertype);
	return header_length(p, dlt) == 0;
}

uint32_t
link_build(const struct packet *p, int dlt, uint8_t *out)
{
	uint16_t type = type_of(p, 0);
	uint32_t n = header_length(p, dlt);

	if (p->runt)
		return 0;
	memset(out, 0, n);
	switch (dlt) {
	case DLT_PPP_:
		put16(out, p->link[0]);
		put16(out + n - 2, p->link[1]);
		break;
	case DLT_ETHER:
		memcpy(out, p->dst_mac, 6);
		memcpy(out + 6, p->src_mac, 6);
		put16(out + 12, type);
		break;
	case DLT_SLL:
		put16(out, p->link[0]);
		put16(out + 2, p->link[1]);
		put16(out + 4, p->link[2]);
		if (p->macs)
			memcpy(out + 6, p->src_mac, 6);
		put16(out + 14, type);
		break;
	case DLT_SLL2:
		put16(out, type);
		put32(out + 4, p->link[3]);
		put16(out + 8, p->link[1]);
		out[10] = p->link[0];
		out[11] = p->link[2];
		if (p->macs)
			memcpy(out + 12, p->src_mac, 6);
		break;
	case DLT_NULL_:
	case DLT_LOOP_:
		put32(out, p->link[0]);
		break;
	}
	n += tags_build(p, out + n);
	/* LLC: unnumbered information of nobody to nobody (IEEE 802.2). */
	if (dlt == DLT_ETHER && p->kind == PACKET_FRAME && !p->ethertype && p->link[0] >= 3) {
		memset(out + n, 0, 3);
		out[n + 2] = 3;
		n += 3;
	}
	/* Where only its first octet tells IP, even a frame that is cut too short for IP has it. */
	if (p->kind == PACKET_FRAME && p->ethertype && told_by_version(p, dlt))
		out[n++] = p->ethertype == ETHERTYPE_IP6 ? 0x60 : 0x40;
	return n;
}
