#include "markup.h"

#include <stdbool.h>
#include <stdint.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Octets of the character at s, 0 where there is none: RFC 3629, table 3-7 of Unicode. */
static int
character(const uint8_t *s, uint32_t *c)
{
	int n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	*c = n == 1 ? *s : *s & (0x7f >> n);
	for (int i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* the terminating 0 too */
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return n && *c >= least[n] && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff) ? n : 0;
}

/* XML 1.0, Char, without the controls that HTML doesn't allow. */
static bool
allowed(uint32_t c)
{
	return c == '\t' || c == '\n' || (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && (c & 0xfffe) != 0xfffe && (c < 0xfdd0 || c > 0xfdef));
}

void
markup_text(FILE *f, const char *text)
{
	const uint8_t *s = (const uint8_t *)text;
	uint32_t c;

	while (*s) {
		int n = character(s, &c);
		if (!n || !allowed(c))
			fputs(REPLACEMENT, f);
		else if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			fprintf(f, "&#%u;", c);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
}
