#include "code/bits.h"

#include "support/wide.h"

#include <endian.h>
#include <string.h>

/* Eight bits a step: bit i of an octet is number i. */
#define SIGN(b, i)   ((b) >> (i) & 1 ? 1 : -1)
#define CARE(b, i)   ((b) >> (i) & 1)
#define EIGHT(f, b)  {f(b, 0), f(b, 1), f(b, 2), f(b, 3), f(b, 4), f(b, 5), f(b, 6), f(b, 7)}
#define FOUR(f, b)   EIGHT(f, b), EIGHT(f, (b) + 1), EIGHT(f, (b) + 2), EIGHT(f, (b) + 3)
#define MANY(f, b)   FOUR(f, b), FOUR(f, (b) + 4), FOUR(f, (b) + 8), FOUR(f, (b) + 12)
#define MORE(f, b)   MANY(f, b), MANY(f, (b) + 16), MANY(f, (b) + 32), MANY(f, (b) + 48)
#define OCTETS(f)    {MORE(f, 0), MORE(f, 64), MORE(f, 128), MORE(f, 192)}

static const float signs[256][8] = OCTETS(SIGN), cares[256][8] = OCTETS(CARE);

typedef float eight __attribute__((vector_size(8 * sizeof(float)), aligned(sizeof(float)), may_alias));

WIDE void
bits_out(const uint64_t *bit, const uint64_t *mask, unsigned n, float *x)
{
	for (unsigned at = 0; at < n; at += 8) {
		const float *s = signs[bit[at / 64] >> at % 64 & 255];
		const float *c = cares[mask[at / 64] >> at % 64 & 255];
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

WIDE void
bits_in(uint64_t *bit, unsigned n, const float *x)
{
	for (unsigned at = 0; at < n; at += 64) {
		uint8_t set[64] = {0};
		uint64_t word = 0;
		for (unsigned i = 0; i < 64 && at + i < n; i++)
			set[i] = x[at + i] > 0;
		for (unsigned i = 0; i < 64; i += 8)
			word |= gather(set + i) << i;
		bit[at / 64] = word;
	}
}
