#include "process/moment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANO INT64_C(1000000000)

bool
moment_decimal(const char *text, int decimals, int64_t max, int64_t *v)
{
	const char *at = text;
	bool digits = false, point = false;

	*v = 0;
	for (; *at && decimals >= 0; at++) {
		if (*at == '.' && digits && !point) {
			point = true;
			continue;
		}
		if (*at < '0' || *at > '9' || (point && decimals-- == 0) || *v > (INT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + *at - '0';
		digits = true;
	}
	for (; decimals > 0; decimals--) {
		if (*v > INT64_MAX / 10)
			return false;
		*v *= 10;
	}
	return digits && !*at && *v <= max;
}

const char *
moment_read(const char *text, int64_t *ns)
{
	struct tm tm = {0}, asked;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	char *rest = (char *)text;
	asked = tm;
	int64_t t = end ? timegm(&tm) : strtoll(text, &rest, 10), unit = NANO;

	if (!end)
		end = rest;
	if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
		return "there is no such day";
	if (t < 0 || t > UINT32_MAX)
		return "1970 to 2106 is wanted, as pcap has it";
	t *= NANO;
	if (end != text && *end == '.')
		while (*++end >= '0' && *end <= '9')
			t += (*end - '0') * (unit /= 10);
	if (end == text || strcmp(end, rest == text ? "Z" : "") != 0)
		return "seconds since 1970 or 2026-11-23T12:00:00Z is wanted";
	*ns = t;
	return NULL;
}
