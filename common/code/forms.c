#include "code/forms.h"

#include "code/bits.h"
#include "support/random.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* n bits at the walk's place, of which those in the mask count. */
static uint64_t
pass(struct walk *w, unsigned n, uint64_t v, uint64_t mask)
{
	unsigned at = w->at;

	w->at += n;
	if (w->way == WALK_GET)
		return bits_load(w->bit, at, n);
	if (w->way != WALK_MEASURE) {
		bits_store(w->bit, at, v & mask, n);
		bits_store(w->mask, at, mask, n);
	}
	return v;
}

/* n bits, of which those above the first `low` stand apart where the field has such. */
static uint64_t
pass_split(struct walk *w, unsigned n, unsigned low, uint64_t v, uint64_t mask)
{
	if (!w->high || n <= low)
		return pass(w, n, v, mask);
	uint64_t first = pass(w, low, v & bits_ones(low), mask & bits_ones(low)), rest = 0;
	unsigned at = w->at;
	w->at = w->high_at;
	if (w->way != WALK_GET || w->high_there)
		rest = pass(w, n - low, v >> low, mask >> low);
	w->high_at = w->at;
	w->at = at;
	return first | rest << low;
}

/* A value that could be: of any length, of the full one as often as of all others. */
static uint64_t
draw(struct walk *w, unsigned n)
{
	unsigned size = random_next(w->random) % (n + 1);

	if (random_next(w->random) & 1)
		size = n;
	return random_next(w->random) & bits_ones(size);
}

/* What goes into n bits: v, or what is drawn; a value that is too large can't be encoded. */
static uint64_t
fit(struct walk *w, unsigned n, uint64_t v)
{
	if (w->way == WALK_DRAW)
		return draw(w, n);
	if (w->way == WALK_PUT && v & ~bits_ones(n)) {
		w->good = false;
		return 0;
	}
	return v;
}

uint64_t
walk_bits(struct walk *w, unsigned n, uint64_t v)
{
	v = fit(w, n, v);
	return pass(w, n, v, bits_ones(n));
}

/* How many bits a number has, of n at most. */
static unsigned
walk_length(struct walk *w, unsigned n, unsigned length)
{
	unsigned bits = bits_length(n);

	length = bits_ungray(pass(w, bits, bits_gray(length), bits_ones(bits)));
	return length < n ? length : n;
}

static uint64_t
walk_number(struct walk *w, unsigned n, uint64_t v)
{
	v = fit(w, n, v);
	unsigned length = walk_length(w, n, bits_length(v)), behind = length ? length - 1 : 0;
	/* Bit 0 is the highest. */
	uint64_t g = pass_split(w, n - 1, FORMS_LOW, bits_mirror(bits_gray(v) & bits_ones(behind), behind), bits_ones(behind));
	if (w->way == WALK_GET)
		v = length ? bits_ungray(1ull << behind | bits_mirror(g & bits_ones(behind), behind)) : 0;
	return v;
}

static int64_t
walk_signed(struct walk *w, unsigned n, int64_t v)
{
	bool below = w->way == WALK_DRAW ? random_next(w->random) & 1 : v < 0;
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;

	below = pass(w, 1, below, w->way == WALK_DRAW || v != 0);
	size = walk_number(w, n, size);
	return below ? -(int64_t)size : (int64_t)size;
}

/* n bits, of which all above the first `usual` are seldom set: one bit says whether any is. */
static uint64_t
walk_usual(struct walk *w, unsigned n, unsigned usual, uint64_t v)
{
	v = fit(w, n, v);
	uint64_t low = pass(w, usual, v & bits_ones(usual), bits_ones(usual)), high = v >> usual;
	bool more = pass(w, 1, high != 0, 1);
	high = pass(w, n - usual, high, more ? bits_ones(n - usual) : 0);
	return more ? low | high << usual : low;
}

/* Three flags, then, in fragments alone, the offset. */
static uint64_t
walk_frag(struct walk *w, uint64_t v)
{
	w->good &= w->way != WALK_PUT || v <= UINT16_MAX;
	v = walk_usual(w, 16, 3, (v >> 13 | v << 3) & UINT16_MAX);
	return (v >> 3 | v << 13) & UINT16_MAX;
}

int64_t
walk_form(struct walk *w, enum form form, unsigned n, int64_t v)
{
	switch (form) {
	case FORM_SIGNED:
		return walk_signed(w, n, v);
	case FORM_NUMBER:
		return walk_number(w, n, v);
	case FORM_FLAGS: /* TCP's: FIN, SYN, RST, PSH and ACK are the usual ones */
		return walk_usual(w, 12, 5, v);
	case FORM_KIND: /* an option's, with its length where the kind doesn't give it */
		return walk_usual(w, n, 6, v);
	case FORM_FRAG:
		return walk_frag(w, v);
	default:
		return walk_bits(w, n, v);
	}
}

/* Bits that a form takes. */
static unsigned
form_width(enum form form, unsigned n)
{
	switch (form) {
	case FORM_NUMBER:
		return bits_length(n) + n - 1;
	case FORM_SIGNED:
		return 1 + bits_length(n) + n - 1;
	case FORM_KIND:
		return n + 1;
	default:
		return n;
	}
}

/* How many elements a list has. */
static unsigned
walk_count(struct walk *w, unsigned max, unsigned n)
{
	unsigned bits = bits_length(max);

	if (w->way == WALK_DRAW) { /* short ones mostly */
		n = random_next(w->random) % (max + 1);
		n = random_next(w->random) % (n + 1);
	} else if (w->way == WALK_MEASURE || n > max) {
		w->good = w->way == WALK_PUT ? false : w->good;
		n = max;
	}
	n = pass(w, bits, n, bits_ones(bits));
	return n > max ? max : n;
}

void
walk_list(struct walk *w, unsigned max, enum form form, unsigned bits, struct action_list *l)
{
	unsigned end = w->at + bits_length(max) + max * form_width(form, bits);

	l->n = walk_count(w, max, l->n);
	for (unsigned i = 0; i < l->n; i++)
		l->v[i] = walk_form(w, form, bits, l->v[i]);
	w->at = end;
}

/* At least 1, at most what DIVISOR bits can say: else 1; so where an edge has more than so many bits. */
#define DIVISOR 16
static uint64_t
divisor_of(const struct action_list *l, unsigned bits)
{
	uint64_t divisor = 0, all = 0;

	for (unsigned i = 0; i < l->n; i++) {
		uint64_t v = l->v[i] < 0 ? -(uint64_t)l->v[i] : (uint64_t)l->v[i];
		all |= v;
		while (v) {
			uint64_t rest = divisor % v;
			divisor = v;
			v = rest;
		}
	}
	return divisor && divisor <= bits_ones(DIVISOR) && all <= bits_ones(bits) ? divisor : 1;
}

void
walk_edges(struct walk *w, unsigned max, unsigned bits, struct action_list *l)
{
	int64_t divisor = w->way == WALK_PUT ? divisor_of(l, bits) : 1;

	if (w->way == WALK_PUT)
		for (unsigned i = 0; i < l->n; i++)
			l->v[i] /= divisor;
	divisor = walk_number(w, DIVISOR, divisor);
	walk_list(w, max, FORM_SIGNED, bits, l);
	for (unsigned i = 0; w->way == WALK_GET && i < l->n; i++)
		if (llabs(l->v[i] * divisor) >> bits == 0) /* no edge is farther than that */
			l->v[i] *= divisor;
}

/* A fixed address as 48 bits: 32 of IPv4, all of a link address; of IPv6 the first 16 and the last
 * 32, where the others are 0. */
enum ref_form { KNOWN, NAMED, FIXED4, FIXED6, FIXED_LINK, REF_FORMS };

static enum ref_form
address_put(const char *text, uint64_t *v)
{
	uint8_t o[16] = {0}, zero[10] = {0};
	unsigned m[6];
	char back[ACTION_TEXT_MAX];

	if (inet_pton(AF_INET, text, o) == 1) {
		*v = (uint64_t)o[0] << 24 | o[1] << 16 | o[2] << 8 | o[3];
		return FIXED4;
	}
	if (inet_pton(AF_INET6, text, o) == 1) {
		inet_ntop(AF_INET6, o, back, sizeof back);
		*v = (uint64_t)o[0] << 40 | (uint64_t)o[1] << 32 | (uint64_t)o[12] << 24 |
		     o[13] << 16 | o[14] << 8 | o[15];
		return memcmp(o + 2, zero, 10) || strcmp(back, text) ? REF_FORMS : FIXED6;
	}
	if (strlen(text) == 17 && sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", m, m + 1, m + 2, m + 3,
					 m + 4, m + 5) == 6) {
		*v = 0;
		for (int i = 0; i < 6; i++)
			*v = *v << 8 | m[i];
		snprintf(back, sizeof back, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
			 m[4], m[5]);
		return strcmp(back, text) ? REF_FORMS : FIXED_LINK;
	}
	return REF_FORMS;
}

static void
address_get(enum ref_form form, uint64_t v, char *text)
{
	uint8_t o[16] = {0};

	if (form == FIXED_LINK) {
		for (int i = 0; i < 6; i++)
			snprintf(text + 3 * i, 4, i < 5 ? "%02x:" : "%02x",
				 (unsigned)(v >> (40 - 8 * i) & 255));
		return;
	}
	for (int i = 0; i < 4; i++)
		o[form == FIXED4 ? i : 12 + i] = v >> (24 - 8 * i);
	if (form == FIXED6) {
		o[0] = v >> 40;
		o[1] = v >> 32;
	}
	inet_ntop(form == FIXED4 ? AF_INET : AF_INET6, o, text, ACTION_TEXT_MAX);
}

void
walk_ref(struct walk *w, struct action_ref *r)
{
	enum ref_form form = r->kind == REF_KNOWN ? KNOWN : NAMED;
	uint64_t v = 0;
	unsigned end = w->at + 3 + (w->high ? FORMS_LOW_FIXED : FORMS_FIXED);

	if (w->way == WALK_PUT && r->kind == REF_FIXED && (form = address_put(r->text, &v)) == REF_FORMS) {
		w->good = false;
		form = FIXED4;
	}
	if (w->way == WALK_DRAW)
		form = random_next(w->random) % REF_FORMS;
	form = pass(w, 3, form, 7);
	if (form >= REF_FORMS)
		form = KNOWN;
	r->kind = form == KNOWN ? REF_KNOWN : form == NAMED ? REF_NEW : REF_FIXED;
	if (w->way == WALK_GET)
		r->slot = r->suffix = 0;
	if (form == NAMED) {
		/* class, whether a suffix or a scope is there, whether the suffix is new, or which scope */
		r->class = walk_bits(w, 4, r->class);
		r->has_suffix = walk_bits(w, 1, r->has_suffix);
		r->new_suffix = r->has_suffix && walk_bits(w, 1, r->new_suffix);
		if (r->has_suffix && action_ref_scoped(r))
			r->suffix = walk_bits(w, 4, r->suffix);
	} else if (form != KNOWN) {
		unsigned n = form == FIXED4 ? 32 : FORMS_FIXED;
		if (w->way == WALK_DRAW)
			v = draw(w, n);
		v = pass_split(w, n, FORMS_LOW_FIXED, v, bits_ones(n));
		if (w->way == WALK_GET)
			address_get(form, v, r->text);
	}
	w->at = end;
}

void
walk_quote(struct walk *w, struct action_list *l)
{
	static const struct {
		uint8_t form, n;
	} part[QUOTE_FIELDS] = {
	    [QUOTE_FLOW] = {FORM_SIGNED, 1}, /* -1, or 0: the slot is a name */
	    [QUOTE_DIR] = {FORM_BITS, 1},
	    [QUOTE_PROTO] = {FORM_BITS, 8},
	    [QUOTE_TTL] = {FORM_NUMBER, 8},
	    [QUOTE_TOS] = {FORM_BITS, 8},
	    [QUOTE_IP_HL] = {FORM_BITS, 4},
	    [QUOTE_IP_LEN] = {FORM_NUMBER, 16},
	    [QUOTE_ID] = {FORM_SIGNED, 16},
	    [QUOTE_FRAG] = {FORM_FRAG, 16},
	    [QUOTE_SRC_PORT] = {FORM_BITS, 16},
	    [QUOTE_DST_PORT] = {FORM_BITS, 16},
	    [QUOTE_WORD] = {FORM_SIGNED, 32},
	    [QUOTE_BITS] = {FORM_BITS, 16}};

	if (w->way == WALK_PUT && l->n != QUOTE_FIELDS)
		w->good = false;
	for (int i = l->n; i < QUOTE_FIELDS; i++)
		l->v[i] = 0;
	l->n = QUOTE_FIELDS;
	for (int i = 0; i < QUOTE_FIELDS; i++)
		l->v[i] = walk_form(w, part[i].form, part[i].n, l->v[i]);
}
