#include "share.h"

#include <stdlib.h>
#include <string.h>

int
census_init(struct census *c)
{
	c->host = calloc(SHARE_CAP, sizeof *c->host);
	return slots_init(&c->hosts, sizeof(struct address), SHARE_CAP) < 0 || !c->host ? -1 : 0;
}

void
census_free(struct census *c)
{
	slots_free(&c->hosts);
	free(c->host);
	c->host = NULL;
}

/* Groups are no hosts, and addresses that everyone shares are shared anyway. */
static bool
is_host(const struct address *a)
{
	enum address_class class = a->version ? address_class(a) : ADDRESS_FIXED;

	return class != ADDRESS_FIXED && class != ADDRESS_GROUP && class != ADDRESS_SOLICITED;
}

static struct census_host *
count(struct census *c, const struct address *a)
{
	if (!is_host(a))
		return NULL;
	uint32_t slot = slots_find(&c->hosts, a);
	if (slot == SLOT_NONE) {
		slot = slots_add(&c->hosts, a);
		c->host[slot] = (struct census_host){.address = *a};
	} else {
		slots_touch(&c->hosts, slot);
	}
	c->host[slot].packets++;
	return &c->host[slot];
}

void
census_count(struct census *c, const struct packet *p)
{
	if (p->kind == PACKET_FRAME)
		return;
	struct census_host *sender = count(c, &p->src);
	if (sender && !sender->has_mac && p->macs && mac_class(p->src_mac) == MAC_HOST) {
		sender->has_mac = true;
		memcpy(sender->mac, p->src_mac, sizeof sender->mac);
	}
	if (memcmp(&p->src, &p->dst, sizeof p->src) != 0)
		count(c, &p->dst);
}

/* A host in the order of who is taken for whom. */
struct rank {
	int kind; /* version and class */
	uint64_t packets;
	uint32_t slot;
};

static int
compare(const void *x, const void *y)
{
	const struct rank *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->packets != b->packets)
		return a->packets > b->packets ? -1 : 1;
	return a->slot < b->slot ? -1 : 1;
}

static struct rank *
ranks(const struct census *c)
{
	struct rank *r = calloc(c->hosts.used + 1, sizeof *r);

	for (uint32_t i = 0; r && i < c->hosts.used; i++) {
		const struct census_host *h = &c->host[i];
		r[i] = (struct rank){h->address.version * ADDRESS_CLASSES + address_class(&h->address), h->packets, i};
	}
	if (r)
		qsort(r, c->hosts.used, sizeof *r, compare);
	return r;
}

static void
add(struct share *s, const struct address *from, const struct address *to, const struct census_host *host)
{
	if (slots_find(&s->from, from) != SLOT_NONE)
		return;
	struct share_host *h = &s->to[slots_add(&s->from, from)];
	*h = (struct share_host){.address = *to, .has_mac = host && host->has_mac};
	if (h->has_mac)
		memcpy(h->mac, host->mac, sizeof h->mac);
}

static uint32_t
suffix(const struct address *a)
{
	return a->octet[13] << 16 | a->octet[14] << 8 | a->octet[15];
}

/* The host, and its solicited-node group with it. */
static void
pair(struct share *s, const struct census_host *to, const struct census_host *from)
{
	add(s, &from->address, &to->address, to);
	if (from->address.version == 6) {
		struct address from_group = address_solicited(suffix(&from->address)), to_group = address_solicited(suffix(&to->address));
		add(s, &from_group, &to_group, NULL);
	}
}

int
share_init(struct share *s, const struct census *ours, const struct census *theirs)
{
	struct rank *a = ranks(ours), *b = ranks(theirs);
	uint32_t i = 0, j = 0, n = 2 * theirs->hosts.used + 1;

	s->to = calloc(n, sizeof *s->to);
	int made = slots_init(&s->from, sizeof(struct address), n) < 0 || !s->to || !a || !b ? -1 : 0;
	while (made == 0 && i < ours->hosts.used && j < theirs->hosts.used) {
		if (a[i].kind == b[j].kind)
			pair(s, &ours->host[a[i++].slot], &theirs->host[b[j++].slot]);
		else
			a[i].kind < b[j].kind ? i++ : j++;
	}
	free(a);
	free(b);
	return made;
}

void
share_free(struct share *s)
{
	slots_free(&s->from);
	free(s->to);
	s->to = NULL;
}

static const struct share_host *
replace(const struct share *s, struct address *a)
{
	uint32_t slot = a->version ? slots_find(&s->from, a) : SLOT_NONE;

	if (slot == SLOT_NONE)
		return NULL;
	*a = s->to[slot].address;
	return &s->to[slot];
}

/* A link address of a host that was replaced. */
static void
relink(const struct share_host *h, uint8_t *mac)
{
	if (h && h->has_mac && mac_class(mac) == MAC_HOST)
		memcpy(mac, h->mac, sizeof h->mac);
}

void
share_apply(const struct share *s, struct packet *p)
{
	uint8_t group[6];
	bool to_group = p->macs == 2 && mac_of_group(&p->dst, group) && !memcmp(group, p->dst_mac, sizeof group);

	if (p->kind == PACKET_FRAME)
		return;
	const struct share_host *src = replace(s, &p->src), *dst = replace(s, &p->dst);
	if (p->macs)
		relink(src, p->src_mac);
	if (to_group && mac_of_group(&p->dst, group))
		memcpy(p->dst_mac, group, sizeof group);
	else if (p->macs == 2)
		relink(dst, p->dst_mac);
	if (p->kind == PACKET_ARP) {
		relink(src, p->sha);
		relink(dst, p->tha);
	}
	if (p->has_target)
		replace(s, &p->target);
	if (p->quote.set) {
		replace(s, &p->quote.src);
		replace(s, &p->quote.dst);
	}
}
