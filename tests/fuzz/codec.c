/* Any octets as a stream of actions: encoded and decoded, every field of every packet is what it was, but for the time
 * step, which is rounded. */
#include "check.h"
#include "mutate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The actions of two streams, packet by packet; the second is as long as what could be read of the first. */
static void
compare(struct octets in, struct octets out)
{
	static struct stream_reader a, b;
	static struct action x, y;
	struct stream_header h;
	int fa = octets_open(in), fb = octets_open(out), more;

	if (stream_reader_init(&a, fa) < 0 || stream_reader_init(&b, fb) < 0)
		found("no memory");
	while (stream_read_header(&a, &h) == 1) {
		if (stream_read_header(&b, &h) != 1)
			found("a trace is lost");
		do {
			more = stream_read(&a, &x) == 1;
			if (more != (stream_read(&b, &y) == 1))
				found("packet %" PRIu64 " is lost", b.packets);
			for (int f = 0; f < ACTION_COUNT && more; f++)
				if (f != ACTION_DT && !action_same(&x, &y, f))
					found("packet %" PRIu64 ": another %s", b.packets, action_fields[f].name);
		} while (more);
	}
	stream_reader_free(&a);
	stream_reader_free(&b);
	close(fa);
	close(fb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct octets in = {p, n};
	struct content s = content_of(in);
	struct outcome latents, actions;

	if (!s.begun || s.header.kind != STREAM_ACTIONS)
		return -1;
	program_enc(in, n % LATENT_TYPES, n / 4 % 3, n % 16 == 5, &latents);
	if (!latents.status && (*s.error || s.ended != STREAM_WHOLE))
		found("damaged, and encoded all the same: %s", s.error);
	if (latents.out.n) {
		program_dec(latents.out, n % 16 == 9, &actions);
		if (actions.status && !latents.status)
			found("encoded, but decoding says: %s", actions.said);
		check_stream(actions.out);
		compare(in, actions.out);
		outcome_free(&actions);
	}
	outcome_free(&latents);
	return 0;
}
