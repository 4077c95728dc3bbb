/* SCTP (RFC 9260): the ports alone are behaviour; what follows is opaque. */
#include "packet/bytes.h"
#include "packet/layers.h"

#include <string.h>

#define SCTP_HEADER 12
#define CHUNK_PAD   0x84 /* RFC 4820 */

void
sctp_parse(struct packet *p, const uint8_t *data)
{
	transport_see(p);
	ports_parse(p, data + p->transport);
}

/* CRC-32c of RFC 9260, appendix A: header, then the padding chunk, then zeros. */
static uint32_t
crc32c(const uint8_t *h, uint32_t n, uint64_t zeros)
{
	uint32_t crc = 0xffffffff;

	for (uint64_t i = 0; i < n + zeros; i++) {
		crc ^= i < n ? h[i] : 0;
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc ^ 0xffffffff;
}

/* The payload becomes one padding chunk: zeros alone would be no chunk at all. */
uint32_t
sctp_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = SCTP_HEADER;
	int64_t payload = p->rest - n;

	ports_build(p, h);
	memset(h + 4, 0, 12);
	if (payload >= 4 && !ip_is_fragment(p)) {
		h[12] = CHUNK_PAD;
		put16(h + 14, payload);
		n = 16;
	}
	if (payload >= 0 && payload < 65536) {
		uint32_t crc = crc32c(h, n, payload + SCTP_HEADER - n);
		put32(h + 8, __builtin_bswap32(crc));
	}
	return n;
}
