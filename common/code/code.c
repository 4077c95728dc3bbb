#include "code/code.h"

#include "code/bits.h"
#include "code/forms.h"
#include "support/random.h"

const char *const code_group_names[CODE_GROUPS] = {"base", "tcp",  "stamp", "frame", "open",
						   "hosts", "opts", "misc",  "lists", "sack",
						   "quote", "as_is", "high", "fixed"};

/* What each field's details are. The bias is taken off the value first. */
static const struct spec {
	uint8_t group, form, n, bias;
	uint8_t max, element; /* LIST: elements at most; form of each */
	uint8_t high;	      /* group of its high bits; 0: it has none */
} specs[CODE_FIELDS] = {
    [ACTION_DT] = {0, FORM_APART},
    [ACTION_FLOW] = {0, FORM_APART},
    [ACTION_DIR] = {CODE_BASE, FORM_ONE, 0, 1},
    [ACTION_LEN] = {CODE_BASE, FORM_SIGNED, 31, .high = CODE_HIGH},
    [ACTION_WIN] = {CODE_BASE, FORM_NUMBER, 16},
    [ACTION_ID] = {CODE_BASE, FORM_SIGNED, 16},
    [ACTION_FLAGS] = {CODE_BASE, FORM_FLAGS, 12},
    [ACTION_ACK] = {CODE_TCP, FORM_SIGNED, 32, .high = CODE_HIGH},
    [ACTION_TSVAL] = {CODE_STAMP, FORM_SIGNED, 32, .high = CODE_HIGH},
    [ACTION_TSECR] = {CODE_STAMP, FORM_SIGNED, 32, .high = CODE_HIGH},
    [ACTION_SEQ] = {CODE_TCP, FORM_SIGNED, 32, .high = CODE_HIGH},
    [ACTION_ACK_SAME] = {CODE_TCP, FORM_ONE, 0, 1},
    [ACTION_NO_ECHO] = {CODE_STAMP, FORM_ONE, 0, 1},
    [ACTION_TTL] = {CODE_OPEN, FORM_NUMBER, 8},
    [ACTION_OPEN] = {CODE_OPEN, FORM_BITS, 2, 1},
    [ACTION_ORIG_P] = {CODE_OPEN, FORM_BITS, 16},
    [ACTION_RESP_P] = {CODE_OPEN, FORM_BITS, 16},
    [ACTION_PROTO] = {CODE_OPEN, FORM_BITS, 18},
    [ACTION_MSS] = {CODE_OPEN, FORM_NUMBER, 16},
    [ACTION_WSCALE] = {CODE_OPEN, FORM_NUMBER, 8},
    [ACTION_FRAG] = {CODE_OPEN, FORM_FRAG, 16},
    [ACTION_ORIG_H] = {CODE_HOSTS, FORM_REF, .high = CODE_FIXED},
    [ACTION_RESP_H] = {CODE_HOSTS, FORM_REF, .high = CODE_FIXED},
    [ACTION_SRC_MAC] = {CODE_HOSTS, FORM_REF, .high = CODE_FIXED},
    [ACTION_DST_MAC] = {CODE_HOSTS, FORM_REF, .high = CODE_FIXED},
    [ACTION_OPTS] = {CODE_OPTS, FORM_LIST, 17, 0, 20, FORM_KIND},
    [ACTION_PAD] = {CODE_FRAME, FORM_SIGNED, 32, .high = CODE_HIGH},
    [ACTION_TYPE] = {CODE_MISC, FORM_BITS, 16},
    [ACTION_CODE] = {CODE_MISC, FORM_BITS, 8},
    [ACTION_REST] = {CODE_MISC, FORM_BITS, 32},
    [ACTION_TOS] = {CODE_FRAME, FORM_BITS, 8},
    [ACTION_CAP] = {CODE_FRAME, FORM_NUMBER, 19},
    [ACTION_LABEL] = {CODE_MISC, FORM_BITS, 1, 1},
    [ACTION_NO_CHECKSUM] = {CODE_MISC, FORM_BITS, 1},
    [ACTION_URGENT] = {CODE_MISC, FORM_NUMBER, 16},
    [ACTION_FRAG_ID] = {CODE_MISC, FORM_BITS, 32},
    [ACTION_IP_HL] = {CODE_FRAME, FORM_BITS, 4},
    [ACTION_IP_LEN] = {CODE_FRAME, FORM_ONE, 0, 0},
    [ACTION_UDP_LEN] = {CODE_MISC, FORM_NUMBER, 16},
    [ACTION_TCP_OFF] = {CODE_FRAME, FORM_BITS, 4},
    [ACTION_TAGS] = {CODE_LISTS, FORM_LIST, 48, 0, 4, FORM_BITS},
    [ACTION_LINK] = {CODE_LISTS, FORM_LIST, 32, 0, 4, FORM_NUMBER},
    [ACTION_EXT] = {CODE_LISTS, FORM_LIST, 17, 0, 6, FORM_KIND},
    [ACTION_TARGET] = {CODE_LISTS, FORM_REF},
    [ACTION_SHA] = {CODE_LISTS, FORM_REF},
    [ACTION_THA] = {CODE_LISTS, FORM_REF},
    [ACTION_SACK] = {CODE_SACK, FORM_EDGES, 32, 0, 8},
    [ACTION_QUOTE] = {CODE_QUOTE, FORM_QUOTE},
    [ACTION_QUOTE_SRC] = {CODE_QUOTE, FORM_REF},
    [ACTION_QUOTE_DST] = {CODE_QUOTE, FORM_REF},
    [ACTION_AS_IS] = {CODE_AS_IS, FORM_CHECK, CODE_CHECK_BITS},
};

enum code_group
code_group_of(enum action_field f)
{
	return specs[f].group;
}

static uint64_t
mix(uint64_t h, const uint64_t *bit, struct code_span s)
{
	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned n = end - s.at < 64 ? end - s.at : 64;
		h = (h ^ bits_load(bit, s.at, n)) * 0x9e3779b97f4a7c15 ^ h >> 29;
		s.at += n;
	}
	return h;
}

/* Bits that all fields before this one give, wherever the layout has theirs, so that nobody sets them who doesn't mean it. */
static uint64_t
signature(const struct code *c)
{
	const struct code_layout *l = code_layout();
	uint64_t fields = c->has & ((1ull << ACTION_AS_IS) - 1), h = ~fields;

	for (uint64_t left = fields; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		h = mix(mix(h, c->bit, l->low[f]), c->bit, l->high[f]);
	}
	return h * 0x9e3779b97f4a7c15 >> (64 - CODE_CHECK_BITS);
}

/* The fields before it are done. */
static void
walk_check(struct walk *w, const struct code *c, enum action_field f, struct action *a)
{
	struct action others;
	struct code code;
	uint64_t due = 0, said;

	if (w->way == WALK_PUT) {
		w->good &= a->num[f] == 1;
		due = signature(c);
	} else if (w->way == WALK_GET) {
		others = *a;
		others.has &= ~(1ull << f);
		code_put(&code, &others);
		due = signature(&code);
	}
	said = walk_bits(w, CODE_CHECK_BITS, due);
	a->num[f] = 1;
	if (w->way == WALK_GET && said != due)
		a->has &= ~(1ull << f);
}

static void
walk_field(struct walk *w, const struct code *c, enum action_field f, struct action *a)
{
	const struct spec *s = &specs[f];

	w->high = s->high;
	switch (s->form) {
	case FORM_APART:
		break;
	case FORM_ONE:
		if (w->way == WALK_PUT && a->num[f] != s->bias)
			w->good = false;
		a->num[f] = s->bias;
		break;
	case FORM_CHECK:
		walk_check(w, c, f, a);
		break;
	case FORM_LIST:
		walk_list(w, s->max, s->element, s->n, action_list(a, f));
		break;
	case FORM_EDGES:
		walk_edges(w, s->max, s->n, action_list(a, f));
		break;
	case FORM_REF:
		walk_ref(w, action_ref(a, f));
		break;
	case FORM_QUOTE:
		walk_quote(w, action_list(a, f));
		break;
	default:
		a->num[f] = walk_form(w, s->form, s->n, a->num[f] - s->bias) + s->bias;
	}
}

/* --- the layout --- */

static struct code_layout layout;

const struct code_layout *
code_layout(void)
{
	return &layout;
}

/* Of specs[] alone, and before main(): a constant, but one that C can't count by itself. */
__attribute__((constructor)) static void
layout_make(void)
{
	struct code_layout *l = &layout;
	struct action any = {0};
	struct walk w = {.way = WALK_MEASURE};

	for (int g = 0; g < CODE_GROUPS; g++) {
		l->first[g] = w.at = (w.at + 63) / 64 * 64;
		for (int f = 0; f < CODE_FIELDS; f++) {
			const struct spec *s = &specs[f];
			if (s->high && s->high == g) {
				l->has[g] = 1ull << (CODE_COARSE - CODE_GROUPS + g);
				l->high[f] = (struct code_span){
				    w.at, s->form == FORM_REF ? FORMS_FIXED - FORMS_LOW_FIXED : s->n - 1u - FORMS_LOW};
				w.at += l->high[f].n;
			} else if (s->group == g && s->form != FORM_APART) {
				l->has[g] |= 1ull << f;
				l->low[f].at = w.at;
				walk_field(&w, NULL, f, &any);
				l->low[f].n = w.at - l->low[f].at;
			}
		}
		l->width[g] = w.at - l->first[g];
	}
}

const char *
code_complete(void)
{
	const struct code_layout *l = code_layout();

	for (int f = 0; f < CODE_FIELDS; f++)
		if (specs[f].form == FORM_NONE)
			return action_fields[f].name;
	return (l->first[CODE_GROUPS - 1] + l->width[CODE_GROUPS - 1] + 63) / 64 == CODE_WORDS ? NULL : "CODE_WORDS";
}

/* Whether any bit of a group counts. */
static bool
group_counts(const struct code *c, enum code_group g)
{
	const struct code_layout *l = code_layout();

	for (unsigned k = 0; k < l->width[g]; k += 64)
		if (c->mask[(l->first[g] + k) / 64])
			return true;
	return false;
}

/* The coarse bits that say which groups of high bits are there. */
static void
settle(struct code *c)
{
	for (int g = CODE_HIGH; g < CODE_GROUPS; g++) {
		c->has &= ~code_layout()->has[g];
		if (group_counts(c, g))
			c->has |= code_layout()->has[g];
	}
}

static void
start_at(struct walk *w, const struct code *c, enum action_field f)
{
	const struct code_layout *l = code_layout();

	w->at = l->low[f].at;
	w->high_at = l->high[f].at;
	w->high_there = w->way == WALK_GET && specs[f].high && code_has_group(c, specs[f].high);
}

#define FIELDS (((1ull << CODE_FIELDS) - 1) & ~(1ull << ACTION_DT | 1ull << ACTION_FLOW))

bool
code_put(struct code *c, const struct action *a)
{
	struct walk w = {.way = WALK_PUT, .bit = c->bit, .mask = c->mask, .good = !(a->has & ~FIELDS)};
	struct action copy; /* the walk writes what it passes */
	uint64_t word[ACTION_WORDS];

	action_pack(a, word);
	action_unpack(&copy, word);
	*c = (struct code){.has = a->has & FIELDS};
	for (uint64_t left = c->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		start_at(&w, c, f);
		walk_field(&w, c, f, &copy);
	}
	settle(c);
	return w.good;
}

void
code_get(const struct code *c, struct action *a)
{
	struct walk w = {.way = WALK_GET, .bit = (uint64_t *)c->bit, .good = true};

	a->has = c->has & FIELDS;
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		start_at(&w, c, f);
		walk_field(&w, c, f, a);
	}
}

/* --- the network's numbers --- */

const uint64_t code_coarse_mask = UINT64_MAX;

void
code_coarse_out(const struct code *c, float *x)
{
	bits_out(&c->has, &code_coarse_mask, CODE_COARSE, x);
}

void
code_coarse_in(struct code *c, const float *x)
{
	bits_in(&c->has, CODE_COARSE, x);
}

void
code_out(const struct code *c, enum code_group g, float *x)
{
	const struct code_layout *l = code_layout();

	bits_out(c->bit + l->first[g] / 64, code_mask(c, g), l->width[g], x);
}

void
code_in(struct code *c, enum code_group g, const float *x)
{
	const struct code_layout *l = code_layout();

	bits_in(c->bit + l->first[g] / 64, l->width[g], x);
}

/* Whether bits that count are others; there: c has them, else they count as 0. */
static bool
span_wrong(const struct code *truth, const struct code *c, struct code_span s, bool there)
{
	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned n = end - s.at < 64 ? end - s.at : 64;
		uint64_t differ = bits_load(truth->bit, s.at, n) ^ (there ? bits_load(c->bit, s.at, n) : 0);
		if (differ & bits_load(truth->mask, s.at, n))
			return true;
		s.at += n;
	}
	return false;
}

uint64_t
code_wrong(const struct code *truth, const struct code *c)
{
	const struct code_layout *l = code_layout();
	uint64_t wrong = (truth->has ^ c->has) & FIELDS;

	for (uint64_t left = truth->has & c->has & FIELDS; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (span_wrong(truth, c, l->low[f], true) ||
		    span_wrong(truth, c, l->high[f], specs[f].high && code_has_group(c, specs[f].high)))
			wrong |= 1ull << f;
	}
	return wrong;
}

static void
clear_span(uint64_t *word, struct code_span s)
{
	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned m = 64 - s.at % 64 < end - s.at ? 64 - s.at % 64 : end - s.at;
		word[s.at / 64] &= ~(bits_ones(m) << s.at % 64);
		s.at += m;
	}
}

/* Takes a field away. */
static void
clear(struct code *c, enum action_field f)
{
	const struct code_layout *l = code_layout();

	clear_span(c->bit, l->low[f]);
	clear_span(c->bit, l->high[f]);
	clear_span(c->mask, l->low[f]);
	clear_span(c->mask, l->high[f]);
	c->has &= ~(1ull << f);
}

static unsigned
span_counted(const struct code *c, struct code_span s)
{
	unsigned sum = 0;

	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned m = end - s.at < 64 ? end - s.at : 64;
		sum += __builtin_popcountll(bits_load(c->mask, s.at, m));
		s.at += m;
	}
	return sum;
}

void
code_augment(struct code *c, unsigned bits, float there, uint64_t *state)
{
	const struct code_layout *l = code_layout();
	struct action any = {0}; /* the walk writes what it draws */
	struct code drawn;
	struct walk w = {.way = WALK_DRAW, .bit = drawn.bit, .mask = drawn.mask, .good = true, .random = state};
	uint8_t field[CODE_FIELDS];
	unsigned n = 0;

	for (int f = 0; f < CODE_FIELDS; f++) {
		if (!(FIELDS >> f & 1))
			continue;
		/* Lists and addresses have so many bits that few packets bear two of them. */
		float rare = specs[f].form < FORM_LIST ? 1 : 0.5f;
		bool has = c->has >> f & 1, turn = random_uniform(state) < there * rare;
		if (has && turn) {
			clear(c, f);
		} else if (turn || (has && random_uniform(state) < rare)) {
			field[n++] = f;
		}
	}
	drawn = *c;
	for (; n > 0; n--) {
		unsigned i = random_next(state) % n;
		int f = field[i];
		field[i] = field[n - 1];
		clear(&drawn, f);
		start_at(&w, &drawn, f);
		walk_field(&w, &drawn, f, &any);
		unsigned more = span_counted(&drawn, l->low[f]) + span_counted(&drawn, l->high[f]);
		if (more <= bits) {
			bits -= more;
			drawn.has |= 1ull << f;
			*c = drawn;
		} else {
			drawn = *c;
		}
	}
	settle(c);
}
