/* The checksums of datagrams in fragments, for legality: they are put together as far as a sum needs it. */
#ifndef TC_FRAGMENTS_H
#define TC_FRAGMENTS_H

#include "state/trace.h"

#define FRAGMENTS 64 /* datagrams at a time; the oldest is forgotten */

struct fragments {
	struct fragments_datagram {
		struct address src, dst;
		uint8_t proto;
		uint32_t id, total; /* total: 0 before the last one came */
		uint64_t sum;	    /* of the octets that came, not folded */
		bool unjudged;	    /* octets were not captured, or came twice with others */
		bool has_first, no_checksum;
		uint16_t udp_len;
		struct datagram_cover cover;
	} datagram[FRAGMENTS];
	uint32_t next;
};

/* Notes a fragment, data being its frame. Whether it completes a datagram whose checksum is wrong. */
bool fragments_wrong(struct fragments *f, const struct packet *p, const uint8_t *data);

#endif
