#include "pace.h"

static int64_t
most(bool negative)
{
	return negative ? INT64_MIN : INT64_MAX;
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? most(b < 0) : sum;
}

static int64_t
minus(int64_t a, int64_t b)
{
	int64_t rest;

	return __builtin_sub_overflow(a, b, &rest) ? most(b > 0) : rest;
}

/* Rounded down. In two parts, so that 64 bits do: speed is at most PACE_ONE^2. */
int64_t
pace_length(int64_t ns, int64_t speed)
{
	int64_t whole = ns / speed, part = ns % speed, long_part;

	if (speed == PACE_ONE)
		return ns;
	if (part < 0) {
		part += speed;
		whole--;
	}
	if (__builtin_mul_overflow(whole, PACE_ONE, &long_part))
		return most(ns < 0);
	return plus(long_part, part * PACE_ONE / speed);
}

int64_t
pace_time(struct pace *p, int64_t time)
{
	if (!p->begun)
		p->origin = time;
	p->begun = true;
	return plus(plus(p->origin, pace_length(minus(time, p->origin), p->speed)), p->move);
}
