/* What a packet has in each field, before it is a symbol. */
#ifndef TC_GEN_FIELD_H
#define TC_GEN_FIELD_H

#include "vocabulary.h"

struct field_spec {
	uint64_t mask;	/* fields of the action that it decides */
	int number;	/* one of them, that has ranges; -1: none */
	uint8_t heads;	/* bit h: head h decides it */
	int8_t who;	/* one of a packet's four; -1: none */
};
extern const struct field_spec field_specs[FIELDS];

static inline bool
is_time(enum field f)
{
	return f == FIELD_NEXT || f == FIELD_OPENED;
}

/* Whether it is one number that is to be a range: *v. */
bool number_of(enum field f, const struct action *a, int64_t *v);
void range_of(int64_t v, int64_t *low, int64_t *high);
/* No range reaches over a silence after which a flow counts as another. */
void range_of_time(const struct corpus *c, int64_t t, int64_t *low, int64_t *high);
/*
 * The time of FIELD_NEXT or FIELD_OPENED of a packet: ns since its flow's packet before, or since the opening before, `opened`, NOBODY:
 * none. Packets are the cause of openings: of one that comes shortly before its hosts open another flow FIELD_NEXT says how long before,
 * as -1 - ns. NO_TIME: it has none.
 */
#define NO_TIME INT64_MIN
int64_t time_of(enum field f, const struct corpus *c, uint32_t i, uint32_t opened);
/* Whom a field names: as a symbol, and the words of one that everyone shares. */
struct symbol who_symbol(const struct corpus *c, enum field f, const struct packet_seen *p, struct action *a, uint64_t *word);

#endif
