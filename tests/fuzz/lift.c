/* Any octets as a capture: as many records as packets, and the identity of tracecodec(7). */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct octets in = {p, n}, b;
	struct captured a = captured_of(in);
	struct outcome o;

	program_lift(in, n % 2 ? STREAM_CAP_MIN : TRACE_CAP, &o);
	if (o.status != (!a.opened || a.broken))
		found("exit status %d: %s", o.status, o.said);
	if (a.opened) {
		struct content s = check_stream(o.out);
		if (s.packets != a.packets || s.ended != (a.broken ? STREAM_CUT : STREAM_WHOLE))
			found("%" PRIu64 " packets in, %" PRIu64 " records out", a.packets, s.packets);
		check_identity(o.out, &b);
		free((void *)b.p);
	} else if (o.out.n) {
		found("no capture, but output");
	}
	outcome_free(&o);
	return 0;
}
