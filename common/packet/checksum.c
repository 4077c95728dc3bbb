#include "packet/checksum.h"

#include "packet/bytes.h"

uint64_t
checksum_add(uint64_t sum, const uint8_t *p, uint32_t n)
{
	for (; n >= 4; n -= 4, p += 4)
		sum += get32(p);
	if (n >= 2)
		sum += get16(p), p += 2;
	if (n & 1)
		sum += *p << 8;
	return sum;
}

uint16_t
checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

uint64_t
checksum_pseudo(const struct packet *p, uint32_t length)
{
	uint32_t n = p->src.version == 4 ? 4 : 16;
	uint64_t sum = checksum_add(0, p->src.octet, n);

	return checksum_add(sum, p->dst.octet, n) + p->proto + length;
}
