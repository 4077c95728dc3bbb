/*
 * Two traces: the form of the report, the length of the first (four octets), the first, the second.
 * A report or trouble, never both. Without a second: the first is a capture, and what it lifts and
 * compiles to differs in no metric.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
against_compiled(struct octets a, unsigned form)
{
	struct outcome lifted, o;
	struct octets b;

	program_lift(a, TRACE_CAP, &lifted);
	if (lifted.status == 0) {
		check_identity(lifted.out, &b);
		program_diff(a, b.n ? b : a, form, &o);
		if (o.status == 1)
			found("tc-diff sees a difference");
		outcome_free(&o);
		free((void *)b.p);
	}
	outcome_free(&lifted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct outcome o;

	if (n < 5)
		return 0;
	size_t first = p[1] | p[2] << 8 | p[3] << 16 | (size_t)p[4] << 24;
	struct octets a = {p + 5, n - 5}, b;
	if (first >= a.n) {
		against_compiled(a, p[0]);
		return 0;
	}
	b = (struct octets){a.p + first, a.n - first};
	a.n = first;
	program_diff(a, b, p[0], &o);
	if (o.status == 2 && o.out.n && p[0] % 4 != 3)
		found("trouble, and a report all the same");
	if (o.status != 2 && p[0] % 4 == 1 && (memmem(o.out.p, o.out.n, "nan", 3) || memmem(o.out.p, o.out.n, ":inf", 4)))
		found("JSON without numbers");
	outcome_free(&o);
	return 0;
}
