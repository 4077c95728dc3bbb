/* The Internet checksum, RFC 1071. */
#ifndef TC_CHECKSUM_H
#define TC_CHECKSUM_H

#include "packet/packet.h"

/* One's complement sum of n octets (RFC 1071), going on from sum; not folded, not inverted. */
uint64_t checksum_add(uint64_t sum, const uint8_t *p, uint32_t n);
uint16_t checksum_fold(uint64_t sum);
/* The pseudo-header: RFC 9293 section 3.1, RFC 8200 section 8.1. */
uint64_t checksum_pseudo(const struct packet *p, uint32_t length);

#endif
