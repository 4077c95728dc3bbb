/* What is refused, and in which words, is as in libpcap's sf-pcapng.c. */
#include "packet/blocks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER	   (1 << 16)
#define BLOCK_MAX  (16 << 20)
#define ORDER_MARK 0x1a2b3c4d

int
blocks_fail(struct blocks *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(b->error, sizeof b->error, format, ap);
	va_end(ap);
	return -1;
}

int
blocks_open(struct blocks *b, ssize_t (*read)(void *arg, char *p, size_t n), void *arg)
{
	*b = (struct blocks){.read = read, .arg = arg, .size = BUFFER, .buffer = malloc(BUFFER)};
	return b->buffer ? 0 : blocks_fail(b, "%s", strerror(errno));
}

void
blocks_close(struct blocks *b)
{
	free(b->buffer);
	b->buffer = NULL;
}

/* Reads behind those at hand, in a buffer of `size` octets or more: how many, 0 at the end, -1. */
static ssize_t
fill(struct blocks *b, size_t size)
{
	memmove(b->buffer, b->buffer + b->at, b->n - b->at);
	b->n -= b->at;
	b->at = 0;
	if (size > b->size) {
		uint8_t *more = realloc(b->buffer, size);
		if (!more)
			return blocks_fail(b, "%s", strerror(errno));
		b->buffer = more;
		b->size = size;
	}
	ssize_t got = b->read(b->arg, (char *)b->buffer + b->n, b->size - b->n);
	if (got < 0)
		return blocks_fail(b, "error reading dump file: %s", strerror(errno));
	b->n += got;
	return got;
}

/* Has n octets at hand: 1; 0 at the end, where fewer are; -1. */
static int
need(struct blocks *b, size_t n)
{
	while (b->n - b->at < n) {
		ssize_t got = fill(b, n);
		if (got <= 0)
			return got;
	}
	return 1;
}

/* need() didn't come to what was wanted. */
static int
cut_off(struct blocks *b, int needed, size_t wanted, size_t got)
{
	if (needed < 0)
		return -1;
	return blocks_fail(b, "truncated pcapng dump file; tried to read %zu bytes, only got %zu",
			   wanted, got);
}

/* A number at so many octets from what is at hand, which need() has seen. */
static uint32_t
number(const struct blocks *b, size_t offset)
{
	return block_number32(b->buffer + b->at + offset, b->big);
}

/* A section says its byte order behind its length. */
static int
order(struct blocks *b)
{
	int got = need(b, 12);

	if (got <= 0)
		return cut_off(b, got, 12, b->n - b->at);
	b->big = false;
	if (number(b, 8) == ORDER_MARK)
		return 0;
	b->big = true;
	if (number(b, 8) == ORDER_MARK)
		return 0;
	return blocks_fail(b, "the file has a section with a bad byte order magic field");
}

int
blocks_check_format(struct blocks *b)
{
	int got = need(b, 12);

	if (got < 0)
		return -1;
	if (got == 0 || number(b, 0) != BLOCK_SECTION || order(b) < 0)
		return blocks_fail(b, "unknown file format");
	return 0;
}

int
blocks_begin(struct blocks *b, uint32_t *type)
{
	int got = need(b, 8);

	if (got <= 0)
		return got == 0 && b->n == b->at ? 0 : cut_off(b, got, 8, b->n - b->at);
	*type = number(b, 0);
	if (*type == BLOCK_SECTION && order(b) < 0)
		return -1;
	uint32_t length = number(b, 4);
	if (length < 12)
		return blocks_fail(b, "block in pcapng dump file has a length of %u < 12", length);
	if (length % 4)
		return blocks_fail(
		    b, "block in pcapng dump file has a length of %u that is not a multiple of 4",
		    length);
	return 1;
}

static int
check_trailer(struct blocks *b, const uint8_t *trailer, uint32_t length)
{
	uint32_t again = block_number32(trailer, b->big);

	if (again != length)
		return blocks_fail(b, "block total length in header %u and trailer %u don't match",
				   length, again);
	return 0;
}

int
blocks_take(struct blocks *b, struct block *block)
{
	uint32_t length = number(b, 4);
	int got;

	if (length > BLOCK_MAX)
		return blocks_fail(b, "pcapng block size %u > maximum %u", length, BLOCK_MAX);
	if ((got = need(b, length)) <= 0)
		return cut_off(b, got, length - 8, b->n - b->at - 8);
	const uint8_t *p = b->buffer + b->at, *trailer = p + length - 4;
	*block = (struct block){p + 8, trailer, b->big, false, block_number32(p, b->big)};
	b->at += length;
	if (b->begun)
		return check_trailer(b, trailer, length);
	/* Nor does libpcap look at the first one's. */
	b->begun = true;
	return 0;
}

int
blocks_pass(struct blocks *b)
{
	uint32_t length = number(b, 4);
	size_t rest = length - 8, body = rest - 4, passed = 0;
	int got;

	b->at += 8;
	while (passed < body) {
		if ((got = need(b, 1)) <= 0)
			return cut_off(b, got, rest, passed);
		size_t here = b->n - b->at < body - passed ? b->n - b->at : body - passed;
		b->at += here;
		passed += here;
	}
	if ((got = need(b, 4)) <= 0)
		return cut_off(b, got, rest, passed + b->n - b->at);
	b->at += 4;
	return check_trailer(b, b->buffer + b->at - 4, length);
}
