/*
 * Blocks of a pcapng file as octets: a type, a length, a body, the length again. pcapng.c knows
 * what they mean.
 */
#ifndef TC_BLOCKS_H
#define TC_BLOCKS_H

#include "packet/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BLOCKS_ERROR 320

#define BLOCK_SECTION 0x0a0d0d0a /* the same in both byte orders: what such a file begins with */

struct blocks {
	ssize_t (*read)(void *arg, char *p, size_t n); /* as read(2) */
	void *arg;
	uint8_t *buffer;
	size_t size, at, n;	  /* what the buffer holds is at .. n */
	bool big;		  /* the section's byte order */
	bool begun;		  /* the first block has gone by */
	char error[BLOCKS_ERROR]; /* what went wrong last */
};

/* A block's body, from first to last octet. Beyond the end there are zeros, and `cut` is set and
 * stays. */
struct block {
	const uint8_t *at, *end;
	bool big, cut;
	uint32_t type;
};

/* 0, or -1 with b->error, as all of these. */
int blocks_open(struct blocks *b, ssize_t (*read)(void *arg, char *p, size_t n), void *arg);
void blocks_close(struct blocks *b);

/* Whether the file begins as pcapng's do. */
int blocks_check_format(struct blocks *b);
/* Waits for the beginning of the next block: 1 with its type, 0 at the end, -1. */
int blocks_begin(struct blocks *b, uint32_t *type);
/* That block, whole, until the next call. */
int blocks_take(struct blocks *b, struct block *block);
/* That block goes by, however long it is. */
int blocks_pass(struct blocks *b);
/* -1, with this as b->error. */
int blocks_fail(struct blocks *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline uint32_t
block_number16(const uint8_t *p, bool big)
{
	return big ? get16(p) : p[1] << 8 | p[0];
}

static inline uint32_t
block_number32(const uint8_t *p, bool big)
{
	return big ? get32(p) : block_number16(p + 2, false) << 16 | block_number16(p, false);
}

/* n octets of the body, or NULL. */
static inline const uint8_t *
block_take(struct block *b, size_t n)
{
	const uint8_t *p = b->at;

	if (b->cut || n > (size_t)(b->end - p)) {
		b->cut = true;
		return NULL;
	}
	b->at += n;
	return p;
}

static inline uint32_t
block_take16(struct block *b)
{
	const uint8_t *p = block_take(b, 2);

	return p ? block_number16(p, b->big) : 0;
}

static inline uint32_t
block_take32(struct block *b)
{
	const uint8_t *p = block_take(b, 4);

	return p ? block_number32(p, b->big) : 0;
}

#endif
