/* Packets that needn't be built to know what is parsed of them. */
#ifndef TC_EDIT_PLAIN_H
#define TC_EDIT_PLAIN_H

#include "packet/packet.h"

/* Whether packet_parse() of what packet_build() makes of a packet is that packet, in all that a lift looks at: a whole header of
 * TCP or UDP, in one datagram, on Ethernet, with nothing that is rare. */
bool packet_is_plain(const struct packet *p, int dlt);

#endif
