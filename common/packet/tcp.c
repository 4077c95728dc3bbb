/* TCP (RFC 9293), its options, UDP (RFC 768) and SCTP (RFC 9260). */
#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/layers.h"

#include <string.h>

/* RFC 9293, section 3.1
 *  0                   1                   2                   3
 *  |          Source Port          |       Destination Port        |
 *  |                        Sequence Number                        |
 *  |                    Acknowledgment Number                      |
 *  |  Data |       |A|C|E|U|A|P|R|S|F|                             |
 *  | Offset| Rsrvd |E|W|C|R|C|S|S|Y|I|            Window           |
 *  |           Checksum            |         Urgent Pointer        |
 *  |                           [Options]                           |
 */
#define TCP_HEADER 20

/* Lengths that the kind fixes: RFC 9293 section 3.1, RFC 7323, RFC 2018. */
static unsigned
fixed_length(uint32_t kind)
{
	switch (kind) {
	case OPTION_EOL:
	case OPTION_NOP:
		return 1;
	case OPTION_MSS:
		return 4;
	case OPTION_WSCALE:
		return 3;
	case OPTION_SACK_OK:
		return 2;
	case OPTION_TIMESTAMPS:
		return 10;
	}
	return 0;
}

static unsigned
option_length(uint32_t option, unsigned sacks)
{
	if (option == OPTION_SACK)
		return 2 + 8 * sacks;
	return option >> 8 ? option >> 8 & 255 : fixed_length(option);
}

/* Reads the value of an option that is as long as it should be, the first of its kind. */
static bool
value_parse(struct packet *p, const uint8_t *at, unsigned *had)
{
	unsigned kind = *at, n = at[1];
	unsigned bit = kind < 16 ? 1u << kind : 0;

	if (*had & bit)
		return false;
	if (kind == OPTION_SACK) {
		if (n < 10 || n > 34 || n % 8 != 2)
			return false;
		for (unsigned i = 2; i < n; i += 4)
			p->sack[p->n_sack++] = get32(at + i);
	} else if (n != fixed_length(kind)) {
		return false;
	} else if (kind == OPTION_MSS) {
		p->mss = get16(at + 2);
	} else if (kind == OPTION_WSCALE) {
		p->wscale = at[2];
	} else if (kind == OPTION_TIMESTAMPS) {
		p->timestamps = true;
		p->tsval = get32(at + 2);
		p->tsecr = get32(at + 6);
	}
	*had |= bit;
	return true;
}

static void
options_parse(struct packet *p, const uint8_t *at, const uint8_t *end)
{
	unsigned had = 0;

	/* What nearly every segment carries. */
	if (end - at == 12 && get32(at) == 0x0101080a) {
		p->n_options = 3;
		p->options[0] = p->options[1] = OPTION_NOP;
		p->options[2] = OPTION_TIMESTAMPS;
		p->timestamps = true;
		p->tsval = get32(at + 4);
		p->tsecr = get32(at + 8);
		return;
	}
	while (at < end) {
		uint32_t *o = &p->options[p->n_options];
		*o = *at;
		if (*at < 2) {
			p->n_options++;
			if (*at++ == OPTION_EOL)
				return;
			continue;
		}
		p->n_options++;
		if (end - at < 2 || at[1] < 2 || at[1] > end - at) {
			*o |= OPTION_BAD | (end - at < 2 ? 0 : at[1]) << 8;
			return;
		}
		if (!value_parse(p, at, &had))
			*o |= at[1] << 8;
		at += at[1];
	}
}

unsigned
tcp_offset_for(const uint32_t *options, unsigned n, unsigned sacks)
{
	unsigned length = TCP_HEADER;

	for (unsigned i = 0; i < n; i++)
		length += options[i] & OPTION_BAD ? 1 : option_length(options[i], sacks);
	return (length + 3) / 4;
}

static void
segment_parse(struct packet *p, const uint8_t *data)
{
	uint8_t h[TCP_HEADER] = {0};

	memcpy(h, data + p->transport, p->seen < TCP_HEADER ? p->seen : TCP_HEADER);
	p->seq = p->seen >= 8 ? get32(h + 4) : 0;
	p->ack = p->seen >= 12 ? get32(h + 8) : 0;
	p->flags = p->seen >= 14 ? get16(h + 12) & 0xfff : 0;
	p->win = p->seen >= 16 ? get16(h + 14) : 0;
	p->urgent = p->seen >= 20 ? get16(h + 18) : 0;
	if (p->seen > TCP_HEADER)
		options_parse(p, data + p->transport + TCP_HEADER, data + p->transport + p->seen);
}

void
tcp_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->transport;

	if (p->proto == PROTO_TCP) {
		p->tcp_off = 5;
		transport_see(p);
		if (p->seen >= 13)
			p->tcp_off = h[12] >> 4;
	}
	transport_see(p);
	if (p->seen >= 4) {
		p->src_port = get16(h);
		p->dst_port = get16(h + 2);
	}
	if (p->proto == PROTO_TCP) {
		segment_parse(p, data);
	} else if (p->proto == PROTO_UDP) {
		p->udp_len = p->seen >= 6 ? get16(h + 4) : 0;
		p->no_checksum = p->seen >= 8 && get16(h + 6) == 0;
	}
}

static void
options_build(const struct packet *p, uint8_t *at, const uint8_t *end)
{
	for (unsigned i = 0; i < p->n_options && at < end; i++) {
		uint32_t o = p->options[i];
		unsigned n = option_length(o, p->n_sack / 2);

		*at = o;
		if (o & OPTION_BAD && end - at > 1)
			at[1] = o >> 8;
		if (o & OPTION_BAD || n > (size_t)(end - at))
			return;
		if (n > 1)
			at[1] = n;
		if (o == OPTION_MSS) {
			put16(at + 2, p->mss);
		} else if (o == OPTION_WSCALE) {
			at[2] = p->wscale;
		} else if (o == OPTION_TIMESTAMPS) {
			put32(at + 2, p->tsval);
			put32(at + 6, p->tsecr);
		} else if (o == OPTION_SACK) {
			for (int s = 0; s < p->n_sack; s++)
				put32(at + 2 + 4 * s, p->sack[s]);
		}
		at += n;
	}
}

static uint32_t
segment_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = transport_length(p);

	memset(h + 4, 0, n - 4);
	put32(h + 4, p->seq);
	put32(h + 8, p->ack);
	put16(h + 12, p->tcp_off << 12 | p->flags);
	put16(h + 14, p->win);
	put16(h + 18, p->urgent);
	options_build(p, h + TCP_HEADER, h + n);
	return n;
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

/* The payload becomes one padding chunk (RFC 4820): zeros alone would be no chunk at all. */
static uint32_t
sctp_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = 12;
	int64_t payload = p->rest - n;

	memset(h + 4, 0, 12);
	if (payload >= 4 && !ip_is_fragment(p)) {
		h[12] = 0x84;
		put16(h + 14, payload);
		n = 16;
	}
	if (payload >= 0 && payload < 65536) {
		uint32_t crc = crc32c(h, n, payload + 12 - n);
		put32(h + 8, __builtin_bswap32(crc));
	}
	return n;
}

uint32_t
tcp_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = 8;
	uint64_t sum;

	put16(h, p->src_port);
	put16(h + 2, p->dst_port);
	if (p->proto == PROTO_SCTP)
		return sctp_build(p, h);
	if (p->proto == PROTO_TCP) {
		n = segment_build(p, h);
		sum = checksum_pseudo(p, p->whole ? p->whole : p->rest);
		put16(h + 16, checksum_fold(checksum_add(sum, h, n)));
		return n;
	}
	put16(h + 4, p->udp_len);
	put16(h + 6, 0);
	if (!p->no_checksum) {
		/* A length of 0 over IPv6 is a jumbogram's (RFC 2675, section 4). */
		uint32_t length = p->udp_len || p->src.version == 4 ? p->udp_len : p->rest;
		sum = checksum_fold(checksum_add(checksum_pseudo(p, length), h, n));
		put16(h + 6, sum ? sum : 0xffff);
	}
	return n;
}
