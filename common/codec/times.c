#include "codec/times.h"

#include "codec/posterior.h"

#include <math.h>

#define CACHE_OCTETS (8 << 20)
#define CACHE_PLACES (1 << 16)

struct clock
clock_of(const struct stream_header *h)
{
	return (struct clock){h->nano ? 1 : 1000, 0};
}

/* What is out of range is at its end. */
static int64_t
sum(int64_t a, int64_t b)
{
	int64_t s;

	return __builtin_add_overflow(a, b, &s) ? (b < 0 ? INT64_MIN : INT64_MAX) : s;
}

uint32_t
clock_aim(const struct clock *c, int64_t step)
{
	int64_t most = (step < 0 ? -step : step) >> (TIME_MANTISSA + 1);
	int64_t debt = c->debt > most ? most : c->debt < -most ? -most : c->debt;

	return time_put(sum(step, debt) / c->unit).bit;
}

uint32_t
clock_bound(const struct clock *c, int64_t step, bool at_least)
{
	int64_t v = step / c->unit, size = v < 0 ? -v : v;
	int64_t quantum = size >> (TIME_MANTISSA + 1) ? 1ll << (63 - TIME_MANTISSA - __builtin_clzll(size)) : 1;

	if (at_least && v * c->unit < step)
		v++;
	int64_t got = time_get(time_put(v).bit);
	return time_put(at_least && got < v ? sum(v, quantum) : !at_least && got > v ? sum(v, -quantum) : v).bit;
}

void
clock_tick(struct clock *c, int64_t step, int64_t said)
{
	int64_t behind;

	if (__builtin_sub_overflow(step, said, &behind))
		behind = step < 0 ? INT64_MIN : INT64_MAX;
	c->debt = sum(c->debt, behind);
}

int
times_init(struct times *t)
{
	size_t octets = CACHE_OCTETS;

	t->size = sizeof(struct time_entry) + latent_size(t->type, t->net->shape.time);
	while (octets / 8 < t->held * (sizeof(struct cache_entry) + 16 + t->size)) /* cache_add(): what is found stays */
		octets *= 2;
	return cache_init(&t->cache, octets, CACHE_PLACES);
}

void
times_free(struct times *t)
{
	cache_free(&t->cache);
}

void
times_expect(const struct times *t, uint32_t code)
{
	cache_expect_place(&t->cache, cache_hash(&code, sizeof code));
}

struct time_entry *
times_entry(struct times *t, uint32_t code)
{
	uint32_t h = cache_hash(&code, sizeof code);
	struct cache_entry *e = cache_find(&t->cache, h, &code, sizeof code);

	if (e)
		return cache_value(e);
	e = cache_add(&t->cache, h, &code, sizeof code, t->size);
	struct time_entry *time = cache_value(e);
	time->made = false;
	time->code = code;
	return time;
}

/* How far the nearest decision of a row is on the right side of 0. */
static float
margin(const float *logit, struct time_code truth)
{
	float x[TIME_BITS], least = INFINITY;

	time_out(truth, x);
	for (int j = 0; j < TIME_BITS; j++)
		if (x[j] != 0 && !(x[j] * logit[j] >= least))
			least = x[j] * logit[j];
	return least;
}

void
times_make(struct times *t, struct time_entry *const *entry, int n)
{
	struct time_code code[TIMES_MAX] = {0};
	struct pass *p = t->pass;
	int z = t->net->shape.time;

	for (int i = 0; i < n; i++)
		code[i] = time_put(time_get(entry[i]->code));
	time_encode(t->net, p, code, n, t->rates || t->random);
	for (int i = 0; i < n; i++) {
		struct time_entry *e = entry[i];
		float *mean = p->tmean + (size_t)i * z, *logvar = p->tlogvar + (size_t)i * z;
		e->kl = t->rates ? posterior_rate(mean, logvar, z) : 0;
		if (t->random)
			posterior_draw(mean, logvar, z, t->random);
		latent_put(t->type, mean, z, e->octets);
		latent_get(t->type, e->octets, z, mean);
	}
	time_decode(t->net, p, p->tmean, z, n);
	for (int i = 0; i < n; i++) {
		struct time_entry *e = entry[i];
		const float *logit = p->tlogit + (size_t)i * TIME_BITS;
		e->made = true;
		e->right = margin(logit, code[i]) >= t->margin;
		e->decoded = e->right ? code[i].bit : time_in(logit);
	}
}
