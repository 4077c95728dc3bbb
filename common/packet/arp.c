/* ARP (RFC 826), reverse ARP (RFC 903): of IPv4 over six-octet link addresses. */
#include "packet/bytes.h"
#include "packet/layers.h"

#include <string.h>

/* What is of another kind stays an opaque frame. */
void
arp_parse(struct packet *p, const uint8_t *data)
{
	static const uint8_t start[6] = {0, 1, 8, 0, 6, 4};
	const uint8_t *h = data + p->net;

	if ((p->ethertype != ETHERTYPE_ARP && p->ethertype != ETHERTYPE_RARP) ||
	    p->caplen - p->net < ARP_LENGTH || memcmp(h, start, 6) != 0)
		return;
	p->kind = PACKET_ARP;
	p->operation = get16(h + 6);
	memcpy(p->sha, h + 8, 6);
	memcpy(p->tha, h + 18, 6);
	p->src.version = p->dst.version = 4;
	memcpy(p->src.octet, h + 14, 4);
	memcpy(p->dst.octet, h + 24, 4);
}

uint32_t
arp_build(const struct packet *p, uint8_t *h)
{
	static const uint8_t start[6] = {0, 1, 8, 0, 6, 4};

	memcpy(h, start, 6);
	put16(h + 6, p->operation);
	memcpy(h + 8, p->sha, 6);
	memcpy(h + 14, p->src.octet, 4);
	memcpy(h + 18, p->tha, 6);
	memcpy(h + 24, p->dst.octet, 4);
	return ARP_LENGTH;
}
