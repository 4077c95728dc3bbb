#include "names.h"

#include "packet/bytes.h"

#include <stdlib.h>
#include <string.h>

#define NAMES	   (1 << 14)
#define PER_PACKET 256 /* options of neighbour discovery included */

int
names_begin(struct names *n, struct fresh *fresh)
{
	*n = (struct names){.fresh = fresh, .name = calloc(NAMES, sizeof *n->name)};
	return slots_init(&n->slots, sizeof *n->name, NAMES) < 0 || !n->name ? -1 : 0;
}

void
names_end(struct names *n)
{
	slots_free(&n->slots);
	free(n->name);
	n->name = NULL;
}

bool
names_full(const struct names *n)
{
	return n->slots.used + PER_PACKET > NAMES;
}

/* The name of a key, to be filled in where *is_new. */
static struct address *
name_of(struct names *n, const struct address *key, bool *is_new)
{
	uint32_t slot = slots_find(&n->slots, key);

	*is_new = slot == SLOT_NONE;
	return &n->name[*is_new ? slots_add(&n->slots, key) : slot];
}

/* The low 24 bits of IPv6 addresses have names of their own; their keys are of version 1. */
static uint32_t
suffix_name(struct names *n, const struct address *a)
{
	struct address key = {.version = 1};
	bool is_new;

	memcpy(key.octet, a->octet + 13, 3);
	struct address *name = name_of(n, &key, &is_new);
	if (is_new)
		put24(name->octet, fresh_suffix(n->fresh));
	return get24(name->octet);
}

static bool
is_localhost(const struct address *a)
{
	return a->version == 4 ? a->octet[0] == 127 : a->octet[0] == 0 && a->octet[15] == 1;
}

struct address
names_host(struct names *n, const struct address *a)
{
	enum address_class c = address_class(a);
	uint32_t suffix = 0;
	bool is_new;

	if (c == ADDRESS_FIXED && !is_localhost(a))
		return *a;
	if (c == ADDRESS_FIXED)
		c = ADDRESS_LOOPBACK;
	struct address *name = name_of(n, a, &is_new);
	if (!is_new)
		return *name;
	if (address_has_suffix(a, c))
		suffix = suffix_name(n, a);
	else if (a->version == 6)
		suffix = a->octet[1] & 15; /* scope of a group */
	*name = c == ADDRESS_SOLICITED ? address_solicited(suffix)
				       : fresh_address(n->fresh, a->version, c, suffix);
	return *name;
}

struct address
names_rename_host(struct names *n, int version, uint8_t *at)
{
	struct address was = {.version = version}, is;
	unsigned length = version == 4 ? 4 : 16;

	memcpy(was.octet, at, length);
	is = names_host(n, &was);
	memcpy(at, is.octet, length);
	return was;
}

void
names_rename_mac(struct names *n, uint8_t *at)
{
	struct address key = {0};
	bool is_new;

	if (mac_class(at) == MAC_FIXED)
		return;
	memcpy(key.octet, at, 6);
	struct address *name = name_of(n, &key, &is_new);
	if (is_new)
		fresh_mac(n->fresh, mac_class(at), name->octet);
	memcpy(at, name->octet, 6);
}
