/*
 * neural NAME: one test of common/neural, by name; without a name it lists them. Silent and exit 0
 * where all holds; else the line that didn't.
 */
#include "tc-train/init.h"
#include "codec/cache.h"
#include "code/code.h"
#include "code/names.h"
#include "neural/loss.h"
#include "support/half.h"
#include "record/latent.h"
#include "support/random.h"
#include "neural/autoencoder.h"
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

/* The licence for what no latent may say by chance. */
static void
licence(void)
{
	unsigned at = code_layout()->low[ACTION_AS_IS].at;
	static struct action a;
	struct code c;

	action_set(&a, ACTION_AS_IS, 1);
	action_set(&a, ACTION_WIN, 1000);
	HOLDS(code_put(&c, &a) && code_layout()->low[ACTION_AS_IS].n == CODE_CHECK_BITS);
	code_get(&c, &a);
	HOLDS(action_has(&a, ACTION_AS_IS) && a.num[ACTION_AS_IS] == 1);
	for (unsigned i = at; i < at + CODE_CHECK_BITS; i++) {
		struct code less = c;
		less.bit[i / 64] ^= 1ull << i % 64;
		code_get(&less, &a);
		HOLDS(!action_has(&a, ACTION_AS_IS));
		HOLDS(code_wrong(&c, &less) == 1ull << ACTION_AS_IS);
	}
	/* Nor has another packet with the same bits. */
	at = code_layout()->low[ACTION_WIN].at;
	c.bit[at / 64] ^= 1ull << at % 64;
	code_get(&c, &a);
	HOLDS(!action_has(&a, ACTION_AS_IS) && a.num[ACTION_WIN] != 1000);
}

/* A code with any fields and any values. */
static void
draw_code(struct code *c)
{
	*c = (struct code){0};
	code_augment(c, 100000, rnd(2) ? 0.1f : 0.5f, &state);
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
	/* All but names and time, which stand apart; and behind them spare ones. */
	const uint64_t apart = 1ull << ACTION_DT | 1ull << ACTION_FLOW;
	HOLDS((all & ((1ull << ACTION_COUNT) - 1)) == (((1ull << ACTION_COUNT) - 1) & ~apart));
	for (int b = ACTION_COUNT; b < CODE_COARSE; b++)
		HOLDS((all >> b & 1) == (b >= CODE_COARSE - CODE_GROUPS + CODE_HIGH));
	HOLDS(l->first[CODE_GROUPS - 1] + l->width[CODE_GROUPS - 1] <= CODE_WORDS * 64);
	for (int i = 0; i < 20000; i++) {
		draw_code(&c);
		code_get(&c, &a);
		HOLDS(code_put(&again, &a));
		HOLDS(!action_has(&a, ACTION_AS_IS)); /* nobody draws all of its bits */
		c.has &= ~(1ull << ACTION_AS_IS);
		/* The same edges can be said with several divisors. */
		HOLDS((code_wrong(&again, &c) & ~(1ull << ACTION_SACK)) == 0);
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
		static const float off[] = {0, 0x1p-9f};
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

/* Any action at all: what can be encoded, by bits and names, is what comes back, whatever else a coordinate says. */
static void
encodable(void)
{
	enum { PACKETS = 30000 };
	static struct action a, want, got;
	static struct code code;
	struct names names;
	float who[NAMES_COORDINATES];
	int good = 0;

	vary_seed(7);
	for (int i = 0; i < PACKETS; i++) {
		a = (struct action){0};
		vary_action(&a, 1 + rnd(40));
		a.has &= ~(1ull << ACTION_DT);
		if (action_has(&a, ACTION_FLOW) && !rnd(8))
			action_set(&a, ACTION_FLOW, 0); /* said, where nothing need be */
		want = a;
		names_take(&a, &names);
		bool named = names_put(&names, who);
		if (!code_put(&code, &a) || !named)
			continue;
		good++;
		code_get(&code, &got);
		names_get(&names, who);
		names_give(&got, &names);
		HOLDS(got.has == want.has);
		for (int f = 0; f < ACTION_COUNT; f++)
			HOLDS(action_same(&want, &got, f));
	}
	HOLDS(good > PACKETS / 10 && good < PACKETS * 9 / 10);
}

/* --- gradients against finite differences --- */

enum { ROWS = 12 };
static struct network net;
static struct activations activations;
static struct code codes[ROWS];
static float noise[ROWS * 64], z[ROWS * 64];

static void
prepare(void)
{
	static const struct shape s = {40, 24, 16, 18};
	const char *why;

	HOLDS(linear_start(&why) == 0);
	HOLDS(network_init(&net, &s) == 0);
	network_randomize(&net, 3);
	HOLDS(activations_init(&activations, &net, ROWS) == 0);
	for (int i = 0; i < ROWS; i++) {
		codes[i] = (struct code){0};
		code_augment(&codes[i], 100000, i ? 0.05f : 5, &state); /* the first has all fields */
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

/* The whole loss of a training step: reconstruction, and KL with weight 0.1. */
static double
loss_of(float *grad)
{
	float loss[ROWS] = {0}, dz[ROWS * 64], dlogvar[ROWS * 64], *mean = activations.mean, *logvar = activations.logvar;
	int w = net.shape.latent;
	double sum = 0;

	network_take(&activations, codes, ROWS);
	network_encode(&net, &activations, true);
	draw(mean, logvar, ROWS * w);
	decode_forced(&net, &activations, z, w);
	loss_likelihood(&activations, 1, loss);
	for (int i = 0; i < ROWS; i++)
		sum += loss[i];
	for (int i = 0; i < ROWS * w; i++)
		sum += 0.05 * (mean[i] * mean[i] + expf(logvar[i]) - 1 - logvar[i]);
	if (!grad)
		return sum;
	decode_backward(&net, &activations, dz, grad);
	for (int i = 0; i < ROWS * w; i++) {
		float var = expf(logvar[i]);
		dlogvar[i] = dz[i] * noise[i] * 0.5f * sqrtf(var) + 0.05f * (var - 1);
		dz[i] += 0.1f * mean[i];
	}
	network_encode_backward(&net, &activations, dz, dlogvar, grad);
	return sum;
}

/* Where there are coordinates enough, the first weights are a code already: without any training, most of what is
 * small decodes to what it was, and of the rest most fields do. */
static void
first(void)
{
	enum { N = 4096, BLOCK = 64 };
	static const struct shape s = {438, 48, 32, 64};
	static struct code code[N], out[BLOCK];
	struct network net;
	struct activations p;
	const char *why;
	int whole = 0, fields = 0, wrong = 0;

	HOLDS(linear_start(&why) == 0 && network_init(&net, &s) == 0 && activations_init(&p, &net, BLOCK) == 0);
	network_randomize(&net, 1);
	for (int i = 0; i < N; i++) {
		code[i].has = 1ull << ACTION_LEN | 1ull << ACTION_FLAGS | 1ull << ACTION_ACK;
		code_augment(&code[i], 60, 0.01f, &state);
	}
	HOLDS(init_weights(&net, code, N) == 0);
	for (int at = 0; at < N; at += BLOCK) {
		network_take(&p, code + at, BLOCK);
		network_encode(&net, &p, false);
		decode_free(&net, &p, p.mean, s.latent, BLOCK, out);
		for (int i = 0; i < BLOCK; i++) {
			uint64_t differ = code_wrong(&code[at + i], &out[i]);
			whole += differ == 0;
			wrong += __builtin_popcountll(differ);
			fields += __builtin_popcountll(code[at + i].has);
		}
	}
	HOLDS(whole > N / 2 && wrong < fields / 5);
	activations_free(&p);
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

/* Products in integers: near those in floats; a row alone is, to the bit, what it is among others. */
static void
products(void)
{
	enum { IN = 611, OUT = 75, N = 9 };
	static const int sizes[][2] = {{1, 1}, {5, 7}, {70, 37}, {96, 64}, {208, 16}, {IN, OUT}};
	static float w[IN * OUT], b[OUT], x[N * IN], y[N * OUT], alone[OUT];

	normal_draw(w, IN * OUT, &state);
	normal_draw(b, OUT, &state);
	normal_draw(x, N * IN, &state);
	memset(x, 0, IN * sizeof *x); /* the first row */
	x[IN] = 50;
	for (int s = 0; s < 6; s++) {
		int in = sizes[s][0], out = sizes[s][1];
		struct product p;
		HOLDS(product_init(&p, w, b, in, out) == 0);
		product(&p, x, IN, N, y, OUT);
		for (int k = 0; k < N; k++) {
			product(&p, x + k * IN, IN, 1, alone, OUT);
			HOLDS(memcmp(alone, y + k * OUT, out * sizeof *y) == 0);
			for (int j = 0; j < out; j++) {
				double sum = b[j];
				for (int i = 0; i < in; i++)
					sum += (double)x[k * IN + i] * w[i * out + j];
				HOLDS(fabs(sum - y[k * OUT + j]) < (k == 1 ? 0.06 : 0.006) * sqrt(in));
			}
		}
		free(p.w);
	}
}

/* Decisions that have less than the margin, which loss_hinge() leaves a gradient at. */
static int
narrow(void)
{
	int n = 0;

	for (int i = 0; i < ROWS * CODE_COARSE; i++)
		n += activations.coarse_logit[i] != 0;
	for (int g = 0; g < CODE_GROUPS; g++)
		for (int i = 0; i < activations.group[g].n * net.layer[DEC_OUT + g].out; i++)
			n += activations.group[g].logit[i] != 0;
	return n;
}

/* What refinement follows: against the gradient of the hinge by the latent, margins widen. */
static void
hinge(void)
{
	prepare();
	HOLDS(network_settle(&net) == 0);
	int w = net.shape.latent, first = 0, last = 0;
	float dz[ROWS * 64], other[ROWS * 64];

	for (int i = 0; i < ROWS; i++) {
		codes[i] = (struct code){0};
		code_augment(&codes[i], 30, 0.02f, &state); /* no more than the coordinates bear */
	}
	for (int i = 0; i < ROWS * w; i++)
		z[i] = noise[i];
	network_take(&activations, codes, ROWS);
	for (int step = 0; step < 3200; step++) {
		decode_forced(&net, &activations, z, w);
		loss_hinge(&activations, 1);
		last = narrow();
		first = step ? first : last;
		decode_backward_few(&net, &activations, dz);
		if (step % 400 == 0) {
			decode_backward(&net, &activations, other, NULL);
			for (int i = 0; i < ROWS * w; i++)
				HOLDS(fabsf(dz[i] - other[i]) < 1e-4f * (1 + fabsf(dz[i])));
		}
		for (int i = 0; i < ROWS * w; i++)
			z[i] -= 0.1f * dz[i];
	}
	HOLDS(first > 100 && last < first * 2 / 3);
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
		HOLDS(!memcmp(got.place, net.place, CODE_COARSE * sizeof *net.place));
		for (int f = 0; f < ACTION_COUNT; f++) {
			struct code_span s = code_layout()->low[f];
			for (unsigned b = CODE_COARSE + s.at; b < CODE_COARSE + s.at + s.n; b++)
				for (int way = 0; way < NETWORK_PLACES; way += NETWORK_BITS)
					HOLDS(got.place[way + b] == net.place[way + b]);
		}
		size_t again_n;
		uint8_t *again = weights_build(&got, t, &again_n);
		HOLDS(again && again_n == n && !memcmp(again, p, n));
		free(again);
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
} tests[] = {{"encodable", encodable}, {"licence", licence}, {"complete", complete}, {"code", code}, {"halves",
	     halves}, {"many-halves", many_halves}, {"latents", latents}, {"caches", caches}, {"first", first},
	     {"gradients", gradients}, {"one-row", one_row}, {"products", products}, {"hinge", hinge}, {"weights", weights}};

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
