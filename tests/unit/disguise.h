/*
 * What a capture goes in as when it is joined to others: the same packets from other endpoints,
 * and, where it went in before, with another behaviour. Ethernet only.
 *
 * Always: fresh endpoints (names.h), also in ARP, in what ICMP names, and in the headers that ICMP
 * errors quote. Addresses in payloads, tunnels and source routes are left alone.
 *
 * Changed, by draws that hold for the instance:
 *
 * - lengths: segments, datagrams and echoes of 2 to 512 octets of payload have 0 to 15 more, always
 *   as many for the same length; sequence and acknowledgement numbers and SACK follow;
 * - windows: the last four bits, from 64 on;
 * - TCP timestamps: their clock runs at the rate that times are scaled by;
 * - TTL: 1 to 15 less, from 33 to 254;
 * - IPv4 identification: begins elsewhere; 0 stays 0;
 * - ports: from 32768 on, turned round.
 *
 * Checksums are adjusted as RFC 1624 says: a right one stays right, a wrong one wrong. Not so where
 * a source route names the last destination, where the checksum is in a later fragment, and behind
 * headers that packet.h doesn't open, such as AH in IPv4.
 */
#ifndef TC_DISGUISE_H
#define TC_DISGUISE_H

#include "names.h"
#include "packet/capture.h"

#define DISGUISE_ROOM 1024  /* octets that a packet may become longer, with some to spare */
#define DISGUISE_UNIT 65536 /* of the factor */

struct disguise {
	bool changed;
	uint32_t factor; /* by which times are scaled, 65536ths */
	uint16_t win;	 /* bits that windows change in */
	uint16_t id, port;
	uint8_t ttl;
	uint64_t lengths; /* seed of what is added to which length */
	struct names names;
	struct slots senders;
	struct sender *sender; /* by slot */
};

/* One of 0 to below - 1; the state may begin as anything. */
uint64_t disguise_draw(uint64_t *state, uint64_t below);

/* fresh is shared by all instances. 0, or -1 where memory is short. */
int disguise_begin(struct disguise *d, struct fresh *fresh, bool changed, uint64_t *random);
void disguise_end(struct disguise *d);
/* Whether another packet might find no room for its names: the instance has to end. */
bool disguise_full(const struct disguise *d);
/* Writes a packet as it goes in to frame, which has DISGUISE_ROOM octets more than it needs, and
 * sets caplen, len and data of *out. */
void disguise_packet(struct disguise *d, const struct capture_packet *in, uint8_t *frame,
		     struct capture_packet *out);

#endif
