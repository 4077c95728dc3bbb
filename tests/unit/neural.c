/*
 * neural NAME: one test of common/neural, by name; without a name it lists them. Silent and exit 0
 * where all holds; else the line that didn't.
 */
#include "tc-train/init.h"
#include "codec/cache.h"
#include "code/code.h"
#include "code/context.h"
#include "neural/decision.h"
#include "support/half.h"
#include "record/latent.h"
#include "support/random.h"
#include "neural/network.h"
#include "support/normal.h"
#include "neural/weights.h"
#include "vary.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			errx(1, "%s:%d: %s", __FILE__, __LINE__, #x);                              \
	} while (0)

static uint64_t state = 1;

static uint32_t
rnd(uint32_t below)
{
	return random_next(&state) % below;
}

/* Against a naive model: an array, the latest first. */
static void
recency(void)
{
	enum { CAP = 3000 };
	static uint32_t order[CAP];
	struct recency r, copy;
	uint32_t n = 0;

	HOLDS(recency_init(&r, CAP) == 0 && recency_init(&copy, CAP) == 0);
	for (int step = 0; step < 60000; step++) {
		/* Mostly the latest, now and then any. */
		uint32_t slot = n && rnd(4) ? order[rnd(rnd(n) + 1)] : rnd(CAP), i = 0;
		while (i < n && order[i] != slot)
			i++;
		HOLDS(recency_has(&r, slot) == (i < n));
		if (i < n) {
			HOLDS(recency_rank(&r, slot) == i);
			HOLDS(recency_at(&r, i) == slot);
		} else {
			n++;
		}
		memmove(order + 1, order, i * sizeof *order);
		order[0] = slot;
		recency_touch(&r, slot);
		HOLDS(r.n == n);
		if (step % 997 == 0) {
			uint32_t fresh = recency_fresh(&r);
			HOLDS(n < CAP ? !recency_has(&r, fresh) : fresh == order[n - 1]);
			recency_copy(&copy, &r);
			for (uint32_t k = 0; k < n; k += 7)
				HOLDS(recency_at(&copy, k) == order[k]);
		}
	}
	recency_clear(&r);
	for (uint32_t slot = 0; slot < CAP; slot++)
		HOLDS(!recency_has(&r, slot));
	HOLDS(r.n == 0 && recency_fresh(&r) == 0);
	recency_touch(&r, 7);
	HOLDS(recency_rank(&r, 7) == 0 && recency_at(&r, 0) == 7);
	recency_free(&r);
	recency_free(&copy);
}

/* The licence for what no latent may say by chance. */
static void
licence(void)
{
	unsigned at = code_layout()->near[ACTION_AS_IS].at;
	static struct action a;
	struct code c;

	action_set(&a, ACTION_AS_IS, 1);
	action_set(&a, ACTION_WIN, 1000);
	HOLDS(code_put(&c, &a) && code_layout()->near[ACTION_AS_IS].n == CODE_SURE);
	code_get(&c, &a);
	HOLDS(action_has(&a, ACTION_AS_IS) && a.num[ACTION_AS_IS] == 1);
	for (unsigned i = at; i < at + CODE_SURE; i++) {
		struct code less = c;
		less.bit[i / 64] ^= 1ull << i % 64;
		code_get(&less, &a);
		HOLDS(!action_has(&a, ACTION_AS_IS));
		HOLDS(code_wrong(&c, &less) == 1ull << ACTION_AS_IS);
	}
	/* Nor has another packet with the same bits. */
	at = code_layout()->near[ACTION_WIN].at;
	c.bit[at / 64] ^= 1ull << at % 64;
	code_get(&c, &a);
	HOLDS(!action_has(&a, ACTION_AS_IS) && a.num[ACTION_WIN] != 1000);
}

/* A code with any fields and any values. */
static void
draw_code(struct code *c)
{
	*c = (struct code){0};
	code_disturb(c, 100000, rnd(2) ? 0.1f : 0.5f, &state);
}

/* Every field has a place; any bits give an action; its bits are those that are cared for. */
static void
code(void)
{
	const struct code_layout *l = code_layout();
	static struct action a, b;
	struct code c, again;
	uint64_t all = 0;
	float x[CODE_WORDS * 64];

	for (int g = 0; g < CODE_GROUPS; g++)
		all |= l->has[g];
	HOLDS(all == (1ull << CODE_COARSE) - 1);
	HOLDS(l->first[CODE_GROUPS - 1] + l->width[CODE_GROUPS - 1] <= CODE_WORDS * 64);
	for (int i = 0; i < 20000; i++) {
		draw_code(&c);
		code_get(&c, &a);
		HOLDS(code_put(&again, &a));
		HOLDS(!action_has(&a, ACTION_AS_IS)); /* nobody draws all of its bits */
		c.has &= ~(1ull << ACTION_AS_IS);
		HOLDS(code_wrong(&again, &c) == 0);
		code_get(&again, &b);
		for (int f = 0; f < ACTION_COUNT; f++)
			HOLDS(action_same(&a, &b, f));
		/* To the network's numbers and back. */
		struct code back = {0};
		code_coarse_out(&again, x);
		code_coarse_in(&back, x);
		for (int g = 0; g < CODE_GROUPS; g++) {
			code_out(&again, g, x);
			code_in(&back, g, x);
		}
		HOLDS(code_wrong(&again, &back) == 0);
	}
	/* Out of range, and too long. */
	a = (struct action){0};
	action_set(&a, ACTION_MSS, 65536);
	HOLDS(!code_put(&c, &a));
	action_set(&a, ACTION_MSS, -1);
	HOLDS(!code_put(&c, &a));
	action_set(&a, ACTION_MSS, 65535);
	HOLDS(code_put(&c, &a));
	a.has |= 1ull << ACTION_OPTS;
	action_list(&a, ACTION_OPTS)->n = 21;
	HOLDS(!code_put(&c, &a));
}

/* A list that the trace said before comes as its rank, and is the last one then. */
static void
lists(void)
{
	enum { TURNS = 7 };
	static const struct {
		int64_t v; /* of the list's only element */
		int64_t said;
	} turn[TURNS] = {{5, 5}, {6, 6}, {5, -2}, {7, 7}, {6, -3}, {8, 8}, {5, 5}};
	struct context encoder = {0}, decoder = {0};
	static struct action a, said;
	static struct code c;

	HOLDS(context_begin(&encoder, 8, false) == 0 && context_begin(&decoder, 8, false) == 0);
	for (int i = 0; i < TURNS; i++) {
		a = (struct action){.has = 1ull << ACTION_TAGS};
		action_set(&a, ACTION_OPEN, FLOW_NEW);
		if (i)
			action_set(&a, ACTION_FLOW, i);
		*action_list(&a, ACTION_TAGS) = (struct action_list){1, {turn[i].v}};
		said = a;
		HOLDS(context_relate(&encoder, &said));
		HOLDS(action_has(&said, ACTION_TAGS) && action_list(&said, ACTION_TAGS)->v[0] == turn[i].said);
		HOLDS(code_put(&c, &said));
		code_get(&c, &said);
		context_resolve(&decoder, &said);
		HOLDS(action_same(&a, &said, ACTION_TAGS));
	}
	*action_list(&a, ACTION_TAGS) = (struct action_list){1, {-1}};
	a.has &= ~(1ull << ACTION_OPEN);
	HOLDS(!context_relate(&encoder, &a)); /* no list is a rank */
	context_free(&encoder);
	context_free(&decoder);
}

static void
time_codes(void)
{
	for (int i = 0; i < 200000; i++) {
		int64_t step = time_draw(&state), got;
		struct time_code t = time_put(step);
		got = time_get(t.bit);
		HOLDS(time_put(got).bit == t.bit && time_put(got).care == t.care);
		HOLDS(fabs((double)got - step) <= fabs((double)step) * 0x1p-13);
		HOLDS((t.bit & ~t.care) == 0);
	}
	for (int64_t step = -(2 << TIME_MANTISSA) + 1; step < 2 << TIME_MANTISSA; step++)
		HOLDS(time_get(time_put(step).bit) == step);
	HOLDS(time_get(time_put(INT64_MAX).bit) > 0 && time_get(time_put(INT64_MIN).bit) < 0);
	for (uint32_t bit = 0; bit < 1u << TIME_BITS; bit++) /* any bits are a step */
		HOLDS(time_put(time_get(bit)).bit < 1u << TIME_BITS);
}

static void
halves(void)
{
	for (uint32_t h = 0; h < 65536; h++)
		if ((h & 0x7c00) != 0x7c00)
			HOLDS(half_from(half_to(h)) == h);
	HOLDS(half_from(65519) == 0x7bff && half_from(65520) == 0x7c00 && half_from(1e30f) == 0x7c00);
	HOLDS(half_from(1 + 0x1p-11f) == 0x3c00 && half_from(1 + 0x1.8p-10f) == 0x3c02);
	HOLDS(half_from(0x1p-25f) == 0 && half_from(0x1.8p-25f) == 1);
	HOLDS(isnan(half_to(half_from(NAN))) && isinf(half_to(half_from(-INFINITY))));
}

/* Whoever converts them, one by one or eight at a time. */
static void
many_halves(void)
{
	enum { N = 13 };
	uint32_t bits[N];
	float z[N], got[N];
	uint8_t octets[2 * N];

	for (int k = 0; k < 100000; k++) {
		for (int i = 0; i < N; i++) { /* any but NaN, mostly in a half's range or near it */
			bits[i] = random_next(&state);
			if (rnd(8))
				bits[i] = (bits[i] & 0x807fffff) | (100 + rnd(44)) << 23;
			else if ((bits[i] & 0x7f800000) == 0x7f800000)
				bits[i] &= 0xff800000;
		}
		memcpy(z, bits, sizeof z);
		latent_put(LATENT_F16, z, N, octets);
		latent_get(LATENT_F16, octets, N, got);
		for (int i = 0; i < N; i++) {
			uint16_t v = octets[2 * i] | octets[2 * i + 1] << 8;
			HOLDS(v == half_from(z[i]) && got[i] == half_to(v));
		}
	}
}

static void
latents(void)
{
	float z[64], got[64];
	uint8_t octets[256];

	for (int i = 0; i < 64; i++)
		z[i] = (random_uniform(&state) - 0.5f) * 10;
	for (enum latent_type t = 0; t < LATENT_TYPES; t++) {
		static const float off[] = {0, 0x1p-9f, 0.5f / LATENT_STEPS + 1e-6f};
		latent_put(t, z, 64, octets);
		latent_get(t, octets, 64, got);
		for (int i = 0; i < 64; i++)
			HOLDS(fabsf(got[i] - z[i]) <= off[t]);
		/* Neither writes beyond its end. */
		float before = got[63];
		memset(octets, 0xa5, sizeof octets);
		latent_put(t, z, 63, octets);
		HOLDS(octets[latent_size(t, 63)] == 0xa5);
		latent_get(t, octets, 63, got);
		HOLDS(got[63] == before);
	}
	static const float beyond[] = {5, -5, 5.3f, -5.3f, 6, -6, 1e30f, -INFINITY, INFINITY, NAN};
	static const int8_t steps[] = {120, -120, 127, -127, 127, -127, 127, -127, 127, 0};
	latent_put(LATENT_I8, beyond, sizeof steps, octets);
	HOLDS(!memcmp(octets, steps, sizeof steps));
	z[0] = 1.5f;
	latent_put(LATENT_F32, z, 1, octets);
	HOLDS(!memcmp(octets, "\0\0\300\077", 4)); /* little-endian */
}

static void
caches(void)
{
	struct cache c;
	uint64_t key[4] = {0};
	int found = 0;

	HOLDS(cache_init(&c, 16 << 10, 256) == 0);
	for (int i = 0; i < 20000; i++) {
		unsigned n = 1 + rnd(4);
		for (unsigned k = 0; k < n; k++)
			key[k] = rnd(4);
		uint32_t hash = cache_hash(key, n * 8);
		struct cache_entry *e = cache_find(&c, hash, key, n * 8);
		uint64_t sum = n, got;
		for (unsigned k = 0; k < n; k++)
			sum = sum * 31 + key[k];
		if (e) {
			memcpy(&got, cache_value(e), 8);
			HOLDS(got == sum);
			found++;
			/* It stays, whatever is written meanwhile: an eighth of the ring. */
			for (uint64_t other = 100; rnd(100) == 0 && other < 164; other++)
				memset(cache_value(cache_add(&c, cache_hash(&other, 8), &other, 8, 8)), 0xff, 8);
			HOLDS(!memcmp(cache_value(e), &sum, 8));
		} else {
			e = cache_add(&c, hash, key, n * 8, 8);
			memcpy(cache_value(e), &sum, 8);
		}
	}
	HOLDS(found > 5000 && c.found == (uint64_t)found);
	cache_forget(&c);
	for (key[0] = 0; key[0] < 4; key[0]++)
		HOLDS(!cache_find(&c, cache_hash(key, 8), key, 8));
	cache_free(&c);
	HOLDS(cache_init(&c, 16 << 10, 0) == 0); /* nothing is found in it */
	memset(cache_value(cache_add(&c, 1, key, 8, 8)), 0, 8);
	HOLDS(!cache_find(&c, 1, key, 8) && c.asked == 1);
	cache_free(&c);
}

/* --- a decoder that goes another way --- */

/* A relative action: of a flow that spoke, or a new one between hosts that are known or new. */
static void
draw_relative(struct action *a)
{
	*a = (struct action){0};
	if (rnd(3)) {
		action_set(a, ACTION_FLOW, rnd(rnd(40) + 1));
		if (!action_number(a, ACTION_FLOW))
			a->has &= ~(1ull << ACTION_FLOW);
		return;
	}
	action_set(a, ACTION_OPEN, 1);
	for (int f = ACTION_ORIG_H; f <= ACTION_RESP_H; f++) {
		struct action_ref *r = action_ref(a, f);
		a->has |= 1ull << f;
		*r = (struct action_ref){.kind = rnd(3) ? REF_KNOWN : REF_NEW, .slot = rnd(20)};
	}
}

/* Now and then the decoder reads an opening as a packet of a flow, or the other way round. What was
 * opened is found right for good; a flow that was missed is opened by its next packet, and no other one lost for it. */
static void
counterparts(void)
{
	enum { CAP = 100, PACKETS = 20000 };
	struct context truth = {0}, ahead = {0}, before = {0}, decoder = {0};
	static struct action a, relative, said, made;
	static uint32_t its[CAP];
	int sayable = 0, wrong = 0;

	HOLDS(context_begin(&truth, CAP, false) == 0 && context_begin(&ahead, CAP, true) == 0 &&
	      context_begin(&before, CAP, true) == 0 && context_begin(&decoder, CAP, false) == 0);
	for (int i = 0; i < PACKETS; i++) {
		draw_relative(&a);
		context_resolve(&truth, &a);
		relative = a;
		context_copy(&before, &ahead);
		bool good = context_relate(&ahead, &relative), opens = action_opens(&a);
		sayable += good;
		said = relative;
		if (rnd(50) == 0) {
			wrong++;
			while (action_opens(&said) == opens)
				draw_relative(&said);
			context_copy(&ahead, &before);
			made = said;
			context_resolve(&ahead, &made);
			context_pair(&ahead, &a, &made);
		}
		context_resolve(&decoder, &said);
		uint32_t true_slot = action_number(&a, ACTION_FLOW), slot = action_number(&said, ACTION_FLOW);
		if (opens || (!good && action_opens(&said)))
			its[true_slot] = slot;
		else if (good && !action_opens(&said))
			HOLDS(its[true_slot] == slot);
	}
	HOLDS(wrong > 300 && PACKETS - sayable < wrong * 0.4);
	context_free(&truth);
	context_free(&ahead);
	context_free(&before);
	context_free(&decoder);
}

/* An IPv6 suffix that the decoder missed is named again by the next host that has it, and known from then on. */
static void
suffixes(void)
{
	enum { CAP = 100, PACKETS = 50 };
	struct context truth = {0}, ahead = {0}, decoder = {0};
	struct action_ref host = {REF_NEW, .has_suffix = true, .new_suffix = true};
	static struct action a, said;

	HOLDS(context_begin(&truth, CAP, false) == 0 && context_begin(&ahead, CAP, true) == 0 &&
	      context_begin(&decoder, CAP, false) == 0);
	for (int i = 0; i < PACKETS; i++) {
		a = (struct action){.has = 1ull << ACTION_ORIG_H | 1ull << ACTION_RESP_H};
		action_set(&a, ACTION_OPEN, FLOW_NEW);
		*action_ref(&a, ACTION_ORIG_H) = host;
		said = a;
		host.new_suffix = false;
		context_resolve(&truth, &a);
		if (i == 0) {
			action_ref(&said, ACTION_ORIG_H)->has_suffix = false;
			context_resolve(&decoder, &said);
			said = a;
			action_ref(&said, ACTION_ORIG_H)->has_suffix = false;
			context_follow(&ahead, &said);
			context_pair(&ahead, &a, &said);
			continue;
		}
		said = a;
		HOLDS(context_relate(&ahead, &said) == (i > 1));
		context_resolve(&decoder, &said);
		HOLDS(action_ref(&said, ACTION_ORIG_H)->new_suffix == (i == 1) && action_ref(&said, ACTION_ORIG_H)->suffix == 0);
	}
	context_free(&truth);
	context_free(&ahead);
	context_free(&decoder);
}

/* Any relative action but for its time step: what a flow that begins has in common with another, flags, what was cut. */
static void
draw_manner(struct action *a)
{
	static const uint8_t fields[] = {ACTION_FLAGS, ACTION_LEN,	 ACTION_WIN,	ACTION_OPTS,   ACTION_MSS,
					 ACTION_CAP,   ACTION_LINK,	 ACTION_PROTO,	ACTION_ORIG_P, ACTION_RESP_P,
					 ACTION_DIR,   MANNER_WITHOUT, ACTION_ID,	ACTION_TAGS};

	draw_relative(a);
	for (size_t i = 0; i < sizeof fields; i++) {
		enum action_field f = fields[i];
		int64_t v = f == MANNER_WITHOUT	       ? rnd(1 << MANNER_WITHOUT_BITS)
			    : f == ACTION_PROTO ? (rnd(2) ? 17 : 6)
			    : f >= ACTION_ORIG_P && f <= ACTION_RESP_P && rnd(2) ? CONTEXT_NEAR + rnd(64)
										     : rnd(3);
		if (rnd(3))
			continue;
		if (action_fields[f].kind == ACTION_LIST) {
			a->has |= 1ull << f;
			*action_list(a, f) = rnd(2) ? (struct action_list){v, {rnd(2), rnd(2)}}
						    : (struct action_list){1, {-1 - (int64_t)rnd(AGAIN_RANKS + 1)}};
		} else {
			action_set(a, f, v);
		}
	}
}

/* What a decoder makes of any relative actions is said by relative actions that it makes the same of, and
 * a context that only follows is where theirs are. */
static void
relations(void)
{
	enum { CAP = 60, PACKETS = 30000 };
	struct context source = {0}, encoder = {0}, decoder = {0};
	static struct action a, said, follows;
	int shorter = 0, longer = 0, unsayable = 0;

	HOLDS(context_begin(&source, CAP, false) == 0 && context_begin(&encoder, CAP, false) == 0 &&
	      context_begin(&decoder, CAP, false) == 0);
	for (int i = 0; i < PACKETS; i++) {
		draw_manner(&a);
		context_resolve(&source, &a);
		HOLDS(!action_has(&a, ACTION_DT));
		follows = said = a;
		if (context_relate(&encoder, &said)) {
			shorter += __builtin_popcountll(said.has) < __builtin_popcountll(a.has);
			longer += __builtin_popcountll(said.has) > __builtin_popcountll(a.has);
			context_resolve(&decoder, &said);
			HOLDS(said.has == a.has);
			for (int f = 0; f < ACTION_COUNT; f++)
				HOLDS(action_same(&a, &said, f));
		} else {
			unsayable++; /* a flow or host of a trace that has none yet */
			context_follow(&decoder, &follows);
		}
		if (rnd(1000) == 0)
			HOLDS(context_begin(&source, CAP, false) == 0 && context_begin(&encoder, CAP, false) == 0 &&
			      context_begin(&decoder, CAP, false) == 0);
	}
	HOLDS(shorter > PACKETS / 5 && longer < PACKETS / 20 && unsayable < PACKETS / 200);
	context_free(&source);
	context_free(&encoder);
	context_free(&decoder);
}

/* Any action at all: what can be said, by ranks and bits, is what comes back. */
static void
sayable(void)
{
	enum { CAP = 60, PACKETS = 30000 };
	struct context source = {0}, encoder = {0}, decoder = {0};
	static struct action a, said, got;
	static struct code code;
	int good = 0;

	vary_seed(7);
	for (int i = 0; i < PACKETS; i++) {
		if (i % 50 == 0)
			HOLDS(context_begin(&source, CAP, false) == 0 && context_begin(&encoder, CAP, false) == 0 &&
			      context_begin(&decoder, CAP, false) == 0);
		draw_manner(&a);
		context_resolve(&source, &a);
		if (rnd(4) == 0) /* frames, whose flows have no hosts, unless somebody gives them some */
			action_set(&a, ACTION_PROTO, 65536 + rnd(9));
		if (rnd(2))
			vary_action(&a, 1 + rnd(20));
		said = a;
		bool related = context_relate(&encoder, &said);
		if (!code_put(&code, &said) || !related) {
			context_follow(&decoder, &a);
			continue;
		}
		good++;
		code_get(&code, &got);
		context_resolve(&decoder, &got);
		for (int f = 0; f < ACTION_COUNT; f++)
			HOLDS(f == ACTION_DT || action_same(&a, &got, f));
	}
	HOLDS(good > PACKETS / 4 && good < PACKETS * 3 / 4);
	context_free(&source);
	context_free(&encoder);
	context_free(&decoder);
}

/* --- gradients against finite differences --- */

enum { ROWS = 12 };
static struct network net;
static struct pass pass_;
static struct code codes[ROWS];
static struct time_code times[ROWS];
static float noise[ROWS * 64], z[ROWS * 64];

static void
prepare(void)
{
	static const struct shape s = {40, 5, 24, 16, 18, 12};
	const char *why;

	HOLDS(linear_start(&why) == 0);
	HOLDS(network_init(&net, &s) == 0);
	network_randomize(&net, 3);
	HOLDS(pass_init(&pass_, &net, ROWS) == 0);
	for (int i = 0; i < ROWS; i++) {
		codes[i] = (struct code){0};
		code_disturb(&codes[i], 100000, i ? 0.05f : 5, &state); /* the first has all fields */
		times[i] = time_put(time_draw(&state));
	}
	for (int i = 0; i < ROWS * 64; i++)
		noise[i] = random_uniform(&state) - 0.5f;
}

static void
draw(const float *mean, const float *logvar, int n)
{
	for (int i = 0; i < n; i++)
		z[i] = mean[i] + noise[i] * expf(0.5f * logvar[i]);
}

/* The whole loss of a training step: reconstruction, time, and KL with weight 0.1. */
static double
loss_of(float *grad)
{
	float loss[ROWS] = {0}, dz[ROWS * 64], dlogvar[ROWS * 64];
	double sum = 0;

	for (int part = 0; part < 2; part++) {
		int w = part ? net.shape.time : net.shape.latent;
		float *mean = part ? pass_.tmean : pass_.mean;
		float *logvar = part ? pass_.tlogvar : pass_.logvar;
		network_take(&pass_, codes, ROWS);
		if (part)
			time_encode(&net, &pass_, times, ROWS, true);
		else
			network_encode(&net, &pass_, true);
		draw(mean, logvar, ROWS * w);
		if (part) {
			time_decode(&net, &pass_, z, w, ROWS);
			memset(loss, 0, sizeof loss);
			decision_time_likelihood(&pass_, times, 1, loss);
		} else {
			network_decode(&net, &pass_, z, w);
			decision_likelihood(&pass_, 1, loss);
		}
		for (int i = 0; i < ROWS; i++)
			sum += loss[i];
		for (int i = 0; i < ROWS * w; i++)
			sum += 0.05 * (mean[i] * mean[i] + expf(logvar[i]) - 1 - logvar[i]);
		if (!grad)
			continue;
		(part ? time_decode_backward : network_decode_backward)(&net, &pass_, dz, grad);
		for (int i = 0; i < ROWS * w; i++) {
			float var = expf(logvar[i]);
			dlogvar[i] = dz[i] * noise[i] * 0.5f * sqrtf(var) + 0.05f * (var - 1);
			dz[i] += 0.1f * mean[i];
		}
		(part ? time_encode_backward : network_encode_backward)(&net, &pass_, dz, dlogvar, grad);
	}
	return sum;
}

/* Where there are coordinates enough, the first weights are a code already: without any training, what is
 * small decodes to what it was. */
static void
first(void)
{
	enum { N = 4096, BLOCK = 64 };
	static const struct shape s = {438, 10, 48, 16, 32, 64};
	static struct code code[N], out[BLOCK];
	struct network net;
	struct pass p;
	const char *why;
	int whole = 0;

	HOLDS(linear_start(&why) == 0 && network_init(&net, &s) == 0 && pass_init(&p, &net, BLOCK) == 0);
	network_randomize(&net, 1);
	for (int i = 0; i < N; i++) {
		code[i].has = 1ull << ACTION_LEN | 1ull << ACTION_FLAGS | 1ull << ACTION_ACK;
		code_disturb(&code[i], 60, 0.01f, &state);
	}
	HOLDS(init_weights(&net, code, N) == 0);
	for (int at = 0; at < N; at += BLOCK) {
		network_take(&p, code + at, BLOCK);
		network_encode(&net, &p, false);
		network_decide(&net, &p, p.mean, s.latent, BLOCK, out);
		for (int i = 0; i < BLOCK; i++)
			whole += code_wrong(&code[at + i], &out[i]) == 0;
	}
	HOLDS(whole > 0.95 * N);
	pass_free(&p);
	network_free(&net);
}

/* The difference that a step along a direction makes to the loss, either way, for each unit of it. */
static double
difference(size_t from, size_t n, const float *way, double step)
{
	float *was = malloc(n * sizeof *was), *x = net.data + from;
	double loss[2];

	HOLDS(was);
	memcpy(was, x, n * sizeof *was);
	for (int side = 0; side < 2; side++) {
		for (size_t k = 0; k < n; k++)
			x[k] = was[k] + (side ? step : -step) * way[k];
		loss[side] = loss_of(NULL);
	}
	memcpy(x, was, n * sizeof *was);
	free(was);
	return (loss[1] - loss[0]) / (2 * step);
}

/*
 * Of each tensor, the last row (a bias, mostly) apart, the derivative along the signs of its gradient. Large steps meet the
 * corners of ReLU, small ones the rounding of single precision: the best of several sizes counts.
 */
static void
gradients(void)
{
	prepare();
	float *grad = calloc(net.n, sizeof *grad), *way = calloc(net.n, sizeof *way);

	HOLDS(grad && way);
	loss_of(grad);
	for (int i = 0; i < 2 * TENSORS; i++) {
		const struct tensor *t = &net.tensor[i / 2];
		size_t row = t->columns, last = (t->rows - 1) * row, n = i % 2 ? row : last;
		size_t from = t->at - net.data + (i % 2 ? last : 0);
		double expected = 0, got = 0;
		for (size_t k = 0; k < n; k++) {
			way[k] = grad[from + k] < 0 ? -1 : 1;
			expected += fabs(grad[from + k]);
		}
		HOLDS(expected > 0);
		for (double step = 0.03 / sqrt(n); step > 0.0003 / sqrt(n); step /= 2) {
			double d = difference(from, n, way, step);
			if (fabs(d - expected) < fabs(got - expected))
				got = d;
		}
		if (fabs(got - expected) > 0.03 * expected + 0.1)
			errx(1, "%s, %s: %g by differences, %g by the way back", t->name,
			     i % 2 ? "last row" : "the others", got, expected);
	}
	free(grad);
	free(way);
}

/* A row alone is what it is among others, whatever stood where the result goes. */
static void
one_row(void)
{
	enum { IN = 70, OUT = 37, N = 3 };
	static float w[IN * OUT], b[OUT], x[N * IN], y[N * OUT], dx[N * IN], y1[OUT], dx1[IN];
	const struct layer l = {w, b, IN, OUT};
	const char *why;

	HOLDS(linear_start(&why) == 0);
	normal_draw(w, IN * OUT, &state);
	normal_draw(b, OUT, &state);
	normal_draw(x, N * IN, &state);
	linear_forward(&l, x, IN, y, OUT, N, 0);
	linear_backward(&l, x, IN, y, OUT, dx, IN, NULL, NULL, N, 0);
	for (int k = 0; k < N; k++)
		for (int add = 0; add < 2; add++) {
			for (int i = 0; i < OUT; i++)
				y1[i] = add ? 1 : NAN;
			for (int i = 0; i < IN; i++)
				dx1[i] = add ? 1 : NAN;
			linear_forward(&l, x + k * IN, IN, y1, OUT, 1, add);
			linear_backward(&l, x + k * IN, IN, y + k * OUT, OUT, dx1, IN, NULL, NULL, 1, add);
			for (int i = 0; i < OUT; i++)
				HOLDS(fabsf(y1[i] - add - y[k * OUT + i]) < 1e-4f);
			for (int i = 0; i < IN; i++)
				HOLDS(fabsf(dx1[i] - add - dx[k * IN + i]) < 1e-3f);
		}
}

/* Decisions that have less than the margin, which decision_hinge() leaves a gradient at. */
static int
narrow(void)
{
	int n = 0;

	for (int i = 0; i < ROWS * CODE_COARSE; i++)
		n += pass_.coarse_logit[i] != 0;
	for (int g = 0; g < CODE_GROUPS; g++)
		for (int i = 0; i < pass_.group[g].n * net.layer[DEC_OUT + g].out; i++)
			n += pass_.group[g].logit[i] != 0;
	return n;
}

/* What refinement follows: against the gradient of the hinge by the latent, margins widen. */
static void
hinge(void)
{
	prepare();
	int w = net.shape.latent, first = 0, last = 0;
	float dz[ROWS * 64];

	for (int i = 0; i < ROWS; i++) {
		codes[i] = (struct code){0};
		code_disturb(&codes[i], 30, 0.02f, &state); /* no more than the coordinates bear */
	}
	for (int i = 0; i < ROWS * w; i++)
		z[i] = noise[i];
	network_take(&pass_, codes, ROWS);
	for (int step = 0; step < 1600; step++) {
		network_decode(&net, &pass_, z, w);
		decision_hinge(&pass_, 1);
		last = narrow();
		first = step ? first : last;
		network_decode_backward(&net, &pass_, dz, NULL);
		for (int i = 0; i < ROWS * w; i++)
			z[i] -= 0.02f * dz[i];
	}
	HOLDS(first > 100 && last < first * 4 / 5);
}

static void
weights(void)
{
	struct network got;
	char why[WEIGHTS_ERROR];
	uint8_t hash[WEIGHTS_HASH];
	size_t n;

	prepare();
	for (enum weights_type t = WEIGHTS_F32; t <= WEIGHTS_F16; t++) {
		uint8_t *p = weights_build(&net, t, &n);
		HOLDS(p && weights_parse(&got, hash, p, n, why) == 0);
		for (size_t i = 0; i < net.n; i++)
			HOLDS(t == WEIGHTS_F32 ? got.data[i] == net.data[i]
					       : fabsf(got.data[i] - net.data[i]) <=
						     fabsf(net.data[i]) * 0x1p-10f + 1e-7f);
		HOLDS(!memcmp(got.place, net.place, NETWORK_PLACES * sizeof *net.place));
		network_free(&got);
		/* Cut anywhere, or changed anywhere, it is refused. */
		for (int i = 0; i < 400; i++) {
			size_t cut = rnd(n);
			HOLDS(weights_parse(&got, hash, p, cut, why) < 0);
			p[cut] ^= 1 << rnd(8);
			HOLDS(weights_parse(&got, hash, p, n, why) < 0);
			free(p);
			p = weights_build(&net, t, &n);
		}
		free(p);
	}
	HOLDS(weights_load(&got, hash, NULL, why) == 0); /* the built-in ones */
	network_free(&got);
	HOLDS(weights_load(&got, hash, "/nonexistent", why) < 0);
}

/* Each field of an action has its bits, and all of them the room that they take. */
static void
complete(void)
{
	if (code_complete())
		errx(1, "common/code/code.c: %s", code_complete());
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {{"recency", recency}, {"counterparts", counterparts}, {"suffixes", suffixes}, {"relations", relations}, {"sayable", sayable}, {"licence", licence}, {"complete", complete}, {"code", code}, {"lists", lists}, {"time-codes", time_codes},
	     {"halves", halves},   {"many-halves", many_halves}, {"latents", latents},	   {"caches", caches}, {"first", first},
	     {"gradients", gradients}, {"one-row", one_row}, {"hinge", hinge},	   {"weights", weights}};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (argc < 2) {
			puts(tests[i].name);
		} else if (!strcmp(argv[1], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
