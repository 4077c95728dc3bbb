#include "shares.h"

#include "support/wide.h"

#include <string.h>

/* e^x to seven digits, for -40 < x <= 0: a power of two by the exponent's bits, and a polynomial, as fast_exp() (linear.h). */
WIDEST static void
power(float *y, int n)
{
	for (int i = 0; i < n; i++) {
		float t = y[i] * 1.44269504f;
		int32_t r = (int32_t)(t + 64.5f) - 64, bits = (r + 127) * (1 << 23);
		float f = t - r, p = 1.33335581e-3f * f + 9.61812911e-3f, scale;
		memcpy(&scale, &bits, sizeof scale);
		p = p * f + 5.55041087e-2f;
		p = p * f + 2.40226507e-1f;
		p = p * f + 6.93147181e-1f;
		y[i] = (p * f + 1) * scale;
	}
}

WIDEST void
shares_weigh(float *p, int n, float cold)
{
	float most[SHARES_LANES], top;

	for (int i = n; i % SHARES_LANES; i++)
		p[i] = p[0];
	memcpy(most, p, sizeof most);
	for (int i = SHARES_LANES; i < n; i += SHARES_LANES)
		for (int j = 0; j < SHARES_LANES; j++)
			most[j] = p[i + j] > most[j] ? p[i + j] : most[j];
	top = most[0];
	for (int j = 1; j < SHARES_LANES; j++)
		top = most[j] > top ? most[j] : top;
	for (int i = 0; i < n; i += SHARES_LANES)
		for (int j = 0; j < SHARES_LANES; j++) {
			float x = (p[i + j] - top) * cold;
			p[i + j] = x > -30 ? x : -30;
		}
	power(p, shares_width(n));
}

WIDEST void
shares_sum(float *p, int n, float *lane)
{
	memset(lane, 0, SHARES_LANES * sizeof *lane);
	for (int i = n; i % SHARES_LANES; i++)
		p[i] = 0;
	for (int i = 0; i < n; i += SHARES_LANES)
		for (int j = 0; j < SHARES_LANES; j++)
			lane[j] += p[i + j];
}
