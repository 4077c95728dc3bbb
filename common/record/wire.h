/*
 * msgpack as records have it, octet by octet: numbers, and how long an array, a text or some octets are. What is written is
 * the shortest form; what is read may be any form of a number, but only lengths as they are written. All else is msgpack
 * too, but odd: it is read with the library.
 */
#ifndef TC_WIRE_H
#define TC_WIRE_H

#include "support/portable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Octets of a number or of a length, at most. So many at a place may be written over, or looked at, though fewer count. */
#define WIRE_NUMBER 9

enum wire_length { WIRE_ARRAY, WIRE_MAP, WIRE_TEXT, WIRE_OCTETS };

/* What is read, up to its end. Behind that stand WIRE_NUMBER octets at least, whatever they are. */
struct wire {
	const uint8_t *at, *end;
};

/* These return where the next octet goes. */
static inline uint8_t *
wire_put_number(uint8_t *p, int64_t v)
{
	/* With the sign as lowest bit, both sorts need 1, 2, 4 or 8 octets beyond the same bounds. */
	uint64_t u = v < 0 ? ~(uint64_t)v << 1 | 1 : (uint64_t)v;

	*p = v;
	if (v < 128 && v >= -32)
		return p + 1;
	int width = (u > UINT8_MAX) + (u > UINT16_MAX) + (u > UINT32_MAX);
	*p = (v < 0 ? 0xd0 : 0xcc) + width;
	uint64_t octets = htobe64((uint64_t)v << (64 - (8 << width)));
	memcpy(p + 1, &octets, 8);
	return p + 1 + (1 << width);
}

static inline uint8_t *
wire_put_length(uint8_t *p, enum wire_length kind, uint32_t n)
{
	static const struct {
		uint8_t below, first, widths; /* in the first octet; else that of a length of 8, 16, 32 bits */
	} form[] = {{16, 0x90, 0xdb}, {16, 0x80, 0xdd}, {32, 0xa0, 0xd9}, {0, 0, 0xc4}};

	if (n < form[kind].below) {
		*p = form[kind].first | n;
		return p + 1;
	}
	int width = (n > UINT8_MAX || kind < WIRE_TEXT) + (n > UINT16_MAX);
	*p = form[kind].widths + width;
	uint32_t octets = htobe32(n << (32 - (8 << width)));
	memcpy(p + 1, &octets, 4);
	return p + 1 + (1 << width);
}

static inline uint8_t *
wire_put_text(uint8_t *p, const char *text)
{
	size_t n = strlen(text);

	p = wire_put_length(p, WIRE_TEXT, n);
	memcpy(p, text, n);
	return p + n;
}

/* The twins: false where that is not what stands there, or not whole. */
static inline bool
wire_get_number(struct wire *w, int64_t *v)
{
	uint8_t first = *w->at;
	uint64_t octets;

	if (first < 0x80 || first >= 0xe0) {
		*v = (int8_t)first;
		return ++w->at <= w->end;
	}
	if (first < 0xcc || first > 0xd3)
		return false;
	int width = first & 3, unused = 64 - (8 << width);
	memcpy(&octets, w->at + 1, 8);
	octets = be64toh(octets);
	*v = first < 0xd0 ? (int64_t)(octets >> unused) : (int64_t)octets >> unused;
	w->at += 1 + (1 << width);
	return w->at <= w->end && (first != 0xcf || *v >= 0);
}

static inline bool
wire_get_array(struct wire *w, uint32_t *n)
{
	uint8_t first = *w->at;
	bool short_form = first >> 4 == 9;

	*n = short_form ? first & 15 : (uint32_t)w->at[1] << 8 | w->at[2];
	w->at += short_form ? 1 : 3;
	return w->at <= w->end && (short_form || first == 0xdc);
}

static inline bool
wire_get_text(struct wire *w, const char **text, uint32_t *n)
{
	uint8_t first = *w->at;
	bool short_form = first >> 5 == 5;

	*n = short_form ? first & 31 : w->at[1];
	*text = (const char *)w->at + (short_form ? 1 : 2);
	if ((!short_form && first != 0xd9) || w->end - w->at < (short_form ? 1 : 2) + (int64_t)*n)
		return false;
	w->at = (const uint8_t *)*text + *n;
	return true;
}

static inline bool
wire_get_octets(struct wire *w, const uint8_t **octets, uint32_t *n)
{
	uint8_t first = *w->at;
	int width = first == 0xc4 ? 1 : 2;

	*n = width == 1 ? w->at[1] : (uint32_t)w->at[1] << 8 | w->at[2];
	*octets = w->at + 1 + width;
	if ((first != 0xc4 && first != 0xc5) || w->end - w->at < 1 + width + (int64_t)*n)
		return false;
	w->at = *octets + *n;
	return true;
}

#endif
