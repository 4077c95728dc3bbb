/*
 * Of the symbols of a TCP packet, those that its connection lets it have are drawn, and no others; but a rule of TCP holds for
 * as many packets only as it did for those of the service that were learned.
 */
#ifndef TC_GEN_LEGAL_H
#define TC_GEN_LEGAL_H

#include "connection.h"
#include "vocabulary.h"

/* The numbers that each symbol stands for. */
struct legal {
	const struct vocabulary *v;
	int32_t *low, *high;
};

/* 0, or -1 where memory is short. */
int legal_init(struct legal *l, const struct vocabulary *v);
void legal_free(struct legal *l);
/* Takes the others out of the shares of a field's symbols, unless none would be left. token: what was decided before; lawless:
 * the rules that don't hold. */
void legal_keep(const struct legal *l, const struct connection *c, unsigned lawless, enum field f, const uint16_t *token, float *p);

/* Whether no packet of TCP can do without a field, as others of its service may. */
static inline bool
legal_needs(enum field f)
{
	return f == FIELD_FLAGS || f == FIELD_WIN;
}

/* An octet of a field, in a model's tables: whether packets may have it; above that, how many break the rule that is broken by
 * it. */
#define LEGAL_HAS 1
/* Of so many packets that each rule was asked of so many broke it. */
void legal_learn(uint8_t *has, const uint32_t *broken, const uint32_t *asked);
/* The rules that don't hold for a packet. */
unsigned legal_draw(const uint8_t *has, uint64_t *random);

#endif
