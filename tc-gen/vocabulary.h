/*
 * What a generator decides about a packet, as symbols. A value that was often seen is a symbol of its own; a rarer number is
 * one of a range of numbers, in which another one is drawn, so that nothing rare is learned by heart; a rarer list is not
 * learned at all. Hosts and link addresses that open many flows are symbols too; others are new, or were named lately.
 */
#ifndef TC_GEN_VOCABULARY_H
#define TC_GEN_VOCABULARY_H

#include "corpus.h"

/* Fields of a packet, in the order in which they are decided. */
enum field {
	FIELD_NEXT,   /* time since the flow's packet before; of the last one none */
	FIELD_OPENED, /* time since the opening before */
	FIELD_PROTO,
	FIELD_ORIG_H,
	FIELD_RESP_H,
	FIELD_RESP_P,
	FIELD_ORIG_P,
	FIELD_SRC_MAC,
	FIELD_DST_MAC,
	FIELD_DIR,
	FIELD_AGAIN, /* the flow's ports are used anew */
	FIELD_FLAGS,
	FIELD_TYPE,
	FIELD_LEN,
	FIELD_SEQ,
	FIELD_ACK,
	FIELD_SACK,
	FIELD_WIN,
	FIELD_OPTS,
	FIELD_ID,
	FIELD_TSVAL,
	FIELD_TSECR,
	FIELD_REST,
	FIELD_TTL,
	FIELD_PAD,
	FIELD_OTHER, /* what is rare in most traces, all together */
	FIELDS
};

extern const char *const field_names[FIELDS];
enum head { HEAD_FLOW, HEAD_OPEN, HEADS };
/* Whether a field is decided for a flow's next packet, for one that opens a flow. */
bool field_is_of(enum field f, enum head h);

enum symbol_kind {
	SYMBOL_ABSENT, /* the first one of each field */
	SYMBOL_EXACT,  /* values of fields of an action */
	SYMBOL_RANGE,  /* a number from low to high - 1 */
	SYMBOL_FIXED,  /* an address that everyone shares */
	SYMBOL_NAMED,  /* one host or link address */
	SYMBOL_NEW,
	SYMBOL_RECENT, /* one that was named before, by how many others were since: low to high - 1 */
	SYMBOL_KINDS
};
#define EDGES	16
#define UNKNOWN UINT16_MAX /* what was not learned stands as no symbol at all */

struct symbol {
	uint8_t kind;
	uint8_t class;	/* of a host or link address */
	uint32_t scope; /* of a group of IPv6 */
	uint32_t at, n; /* SYMBOL_EXACT, SYMBOL_FIXED: words */
	int64_t low, high;
	uint16_t edge[EDGES]; /* SYMBOL_RANGE: as many were seen between each two, in 65535ths of the range; they ascend */
};

struct vocabulary {
	int n[FIELDS];	    /* symbols */
	int first[FIELDS];  /* where they begin in symbol[] */
	int all;
	struct symbol *symbol;
	uint64_t *word;
	uint32_t words;
};

#define VOCABULARY_VALUES 400 /* of a field that are symbols, at most, unless somebody says otherwise */

/* The symbols of what is to be learned, of each field's values the commonest, so many. 0, or -1 where memory is short. */
int vocabulary_learn(struct vocabulary *v, const struct corpus *c, uint32_t values);
void vocabulary_free(struct vocabulary *v);
/* The symbols of each packet of what is learned, FIELDS each. NULL where memory is short. */
uint16_t *vocabulary_tokens(const struct vocabulary *v, const struct corpus *c);
/* IP's version of what a symbol means, of a host or a protocol; 0: any. */
int symbol_family(const struct vocabulary *v, enum field f, const struct symbol *s);
/* Of a packet that opens a flow: who connects to whom for what, by both hosts, protocol and port; 0: to or from nobody who is
 * known. */
uint64_t vocabulary_purpose(const struct vocabulary *v, const uint16_t *token);
/* Which host a packet that opens a flow names, of those who are known; NOBODY: none. */
uint32_t vocabulary_host(const struct vocabulary *v, enum field f, const uint16_t *token);
/* Whether a packet is told by an opening of one of its hosts, that comes `opening` ns after its flow's packet before and `left` ns after
 * it, rather than by how long it waits: it may be what the opening comes of. */
static inline bool
wait_is_told_by(int64_t left, int64_t opening)
{
	return left <= opening / 16 && left <= 10000000 /* 10 ms */;
}
/* Whether it means a group of hosts, or all of them. */
bool symbol_group(const struct vocabulary *v, const struct symbol *s);
/* The largest number that was seen in a range. */
int64_t symbol_most(const struct symbol *s);
/* A number of a range, drawn as they were seen to lie in it. */
int64_t symbol_draw(const struct symbol *s, uint64_t *random);
/* A time of a range that is not over yet, or as soon as can be. */
int64_t symbol_wait(const struct symbol *s, int64_t since, uint64_t *random);
/* Adds what the symbol says to an action. */
void symbol_set(const struct vocabulary *v, enum field f, const struct symbol *s, struct action *a, uint64_t *random);

#endif
