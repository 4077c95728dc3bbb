/*
 * The packet action: what one packet does, relative to what its flow did before. This table is the one place that knows
 * the fields and their order: a new one is one line here, behind the last, and one in tc-records(5); action_msgpack.h has
 * its octets.
 *
 * A field that is absent means "as the state predicts"; one that is present carries the value. So
 * equal behaviour is equal octets, and what is rare costs nothing where it is not.
 */
#ifndef TC_ACTION_H
#define TC_ACTION_H

#include "record/vocabulary.h"

#include <stdbool.h>
#include <stdint.h>

/* name, kind, unit: the order is that of the bits in a record's mask, common fields first. */
#define ACTION_FIELDS(X)                                                                           \
	X(DT, "dt", INT, "ns")                                                                     \
	X(FLOW, "flow", INT, "slot")                                                               \
	X(DIR, "dir", INT, "0 from the initiator, 1 to it")                                        \
	X(LEN, "len", INT, "octets of payload")                                                    \
	X(ACK, "ack", INT, "octets beyond what the peer has sent")                                 \
	X(WIN, "win", INT, "octets, unscaled")                                                     \
	X(ID, "id", INT, "steps")                                                                  \
	X(FLAGS, "flags", INT, "bits")                                                             \
	X(TSVAL, "tsval", INT, "steps")                                                            \
	X(TSECR, "tsecr", INT, "steps behind")                                                     \
	X(SEQ, "seq", INT, "octets from the expected")                                             \
	X(ACK_SAME, "ack_same", INT, "bool")                                                       \
	X(PAD, "pad", INT, "octets behind the datagram")                                           \
	X(TTL, "ttl", INT, "hops")                                                                 \
	X(OPEN, "open", INT, "0 no, 1 new, 2 again, 3 anew, 4 anew and turned round")              \
	X(ORIG_P, "orig_p", INT, "port")                                                           \
	X(RESP_P, "resp_p", INT, "port")                                                           \
	X(PROTO, "proto", INT, "protocol, ethertype, or 65536 + ethertype")                        \
	X(MSS, "mss", INT, "octets")                                                               \
	X(WSCALE, "wscale", INT, "bits")                                                           \
	X(TYPE, "type", INT, "ICMP type, ARP operation")                                           \
	X(CODE, "code", INT, "ICMP code")                                                          \
	X(REST, "rest", INT, "ICMP octets 4 to 7")                                                 \
	X(FRAG, "frag", INT, "bits and offset")                                                    \
	X(OPTS, "opts", LIST, "kind, or kind + 256 * length")                                      \
	X(SACK, "sack", LIST, "octets from the ack, octets")                                       \
	X(TAGS, "tags", LIST, "ethertype * 2^32 + value")                                          \
	X(LINK, "link", LIST, "fields of the link header")                                         \
	X(EXT, "ext", LIST, "kind + 256 * length")                                                 \
	X(QUOTE, "quote", LIST, "fields of the quoted header")                                     \
	X(ORIG_H, "orig_h", REF, "host")                                                           \
	X(RESP_H, "resp_h", REF, "host")                                                           \
	X(SRC_MAC, "src_mac", REF, "link address")                                                 \
	X(DST_MAC, "dst_mac", REF, "link address")                                                 \
	X(TARGET, "target", REF, "host")                                                           \
	X(SHA, "sha", REF, "link address")                                                         \
	X(THA, "tha", REF, "link address")                                                         \
	X(QUOTE_SRC, "quote_src", REF, "host")                                                     \
	X(QUOTE_DST, "quote_dst", REF, "host")                                                     \
	X(TOS, "tos", INT, "octet")                                                                \
	X(CAP, "cap", INT, "octets captured")                                                      \
	X(LABEL, "label", INT, "1 zero, 2 new")                                                    \
	X(NO_CHECKSUM, "no_checksum", INT, "bool")                                                 \
	X(NO_ECHO, "no_echo", INT, "bool")                                                         \
	X(URGENT, "urgent", INT, "octets")                                                         \
	X(FRAG_ID, "frag_id", INT, "number")                                                       \
	X(IP_HL, "ip_hl", INT, "words of four octets")                                             \
	X(IP_LEN, "ip_len", INT, "octets")                                                         \
	X(UDP_LEN, "udp_len", INT, "octets")                                                       \
	X(TCP_OFF, "tcp_off", INT, "words of four octets")                                         \
	X(AS_IS, "as_is", INT, "bool")

enum action_field {
#define X(id, name, kind, unit) ACTION_##id,
	ACTION_FIELDS(X)
#undef X
	    ACTION_COUNT
};
_Static_assert(ACTION_COUNT < 64, "a mask of 64 bits has room for a field of each bit, and the codec needs one more");

/* Where a list or a reference stands among those of its kind. */
enum {
#define ACTION_PLACE_INT(id)
#define ACTION_PLACE_LIST(id) ACTION_LIST_##id,
#define ACTION_PLACE_REF(id)
#define X(id, name, kind, unit) ACTION_PLACE_##kind(id)
	ACTION_FIELDS(X)
#undef X
	    ACTION_LISTS
};
enum {
#undef ACTION_PLACE_LIST
#undef ACTION_PLACE_REF
#define ACTION_PLACE_LIST(id)
#define ACTION_PLACE_REF(id) ACTION_REF_##id,
#define X(id, name, kind, unit) ACTION_PLACE_##kind(id)
	ACTION_FIELDS(X)
#undef X
	    ACTION_REFS
};
static const uint8_t action_place[ACTION_COUNT] = {
#undef ACTION_PLACE_INT
#undef ACTION_PLACE_LIST
#undef ACTION_PLACE_REF
#define ACTION_PLACE_INT(id)  0
#define ACTION_PLACE_LIST(id) ACTION_LIST_##id
#define ACTION_PLACE_REF(id)  ACTION_REF_##id
#define X(id, name, kind, unit) ACTION_PLACE_##kind(id),
	ACTION_FIELDS(X)
#undef X
};

enum action_kind { ACTION_INT, ACTION_LIST, ACTION_REF };

extern const struct action_field_info {
	const char *name, *unit;
	enum action_kind kind;
} action_fields[ACTION_COUNT];

#define ACTION_LIST_MAX 40
#define ACTION_TEXT_MAX 46

struct action_list {
	uint8_t n;
	int64_t v[ACTION_LIST_MAX];
};

/* Who: a slot that is known, a slot that is named here, or an address that everyone shares. */
enum ref_kind { REF_KNOWN, REF_NEW, REF_FIXED };
struct action_ref {
	uint8_t kind;
	uint8_t class;      /* REF_NEW: enum address_class, enum mac_class */
	uint8_t has_suffix; /* REF_NEW: suffix counts */
	uint8_t new_suffix; /* REF_NEW: the suffix is named here too */
	uint32_t slot;
	uint32_t suffix;            /* slot of an IPv6 address's low 24 bits; scope of a group */
	char text[ACTION_TEXT_MAX]; /* REF_FIXED: the address as text */
};

/* A group of IPv6, whose suffix is its scope and no slot. */
static inline bool
action_ref_scoped(const struct action_ref *r)
{
	return r->kind == REF_NEW && r->class == (ADDRESS_GROUP | ADDRESS_V6);
}

struct action {
	uint64_t has; /* bit f: field f is present */
	int64_t num[ACTION_COUNT];
	struct action_list list[ACTION_LISTS]; /* by action_place[f] */
	struct action_ref ref[ACTION_REFS];
};

static inline bool
action_has(const struct action *a, enum action_field f)
{
	return a->has >> f & 1;
}

/* The protocol of a flow that an action opens. */
static inline int64_t
action_proto(const struct action *a)
{
	return action_has(a, ACTION_PROTO) ? a->num[ACTION_PROTO] : PROTO_TCP;
}

static inline enum flow_kind
action_flow_kind(const struct action *a)
{
	return flow_kind(action_proto(a));
}

/* Whether a flow opens with this packet, in whichever way. */
static inline bool
action_opens(const struct action *a)
{
	return action_has(a, ACTION_OPEN) && a->num[ACTION_OPEN] != 0;
}

static inline void
action_set(struct action *a, enum action_field f, int64_t v)
{
	a->has |= 1ull << f;
	a->num[f] = v;
}

/* The number of a field that is 0 where it is absent. */
static inline int64_t
action_number(const struct action *a, enum action_field f)
{
	return action_has(a, f) ? a->num[f] : 0;
}

bool action_list_same(const struct action_list *a, const struct action_list *b);
/* Whether two actions say the same in a field. */
bool action_same(const struct action *a, const struct action *b, enum action_field f);

static inline struct action_list *
action_list(struct action *a, enum action_field f)
{
	return &a->list[action_place[f]];
}

static inline struct action_ref *
action_ref(struct action *a, enum action_field f)
{
	return &a->ref[action_place[f]];
}

/*
 * An action as words, for memory and for comparing: equal actions are equal words. Returns how many,
 * at most ACTION_WORDS. Its twin returns the word behind them.
 */
#define ACTION_WORDS_INT  1
#define ACTION_WORDS_LIST (1 + ACTION_LIST_MAX)
#define ACTION_WORDS_REF  (1 + (ACTION_TEXT_MAX + 7) / 8)
#define X(id, name, kind, unit) + ACTION_WORDS_##kind
enum { ACTION_WORDS = 1 ACTION_FIELDS(X) };
#undef X
unsigned action_pack(const struct action *a, uint64_t *word);
const uint64_t *action_unpack(struct action *a, const uint64_t *word);

#endif
