/*
 * Datagrams in fragments: which flow their later fragments belong to, and what makes their checksums right.
 *
 * The checksum of TCP and of ICMPv6 covers the length of the whole datagram, and the first fragment doesn't know it. So the
 * checksum there is that of a datagram which ends one octet behind what was seen; a fragment that goes further makes up for
 * it by the first word of what it adds. One octet more is assumed since a last fragment of one octet has no room for a word.
 * A first fragment that ends before the checksum's field leaves all of the sum to the next, and one that ends before TCP's
 * data offset that as well: a segment without options and with ACK. Words that were written are
 * remembered, for fragments that come twice or overlap.
 */
#include "packet/checksum.h"
#include "packet/layers.h"
#include "state/trace.h"

#include <string.h>

#define ONES	  0xffff /* sums are equal modulo this */
#define OFFSET_AT 12	 /* TCP's data offset and flags */

static struct datagram *
datagram_find(struct trace *t, const struct packet *p)
{
	uint32_t id = p->src.version == 4 ? p->id : p->frag_id;

	for (int i = 0; i < DATAGRAMS; i++) {
		struct datagram *d = &t->datagram[i];
		if (d->id == id && d->proto == p->proto &&
		    !memcmp(&d->src, &p->src, sizeof p->src) &&
		    !memcmp(&d->dst, &p->dst, sizeof p->dst))
			return d;
	}
	return NULL;
}

uint32_t
datagram_flow(struct trace *t, const struct packet *p, int *dir)
{
	struct datagram *d = datagram_find(t, p);

	if (!d || d->flow == SLOT_NONE || t->flow[d->flow].opened != d->opened)
		return SLOT_NONE;
	/* The flow may have been turned round since. */
	const struct address *end = t->flow[d->flow].address;
	*dir = memcmp(&end[0], &end[1], sizeof *end) ? memcmp(&end[0], &p->src, sizeof *end) != 0
						      : d->dir;
	return d->flow;
}

static bool
covers_length(const struct packet *p)
{
	return p->proto == PROTO_TCP || (p->proto == PROTO_ICMP6 && p->src.version == 6);
}

/* The length for which a first fragment's checksum is right; where the field isn't in it, the one that would make the sum
 * of its octets right without. */
static uint32_t
length_of_first(struct packet *p, uint32_t due)
{
	uint8_t header[60];

	if (p->proto != PROTO_TCP || p->rest >= TCP_CHECKSUM_END || !transport_length(p))
		return due;
	tcp_build(p, header);
	uint64_t sum = checksum_add(checksum_pseudo(p, 0), header, p->rest);
	return checksum_fold(sum); /* the complement: what is wanting to all ones */
}

uint32_t
datagram_offset(const struct packet *p)
{
	return p->src.version == 4 ? (p->frag & 0x1fff) * 8 : p->frag & 0xfff8;
}

uint32_t
datagram_cover(struct datagram_cover *c, uint32_t from, uint32_t end)
{
	uint32_t fresh = DATAGRAM_MAX;

	for (uint32_t i = from / 8; i * 8 < end && i < DATAGRAM_MAX / 8; i++) {
		if (c->came[i / 64] >> i % 64 & 1)
			continue;
		c->came[i / 64] |= UINT64_C(1) << i % 64;
		c->blocks++;
		if (fresh == DATAGRAM_MAX)
			fresh = i * 8;
	}
	return fresh;
}

bool
datagram_covered(const struct datagram_cover *c, uint32_t total)
{
	return (uint64_t)c->blocks * 8 >= total;
}

static void
place(struct datagram *d, uint32_t at, uint16_t word)
{
	d->word[d->words++ % DATAGRAM_WORDS] = (struct datagram_word){at, word};
	d->length = (d->length % ONES + ONES - word % ONES) % ONES;
}

/* TCP's data offset and flags, in a later fragment where the first one ends before. */
static void
place_offset(struct datagram *d, const struct packet *p, uint32_t from, uint32_t end)
{
	if (p->proto == PROTO_TCP && from <= OFFSET_AT && end >= OFFSET_AT + 2)
		place(d, OFFSET_AT, 5 << 12 | TCP_ACK);
}

/* A word at `from`, which nothing else stands at, where one is needed. */
static void
place_rest(struct datagram *d, uint32_t from, uint32_t end, uint32_t due)
{
	uint16_t word = (d->length % ONES + ONES - due % ONES) % ONES;

	if (word && from + 2 <= end)
		place(d, from, word);
}

/* The words that stand in a fragment's octets. */
static void
amend(const struct datagram *d, struct packet *p, uint32_t offset)
{
	for (int i = 0; i < DATAGRAM_WORDS && i < (int)d->words; i++) {
		const struct datagram_word *w = &d->word[i];
		if (w->at < offset || w->at + 2 > offset + p->rest || p->n_amends == PACKET_AMENDS)
			continue;
		p->amends[p->n_amends].at = w->at - offset;
		p->amends[p->n_amends++].word = w->word;
	}
}

static void
sum_first(struct datagram *d, struct packet *p, uint32_t due)
{
	uint32_t length = length_of_first(p, due);

	/* What came before and this one overlaps counts no more. */
	d->whole = d->length = p->rest < TCP_FLAGS_END ? (length + d->length) % ONES : length;
	p->whole = d->whole;
}

static void
sum_later(struct datagram *d, struct packet *p, uint32_t fresh, uint32_t end, uint32_t due)
{
	if (fresh == DATAGRAM_MAX)
		return;
	place_offset(d, p, fresh, end);
	if (d->flow != SLOT_NONE)
		place_rest(d, fresh, end, due);
}

static struct datagram *
datagram_new(struct trace *t, struct datagram *d, const struct packet *p)
{
	if (!d)
		d = &t->datagram[t->next_datagram++ % DATAGRAMS];
	*d = (struct datagram){.src = p->src, .dst = p->dst, .proto = p->proto,
			       .id = p->src.version == 4 ? p->id : p->frag_id, .flow = SLOT_NONE};
	return d;
}

void
datagram_note(struct trace *t, struct packet *p, uint32_t flow, int dir)
{
	struct datagram *d = datagram_find(t, p);
	uint32_t offset = datagram_offset(p);
	bool sound = p->rest >= 0; /* else its header is longer than it is */
	uint32_t end = offset + (sound ? p->rest : 0);

	/* A first fragment behind all of a datagram begins another. */
	if (!d || (offset == 0 && d->total && datagram_covered(&d->cover, d->total)))
		d = datagram_new(t, d, p);
	uint32_t fresh = datagram_cover(&d->cover, offset, end);
	if (end > d->end)
		d->end = end;
	if (ip_is_last_fragment(p))
		d->total = end;
	uint32_t due = d->total ? d->total : d->end + 1;
	if (sound && covers_length(p) && offset > 0)
		sum_later(d, p, fresh, end, due);
	else if (sound && covers_length(p) && d->flow == SLOT_NONE)
		sum_first(d, p, due);
	else if (sound && covers_length(p))
		p->whole = d->whole;
	if (sound && offset > 0)
		amend(d, p, offset);
	if (offset == 0) {
		d->flow = flow;
		d->opened = t->flow[flow].opened;
		d->dir = dir;
	}
}
