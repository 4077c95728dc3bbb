/*
 * The layers of a packet, parse and build side by side in one file each, and what they tell of one
 * another. Each parse function takes the whole captured packet; each build function writes its
 * header at out and returns its length in octets.
 */
#ifndef TC_LAYERS_H
#define TC_LAYERS_H

#include "packet/packet.h"

void link_parse(struct packet *p, int dlt, const uint8_t *data);
uint32_t link_build(const struct packet *p, int dlt, uint8_t *out);
/* How many fields p->link holds, and how many link addresses there are, by link type. */
unsigned link_fields(const struct packet *p, int dlt);
unsigned link_macs(const struct packet *p, int dlt);
uint32_t link_length(const struct packet *p, int dlt);
static inline bool
ethertype_is_mpls(uint64_t type)
{
	return type == ETHERTYPE_MPLS || type == ETHERTYPE_MPLS_GROUP;
}
void ip_parse(struct packet *p, const uint8_t *data);
uint32_t ip_build(const struct packet *p, uint8_t *out);
uint32_t ip_header_length(const struct packet *p);
/* Words of an IPv4 header with these options, padded. */
unsigned ip4_words(const uint32_t *ext, unsigned n);
bool ip_is_extension(uint8_t kind);
/* Whether there is a hop-by-hop header where a jumbo option must stand. */
bool ip_has_room_for_jumbo(const struct packet *p);
/* Where the datagram ends by its IP header, 0 where it doesn't say. */
uint32_t ip_end(const struct packet *p);
void arp_parse(struct packet *p, const uint8_t *data);
uint32_t arp_build(const struct packet *p, uint8_t *out);
#define ARP_LENGTH 28

/* Length of the transport header as it should be, whatever is there: 0 where there is none. */
int transport_length_of_others(const struct packet *p);
static inline int
transport_length(const struct packet *p)
{
	if (p->proto != PROTO_TCP || p->kind != PACKET_IP || ip_is_later_fragment(p) || (p->src.version == 4 && p->ip_hl < 5))
		return transport_length_of_others(p);
	return p->tcp_off < 5 ? 20 : p->tcp_off * 4;
}
/* Sets seen from caplen, rest and the above. */
void transport_see(struct packet *p);
/* The ports, with which TCP, UDP and SCTP begin; call transport_see() before. */
void ports_parse(struct packet *p, const uint8_t *header);
void ports_build(const struct packet *p, uint8_t *out);
void tcp_parse(struct packet *p, const uint8_t *data);
uint32_t tcp_build(const struct packet *p, uint8_t *out);
/* Whether the first option of a kind, one that is as long as it should be, is there, and so many of its octets were captured. */
bool tcp_option_has(const struct packet *p, uint32_t option, int octets);
void udp_parse(struct packet *p, const uint8_t *data);
uint32_t udp_build(const struct packet *p, uint8_t *out);
void sctp_parse(struct packet *p, const uint8_t *data);
uint32_t sctp_build(const struct packet *p, uint8_t *out);
/* Words of a TCP header with these options, padded. */
unsigned tcp_offset_for(const uint32_t *options, unsigned n, unsigned sacks);
void icmp_parse(struct packet *p, const uint8_t *data);
uint32_t icmp_build(const struct packet *p, uint8_t *out);
/* Octets from the ICMP header to the address that the message names, to its neighbour discovery
 * options, and to the packet it quotes; 0 for none. */
unsigned icmp_target_at(const struct packet *p);
unsigned icmp_options_at(const struct packet *p);
unsigned icmp_quote_at(const struct packet *p);
/* Whether octets 4 to 7 are identifier and sequence number, and whether it answers such a one. */
bool icmp_is_query(const struct packet *p);
bool icmp_is_reply(const struct packet *p);

/* How many of the rules of faults.c this packet breaks; with mend it is changed so that it breaks none. */
unsigned packet_faults(struct packet *p, int dlt, bool mend);

#endif
