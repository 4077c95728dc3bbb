/*
 * What one packet's headers say, as absolute facts: what a layer's parse function finds in the
 * octets, and what its build function writes. No state, no names.
 *
 * Octets beyond the captured ones don't exist: a field there is 0, and `seen` says how much of the
 * transport header can be believed.
 */
#ifndef TC_PACKET_H
#define TC_PACKET_H

#include "packet/address.h"
#include "record/vocabulary.h"
#include "support/clear.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_LINKS   4
#define PACKET_TAGS    8
#define PACKET_EXTS    16
#define PACKET_OPTIONS 40
#define PACKET_SACKS   8
#define PACKET_AMENDS  4
/* More than any headers that are ever read or built, chains of extensions and options included. */
#define PACKET_HEADERS (1 << 17)

#define ETHERTYPE_IP4  0x0800
#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_RARP 0x8035
#define ETHERTYPE_IP6  0x86dd
/* What a tag begins with. */
#define ETHERTYPE_VLAN		  0x8100
#define ETHERTYPE_QINQ		  0x88a8
#define ETHERTYPE_QINQ_OLD	  0x9100
#define ETHERTYPE_MPLS		  0x8847
#define ETHERTYPE_MPLS_GROUP	  0x8848
#define ETHERTYPE_PPPOE_DISCOVERY 0x8863
#define ETHERTYPE_PPPOE		  0x8864

/* Kind + 256 * length; the length is 0 where the kind alone fixes it. BAD: it has a length that can't be, or none was
 * captured, and nothing behind it was read. */
#define OPTION_BAD 0x10000
enum {
	OPTION_EOL,
	OPTION_NOP,
	OPTION_MSS,
	OPTION_WSCALE,
	OPTION_SACK_OK,
	OPTION_SACK,
	OPTION_TIMESTAMPS = 8
};

enum packet_kind {
	PACKET_FRAME, /* nothing above the link header was understood */
	PACKET_ARP,
	PACKET_IP
};

/* The header that an ICMP error quotes. */
struct quote {
	bool set;
	uint8_t proto, ttl, tos, ip_hl;
	uint16_t ip_len, id, frag;
	struct address src, dst;
	uint16_t src_port, dst_port; /* TCP, UDP, SCTP */
	uint32_t word; /* TCP: sequence number; UDP: length and checksum; ICMP: octets 4 to 7 */
	uint16_t bits; /* TCP: offset and flags, where they are quoted; ICMP: type and code */
};

struct packet {
	int64_t time;         /* ns since 1970 */
	uint32_t caplen, len; /* octets captured, octets on the wire */
	enum packet_kind kind;

	/* link */
	uint8_t macs; /* link addresses there are: 0, 1 (source), 2 */
	uint8_t src_mac[6], dst_mac[6];
	bool runt; /* not even the link header was captured */
	uint16_t ethertype;
	uint8_t n_link, n_tags;
	uint32_t link[PACKET_LINKS]; /* what else the link header holds, by link type */
	uint32_t net;                /* octets before the network header */

	/* IP; ARP has src and dst too */
	struct address src, dst;
	uint8_t proto, ttl, tos, ip_hl; /* ip_hl: IPv4, words */
	uint16_t ip_len, id, frag;      /* ip_len as the field says; frag as IPv4, or the header's */
	uint32_t label, frag_id;
	uint32_t jumbo; /* payload length of a jumbo option (RFC 2675), beside an ip_len of 0; 0: there is none */
	uint8_t n_ext;
	uint32_t transport;        /* octets before the transport header */
	int64_t rest;              /* octets of the datagram from there on; may be negative */
	int32_t seen;              /* of them, header octets that were captured */

	/* transport */
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags, win, urgent; /* flags: 12 bits */
	uint8_t tcp_off;             /* words */
	uint8_t n_options, n_sack;   /* options: of TCP, of neighbour discovery */
	uint16_t mss;
	uint8_t wscale;
	bool timestamps;
	uint32_t tsval, tsecr; /* like MSS and scale 0 where the capture ends before: tcp_option_has() */
	uint16_t udp_len;
	bool no_checksum;

	/* ICMP, ARP */
	uint8_t type, code;
	uint16_t operation;
	uint32_t word; /* ICMP octets 4 to 7 */
	bool has_target;
	struct address target;
	uint8_t sha[6], tha[6];
	struct quote quote;

	/* Build, for datagrams in fragments: the length that the pseudo-header takes (0: rest), and words of a later one's
	 * payload, so many octets into it, that make up for another length taken before. */
	uint32_t whole;
	uint8_t n_amends;

	/* What is counted above; packet_clear() leaves it as it is. */
	uint64_t tags[PACKET_TAGS]; /* VLAN, MPLS, PPPoE: ethertype * 2^32 + value */
	uint32_t ext[PACKET_EXTS];  /* IPv6 extension headers, IPv4 options */
	uint32_t options[PACKET_OPTIONS];
	uint32_t sack[PACKET_SACKS]; /* edges as they are; 0 for a block that was not captured whole */
	struct {
		uint32_t at;
		uint16_t word;
	} amends[PACKET_AMENDS];
};

/* A packet of which nothing is known. */
static inline void
packet_clear(struct packet *p)
{
	clear(p, offsetof(struct packet, tags));
}

/* Fragments: IPv4 has flags and offset in one order (RFC 791), IPv6 in the other (RFC 8200). */
static inline bool
ip_is_later_fragment(const struct packet *p)
{
	return p->frag & (p->src.version == 4 ? 0x1fff : 0xfff8);
}

static inline bool
ip_is_last_fragment(const struct packet *p)
{
	return !(p->frag & (p->src.version == 4 ? 0x2000 : 1));
}

/* One of several. */
static inline bool
ip_is_fragment(const struct packet *p)
{
	return ip_is_later_fragment(p) || !ip_is_last_fragment(p);
}

/* Octets of a transport header up to the end of a field: what packet_has() takes. */
enum {
	PORTS_END = 4, /* TCP, UDP, SCTP */
	TCP_SEQ_END = 8,
	TCP_ACK_END = 12,
	TCP_OFFSET_END = 13,
	TCP_FLAGS_END = 14,
	TCP_WINDOW_END = 16,
	TCP_CHECKSUM_END = 18,
	TCP_URGENT_END = 20,
	UDP_LENGTH_END = 6,
	UDP_CHECKSUM_END = 8,
	ICMP_TYPE_END = 1,
	ICMP_CODE_END = 2,
	ICMP_CHECKSUM_END = 4,
	ICMP_REST_END = 8
};

/* Whether a field of the transport header was captured. */
static inline bool
packet_has(const struct packet *p, int end)
{
	return p->seen >= end;
}

/* Reads what can be read; never fails, since what isn't understood is a frame. Needs time, caplen
 * and len set, and everything else clear; data has caplen octets, of which none behind the first
 * PACKET_HEADERS is looked at; dlt is libpcap's. */
void packet_parse(struct packet *p, int dlt, const uint8_t *data);
/* The twin: writes the headers with right checksums, for a payload of zeros. Octets behind the
 * headers are left alone. Returns how many octets it wrote, at most PACKET_HEADERS. */
uint32_t packet_build(struct packet *p, int dlt, uint8_t *out);

/* IP protocol, ethertype of ARP, PROTO_FRAME + ethertype, or PROTO_RUNT. */
uint32_t packet_proto(const struct packet *p);

#endif
