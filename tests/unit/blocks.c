/* The blocks that are assigned: names and time steps come back from coordinates as they were, in f16 too. */
#include "code/names.h"
#include "code/when.h"
#include "record/latent.h"
#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>

#define HOLDS(x) ((x) ? 0 : (printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), failed = 1))
static int failed;

/* As a latent of f16 would have them. */
static void
round_to_f16(float *z, int n)
{
	uint8_t octets[2 * (NAMES_COORDINATES + WHEN_COORDINATES)];

	latent_put(LATENT_F16, z, n, octets);
	latent_get(LATENT_F16, octets, n, z);
}

static void
slots(void)
{
	float z[NAMES_COORDINATES];
	struct names v = {.n = NAMES_PLACES}, got;

	for (uint32_t slot = 0; slot < NAMES_SLOTS; slot += NAMES_PLACES) {
		for (int i = 0; i < NAMES_PLACES; i++)
			v.slot[i] = slot + i;
		HOLDS(names_put(&v, z));
		round_to_f16(z, NAMES_COORDINATES);
		names_get(&got, z);
		for (int i = 0; i < NAMES_PLACES; i++)
			if (got.slot[i] != v.slot[i]) {
				printf("slot %u comes back as %u\n", v.slot[i], got.slot[i]);
				failed = 1;
				return;
			}
	}
	v = (struct names){.n = 1, .slot = {NAMES_SLOTS}};
	HOLDS(!names_put(&v, z));
	v = (struct names){.n = NAMES_PLACES + 1};
	HOLDS(!names_put(&v, z));
	/* A rate is that of a number on a logarithmic scale: more for a larger one, and about a bit an octave. */
	struct names few = {.n = 1, .slot = {3}}, many = {.n = 1, .slot = {3000}};
	HOLDS(names_rate(&few) > 3 && names_rate(&few) < 6);
	HOLDS(names_rate(&many) > 10 && names_rate(&many) < 13);
}

static int64_t
through(int64_t step, int unit)
{
	float z[WHEN_COORDINATES];

	when_put(step, z);
	round_to_f16(z, WHEN_COORDINATES);
	return when_get(z, unit);
}

static void
steps(void)
{
	uint64_t random = 1;

	for (int64_t step = -(1 << 17); step <= 1 << 17; step++)
		if (through(step, 1) != step) {
			printf("%lld ns come back as %lld\n", (long long)step, (long long)through(step, 1));
			failed = 1;
			return;
		}
	for (int i = 0; i < 1000000; i++) {
		int64_t step = random_next(&random) >> (1 + random_next(&random) % 63), us = step / 1000 * 1000;
		if (random_next(&random) & 1)
			step = -step;
		int64_t got = through(step, 1), off = llabs(got - step), most = llabs(step) >> 17;
		if (got != when_rounded(step, 1) || off > most + 1 || through(us, 1000) != when_rounded(us, 1000) ||
		    when_rounded(us, 1000) % 1000) {
			printf("%lld ns come back as %lld\n", (long long)step, (long long)got);
			failed = 1;
			return;
		}
	}
	HOLDS(through(INT64_MAX, 1) > INT64_MAX / 2 && through(INT64_MIN, 1) < INT64_MIN / 2);
	HOLDS(through(INT64_MAX, 1000) > 0);
	HOLDS(when_rate(20000) > 15 && when_rate(20000) < 30);
}

int
main(void)
{
	slots();
	steps();
	return failed;
}
