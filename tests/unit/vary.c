#include "vary.h"

#include "support/random.h"

#include <string.h>

static uint64_t state;

void
vary_seed(uint64_t seed)
{
	state = seed;
}

uint64_t
vary_below(uint64_t below)
{
	return random_next(&state) % below;
}

/* Mostly small, now and then as large as it gets. */
static int64_t
number(void)
{
	int64_t v = vary_below(INT64_MAX) >> vary_below(63);

	return vary_below(3) ? v : -v;
}

static void
random_value(struct action *a, int f)
{
	static const char *const texts[] = {"224.0.0.1", "::1", "ff02::fb", "1.2.3.4", "hello",
					    "", "ff:ff:ff:ff:ff:ff", "0.0.0.0"};
	static const int protocols[] = {6, 17, 1, 58, 132, 0, 43, 44, 59, 50, 0x806, 0x10000, 0x10800,
					0x20000};

	a->has |= 1ull << f;
	if (action_fields[f].kind == ACTION_INT) {
		a->num[f] = f == ACTION_PROTO && vary_below(8) ? protocols[vary_below(14)]
			    : f == ACTION_OPEN		? (int64_t)vary_below(5)
			    : f == ACTION_FLOW && vary_below(8) ? (int64_t)vary_below(20)
			    : f == ACTION_DT		? (int64_t)vary_below(1000000)
			    : f == ACTION_LEN && vary_below(8) ? (int64_t)vary_below(1500)
							 : number();
	} else if (action_fields[f].kind == ACTION_LIST) {
		struct action_list *l = action_list(a, f);
		l->n = vary_below(vary_below(4) ? 6 : ACTION_LIST_MAX + 1);
		for (int i = 0; i < l->n; i++)
			l->v[i] = vary_below(2) ? (int64_t)vary_below(9) : number();
	} else {
		struct action_ref *r = action_ref(a, f);
		memset(r, 0, sizeof *r);
		r->kind = vary_below(3);
		if (r->kind == REF_FIXED)
			strcpy(r->text, texts[vary_below(8)]);
		r->slot = vary_below(8) ? vary_below(20) : vary_below(UINT32_MAX);
		r->class = vary_below(8) ? vary_below(14) : vary_below(256);
		r->has_suffix = vary_below(2);
		r->new_suffix = r->has_suffix && vary_below(2);
		r->suffix = r->has_suffix ? vary_below(20) : 0;
	}
}

void
vary_action(struct action *a, unsigned often)
{
	for (int f = 0; f < ACTION_COUNT; f++) {
		if (vary_below(often))
			continue;
		if (vary_below(3))
			random_value(a, f);
		else
			a->has &= ~(1ull << f);
	}
}
