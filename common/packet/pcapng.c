/* draft-ietf-opsawg-pcapng. What is refused, and in which words, is as in libpcap's sf-pcapng.c. */
#include "packet/pcapng.h"

#include "packet/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACES_MAX (1 << 20)
#define NANO	       INT64_C(1000000000)

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6
};
enum option { OPTION_END, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

static int
too_short(struct pcapng_reader *r, const struct block *b)
{
	return blocks_fail(&r->blocks, "block of type %u in pcapng dump file is too short",
			   b->type);
}

/* --- sections and interfaces --- */

static int
section(struct pcapng_reader *r)
{
	struct block b;

	if (blocks_take(&r->blocks, &b) < 0)
		return -1;
	block_take32(&b); /* the mark of its byte order */
	uint32_t major = block_take16(&b), minor = block_take16(&b);
	block_take32(&b);
	block_take32(&b); /* its length, or all ones */
	if (b.cut)
		return too_short(r, &b);
	if (major != 1 || (minor != 0 && minor != 2))
		return blocks_fail(&r->blocks, "unsupported pcapng savefile version %u.%u", major,
				   minor);
	r->interfaces = 0;
	return 0;
}

static int
resolution(struct pcapng_reader *r, struct pcapng_interface *i, uint8_t v)
{
	i->binary = v & 0x80;
	i->exponent = v & 0x7f;
	if (i->exponent > (i->binary ? 63 : 19))
		return blocks_fail(
		    &r->blocks,
		    "Interface Description Block if_tsresol option resolution %d^-%u is too high",
		    i->binary ? 2 : 10, i->exponent);
	i->units = i->binary ? UINT64_C(1) << i->exponent : 1;
	for (int n = 0; n < i->exponent && !i->binary; n++)
		i->units *= 10;
	return 0;
}

/* Two of an option that stands once at most, or one of another length. */
static int
check_option(struct pcapng_reader *r, const char *name, uint32_t length, uint32_t wanted,
	     bool *seen)
{
	if (length != wanted)
		return blocks_fail(&r->blocks,
				   "Interface Description Block has %s option with length %u != %u",
				   name, length, wanted);
	if (*seen)
		return blocks_fail(&r->blocks,
				   "Interface Description Block has more than one %s option", name);
	*seen = true;
	return 0;
}

static int
interface_options(struct pcapng_reader *r, struct pcapng_interface *i, struct block *b)
{
	bool seen[2] = {false, false};

	while (b->at != b->end) {
		uint32_t code = block_take16(b), length = block_take16(b);
		struct block value = *b;
		if (!block_take(b, (length + 3) / 4 * 4))
			return too_short(r, b);
		if (code == OPTION_END) {
			if (length)
				return blocks_fail(&r->blocks,
						   "Interface Description Block has opt_endofopt "
						   "option with length %u != 0",
						   length);
			return 0;
		}
		if (code == OPTION_RESOLUTION) {
			if (check_option(r, "if_tsresol", length, 1, &seen[0]) < 0 ||
			    resolution(r, i, *block_take(&value, 1)) < 0)
				return -1;
		} else if (code == OPTION_OFFSET) {
			if (check_option(r, "if_tsoffset", length, 8, &seen[1]) < 0)
				return -1;
			uint64_t first = block_take32(&value), second = block_take32(&value);
			i->offset = b->big ? first << 32 | second : second << 32 | first;
		}
	}
	return 0;
}

static int
interface(struct pcapng_reader *r)
{
	struct pcapng_interface i = {0};
	struct block b;

	if (blocks_take(&r->blocks, &b) < 0)
		return -1;
	int link = block_take16(&b);
	block_take16(&b);
	i.snaplen = block_take32(&b);
	if (b.cut)
		return too_short(r, &b);
	if (r->link >= 0 && link != r->link)
		return blocks_fail(
		    &r->blocks,
		    "its interfaces have different link types; split it with \"tshark -r FILE "
		    "-Y frame.interface_id==N -w - | editcap -F nsecpcap -T TYPE - PART\", TYPE "
		    "ether, rawip, ... as editcap -T lists them");
	resolution(r, &i, 6); /* unless it says otherwise */
	if (interface_options(r, &i, &b) < 0)
		return -1;
	if (r->interfaces == r->room) {
		uint32_t room = r->room ? r->room * 2 : 4;
		struct pcapng_interface *more =
		    room > INTERFACES_MAX ? NULL : realloc(r->interface, room * sizeof *more);
		if (!more)
			return blocks_fail(&r->blocks,
					   "no room for more than %u interfaces of a pcapng file",
					   r->room);
		r->interface = more;
		r->room = room;
	}
	r->interface[r->interfaces++] = i;
	r->link = link;
	/* 10^6 us have six factors of two and of five. */
	r->nano |= i.exponent > 6;
	return 0;
}

/* --- packets --- */

/* floor(units * 10^9 / those of a second), units less than that. No product has more than 64 bits. */
static uint32_t
nanoseconds(const struct pcapng_interface *i, uint64_t units)
{
	if (!i->binary) {
		for (int n = i->exponent; n > 9; n--)
			units /= 10;
		for (int n = i->exponent; n < 9; n++)
			units *= 10;
		return units;
	}
	if (i->exponent <= 32)
		return units * NANO >> i->exponent;
	return ((units >> 32) * NANO + ((units & UINT32_MAX) * NANO >> 32)) >> (i->exponent - 32);
}

/* What 64 bits of an interface's units are, cut to the nanosecond before. */
static int64_t
time_of(const struct pcapng_interface *i, uint64_t units, bool *beyond)
{
	int64_t seconds;

	/* What 64 bits don't hold is too late: units are never below 0. */
	if (__builtin_add_overflow(units / i->units, i->offset, &seconds))
		seconds = INT64_MAX;
	*beyond = seconds < -CAPTURE_SECONDS || seconds >= CAPTURE_SECONDS;
	if (*beyond)
		return seconds < 0 ? CAPTURE_TIME_MIN : CAPTURE_TIME_MAX;
	return seconds * NANO + nanoseconds(i, units % i->units);
}

/* The interface of a packet, NULL with r->error where the packet can't be. */
static const struct pcapng_interface *
interface_of(struct pcapng_reader *r, const struct block *b, uint32_t number, uint32_t caplen)
{
	if (b->cut)
		too_short(r, b);
	else if (number >= r->interfaces)
		blocks_fail(&r->blocks,
			    "a packet arrived on interface %u, but there's no Interface "
			    "Description Block for that interface",
			    number);
	else if (caplen > PCAPNG_SNAPLEN)
		blocks_fail(&r->blocks,
			    "invalid packet capture length %u, bigger than snaplen of %d", caplen,
			    PCAPNG_SNAPLEN);
	else
		return &r->interface[number];
	return NULL;
}

/* Of a block with an interface's number and a time. */
static int
timed_packet(struct pcapng_reader *r, struct block *b, struct capture_packet *p)
{
	uint32_t number = b->type == BLOCK_ENHANCED ? block_take32(b) : block_take16(b);

	if (b->type == BLOCK_PACKET)
		block_take16(b); /* packets that were dropped */
	uint32_t high = block_take32(b), low = block_take32(b);
	p->caplen = block_take32(b);
	p->len = block_take32(b);
	const struct pcapng_interface *i = interface_of(r, b, number, p->caplen);
	if (!i)
		return -1;
	r->time = time_of(i, (uint64_t)high << 32 | low, &p->beyond);
	return 0;
}

/* Of the first interface, as long as its snap length lets it be, and without a time: the one before
 * it has one. */
static int
simple_packet(struct pcapng_reader *r, struct block *b, struct capture_packet *p)
{
	p->len = p->caplen = block_take32(b);
	const struct pcapng_interface *i = interface_of(r, b, 0, 0);
	if (!i)
		return -1;
	uint32_t most = i->snaplen && i->snaplen < PCAPNG_SNAPLEN ? i->snaplen : PCAPNG_SNAPLEN;
	if (p->caplen > most)
		p->caplen = most;
	p->beyond = false;
	return 0;
}

/* Goes by all blocks before the next packet's: 1, 0 at the end, -1. */
static int
to_packet(struct pcapng_reader *r)
{
	while (!r->ready) {
		uint32_t type = 0;
		int got = blocks_begin(&r->blocks, &type);
		if (got <= 0)
			return got;
		switch (type) {
		case BLOCK_SECTION:
			got = section(r);
			break;
		case BLOCK_INTERFACE:
			got = interface(r);
			break;
		case BLOCK_PACKET:
		case BLOCK_SIMPLE:
		case BLOCK_ENHANCED:
			r->ready = true;
			break;
		default:
			got = blocks_pass(&r->blocks);
		}
		if (got < 0)
			return -1;
	}
	return 1;
}

int
pcapng_open(struct pcapng_reader *r, ssize_t (*read)(void *arg, char *p, size_t n), void *arg)
{
	*r = (struct pcapng_reader){.link = -1};
	if (blocks_open(&r->blocks, read, arg) < 0 || blocks_check_format(&r->blocks) < 0)
		return -1;
	int got = to_packet(r);
	if (r->link >= 0)
		return 0;
	if (got == 0)
		blocks_fail(&r->blocks, "the capture file has no Interface Description Blocks");
	else if (got == 1)
		blocks_fail(
		    &r->blocks,
		    "the capture file has a packet block before any Interface Description Blocks");
	return -1;
}

int
pcapng_next(struct pcapng_reader *r, struct capture_packet *p)
{
	struct block b;
	int got = *r->blocks.error ? -1 : to_packet(r);

	if (got <= 0)
		return got;
	r->ready = false;
	if (blocks_take(&r->blocks, &b) < 0)
		return -1;
	if ((b.type == BLOCK_SIMPLE ? simple_packet(r, &b, p) : timed_packet(r, &b, p)) < 0)
		return -1;
	p->time = r->time;
	p->data = block_take(&b, p->caplen);
	return p->data ? 1 : too_short(r, &b);
}

void
pcapng_close(struct pcapng_reader *r)
{
	blocks_close(&r->blocks);
	free(r->interface);
	r->interface = NULL;
	r->room = r->interfaces = 0;
}
