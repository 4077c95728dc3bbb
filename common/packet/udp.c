/* UDP (RFC 768). */
#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"

/*  |          Source Port          |       Destination Port        |
 *  |            Length             |           Checksum            |
 */
#define UDP_HEADER 8

void
udp_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->transport;

	transport_see(p);
	ports_parse(p, h);
	p->udp_len = packet_has(p, UDP_LENGTH_END) ? get16(h + 4) : 0;
	p->no_checksum = packet_has(p, UDP_CHECKSUM_END) && get16(h + 6) == 0;
}

uint32_t
udp_build(const struct packet *p, uint8_t *h)
{
	/* A length of 0 over IPv6 is a jumbogram's (RFC 2675, section 4). */
	uint32_t length = p->udp_len || p->src.version == 4 ? p->udp_len : p->rest;
	uint16_t sum;

	ports_build(p, h);
	put16(h + 4, p->udp_len);
	put16(h + 6, 0);
	if (!p->no_checksum) {
		sum = checksum_fold(checksum_add(checksum_pseudo(p, length), h, UDP_HEADER));
		put16(h + 6, sum ? sum : 0xffff); /* 0 says that there is none */
	}
	return UDP_HEADER;
}
