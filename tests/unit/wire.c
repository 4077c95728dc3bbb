/*
 * wire N SEED: N random actions as records, and each again with octets changed: what the reader of ordinary records takes,
 * the one of all records takes too, as the same action of the same length. What is written, the first one takes.
 */
#include "record/action_msgpack.h"
#include "vary.h"

#include <err.h>
#include <stdlib.h>

static struct action_order order = {.n = ACTION_COUNT, .known = (1ull << ACTION_COUNT) - 1};
static msgpack_zone *zone;

static bool
same(const struct action *a, const struct action *b)
{
	static uint64_t x[ACTION_WORDS], y[ACTION_WORDS];
	unsigned n = action_pack(a, x);

	return n == action_pack(b, y) && !memcmp(x, y, n * sizeof *x);
}

/* Both readers on n octets; whether the first takes them. */
static bool
read_both(struct action *a, const uint8_t *p, size_t n)
{
	static struct action b;
	const uint8_t *end = action_scan(a, (struct wire){p, p + n}, &order);
	const char *why = "no object of that length";
	msgpack_object o;
	size_t off = 0;

	if (!end)
		return false;
	msgpack_zone_clear(zone);
	msgpack_unpack_return got = msgpack_unpack((const char *)p, end - p, &off, zone, &o);
	if (got != MSGPACK_UNPACK_SUCCESS || off != (size_t)(end - p) || action_read(&b, &o, &order, &why) < 0)
		errx(1, "the reader of ordinary records takes what the other doesn't: %s", why);
	if (!same(a, &b))
		errx(1, "the readers take the same record for different actions");
	return true;
}

static size_t
mutate(uint8_t *p, size_t n)
{
	for (unsigned times = 1 + vary_below(3); times--;) {
		uint8_t *at = p + vary_below(n);
		switch (vary_below(4)) {
		case 0:
			*at = 0xc0 + vary_below(0x20);
			break;
		case 1:
			*at = vary_below(256);
			break;
		case 2:
			*at ^= 1 << vary_below(8);
			break;
		case 3:
			n = at - p + 1;
		}
	}
	return n;
}

int
main(int argc, char **argv)
{
	static struct action a, b;
	static uint8_t record[ACTION_OCTETS];
	unsigned long taken = 0, n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;

	if (!n || !(zone = msgpack_zone_new(1 << 16)))
		errx(2, "usage: wire N SEED");
	vary_seed(strtoull(argv[2], NULL, 10));
	for (int f = 0; f < ACTION_COUNT; f++)
		order.field[f] = f;
	for (unsigned long i = 0; i < n; i++) {
		a.has = 0;
		vary_action(&a, 1 + vary_below(12));
		size_t octets = action_write(record, &a) - record;
		if (!read_both(&b, record, octets) || !same(&a, &b))
			errx(1, "what was written is read as another action, or not as ordinary");
		taken += read_both(&b, record, mutate(record, octets));
	}
	if (taken < n / 100)
		errx(1, "hardly a mutation was taken: nothing was compared");
	return 0;
}
