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

/* The register of CRC-32c (RFC 9260, appendix A) behind n octets and so many zeros. */
static uint32_t
crc32c(const uint8_t *h, uint32_t n, uint64_t zeros)
{
	uint32_t crc = 0xffffffff;

	for (uint64_t i = 0; i < n + zeros; i++) {
		crc ^= i < n ? h[i] : 0;
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc;
}

static void
put32_little(uint8_t *p, uint32_t v)
{
	put32(p, __builtin_bswap32(v));
}

/* The payload becomes one padding chunk: zeros alone would be no chunk at all. The first fragment of several doesn't know how
 * long that is: four octets of its payload bring the register to 0 instead, where zeros leave it. */
uint32_t
sctp_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = SCTP_HEADER;
	int64_t payload = p->rest - n;

	ports_build(p, h);
	memset(h + 4, 0, 12);
	if (payload >= (ip_is_fragment(p) ? 8 : 4)) {
		h[12] = CHUNK_PAD;
		put16(h + 14, payload);
		n = 16;
	}
	if (ip_is_fragment(p) && payload >= 4) {
		put32_little(h + n, crc32c(h, n, 0));
		put32_little(h + 8, ~UINT32_C(0));
		return n + 4;
	}
	if (payload >= 0 && payload < 65536)
		put32_little(h + 8, ~crc32c(h, n, payload + SCTP_HEADER - n));
	return n;
}
