/*
 * The values that fields of an action take, for all who read or write them: each is defined here and nowhere else.
 * tc-records(5) says what they mean in the stream.
 */
#ifndef TC_VOCABULARY_H
#define TC_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

/* IP protocol numbers; IPv6 extension headers are among them. */
enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_FRAGMENT = 44,
	PROTO_AUTH = 51,
	PROTO_ICMP6 = 58,
	PROTO_NONE = 59,
	PROTO_SCTP = 132,
	PROTO_IP_MAX = 255
};

/* Protocol of a flow that isn't IP: its ethertype for ARP; for opaque frames, which have no hosts, this plus it. */
#define PROTO_FRAME 0x10000
#define PROTO_RUNT  0x20000 /* not even the link header was captured */

/* TCP's flags, RFC 9293 section 3.1. */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };
/* What is expected of a SYN that has these options. */
enum { USUAL_MSS = 1460, USUAL_SCALE = 7 };

/* How a packet goes on with its flow: what ACTION_OPEN takes. The last three keep the slot, its ends and ports. */
enum flow_open {
	FLOW_GOES_ON,
	FLOW_NEW,	     /* the slot forgets what was in it */
	FLOW_RESUMED,	     /* after the idle time-out, or by the same SYN after FIN or RST: sequence numbers go on */
	FLOW_REUSED,	     /* by another SYN: a new connection on the same ports */
	FLOW_REUSED_REVERSED /* the same, opened by the other end */
};

/* By what idle time-outs are told apart. */
enum flow_kind { FLOW_TCP, FLOW_UDP, FLOW_OTHER, FLOW_KINDS };
#define FLOW_KIND_NAMES	  "tcp", "udp", "other"
#define FLOW_IDLE_DEFAULT {300, 60, 60} /* seconds */

static inline enum flow_kind
flow_kind(int64_t proto)
{
	return proto == PROTO_TCP ? FLOW_TCP : proto == PROTO_UDP ? FLOW_UDP : FLOW_OTHER;
}

/* Whether a flow that was silent for so many ns has reached its time-out, which is in seconds. */
static inline bool
flow_is_idle(int64_t silent, uint32_t idle)
{
	return silent > idle * INT64_C(1000000000);
}

/* What stands in the place of an IP length field that is 0, and of which the action says so. */
enum { IP_LEN_ABSENT, IP_LEN_JUMBO /* a jumbo option, RFC 2675 */ };

/* The class of an address survives a rename. FIXED addresses identify nobody and are never renamed. */
enum address_class {
	ADDRESS_GLOBAL,
	ADDRESS_PRIVATE,    /* RFC 1918, RFC 6598, RFC 4193 */
	ADDRESS_LOOPBACK,   /* RFC 1122, section 3.2.1.3; 127.0.0.1 and ::1 are fixed */
	ADDRESS_LINK_LOCAL, /* RFC 3927, RFC 4291 */
	ADDRESS_GROUP,	    /* multicast, unregistered; IPv6: of one scope (RFC 4291, section 2.7) */
	ADDRESS_SOLICITED,  /* solicited-node group, RFC 4291 section 2.7.1 */
	ADDRESS_FIXED,	    /* unspecified, loopback, broadcast, registered groups */
	ADDRESS_CLASSES = ADDRESS_FIXED
};
/* In the records an IPv6 class is so much more. */
#define ADDRESS_V6 8

enum mac_class { MAC_HOST, MAC_GROUP, MAC_FIXED };

/* The list of ACTION_QUOTE. */
enum quote_field {
	QUOTE_FLOW,  /* slot, -1 where the quoted packet is of none that is known */
	QUOTE_DIR,   /* direction in it */
	QUOTE_PROTO, /* with a flow 0, as the ports are */
	QUOTE_TTL,
	QUOTE_TOS,
	QUOTE_IP_HL, /* words; 0: IPv6 */
	QUOTE_IP_LEN,
	QUOTE_ID, /* with a flow steps from its direction's last one */
	QUOTE_FRAG,
	QUOTE_SRC_PORT,
	QUOTE_DST_PORT,
	QUOTE_WORD, /* TCP: sequence number, relative; UDP: length; ICMP: octets 4 to 7 */
	QUOTE_BITS, /* TCP: offset and flags; ICMP: type and code */
	QUOTE_FIELDS
};

#endif
