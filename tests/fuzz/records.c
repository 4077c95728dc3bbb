/* Any octets as a stream, of actions or of latents: an error, or records that are the same octets each
 * time they are read and written. */
#include "check.h"
#include "mutate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* All that can be read, written again; *bad: an error came. */
static struct octets
again(struct octets in, bool *bad)
{
	static struct stream_reader r;
	static struct stream_writer w;
	static struct latent l;
	static struct action a;
	struct stream_header h;
	int from = octets_open(in), to = octets_open((struct octets){(const uint8_t *)"", 0}), got = 0;

	if (stream_reader_init(&r, from) < 0 || stream_writer_init(&w, to) < 0)
		found("no memory");
	r.kinds = 1 << STREAM_ACTIONS | 1 << STREAM_LATENTS;
	while (stream_read_header(&r, &h) == 1) {
		stream_write_header(&w, &h);
		if (h.kind == STREAM_LATENTS)
			while ((got = stream_read_latent(&r, &l)) == 1)
				stream_write_latent(&w, &l, false);
		else
			while ((got = stream_read(&r, &a)) == 1)
				stream_write(&w, &a);
		if (stream_write_end(&w, got < 0 ? STREAM_CUT : r.end) < 0)
			found("writing: %s", w.error);
	}
	*bad = *r.error;
	if (stream_flush(&w) < 0)
		found("writing: %s", w.error);
	struct octets out = octets_of(to);
	stream_reader_free(&r);
	stream_writer_free(&w);
	close(from);
	close(to);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	bool bad;
	struct octets first = again((struct octets){p, n}, &bad), second;

	if (!bad && !first.n)
		found("neither an error nor a trace");
	if (first.n) {
		second = again(first, &bad);
		if (bad || first.n != second.n || memcmp(first.p, second.p, first.n))
			found("written again it is another stream");
		free((void *)second.p);
	}
	free((void *)first.p);
	return 0;
}
