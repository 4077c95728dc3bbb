#include "fragments.h"

#include "packet/checksum.h"

#include <string.h>

static uint32_t
id_of(const struct packet *p)
{
	return p->src.version == 4 ? p->id : p->frag_id;
}

/* The datagram of a fragment. A first fragment behind all of one begins another. */
static struct fragments_datagram *
datagram_of(struct fragments *f, const struct packet *p)
{
	struct fragments_datagram *d = NULL;

	for (int i = 0; i < FRAGMENTS && !d; i++) {
		struct fragments_datagram *at = &f->datagram[i];
		if (at->src.version && at->id == id_of(p) && at->proto == p->proto && !memcmp(&at->src, &p->src, sizeof p->src) &&
		    !memcmp(&at->dst, &p->dst, sizeof p->dst))
			d = at;
	}
	if (d && !(ip_is_later_fragment(p) == 0 && d->total && datagram_covered(&d->cover, d->total)))
		return d;
	if (!d)
		d = &f->datagram[f->next++ % FRAGMENTS];
	*d = (struct fragments_datagram){.src = p->src, .dst = p->dst, .proto = p->proto, .id = id_of(p)};
	return d;
}

static bool
sum_is_wrong(const struct fragments_datagram *d, const struct packet *p)
{
	uint64_t sum = d->sum;

	switch (d->proto) {
	case PROTO_UDP:
		if (d->no_checksum || d->udp_len != d->total)
			return false;
		/* fall through */
	case PROTO_TCP:
	case PROTO_ICMP6:
		sum += checksum_pseudo(p, d->total);
		/* fall through */
	case PROTO_ICMP:
		return checksum_fold(sum) != 0;
	}
	return false;
}

bool
fragments_wrong(struct fragments *f, const struct packet *p, const uint8_t *data)
{
	struct fragments_datagram *d = datagram_of(f, p);
	uint32_t from = datagram_offset(p), end = from + (p->rest < 0 ? 0 : p->rest), before = d->cover.blocks;

	if (p->rest < 0 || end > DATAGRAM_MAX || p->transport + p->rest > p->caplen)
		d->unjudged = true;
	datagram_cover(&d->cover, from, end);
	uint32_t came = d->cover.blocks - before;
	if (came == 0 || d->unjudged)
		return false;
	if (came < (end - from + 7) / 8) {
		d->unjudged = true;
		return false;
	}
	if (from == 0) {
		d->has_first = true;
		d->no_checksum = p->no_checksum;
		d->udp_len = p->udp_len;
	}
	if (ip_is_last_fragment(p))
		d->total = end;
	d->sum += checksum_add(0, data + p->transport, p->rest);
	return d->has_first && d->total && datagram_covered(&d->cover, d->total) && sum_is_wrong(d, p);
}
