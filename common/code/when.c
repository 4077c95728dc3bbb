#include "code/when.h"

#include "code/bits.h"
#include "code/rate.h"

#define SCALE	 16 /* bits behind the leading one, all of them on the scale */
#define CELL	 6  /* of those, how many the ramps have */
#define FINE	 (SCALE - CELL)
#define RAMP	 0.7f /* where a ramp ends */
#define PAST	 1.0f /* where it is when the step isn't in its octaves: noise must not bring it there */
#define FINE_END 1.7f

/* The octaves where ramps begin, and the last one ends: narrow where steps of packets lie. */
static const uint8_t octave[WHEN_RAMPS + 1] = {0, 8, 14, 20, 26, 32, 64};

/* A place on the scale: the length in bits, then SCALE bits of what follows the leading one, rounded. */
static uint32_t
place_of(int64_t step)
{
	uint64_t v = step < 0 ? -(uint64_t)step : (uint64_t)step;
	unsigned length = bits_length(v);

	if (length <= SCALE + 1)
		return length ? length << SCALE | (uint32_t)(v << (SCALE + 1 - length) & bits_ones(SCALE)) : 0;
	/* What rounds up to the next length has nothing behind its leading one: the sum carries. */
	unsigned over = length - SCALE - 1;
	uint64_t place = ((uint64_t)(length - 1) << SCALE) + ((v >> (over - 1)) + 1) / 2, last = (64u << SCALE) - 1;
	return place < last ? place : last;
}

static int64_t
step_of(uint32_t place, bool below, int unit)
{
	unsigned length = place >> SCALE;
	uint64_t v = (1u << SCALE) | (place & bits_ones(SCALE)), most = INT64_MAX / unit;

	if (length == 0)
		return 0;
	if (length > SCALE)
		v <<= length - SCALE - 1;
	else
		v = ((v >> (SCALE - length)) + 1) / 2;
	v = v > INT64_MAX ? INT64_MAX : v;
	v = v / unit + (v % unit >= (uint64_t)(unit + 1) / 2);
	v = (v < most ? v : most) * unit;
	return below ? -(int64_t)v : (int64_t)v;
}

static int
cells(int ramp)
{
	return (octave[ramp + 1] - octave[ramp]) << CELL;
}

void
when_put(int64_t step, float *z)
{
	uint32_t place = place_of(step);
	int cell = place >> FINE;

	*z++ = step < 0 ? -PAST : PAST;
	for (int r = 0; r < WHEN_RAMPS; r++) {
		int in = cell - (octave[r] << CELL);
		*z++ = in < 0 ? -PAST : in >= cells(r) ? PAST : ((2 * in + 1.0f) / cells(r) - 1) * RAMP;
	}
	*z = ((2 * (place & bits_ones(FINE)) + 1.0f) / (1 << FINE) - 1) * FINE_END;
}

static float
between(float v, float low, float high)
{
	return v < low ? low : v > high ? high : v;
}

int64_t
when_get(const float *z, int unit)
{
	bool below = *z++ < 0;
	float sum = 0;

	for (int r = 0; r < WHEN_RAMPS; r++)
		sum += between((*z++ / RAMP + 1) / 2, 0, 1) * cells(r);
	uint32_t cell = between(sum, 0, (64 << CELL) - 1);
	uint32_t fine = between((*z / FINE_END + 1) / 2 * (1 << FINE), 0, (1 << FINE) - 1);
	return step_of(cell << FINE | fine, below, unit);
}

int64_t
when_rounded(int64_t step, int unit)
{
	return step_of(place_of(step), step < 0, unit);
}

float
when_rate(int64_t step)
{
	float z[WHEN_COORDINATES], half = logf(2), past = -logf(0.24196365f), nats = half;

	when_put(step, z);
	for (int r = 0; r < WHEN_RAMPS; r++) {
		float v = z[1 + r];
		nats += v == PAST || v == -PAST ? past : cell_rate(v, 2 * RAMP / cells(r));
	}
	return nats + cell_rate(z[1 + WHEN_RAMPS], 2 * FINE_END / (1 << FINE));
}
