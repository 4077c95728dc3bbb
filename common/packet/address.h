/*
 * Addresses: what class they are of, which of them everyone shares, and the fresh ones that a
 * compiled capture gets. tracecodec(7) lists the ranges.
 */
#ifndef TC_ADDRESS_H
#define TC_ADDRESS_H

#include "record/vocabulary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct address {
	uint8_t version;   /* 4 or 6; 0 for a link address that stands in for one */
	uint8_t octet[16]; /* IPv4: the first four, the rest zero */
};

static inline bool
address_same(const struct address *a, const struct address *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->octet, sizeof x);
	memcpy(y, b->octet, sizeof y);
	return x[0] == y[0] && x[1] == y[1] && a->version == b->version;
}

enum address_class address_class(const struct address *a);
bool address_is_group(const struct address *a);
/* IPv6 addresses of hosts and solicited-node groups share their low 24 bits: those are named once,
 * so that groups and addresses with the same interface still belong together. */
bool address_has_suffix(const struct address *a, enum address_class c);

/* Text of an address, as inet_ntop(3); and back: false where it is none. */
void address_text(const struct address *a, char *text, size_t n);
bool address_parse(struct address *a, const char *text);

enum mac_class mac_class(const uint8_t *mac);
void mac_text(const uint8_t *mac, char *text, size_t n);
bool mac_parse(uint8_t *mac, const char *text);
/* The link address of an IP group or broadcast: RFC 1112 section 6.4, RFC 2464 section 7. */
bool mac_of_group(const struct address *a, uint8_t *mac);

/* Hands out what was never handed out before, in order, until a range is full and begins again. */
struct fresh {
	uint32_t next[2][ADDRESS_CLASSES];
	uint32_t suffix, mac[2];
};

/* class below ADDRESS_CLASSES, not SOLICITED; suffix: 24 bits, or the scope of an IPv6 group. */
struct address fresh_address(struct fresh *f, int version, enum address_class c, uint32_t suffix);
struct address address_solicited(uint32_t suffix);
uint32_t fresh_suffix(struct fresh *f);
void fresh_mac(struct fresh *f, enum mac_class c, uint8_t *mac);

#endif
