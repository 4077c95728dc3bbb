/*
 * --share-hosts: the busiest host of one trace is taken for that of another, the second for the second, and so on, in each IP
 * version and class of addresses.
 *
 * Hosts are told apart by the addresses that their trace is rendered with, which are the same each time.
 */
#ifndef TC_EDIT_SHARE_H
#define TC_EDIT_SHARE_H

#include "packet/packet.h"
#include "state/slots.h"

#define SHARE_CAP 65536 /* hosts that are remembered, of one trace */

/* How busy the hosts of a trace are, and which link address they have as senders. */
struct census {
	struct slots hosts;
	struct census_host {
		struct address address;
		uint64_t packets;
		bool has_mac;
		uint8_t mac[6];
	} *host;
};

/* 0, or -1 where memory is short. */
int census_init(struct census *c);
void census_count(struct census *c, const struct packet *p);
void census_free(struct census *c);

/* Who is taken for whom. */
struct share {
	struct slots from;
	struct share_host {
		struct address address;
		bool has_mac;
		uint8_t mac[6];
	} *to;
};

/* The hosts of `theirs` become those of `ours`. 0, or -1 where memory is short. */
int share_init(struct share *s, const struct census *ours, const struct census *theirs);
/* A packet as it is when its hosts are those; it must not have been built yet. */
void share_apply(const struct share *s, struct packet *p);
void share_free(struct share *s);

#endif
