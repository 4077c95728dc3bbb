/* TCP (RFC 9293) and its options. */
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

/* Reads the value of an option of n octets, the first of its kind and as long as it should be, as far as it was captured:
 * `there` octets, kind and length among them. Numbers that were cut stay 0, and so do SACK blocks. */
static bool
value_parse(struct packet *p, const uint8_t *at, unsigned n, unsigned there, unsigned *had)
{
	unsigned kind = *at;
	unsigned bit = kind < 16 ? 1u << kind : 0;

	if (*had & bit)
		return false;
	if (kind == OPTION_SACK) {
		if (n < 10 || n > 34 || n % 8 != 2)
			return false;
		for (unsigned i = 2; i < n; i += 4)
			p->sack[p->n_sack++] = (i + 6) / 8 * 8 + 2 <= there ? get32(at + i) : 0;
	} else if (n != fixed_length(kind)) {
		return false;
	} else if (kind == OPTION_MSS) {
		p->mss = there >= 4 ? get16(at + 2) : 0;
	} else if (kind == OPTION_WSCALE) {
		p->wscale = there >= 3 ? at[2] : 0;
	} else if (kind == OPTION_TIMESTAMPS) {
		p->timestamps = true;
		p->tsval = there >= 6 ? get32(at + 2) : 0;
		p->tsecr = there >= 10 ? get32(at + 6) : 0;
	}
	*had |= bit;
	return true;
}

/* The options from at to end, of which those before cut were captured. */
static void
options_parse(struct packet *p, const uint8_t *at, const uint8_t *cut, const uint8_t *end)
{
	unsigned had = 0;

	/* What nearly every segment carries. */
	if (end - at == 12 && cut == end && get32(at) == 0x0101080a) {
		p->n_options = 3;
		p->options[0] = p->options[1] = OPTION_NOP;
		p->options[2] = OPTION_TIMESTAMPS;
		p->timestamps = true;
		p->tsval = get32(at + 4);
		p->tsecr = get32(at + 8);
		return;
	}
	while (at < cut) {
		uint32_t *o = &p->options[p->n_options++];
		*o = *at;
		if (*at < 2) {
			if (*at++ == OPTION_EOL)
				return;
			continue;
		}
		/* Where the capture ends behind the kind, the length is what it should be. */
		unsigned n = cut - at > 1 ? at[1] : cut < end ? fixed_length(*at) : 0;
		if (n < 2 || n > end - at) {
			*o |= OPTION_BAD | n << 8;
			return;
		}
		if (!value_parse(p, at, n, cut - at < n ? cut - at : n, &had))
			*o |= n << 8;
		at += n;
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

bool
tcp_option_has(const struct packet *p, uint32_t option, int octets)
{
	int at = TCP_HEADER;

	for (unsigned i = 0; i < p->n_options; i++) {
		if (p->options[i] == option)
			return packet_has(p, at + octets);
		at += option_length(p->options[i], p->n_sack / 2);
	}
	return false;
}

/* A field that ends so many octets into the header; 0 where it wasn't captured. */
static uint32_t
field32(const struct packet *p, const uint8_t *h, int end)
{
	return packet_has(p, end) ? get32(h + end - 4) : 0;
}

static uint16_t
field16(const struct packet *p, const uint8_t *h, int end)
{
	return packet_has(p, end) ? get16(h + end - 2) : 0;
}

void
tcp_parse(struct packet *p, const uint8_t *data)
{
	const uint8_t *h = data + p->transport;

	p->tcp_off = TCP_HEADER / 4;
	transport_see(p);
	if (packet_has(p, TCP_OFFSET_END))
		p->tcp_off = h[12] >> 4;
	transport_see(p);
	ports_parse(p, h);
	p->seq = field32(p, h, TCP_SEQ_END);
	p->ack = field32(p, h, TCP_ACK_END);
	p->flags = field16(p, h, TCP_FLAGS_END) & 0xfff;
	p->win = field16(p, h, TCP_WINDOW_END);
	p->urgent = field16(p, h, TCP_URGENT_END);
	if (p->seen > TCP_HEADER)
		options_parse(p, h + TCP_HEADER, h + p->seen,
			      h + (p->rest < p->tcp_off * 4 ? p->rest : p->tcp_off * 4));
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

uint32_t
tcp_build(const struct packet *p, uint8_t *h)
{
	uint32_t n = transport_length(p);
	uint64_t sum = checksum_pseudo(p, p->whole ? p->whole : p->rest);

	ports_build(p, h);
	memset(h + 4, 0, n - 4);
	put32(h + 4, p->seq);
	put32(h + 8, p->ack);
	put16(h + 12, p->tcp_off << 12 | p->flags);
	put16(h + 14, p->win);
	put16(h + 18, p->urgent);
	options_build(p, h + TCP_HEADER, h + n);
	/* Of a first fragment that ends within the header, the others have zeros for the rest. */
	put16(h + 16, checksum_fold(checksum_add(sum, h, ip_is_fragment(p) && p->rest >= 0 && p->rest < n ? p->rest : n)));
	return n;
}
