#include "neural/code.h"

#include "neural/context.h"
#include "record/wide.h"

#include <arpa/inet.h>
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const code_group_names[CODE_GROUPS] = {"base", "tcp",  "stamp", "frame", "open",
						   "hosts", "opts", "misc",  "lists", "sack",
						   "quote", "as_is", "far", "fixed"};

#define NEAR	    15 /* bits of a number's mantissa, of those that have far ones */
#define NEAR_FIXED  30 /* bits of a fixed address, likewise */
#define FIXED_WIDTH 48

/* What a field's details are. BITS: n plain bits; NUMBER: 0 to 2^n - 1; SIGNED: that with a sign;
 * FLAGS, FRAG: plain bits, few of which are set often; PORT: near another or not; ONE: always the same value, the
 * bias; SURE: 1, with n bits that the other fields give. The bias is taken off the value first. */
enum form {
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

static const struct spec {
	uint8_t group, form, n, bias;
	uint8_t max, element; /* LIST: elements at most; form of each, of a PORT that isn't near */
	uint8_t far;	      /* group of its far bits; 0: it has none */
} specs[CODE_FIELDS] = {
    [MANNER_WITHOUT] = {CODE_MISC, FORM_BITS, MANNER_WITHOUT_BITS},
    [ACTION_FLOW] = {CODE_BASE, FORM_NUMBER, 20},
    [ACTION_DIR] = {CODE_BASE, FORM_ONE, 0, 1},
    [ACTION_LEN] = {CODE_BASE, FORM_SIGNED, 31, .far = CODE_FAR},
    [ACTION_WIN] = {CODE_BASE, FORM_SIGNED, 17},
    [ACTION_ID] = {CODE_BASE, FORM_SIGNED, 16},
    [ACTION_FLAGS] = {CODE_BASE, FORM_FLAGS, 12},
    [ACTION_ACK] = {CODE_TCP, FORM_SIGNED, 32, .far = CODE_FAR},
    [ACTION_TSVAL] = {CODE_STAMP, FORM_SIGNED, 32, .far = CODE_FAR},
    [ACTION_TSECR] = {CODE_STAMP, FORM_SIGNED, 32, .far = CODE_FAR},
    [ACTION_SEQ] = {CODE_TCP, FORM_SIGNED, 32, .far = CODE_FAR},
    [ACTION_ACK_SAME] = {CODE_TCP, FORM_ONE, 0, 1},
    [ACTION_NO_ECHO] = {CODE_STAMP, FORM_ONE, 0, 1},
    [ACTION_TTL] = {CODE_OPEN, FORM_BITS, 8},
    [ACTION_OPEN] = {CODE_OPEN, FORM_BITS, 2, 1},
    [ACTION_ORIG_P] = {CODE_OPEN, FORM_PORT, 16, .element = FORM_BITS},
    [ACTION_RESP_P] = {CODE_OPEN, FORM_PORT, 16, .element = FORM_NUMBER},
    [ACTION_PROTO] = {CODE_OPEN, FORM_NUMBER, 18},
    [ACTION_MSS] = {CODE_OPEN, FORM_NUMBER, 16},
    [ACTION_WSCALE] = {CODE_OPEN, FORM_NUMBER, 8},
    [ACTION_FRAG] = {CODE_OPEN, FORM_FRAG, 16},
    [ACTION_ORIG_H] = {CODE_HOSTS, FORM_REF, .far = CODE_FIXED},
    [ACTION_RESP_H] = {CODE_HOSTS, FORM_REF, .far = CODE_FIXED},
    [ACTION_SRC_MAC] = {CODE_HOSTS, FORM_REF, .far = CODE_FIXED},
    [ACTION_DST_MAC] = {CODE_HOSTS, FORM_REF, .far = CODE_FIXED},
    [ACTION_OPTS] = {CODE_OPTS, FORM_LIST, 17, 0, 20, FORM_NUMBER},
    [ACTION_PAD] = {CODE_FRAME, FORM_SIGNED, 32, .far = CODE_FAR},
    [ACTION_TYPE] = {CODE_MISC, FORM_NUMBER, 16},
    [ACTION_CODE] = {CODE_MISC, FORM_NUMBER, 8},
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
    [ACTION_EXT] = {CODE_LISTS, FORM_LIST, 17, 0, 6, FORM_NUMBER},
    [ACTION_TARGET] = {CODE_LISTS, FORM_REF},
    [ACTION_SHA] = {CODE_LISTS, FORM_REF},
    [ACTION_THA] = {CODE_LISTS, FORM_REF},
    [ACTION_SACK] = {CODE_SACK, FORM_LIST, 32, 0, 8, FORM_SIGNED},
    [ACTION_QUOTE] = {CODE_QUOTE, FORM_QUOTE},
    [ACTION_QUOTE_SRC] = {CODE_QUOTE, FORM_REF},
    [ACTION_QUOTE_DST] = {CODE_QUOTE, FORM_REF},
    [ACTION_AS_IS] = {CODE_AS_IS, FORM_SURE, CODE_SURE},
};

uint64_t
code_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

float
code_uniform(uint64_t *state)
{
	return (code_random(state) >> 40) * 0x1p-24f;
}

void
code_normals(float *x, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i += 2) {
		float u = code_uniform(state), v = code_uniform(state);
		float r = sqrtf(-2 * logf(1 - u)), angle = 6.2831853f * v;
		x[i] = r * cosf(angle);
		if (i + 1 < n)
			x[i + 1] = r * sinf(angle);
	}
}

/* --- one walk over the bits of a field, whichever way --- */

enum way { PUT, GET, DRAW, MEASURE };

struct walk {
	enum way way;
	struct code *code;
	unsigned at;	 /* bit that is next */
	unsigned far_at; /* far bit that is next */
	bool far;	 /* the field has some */
	bool far_there;	 /* GET: the group that they are in is there */
	bool good;
	uint64_t *random;
};

static uint64_t
ones(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

static void
store(uint64_t *word, unsigned at, uint64_t v, unsigned n)
{
	word += at / 64;
	word[0] |= v << at % 64;
	if (at % 64 + n > 64)
		word[1] |= v >> (64 - at % 64);
}

static uint64_t
load(const uint64_t *word, unsigned at, unsigned n)
{
	uint64_t v = word[at / 64] >> at % 64;

	if (at % 64 + n > 64)
		v |= word[at / 64 + 1] << (64 - at % 64);
	return v & ones(n);
}

/* n bits at the walk's place, of which those of care count. */
static uint64_t
pass(struct walk *w, unsigned n, uint64_t v, uint64_t care)
{
	unsigned at = w->at;

	w->at += n;
	if (w->way == GET)
		return load(w->code->bit, at, n);
	if (w->way != MEASURE) {
		store(w->code->bit, at, v & care, n);
		store(w->code->care, at, care, n);
	}
	return v;
}

/* n bits, of which those above the first `near` are far ones where the field has such. */
static uint64_t
pass_split(struct walk *w, unsigned n, unsigned near, uint64_t v, uint64_t care)
{
	if (!w->far || n <= near)
		return pass(w, n, v, care);
	uint64_t low = pass(w, near, v & ones(near), care & ones(near)), high = 0;
	unsigned at = w->at;
	w->at = w->far_at;
	if (w->way != GET || w->far_there)
		high = pass(w, n - near, v >> near, care >> near);
	w->far_at = w->at;
	w->at = at;
	return low | high << near;
}

/* A value that could be: of any length, of the full one as often as of all others. */
static uint64_t
draw(struct walk *w, unsigned n)
{
	unsigned size = code_random(w->random) % (n + 1);

	return code_random(w->random) & ones(code_random(w->random) & 1 ? n : size);
}

/* What goes into n bits: v, or what is drawn; a value that is too large can't be said. */
static uint64_t
fit(struct walk *w, unsigned n, uint64_t v)
{
	if (w->way == DRAW)
		return draw(w, n);
	if (w->way == PUT && v & ~ones(n)) {
		w->good = false;
		return 0;
	}
	return v;
}

static uint64_t
walk_bits(struct walk *w, unsigned n, uint64_t v)
{
	v = fit(w, n, v);
	return pass(w, n, v, ones(n));
}

static unsigned
length_of(uint64_t v)
{
	return v ? 64 - __builtin_clzll(v) : 0;
}

static uint64_t
gray(uint64_t v)
{
	return v ^ v >> 1;
}

static uint64_t
ungray(uint64_t g)
{
	for (unsigned s = 1; s < 64; s *= 2)
		g ^= g >> s;
	return g;
}

/* The lowest n bits in the other order. */
static uint64_t
mirror(uint64_t v, unsigned n)
{
	if (n == 0)
		return 0;
	v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
	v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
	v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
	return __builtin_bswap64(v) >> (64 - n);
}

static uint64_t
walk_number(struct walk *w, unsigned n, uint64_t v)
{
	unsigned length;

	v = fit(w, n, v);
	length = ungray(pass(w, length_of(n), gray(length_of(v)), ones(length_of(n))));
	if (length > n)
		length = n;
	/* Bit 0 is the highest. */
	unsigned behind = length ? length - 1 : 0;
	uint64_t g = pass_split(w, n - 1, NEAR, mirror(gray(v) & ones(behind), behind), ones(behind));
	if (w->way == GET)
		v = length ? ungray(1ull << behind | mirror(g & ones(behind), behind)) : 0;
	return v;
}

static int64_t
walk_signed(struct walk *w, unsigned n, int64_t v)
{
	bool below = w->way == DRAW ? code_random(w->random) & 1 : v < 0;
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;

	below = pass(w, 1, below, w->way == DRAW || v != 0);
	size = walk_number(w, n, size);
	return below ? -(int64_t)size : (int64_t)size;
}

/* n bits, of which all above the first `usual` are seldom set: one bit says whether any is. */
static uint64_t
walk_usual(struct walk *w, unsigned n, unsigned usual, uint64_t v)
{
	v = fit(w, n, v);
	uint64_t low = pass(w, usual, v & ones(usual), ones(usual)), high = v >> usual;
	bool more = pass(w, 1, high != 0, 1);
	high = pass(w, n - usual, high, more ? ones(n - usual) : 0);
	return more ? low | high << usual : low;
}

/* TCP's flag bits: FIN, SYN, RST, PSH and ACK are the usual ones. */
static uint64_t
walk_flags(struct walk *w, uint64_t v)
{
	return walk_usual(w, 12, 5, v);
}

/* Three flags, then, in fragments alone, the offset. */
static uint64_t
walk_frag(struct walk *w, uint64_t v)
{
	w->good &= w->way != PUT || v <= UINT16_MAX;
	v = walk_usual(w, 16, 3, (v >> 13 | v << 3) & UINT16_MAX);
	return (v >> 3 | v << 13) & UINT16_MAX;
}

static int64_t
walk_form(struct walk *w, enum form form, unsigned n, int64_t v)
{
	switch (form) {
	case FORM_SIGNED:
		return walk_signed(w, n, v);
	case FORM_NUMBER:
		return walk_number(w, n, v);
	case FORM_FLAGS:
		return walk_flags(w, v);
	case FORM_FRAG:
		return walk_frag(w, v);
	default:
		return walk_bits(w, n, v);
	}
}

/* A port: by steps from one before, or as it is. */
static int64_t
walk_port(struct walk *w, enum form form, unsigned n, int64_t v)
{
	unsigned end = w->at + 1 + n + (form == FORM_NUMBER ? length_of(n) - 1 : 0);
	bool near = pass(w, 1, w->way == DRAW ? code_random(w->random) & 1 : v >= CONTEXT_NEAR, 1);

	v = near ? CONTEXT_NEAR + (int64_t)walk_bits(w, 6, v - CONTEXT_NEAR) : walk_form(w, form, n, v);
	w->at = end;
	return v;
}

static void
walk_list(struct walk *w, const struct spec *s, struct action_list *l)
{
	unsigned n = l->n, width = s->n + (s->element == FORM_BITS ? 0 : length_of(s->n) - 1) +
				   (s->element == FORM_SIGNED);

	if (w->way == DRAW) /* short ones mostly */
		n = code_random(w->random) % (code_random(w->random) % (s->max + 1) + 1);
	if (w->way == PUT && n > s->max) {
		w->good = false;
		n = s->max;
	}
	n = pass(w, length_of(s->max), n, ones(length_of(s->max)));
	if (n > s->max)
		n = s->max;
	l->n = n;
	for (unsigned i = 0; i < n && w->way != MEASURE; i++)
		l->v[i] = walk_form(w, s->element, s->n, l->v[i]);
	w->at += (s->max - (w->way == MEASURE ? 0 : n)) * width;
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

/* A reference: three bits of form, then those that are shared by what the form wants. */
static void
walk_ref(struct walk *w, struct action_ref *r)
{
	enum ref_form form = r->kind == REF_KNOWN ? KNOWN : NAMED;
	uint64_t v = 0;
	unsigned end = w->at + 3 + (w->far ? NEAR_FIXED : FIXED_WIDTH);

	if (w->way == PUT && r->kind == REF_FIXED && (form = address_put(r->text, &v)) == REF_FORMS) {
		w->good = false;
		form = FIXED4;
	}
	if (w->way == DRAW)
		form = code_random(w->random) % REF_FORMS;
	form = pass(w, 3, form, 7);
	if (form >= REF_FORMS)
		form = KNOWN;
	r->kind = form == KNOWN ? REF_KNOWN : form == NAMED ? REF_NEW : REF_FIXED;
	if (form == KNOWN) {
		r->slot = walk_number(w, 20, r->slot);
	} else if (form == NAMED) {
		/* class, whether a suffix or a scope is there, whether the suffix is new */
		r->class = walk_bits(w, 4, r->class);
		r->has_suffix = walk_bits(w, 1, r->has_suffix);
		if (r->has_suffix) {
			r->new_suffix = walk_bits(w, 1, r->new_suffix);
			r->suffix = walk_number(w, 20, r->suffix);
		} else {
			r->new_suffix = false;
		}
	} else {
		unsigned n = form == FIXED4 ? 32 : FIXED_WIDTH;
		if (w->way == DRAW)
			v = draw(w, n);
		v = pass_split(w, n, NEAR_FIXED, v, ones(n));
		if (w->way == GET)
			address_get(form, v, r->text);
	}
	w->at = end;
}

/* The header that an ICMP error quotes, in the order of tc-records(5). */
static void
walk_quote(struct walk *w, struct action_list *l)
{
	static const struct {
		uint8_t form, n;
	} part[13] = {
	    {FORM_SIGNED, 20},  {FORM_BITS, 1},    {FORM_NUMBER, 8},  {FORM_BITS, 8},  {FORM_NUMBER, 8},
	    {FORM_BITS, 4},     {FORM_NUMBER, 16}, {FORM_SIGNED, 16}, {FORM_FRAG, 16}, {FORM_NUMBER, 16},
	    {FORM_NUMBER, 16}, {FORM_SIGNED, 32}, {FORM_NUMBER, 16}};

	if (w->way == PUT && l->n != 13)
		w->good = false;
	for (int i = l->n; i < 13; i++)
		l->v[i] = 0;
	l->n = 13;
	for (int i = 0; i < 13; i++)
		l->v[i] = walk_form(w, part[i].form, part[i].n, l->v[i]);
}

/* Bits that all other fields give, so that nobody sets them who doesn't mean it. */
static uint64_t
signature(const struct code *c)
{
	uint64_t h = ~c->has & ((1ull << ACTION_AS_IS) - 1);

	for (int i = 0; i < CODE_WORDS; i++)
		h = (h ^ c->bit[i]) * 0x9e3779b97f4a7c15 ^ h >> 29;
	return h >> (64 - CODE_SURE);
}

/* The last field: the others are done. */
static void
walk_sure(struct walk *w, enum action_field f, struct action *a)
{
	static struct action others;
	static struct code code;
	uint64_t due = 0, said;

	if (w->way == PUT) {
		w->good &= a->num[f] == 1;
		due = signature(w->code);
	} else if (w->way == GET) {
		others = *a;
		others.has &= ~(1ull << f);
		code_put(&code, &others);
		due = signature(&code);
	}
	said = walk_bits(w, CODE_SURE, due);
	a->num[f] = 1;
	if (w->way == GET && said != due)
		a->has &= ~(1ull << f);
}

static void
walk_field(struct walk *w, enum action_field f, struct action *a)
{
	const struct spec *s = &specs[f];

	w->far = s->far;
	switch (s->form) {
	case FORM_ONE:
		if (w->way == PUT && a->num[f] != s->bias)
			w->good = false;
		a->num[f] = s->bias;
		break;
	case FORM_PORT:
		a->num[f] = walk_port(w, s->element, s->n, a->num[f]);
		break;
	case FORM_SURE:
		walk_sure(w, f, a);
		break;
	case FORM_LIST:
		walk_list(w, s, action_list(a, f));
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

/* Eight bits a step: bit i of an octet is number i. */
static float signs[256][8], cares[256][8];

static void
tables(void)
{
	for (int b = 0; b < 256; b++)
		for (int i = 0; i < 8; i++) {
			signs[b][i] = b >> i & 1 ? 1 : -1;
			cares[b][i] = b >> i & 1;
		}
}

/* --- the layout --- */

const struct code_layout *
code_layout(void)
{
	static struct code_layout l;
	static struct action any;
	struct walk w = {.way = MEASURE};

	if (l.width[0])
		return &l;
	tables();
	for (int g = 0; g < CODE_GROUPS; g++) {
		l.first[g] = w.at = (w.at + 63) / 64 * 64;
		for (int f = 0; f < CODE_FIELDS; f++) {
			const struct spec *s = &specs[f];
			if (s->far && s->far == g) {
				l.has[g] = 1ull << (CODE_FIELDS + g - CODE_FAR);
				l.far[f] = (struct code_span){
				    w.at, s->form == FORM_REF ? FIXED_WIDTH - NEAR_FIXED : s->n - 1u - NEAR};
				w.at += l.far[f].n;
			} else if (s->group == g) {
				l.has[g] |= 1ull << f;
				l.near[f].at = w.at;
				walk_field(&w, f, &any);
				l.near[f].n = w.at - l.near[f].at;
			}
		}
		l.width[g] = w.at - l.first[g];
	}
	return &l;
}

/* Whether anybody cares for a bit of a group. */
static bool
any_care(const struct code *c, enum code_group g)
{
	const struct code_layout *l = code_layout();

	for (unsigned k = 0; k < l->width[g]; k += 64)
		if (c->care[(l->first[g] + k) / 64])
			return true;
	return false;
}

/* The coarse bits that say which far groups are there. */
static void
settle(struct code *c)
{
	for (int g = CODE_FAR; g < CODE_GROUPS; g++) {
		c->has &= ~code_layout()->has[g];
		if (any_care(c, g))
			c->has |= code_layout()->has[g];
	}
}

static void
start_at(struct walk *w, enum action_field f)
{
	const struct code_layout *l = code_layout();

	w->at = l->near[f].at;
	w->far_at = l->far[f].at;
	w->far_there = w->way == GET && specs[f].far && code_has_group(w->code, specs[f].far);
}

#define FIELDS ((1ull << CODE_FIELDS) - 1)

bool
code_put(struct code *c, const struct action *a)
{
	struct walk w = {.way = PUT, .code = c, .good = true};
	static struct action copy; /* the walk writes what it passes */
	uint64_t word[ACTION_WORDS];

	action_pack(a, word);
	action_unpack(&copy, word);
	*c = (struct code){.has = a->has & FIELDS};
	for (uint64_t left = c->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		start_at(&w, f);
		walk_field(&w, f, &copy);
	}
	settle(c);
	return w.good;
}

void
code_get(const struct code *c, struct action *a)
{
	struct walk w = {.way = GET, .code = (struct code *)c, .good = true};

	a->has = c->has & FIELDS;
	for (uint64_t left = a->has; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		start_at(&w, f);
		walk_field(&w, f, a);
	}
}

/* --- the network's numbers --- */

typedef float eight __attribute__((vector_size(8 * sizeof(float)), aligned(sizeof(float)), may_alias));

WIDE static void
out(const uint64_t *bit, const uint64_t *care, unsigned n, float *x)
{
	for (unsigned at = 0; at < n; at += 8) {
		const float *s = signs[bit[at / 64] >> at % 64 & 255];
		const float *c = cares[care[at / 64] >> at % 64 & 255];
		eight v = *(const eight *)s * *(const eight *)c;
		if (at + 8 <= n)
			*(eight *)(x + at) = v;
		else
			memcpy(x + at, &v, (n - at) * sizeof *x);
	}
}

/* The low bits of eight octets, the first one's lowest. */
static uint64_t
gather(const uint8_t *octet)
{
	uint64_t v;

	memcpy(&v, octet, 8);
	return le64toh(v) * 0x0102040810204080 >> 56;
}

WIDE static void
in(uint64_t *bit, unsigned n, const float *x)
{
	uint8_t set[CODE_WORDS * 64];

	for (unsigned i = 0; i < n; i++)
		set[i] = x[i] > 0;
	memset(set + n, 0, (64 - n % 64) % 64);
	for (unsigned at = 0; at < n; at += 64) {
		uint64_t word = 0;
		for (unsigned i = 0; i < 64; i += 8)
			word |= gather(set + at + i) << i;
		bit[at / 64] = word;
	}
}

const uint64_t code_coarse_care = UINT64_MAX;

void
code_coarse_out(const struct code *c, float *x)
{
	out(&c->has, &code_coarse_care, CODE_COARSE, x);
}

void
code_coarse_in(struct code *c, const float *x)
{
	in(&c->has, CODE_COARSE, x);
}

void
code_out(const struct code *c, enum code_group g, float *x)
{
	const struct code_layout *l = code_layout();

	out(c->bit + l->first[g] / 64, code_care(c, g), l->width[g], x);
}

void
code_in(struct code *c, enum code_group g, const float *x)
{
	const struct code_layout *l = code_layout();

	in(c->bit + l->first[g] / 64, l->width[g], x);
}

/* Whether bits that somebody cares for are others; there: c has them, else they count as 0. */
static bool
span_wrong(const struct code *truth, const struct code *c, struct code_span s, bool there)
{
	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned n = end - s.at < 64 ? end - s.at : 64;
		uint64_t differ = load(truth->bit, s.at, n) ^ (there ? load(c->bit, s.at, n) : 0);
		if (differ & load(truth->care, s.at, n))
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
		if (span_wrong(truth, c, l->near[f], true) ||
		    span_wrong(truth, c, l->far[f], specs[f].far && code_has_group(c, specs[f].far)))
			wrong |= 1ull << f;
	}
	return wrong;
}

static void
clear_span(uint64_t *word, struct code_span s)
{
	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned m = 64 - s.at % 64 < end - s.at ? 64 - s.at % 64 : end - s.at;
		word[s.at / 64] &= ~(ones(m) << s.at % 64);
		s.at += m;
	}
}

/* Takes a field away. */
static void
clear(struct code *c, enum action_field f)
{
	const struct code_layout *l = code_layout();

	clear_span(c->bit, l->near[f]);
	clear_span(c->bit, l->far[f]);
	clear_span(c->care, l->near[f]);
	clear_span(c->care, l->far[f]);
	c->has &= ~(1ull << f);
}

static unsigned
span_cared(const struct code *c, struct code_span s)
{
	unsigned sum = 0;

	for (unsigned end = s.at + s.n; s.at < end;) {
		unsigned m = end - s.at < 64 ? end - s.at : 64;
		sum += __builtin_popcountll(load(c->care, s.at, m));
		s.at += m;
	}
	return sum;
}

void
code_disturb(struct code *c, unsigned bits, float there, uint64_t *state)
{
	const struct code_layout *l = code_layout();
	static _Thread_local struct action any; /* the walk writes what it draws */
	static _Thread_local struct code drawn;
	struct walk w = {.way = DRAW, .code = &drawn, .good = true, .random = state};
	uint8_t field[CODE_FIELDS];
	unsigned n = 0;

	for (int f = 0; f < CODE_FIELDS; f++) {
		/* Lists and addresses have so many bits that few packets bear two of them. */
		float rare = specs[f].form < FORM_LIST ? 1 : 0.5f;
		bool has = c->has >> f & 1, turn = code_uniform(state) < there * rare;
		if (has && turn) {
			clear(c, f);
		} else if (turn || (has && code_uniform(state) < rare)) {
			field[n++] = f;
		}
	}
	drawn = *c;
	for (; n > 0; n--) {
		unsigned i = code_random(state) % n;
		int f = field[i];
		field[i] = field[n - 1];
		clear(&drawn, f);
		start_at(&w, f);
		walk_field(&w, f, &any);
		unsigned more = span_cared(&drawn, l->near[f]) + span_cared(&drawn, l->far[f]);
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

/* --- time --- */

struct time_code
time_put(int64_t step)
{
	uint64_t v = step < 0 ? -(uint64_t)step : (uint64_t)step;
	unsigned length = length_of(v);

	if (length > TIME_MANTISSA + 1) { /* the nearest that has as few bits */
		unsigned over = length - TIME_MANTISSA - 1;
		v = (v + (1ull << (over - 1))) >> over << over;
		length = length_of(v);
	}
	if (length > 63) {
		length = 63;
		v = INT64_MAX;
	}
	unsigned behind = length ? length - 1 : 0;
	uint64_t mantissa = gray(v) & ones(behind), care;
	if (behind > TIME_MANTISSA) {
		mantissa >>= behind - TIME_MANTISSA;
		care = ones(TIME_MANTISSA);
	} else {
		mantissa <<= TIME_MANTISSA - behind;
		care = ones(behind) << (TIME_MANTISSA - behind);
	}
	return (struct time_code){
	    .bit = (v && step < 0) | gray(length) << 1 | mantissa << 7,
	    .care = (v != 0) | 63 << 1 | care << 7,
	};
}

int64_t
time_get(uint32_t bit)
{
	unsigned length = ungray(bit >> 1 & 63), behind = length ? length - 1 : 0;
	uint64_t g = bit >> 7 & ones(TIME_MANTISSA), v;

	if (length == 0)
		return 0;
	if (behind > TIME_MANTISSA)
		/* Below the bits that are there the number is even, as it was rounded to be. */
		v = ungray(1ull << TIME_MANTISSA | g) << (behind - TIME_MANTISSA);
	else
		v = ungray(1ull << behind | g >> (TIME_MANTISSA - behind));
	return bit & 1 ? -(int64_t)v : (int64_t)v;
}

int64_t
time_ns(uint32_t bit, int unit)
{
	int64_t step = time_get(bit), ns;

	if (__builtin_mul_overflow(step, (int64_t)unit, &ns))
		return step < 0 ? -INT64_MAX : INT64_MAX;
	return ns;
}

void
time_out(struct time_code c, float *x)
{
	uint64_t bit = c.bit, care = c.care;

	out(&bit, &care, TIME_BITS, x);
}

uint32_t
time_in(const float *x)
{
	uint64_t bit;

	in(&bit, TIME_BITS, x);
	return bit;
}

int64_t
time_draw(uint64_t *state)
{
	uint64_t length = code_random(state) % 64, v = code_random(state) & ones(length);

	return code_random(state) & 1 ? -(int64_t)v : (int64_t)v;
}
