/*
 * Any octets as a stream: latents to actions, which are a stream that its reader takes; actions to a
 * capture of as many packets, which lifts to as many records and shows the identity of tracecodec(7).
 */
#include "check.h"
#include "mutate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Actions, of which the first trace alone is looked for: a second may be of another link type. */
static void
compile(struct octets in, const struct content *s)
{
	struct outcome o, again;
	struct octets b;

	program_compile(in, &o);
	if (!o.status != (!*s->error && s->ended == STREAM_WHOLE) && !strstr(o.said, "capture") &&
	    !strstr(o.said, "are possible") && !strstr(o.said, "savefiles") && !strstr(o.said, "ends"))
		found("exit status %d: %s", o.status, o.said);
	if (o.out.n && (!o.status || *s->error)) {
		struct captured c = captured_of(o.out);
		if (!c.opened || c.broken || c.packets != s->packets)
			found("%" PRIu64 " records in, %" PRIu64 " packets out", s->packets, c.packets);
		program_lift(o.out, s->header.cap, &again);
		if (again.status || check_stream(again.out).packets != s->packets)
			found("%" PRIu64 " packets, lifted: %s", c.packets, again.said);
		check_identity(again.out, &b);
		free((void *)b.p);
		outcome_free(&again);
	}
	outcome_free(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct octets in = {p, n};
	struct content s = content_of(in), actions;
	struct outcome o;

	if (!s.begun || s.header.kind == STREAM_ACTIONS) {
		compile(in, &s);
		return 0;
	}
	program_dec(in, n % 8 == 1, &o);
	if (!o.status && (*s.error || s.ended != STREAM_WHOLE))
		found("damaged, and decoded all the same: %s", s.error);
	if (o.out.n) {
		actions = check_stream(o.out);
		if (!o.status && actions.packets != s.packets)
			found("%" PRIu64 " latents in, %" PRIu64 " actions out", s.packets, actions.packets);
		compile(o.out, &actions);
	}
	outcome_free(&o);
	return 0;
}
