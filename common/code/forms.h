/*
 * One walk over the bits of a field, whichever way: what a value is made of is said once, and so goes from it to bits,
 * from bits to it, and to a value that could be, drawn at random.
 */
#ifndef TC_WALK_H
#define TC_WALK_H

#include "record/action.h"

#define WALK_NEAR	15 /* bits of a number's mantissa, of those that have far ones */
#define WALK_NEAR_FIXED 30 /* bits of a fixed address, likewise */
#define WALK_FIXED	48

/* What a field's details are. BITS: n plain bits; NUMBER: 0 to 2^n - 1; SIGNED: that with a sign;
 * FLAGS, FRAG: plain bits, few of which are set often; PORT: near another or not; ONE: always the same value; SURE: 1,
 * with n bits that the other fields give. */
enum form {
	FORM_NONE, /* no form at all: a field that nobody described */
	FORM_ONE,
	FORM_BITS,
	FORM_NUMBER,
	FORM_SIGNED,
	FORM_FLAGS,
	FORM_FRAG,
	FORM_PORT,
	FORM_SURE,
	FORM_LIST,
	FORM_REF,
	FORM_QUOTE
};

struct walk {
	enum { WALK_PUT, WALK_GET, WALK_DRAW, WALK_MEASURE } way; /* MEASURE: past them alone */
	uint64_t *bit, *care; /* the code's details */
	unsigned at;	      /* bit that is next */
	unsigned far_at;      /* far bit that is next */
	bool far;	      /* the field has some */
	bool far_there;	      /* GET: the group that they are in is there */
	bool good;	      /* PUT: all could be said */
	uint64_t *random;
};

/* A value, in n bits or as many as its form takes; what comes out of the walk. */
uint64_t walk_bits(struct walk *w, unsigned n, uint64_t v);
int64_t walk_form(struct walk *w, enum form form, unsigned n, int64_t v);
/* A port: by steps from one before, or, in that form, as it is. */
int64_t walk_port(struct walk *w, enum form form, unsigned n, int64_t v);
/* At most so many elements, each of a form of its own and so many bits; or, in place of their number, one of so many ranks. */
void walk_list(struct walk *w, unsigned max, unsigned ranks, enum form form, unsigned bits, struct action_list *l);
/* Three bits of form, then those that are shared by what the form wants. */
void walk_ref(struct walk *w, struct action_ref *r);
/* The header that an ICMP error quotes, in the order of tc-records(5). */
void walk_quote(struct walk *w, struct action_list *l);

#endif
