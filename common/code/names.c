#include "code/names.h"

#include "code/bits.h"
#include "code/rate.h"

#define OCTAVES 21  /* of the slot's number plus one */
#define HIGH	7   /* bits behind the leading one that the first coordinate has */
#define CELLS	(OCTAVES << HIGH)
#define LOW	12  /* bits that the second one has */
/* Steps between cells, so large that f16 has each of them without rounding. */
#define HIGH_STEP (1.0f / 1024)
#define LOW_STEP  (1.0f / 2048)

/* The slots of an action: f(arg, slot) for each but the flow's, which comes back as f gives it. */
static void
each_name(struct action *a, uint32_t (*f)(struct names *, unsigned, uint32_t), struct names *v, unsigned n)
{
	for (uint64_t left = a->has; left; left &= left - 1) {
		int field = __builtin_ctzll(left);
		if (action_fields[field].kind == ACTION_REF) {
			struct action_ref *r = action_ref(a, field);
			if (r->kind == REF_FIXED)
				continue;
			r->slot = f(v, n++, r->slot);
			if (r->kind == REF_NEW && r->has_suffix && !action_ref_scoped(r))
				r->suffix = f(v, n++, r->suffix);
		} else if (field == ACTION_QUOTE) {
			struct action_list *l = action_list(a, field);
			if (l->n > QUOTE_FLOW && l->v[QUOTE_FLOW] >= 0 && l->v[QUOTE_FLOW] <= UINT32_MAX)
				l->v[QUOTE_FLOW] = f(v, n++, l->v[QUOTE_FLOW]);
		}
	}
	v->n = n;
}

static uint32_t
take(struct names *v, unsigned i, uint32_t slot)
{
	v->slot[i] = slot;
	return 0;
}

void
names_take(struct action *a, struct names *v)
{
	int64_t flow = action_number(a, ACTION_FLOW);

	/* One that is no slot, or a 0 that is said, stays. */
	bool fits = flow > 0 && flow <= UINT32_MAX;
	v->slot[0] = fits ? flow : 0;
	if (fits)
		a->has &= ~(1ull << ACTION_FLOW);
	each_name(a, take, v, 1);
}

static uint32_t
give(struct names *v, unsigned i, uint32_t slot)
{
	(void)slot;
	return i < v->n ? v->slot[i] : 0;
}

void
names_give(struct action *a, const struct names *v)
{
	struct names copy = *v;

	if (v->slot[0])
		action_set(a, ACTION_FLOW, v->slot[0]);
	each_name(a, give, &copy, 1);
}

/* A slot is in the middle of the cells that are its own. */
static void
slot_put(uint32_t slot, float *z)
{
	uint32_t v = slot + 1;
	int octave = bits_length(v) - 1, over = octave - HIGH;

	if (over <= 0) {
		int cell = (octave << HIGH) + (int)(v << -over & bits_ones(HIGH)) + (1 << -over) / 2;
		z[0] = (cell - CELLS / 2) * HIGH_STEP;
		z[1] = 0;
	} else {
		int low = (v & bits_ones(over)) << LOW >> over, width = 1 << LOW >> over;
		z[0] = ((octave << HIGH) + (int)(v >> over & bits_ones(HIGH)) - CELLS / 2) * HIGH_STEP;
		z[1] = (low + width / 2 - (1 << LOW) / 2) * LOW_STEP;
	}
}

/* The cell that a coordinate lies in, of so many. */
static int
cell_of(float z, float step, int cells)
{
	float cell = z / step + cells / 2 + 0.5f;

	return cell < 0 ? 0 : cell < cells ? (int)cell : cells - 1;
}

static uint32_t
slot_get(const float *z)
{
	int cell = cell_of(z[0], HIGH_STEP, CELLS), low = cell_of(z[1], LOW_STEP, 1 << LOW), over = (cell >> HIGH) - HIGH;
	uint32_t v = 1 << HIGH | (cell & bits_ones(HIGH));

	v = over <= 0 ? v >> -over : v << over | (uint32_t)low << over >> LOW;
	return (v < NAMES_SLOTS ? v : NAMES_SLOTS) - 1;
}

bool
names_put(const struct names *v, float *z)
{
	bool good = v->n <= NAMES_PLACES;

	for (unsigned i = 0; i < NAMES_PLACES; i++, z += 2) {
		z[0] = z[1] = 0;
		if (i < v->n && v->slot[i] < NAMES_SLOTS)
			slot_put(v->slot[i], z);
		else
			good &= i >= v->n;
	}
	return good;
}

void
names_get(struct names *v, const float *z)
{
	v->n = NAMES_PLACES;
	for (unsigned i = 0; i < NAMES_PLACES; i++, z += 2)
		v->slot[i] = slot_get(z);
}

float
names_rate(const struct names *v)
{
	float z[NAMES_COORDINATES], nats = 0;

	names_put(v, z);
	for (unsigned i = 0; i < v->n && i < NAMES_PLACES; i++) {
		int over = (int)bits_length(v->slot[i] + 1) - 1 - HIGH;
		nats += cell_rate(z[2 * i], over < 0 ? (1 << -over) * HIGH_STEP : HIGH_STEP);
		if (over > 0)
			nats += cell_rate(z[2 * i + 1], LOW_STEP * (1 << LOW) / (1 << over));
	}
	return nats;
}
