/*
 * identity A B: holds two captures against each other by the first part of the identity that
 * lifting and compiling show together (tracecodec(7)). It shares the parsing with the tools, not the
 * state: what must correspond is checked by offsets that may not change along a 5-tuple. Prints
 * the first difference; exit 0 same, 1 different, 2 trouble.
 */
#include "packet/capture.h"
#include "packet/layers.h"
#include "packet/packet.h"
#include "state/slots.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAP (1 << 20)

static uint64_t number; /* of the packet at hand */

static void
differ(const char *what, int64_t a, int64_t b)
{
	printf("%s\tpacket %" PRIu64 ": %" PRId64 ", %" PRId64 "\n", what, number, a, b);
	exit(1);
}

static void
same(const char *what, int64_t a, int64_t b)
{
	if (a != b)
		differ(what, a, b);
}

/* A one-to-one relation between keys of A and keys of B, held as slots that must be alike. */
struct pairs {
	struct slots a, b;
};

static void
pair(struct pairs *p, const char *what, const void *a, const void *b, uint32_t size)
{
	if (!p->a.cap && (slots_init(&p->a, size, CAP) | slots_init(&p->b, size, CAP)))
		err(2, NULL);
	uint32_t sa = slots_find(&p->a, a), sb = slots_find(&p->b, b);
	if (sa == SLOT_NONE && sb == SLOT_NONE) {
		sa = slots_add(&p->a, a);
		sb = slots_add(&p->b, b);
	}
	same(what, sa, sb);
}

static void
hosts(const char *what, const struct address *a, const struct address *b)
{
	static struct pairs pairs;

	same("address class", address_class(a), address_class(b));
	if (address_class(a) == ADDRESS_FIXED && memcmp(a, b, sizeof *a) != 0)
		differ("fixed address", 0, 1);
	pair(&pairs, what, a, b, sizeof *a);
}

static void
link_addresses(const uint8_t *a, const uint8_t *b, const struct address *to_a,
	       const struct address *to_b)
{
	static struct pairs pairs;
	uint8_t ga[6], gb[6];

	/* The link address of a group follows the group. */
	if (to_a && mac_of_group(to_a, ga) && mac_of_group(to_b, gb) && !memcmp(a, ga, 6)) {
		same("link address of a group", memcmp(b, gb, 6), 0);
		return;
	}
	same("class of a link address", mac_class(a), mac_class(b));
	if (mac_class(a) == MAC_FIXED)
		same("fixed link address", memcmp(a, b, 6), 0);
	pair(&pairs, "link address", a, b, 6);
}

/* By how much B's numbers are ahead of A's, in one direction of a 5-tuple. */
struct offsets {
	bool has_seq, has_time, has_label;
	uint32_t seq, time, label_a, label_b;
};

static struct offsets *
offsets_of(const struct packet *p, bool reverse)
{
	static struct slots slots;
	static struct offsets *offsets;
	struct {
		struct address end[2];
		uint16_t port[2];
		uint16_t proto;
	} key;

	if (!offsets && (slots_init(&slots, sizeof key, CAP) < 0 ||
			 !(offsets = calloc(CAP, sizeof *offsets))))
		err(2, NULL);
	memset(&key, 0, sizeof key);
	key.end[reverse] = p->src;
	key.end[!reverse] = p->dst;
	key.port[reverse] = p->src_port;
	key.port[!reverse] = p->dst_port;
	key.proto = p->proto;
	uint32_t slot = slots_find(&slots, &key);
	if (slot == SLOT_NONE)
		slot = slots_add(&slots, &key);
	return &offsets[slot];
}

static void
constant(const char *what, bool *has, uint32_t *offset, uint32_t a, uint32_t b)
{
	if (!*has)
		*offset = b - a;
	*has = true;
	same(what, b - a, *offset);
}

static void
lists(const char *what, const uint32_t *a, int na, const uint32_t *b, int nb)
{
	same(what, na, nb);
	for (int i = 0; i < na; i++)
		same(what, a[i], b[i]);
}

static void
tcp(const struct packet *a, const struct packet *b)
{
	struct offsets *me = offsets_of(a, false), *peer = offsets_of(a, true);

	same("TCP flags", a->flags, b->flags);
	same("TCP window", a->win, b->win);
	same("TCP urgent pointer", a->urgent, b->urgent);
	same("TCP data offset", a->tcp_off, b->tcp_off);
	lists("TCP options", a->options, a->n_options, b->options, b->n_options);
	same("TCP MSS", a->mss, b->mss);
	same("TCP window scale", a->wscale, b->wscale);
	/* A new connection on old ports has new numbers. */
	if ((a->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && me->has_seq &&
	    b->seq - a->seq != me->seq)
		me->has_seq = peer->has_seq = false;
	if (a->seen >= 8)
		constant("TCP sequence number", &me->has_seq, &me->seq, a->seq, b->seq);
	same("TCP acknowledgement of 0", a->ack == 0 && !peer->has_seq,
	     b->ack == 0 && !peer->has_seq);
	if ((a->flags & TCP_ACK || a->seen < 14) && a->ack)
		constant("TCP acknowledgement", &peer->has_seq, &peer->seq, a->ack, b->ack);
	same("SACK blocks", a->n_sack, b->n_sack);
	for (int i = 0; i < a->n_sack && tcp_option_has(a, OPTION_SACK, 2 + (i / 2 + 1) * 8); i++)
		same("SACK edges", a->sack[i] - (a->ack ? a->ack : a->sack[0]),
		     b->sack[i] - (b->ack ? b->ack : b->sack[0]));
	same("TCP timestamps", a->timestamps, b->timestamps);
	if (!tcp_option_has(a, OPTION_TIMESTAMPS, 6))
		return;
	constant("TCP timestamp", &me->has_time, &me->time, a->tsval, b->tsval);
	if (!tcp_option_has(a, OPTION_TIMESTAMPS, 10))
		return;
	same("TCP timestamp echo of 0", a->tsecr == 0, b->tsecr == 0);
	if (a->tsecr)
		constant("TCP timestamp echo", &peer->has_time, &peer->time, a->tsecr, b->tsecr);
}

static void
icmp(const struct packet *a, const struct packet *b)
{
	const struct quote *qa = &a->quote, *qb = &b->quote;

	same("ICMP type", a->type, b->type);
	same("ICMP code", a->code, b->code);
	same("ICMP octets 4 to 7", a->word, b->word);
	lists("ICMP options", a->options, a->n_options, b->options, b->n_options);
	same("ICMP target", a->has_target, b->has_target);
	if (a->has_target)
		hosts("ICMP target", &a->target, &b->target);
	same("quote", qa->set, qb->set);
	if (!qa->set)
		return;
	hosts("quoted host", &qa->src, &qb->src);
	hosts("quoted host", &qa->dst, &qb->dst);
	same("quoted protocol", qa->proto, qb->proto);
	same("quoted TTL", qa->ttl, qb->ttl);
	same("quoted length", qa->ip_len, qb->ip_len);
	same("quoted fragment", qa->frag, qb->frag);
	same("quoted port", qa->src_port, qb->src_port);
	same("quoted port", qa->dst_port, qb->dst_port);
	same("quoted bits", qa->bits, qb->bits);
	if (qa->proto != PROTO_TCP)
		same("quoted octets", qa->word, qb->word);
}

static void
ip(const struct packet *a, const struct packet *b)
{
	struct offsets *me = offsets_of(a, false);

	hosts("source", &a->src, &b->src);
	hosts("destination", &a->dst, &b->dst);
	same("protocol", a->proto, b->proto);
	same("TTL", a->ttl, b->ttl);
	same("DSCP and ECN", a->tos, b->tos);
	same("header length", a->ip_hl, b->ip_hl);
	same("IP length", a->ip_len, b->ip_len);
	same("identification", a->id, b->id);
	same("fragment field", a->frag, b->frag);
	same("fragment identification", a->frag_id, b->frag_id);
	same("flow label of 0", a->label == 0, b->label == 0);
	if (me->has_label)
		same("new flow label", a->label == me->label_a, b->label == me->label_b);
	me->has_label = true;
	me->label_a = a->label;
	me->label_b = b->label;
	lists("IP options or extensions", a->ext, a->n_ext, b->ext, b->n_ext);
	same("transport header", a->transport, b->transport);
	same("transport length", a->rest, b->rest);
	same("source port", a->src_port, b->src_port);
	same("destination port", a->dst_port, b->dst_port);
	if (!transport_length(a))
		return;
	same("UDP length", a->udp_len, b->udp_len);
	same("UDP checksum absent", a->no_checksum, b->no_checksum);
	if (a->proto == PROTO_TCP)
		tcp(a, b);
	if (a->proto == PROTO_ICMP || a->proto == PROTO_ICMP6)
		icmp(a, b);
}

static void
compare(const struct packet *a, const struct packet *b)
{
	same("time", a->time, b->time);
	same("length", a->len, b->len);
	same("captured length", a->caplen, b->caplen);
	same("kind", a->kind, b->kind);
	same("link header cut", a->runt, b->runt);
	same("ethertype", a->ethertype, b->ethertype);
	same("link addresses", a->macs, b->macs);
	lists("link header", a->link, a->n_link, b->link, b->n_link);
	same("tags", a->n_tags, b->n_tags);
	for (int i = 0; i < a->n_tags; i++)
		same("tags", a->tags[i], b->tags[i]);
	if (a->macs)
		link_addresses(a->src_mac, b->src_mac, NULL, NULL);
	if (a->macs == 2)
		link_addresses(a->dst_mac, b->dst_mac, a->kind == PACKET_IP ? &a->dst : NULL,
			       &b->dst);
	if (a->kind == PACKET_IP)
		ip(a, b);
	if (a->kind == PACKET_ARP) {
		same("ARP operation", a->operation, b->operation);
		hosts("ARP sender", &a->src, &b->src);
		hosts("ARP target", &a->dst, &b->dst);
		link_addresses(a->sha, b->sha, NULL, NULL);
		link_addresses(a->tha, b->tha, NULL, NULL);
	}
}

static int
next(struct capture_reader *r, struct packet *p)
{
	struct capture_packet c;
	int got = capture_read(r, &c);

	if (got != 1)
		return 0; /* a capture that breaks off ends where it does */
	*p = (struct packet){.time = c.time, .caplen = c.caplen, .len = c.len};
	packet_parse(p, r->dlt, c.data);
	return 1;
}

int
main(int argc, char **argv)
{
	struct capture_reader a, b;
	struct packet pa, pb;

	if (argc != 3)
		errx(2, "usage: identity A B");
	if (capture_open(&a, argv[1], NULL, NULL) < 0)
		errx(2, "%s: %s", argv[1], a.error);
	if (capture_open(&b, argv[2], NULL, NULL) < 0)
		errx(2, "%s: %s", argv[2], b.error);
	same("link type", a.dlt, b.dlt);
	for (;;) {
		int more_a = next(&a, &pa), more_b = next(&b, &pb);
		number++;
		same("packets", more_a, more_b);
		if (!more_a)
			break;
		compare(&pa, &pb);
	}
	capture_close(&a);
	capture_close(&b);
	return 0;
}
