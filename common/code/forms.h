/*
 * What values are made of, as bits. One walk over the bits of a field, whichever way: a form is said once, and so goes from
 * a value to bits, from bits to a value, and to a value that could be, drawn at random.
 *
 * A number is its length in bits, and then what follows its leading one, highest first; both Gray-coded. So neighbours differ
 * in one bit, and the finest bit of its length is worth a factor of two or so.
 */
#ifndef TC_FORMS_H
#define TC_FORMS_H

#include "record/action.h"

#define FORMS_LOW	15 /* bits behind the leading one of a number that has high bits apart */
#define FORMS_LOW_FIXED 30 /* bits of a fixed address, likewise */
#define FORMS_FIXED	48

/* BITS: n plain bits; NUMBER: 0 to 2^n - 1; SIGNED: that with a sign; FLAGS, FRAG, KIND: plain bits, few of which are set
 * often; ONE: always the same value; CHECK: 1, with n bits that the other fields give. */
enum form {
	FORM_NONE,  /* no form at all: a field that nobody described */
	FORM_APART, /* a name or the time step: names.h, when.h */
	FORM_ONE,
	FORM_BITS,
	FORM_NUMBER,
	FORM_SIGNED,
	FORM_FLAGS,
	FORM_FRAG,
	FORM_KIND,
	FORM_CHECK,
	FORM_LIST,
	FORM_EDGES,
	FORM_REF,
	FORM_QUOTE
};

struct walk {
	enum { WALK_PUT, WALK_GET, WALK_DRAW, WALK_MEASURE } way; /* MEASURE: past them alone */
	uint64_t *bit, *mask; /* PUT, GET, DRAW: the code's details */
	unsigned at;	      /* bit that is next */
	unsigned high_at;     /* high bit that is next */
	bool high;	      /* the field has some */
	bool high_there;      /* GET: the group that they are in is there */
	bool good;	      /* PUT: all could be encoded */
	uint64_t *random;
};

/* A value, in n bits or as many as its form takes; what comes out of the walk. */
uint64_t walk_bits(struct walk *w, unsigned n, uint64_t v);
int64_t walk_form(struct walk *w, enum form form, unsigned n, int64_t v);
/* At most so many elements, each of a form of its own and so many bits. */
void walk_list(struct walk *w, unsigned max, enum form form, unsigned bits, struct action_list *l);
/* The same of edges in a sequence space: mostly they are multiples of the segments' length, so their greatest common divisor
 * comes first, and then what is left of each. */
void walk_edges(struct walk *w, unsigned max, unsigned bits, struct action_list *l);
/* All of a reference but its slots: three bits of form, then those that are shared by what the form wants. */
void walk_ref(struct walk *w, struct action_ref *r);
/* The header that an ICMP error quotes, in the order of tc-records(5). */
void walk_quote(struct walk *w, struct action_list *l);

#endif
