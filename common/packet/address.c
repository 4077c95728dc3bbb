#include "packet/address.h"

#include "packet/bytes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t zero[16];

/* 224.0.0/24 to 224.0.255/24 are assigned by IANA to protocols, 239.255.255/24 are the relative
 * addresses of RFC 2365, section 9 (SSDP, SLP, MADCAP). All else may name somebody. */
static bool
registered4(const uint8_t *o)
{
	return (o[0] == 224 && o[1] == 0) || (o[0] == 239 && o[1] == 255 && o[2] == 255);
}

/* Permanent groups with a number of 32 bits at most, RFC 3307 section 4.1. */
static bool
registered6(const uint8_t *o)
{
	return o[1] >> 4 == 0 && !memcmp(o + 2, zero, 10);
}

static enum address_class
class4(const uint8_t *o)
{
	if (o[0] == 10 || (o[0] == 172 && o[1] >> 4 == 1) || (o[0] == 192 && o[1] == 168) ||
	    (o[0] == 100 && o[1] >> 6 == 1))
		return ADDRESS_PRIVATE;
	if (o[0] == 127)
		return get24(o + 1) == 1 ? ADDRESS_FIXED : ADDRESS_LOOPBACK;
	if (o[0] == 169 && o[1] == 254)
		return ADDRESS_LINK_LOCAL;
	if (o[0] >> 4 == 14)
		return registered4(o) ? ADDRESS_FIXED : ADDRESS_GROUP;
	return get32(o) == 0 || get32(o) == 0xffffffff ? ADDRESS_FIXED : ADDRESS_GLOBAL;
}

static enum address_class
class6(const uint8_t *o)
{
	static const uint8_t solicited[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	if (o[0] == 0xff) {
		if (!memcmp(o, solicited, 13))
			return ADDRESS_SOLICITED;
		return registered6(o) ? ADDRESS_FIXED : ADDRESS_GROUP;
	}
	if (!memcmp(o, zero, 15) && o[15] < 2)
		return ADDRESS_FIXED;
	if (o[0] >> 1 == 0xfc >> 1)
		return ADDRESS_PRIVATE;
	return o[0] == 0xfe && o[1] >> 6 == 2 ? ADDRESS_LINK_LOCAL : ADDRESS_GLOBAL;
}

enum address_class
address_class(const struct address *a)
{
	return a->version == 6 ? class6(a->octet) : class4(a->octet);
}

bool
address_is_group(const struct address *a)
{
	return a->version == 6 ? a->octet[0] == 0xff : a->octet[0] >> 4 == 14;
}

bool
address_has_suffix(const struct address *a, enum address_class c)
{
	return a->version == 6 && c != ADDRESS_GROUP && c != ADDRESS_FIXED;
}

void
address_text(const struct address *a, char *text, size_t n)
{
	if (!inet_ntop(a->version == 6 ? AF_INET6 : AF_INET, a->octet, text, n))
		*text = '\0';
}

bool
address_parse(struct address *a, const char *text)
{
	*a = (struct address){.version = strchr(text, ':') ? 6 : 4};
	return inet_pton(a->version == 6 ? AF_INET6 : AF_INET, text, a->octet) == 1;
}

/* Groups that standards and vendors reserve for a protocol: they name no one. The last octet is
 * free where mask is 0, its low half where mask is 0xf0. */
static const struct {
	uint8_t mac[6], mask;
} mac_groups[] = {
    {{0x01, 0x80, 0xc2, 0, 0, 0}, 0},          /* IEEE 802.1: STP, LLDP, EAPOL, GARP */
    {{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xc0}, 0}, /* Cisco: CDP, VTP, PVST */
    {{0x01, 0x0e, 0xcf, 0, 0, 0}, 0},          /* PROFINET */
    {{0x01, 0x0c, 0xcd, 1, 0, 0}, 0},          /* IEC 61850 GOOSE */
    {{0x01, 0x0c, 0xcd, 4, 0, 0}, 0},          /* IEC 61850 sampled values */
    {{0x01, 0x1b, 0x19, 0, 0, 0}, 0},          /* PTP, IEEE 1588 */
    {{0x01, 0x15, 0x4e, 0, 1, 0}, 0},          /* IEC 62439 MRP */
    {{0x01, 0x00, 0x5e, 0, 0, 0}, 0},          /* IPv4 local groups, RFC 1112 */
    {{0x33, 0x33, 0, 0, 0, 0}, 0},             /* IPv6 permanent groups, RFC 2464 */
    {{0x09, 0x00, 0x2b, 0, 0, 0}, 0},          /* DEC */
    {{0x09, 0x00, 0x07, 0xff, 0xff, 0xff}, 0}, /* AppleTalk */
    {{0xab, 0x00, 0x00, 1, 0, 0}, 0},          /* DEC MOP */
    {{0xcf, 0, 0, 0, 0, 0}, 0xff},             /* configuration test */
    {{0x03, 0, 0, 0, 0, 1}, 0xff},             /* NetBEUI */
    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0xff},
    {{0, 0, 0, 0, 0, 0}, 0xff},
};

enum mac_class
mac_class(const uint8_t *mac)
{
	for (size_t i = 0; i < sizeof mac_groups / sizeof *mac_groups; i++)
		if (!memcmp(mac, mac_groups[i].mac, 5) &&
		    (mac[5] & mac_groups[i].mask) == (mac_groups[i].mac[5] & mac_groups[i].mask))
			return MAC_FIXED;
	return mac[0] & 1 ? MAC_GROUP : MAC_HOST;
}

void
mac_text(const uint8_t *m, char *text, size_t n)
{
	snprintf(text, n, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

bool
mac_parse(uint8_t *mac, const char *text)
{
	unsigned v[6];
	char rest;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", v, v + 1, v + 2, v + 3, v + 4, v + 5,
		   &rest) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = v[i];
	return true;
}

bool
mac_of_group(const struct address *a, uint8_t *mac)
{
	const uint8_t *o = a->octet;

	if (a->version == 4 && get32(o) == 0xffffffff) {
		memset(mac, 0xff, 6);
		return true;
	}
	if (!a->version || !address_is_group(a))
		return false;
	put16(mac, a->version == 6 ? 0x3333 : 0x0100);
	if (a->version == 6)
		memcpy(mac + 2, o + 12, 4);
	else
		put32(mac + 2, 0x5e000000 | (get24(o + 1) & 0x7fffff));
	return true;
}

/* Hosts 1 to 254 of one block of 256 addresses after the other: base, and how many blocks. */
static const struct range {
	uint32_t base, blocks;
} ranges4[ADDRESS_CLASSES] = {
    [ADDRESS_GLOBAL] = {0xc6120000, 512}, /* 198.18/15, RFC 2544; then 240/4 */
    [ADDRESS_PRIVATE] = {0x0a000000, 65536},
    [ADDRESS_LOOPBACK] = {0x7f010000, 65280},
    [ADDRESS_LINK_LOCAL] = {0xa9fe0100, 254},
    [ADDRESS_GROUP] = {0xefc00000, 1024}, /* 239.192/14, RFC 2365 */
};
static const struct range more_global = {0xf0000000, 1 << 20};

static struct address
fresh4(uint32_t n, enum address_class c)
{
	struct address a = {.version = 4};
	struct range r = ranges4[c];
	uint32_t block = n / 254;

	if (c == ADDRESS_GLOBAL && block % (r.blocks + more_global.blocks) >= r.blocks) {
		block = block % (r.blocks + more_global.blocks) - r.blocks;
		r = more_global;
	}
	put32(a.octet, r.base + block % r.blocks * 256 + 1 + n % 254);
	return a;
}

struct address
fresh_address(struct fresh *f, int version, enum address_class c, uint32_t suffix)
{
	static const uint8_t prefix[ADDRESS_CLASSES][4] = {
	    [ADDRESS_GLOBAL] = {0x20, 0x01, 0x0d, 0xb8},   /* RFC 3849 */
	    [ADDRESS_PRIVATE] = {0xfd, 0},
	    [ADDRESS_LINK_LOCAL] = {0xfe, 0x80},
	    [ADDRESS_GROUP] = {0xff, 0x10}, /* transient, RFC 4291 */
	};
	struct address a = {.version = 6};

	if (version == 6 && c == ADDRESS_LOOPBACK) /* has no other host than ::1 */
		c = ADDRESS_GLOBAL;
	uint32_t n = f->next[version == 6][c]++;

	if (version == 4)
		return fresh4(n, c);
	memcpy(a.octet, prefix[c], 4);
	if (c == ADDRESS_GROUP) {
		a.octet[1] |= suffix & 15;
		put32(a.octet + 12, 0x80000001 + n); /* given out, RFC 3307: no link address of a protocol is theirs */
	} else {
		put32(a.octet + 9, n);
		put24(a.octet + 13, suffix);
	}
	return a;
}

struct address
address_solicited(uint32_t suffix)
{
	struct address a = {6, {0xff, 2, [11] = 1, 0xff}};

	put24(a.octet + 13, suffix);
	return a;
}

uint32_t
fresh_suffix(struct fresh *f)
{
	return ++f->suffix & 0xffffff;
}

void
fresh_mac(struct fresh *f, enum mac_class c, uint8_t *mac)
{
	put16(mac, c == MAC_GROUP ? 0x0300 : 0x0200);
	put32(mac + 2, 0x10000000 + f->mac[c == MAC_GROUP]++);
}
