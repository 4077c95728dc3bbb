#include "packet/packet.h"

#include "packet/bytes.h"
#include "packet/layers.h"

#include <string.h>

/* Which transport header this is, however much of it is there. */
static enum { TRANSPORT_NONE, TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_SCTP, TRANSPORT_ICMP }
transport_of(const struct packet *p)
{
	if (p->kind != PACKET_IP || ip_is_later_fragment(p) ||
	    (p->src.version == 4 && p->ip_hl < 5))
		return TRANSPORT_NONE;
	switch (p->proto) {
	case PROTO_TCP:
		return TRANSPORT_TCP;
	case PROTO_UDP:
		return TRANSPORT_UDP;
	case PROTO_SCTP:
		return TRANSPORT_SCTP;
	case PROTO_ICMP:
		return p->src.version == 4 ? TRANSPORT_ICMP : TRANSPORT_NONE;
	case PROTO_ICMP6:
		return p->src.version == 6 ? TRANSPORT_ICMP : TRANSPORT_NONE;
	}
	return TRANSPORT_NONE;
}

int
transport_length_of_others(const struct packet *p)
{
	switch (transport_of(p)) {
	case TRANSPORT_UDP:
	case TRANSPORT_ICMP:
		return 8;
	case TRANSPORT_SCTP:
		return 12;
	case TRANSPORT_TCP: /* transport_length() */
	case TRANSPORT_NONE:
		break;
	}
	return 0;
}

void
transport_see(struct packet *p)
{
	int64_t n = (int64_t)p->caplen - p->transport;
	int length = transport_length(p);

	if (n > p->rest)
		n = p->rest;
	p->seen = n < 0 ? 0 : n > length ? length : n;
}

void
ports_parse(struct packet *p, const uint8_t *header)
{
	if (!packet_has(p, PORTS_END))
		return;
	p->src_port = get16(header);
	p->dst_port = get16(header + 2);
}

void
ports_build(const struct packet *p, uint8_t *out)
{
	put16(out, p->src_port);
	put16(out + 2, p->dst_port);
}

void
packet_parse(struct packet *p, int dlt, const uint8_t *data)
{
	link_parse(p, dlt, data);
	arp_parse(p, data);
	ip_parse(p, data);
	switch (transport_of(p)) {
	case TRANSPORT_TCP:
		tcp_parse(p, data);
		break;
	case TRANSPORT_UDP:
		udp_parse(p, data);
		break;
	case TRANSPORT_SCTP:
		sctp_parse(p, data);
		break;
	case TRANSPORT_ICMP:
		icmp_parse(p, data);
		break;
	case TRANSPORT_NONE:
		break;
	}
}

uint32_t
packet_proto(const struct packet *p)
{
	if (p->kind == PACKET_IP)
		return p->proto;
	if (p->kind == PACKET_ARP)
		return p->ethertype;
	return p->runt ? PROTO_RUNT : PROTO_FRAME + p->ethertype;
}

/* Words among zeros, up to the last one. */
static uint32_t
amends_build(const struct packet *p, uint8_t *out)
{
	uint32_t n = 0;

	for (int i = 0; i < p->n_amends; i++)
		if (p->amends[i].at + 2 > n)
			n = p->amends[i].at + 2;
	memset(out, 0, n);
	for (int i = 0; i < p->n_amends; i++)
		put16(out + p->amends[i].at, p->amends[i].word);
	return n;
}

uint32_t
packet_build(struct packet *p, int dlt, uint8_t *out)
{
	uint32_t n = link_build(p, dlt, out), built = 0;

	if (p->kind == PACKET_ARP)
		return n + arp_build(p, out + n);
	if (p->kind != PACKET_IP)
		return n;
	n += ip_build(p, out + n);
	switch (transport_of(p)) {
	case TRANSPORT_TCP:
		built = tcp_build(p, out + n);
		break;
	case TRANSPORT_UDP:
		built = udp_build(p, out + n);
		break;
	case TRANSPORT_SCTP:
		built = sctp_build(p, out + n);
		break;
	case TRANSPORT_ICMP:
		built = icmp_build(p, out + n);
		break;
	case TRANSPORT_NONE:
		if (p->n_amends) {
			built = amends_build(p, out + n);
		} else if (p->proto == PROTO_AUTH && p->src.version == 4 && !ip_is_later_fragment(p)) {
			put32(out + n, PROTO_NONE << 24 | 1 << 16); /* with nothing behind it, RFC 4302 */
			built = 4;
		}
		break;
	}
	/* A datagram that is too short for its headers ends where it says. */
	if (built > p->rest)
		built = p->rest < 0 ? 0 : p->rest;
	return n + built;
}
