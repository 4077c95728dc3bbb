#include "mutate.h"

#include "../unit/vary.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of the coordinates, or the octets of one that another has. */
static void
vary_octets(uint8_t *p, size_t n)
{
	size_t width = n % 4 ? 1 : 4, at = vary_below(n / width) * width;

	switch (vary_below(4)) {
	case 0:
		p[vary_below(n)] ^= 1 << vary_below(8);
		break;
	case 1:
		memcpy(p + at, p + vary_below(n / width) * width, width);
		break;
	case 2:
		memset(p + at, vary_below(2) ? 0 : vary_below(256), vary_below(n - at + 1));
		break;
	case 3:
		for (size_t i = at; i < n; i++)
			p[i] = vary_below(256);
		break;
	}
}

static void
vary_latent(struct latent *l, const struct action *patch)
{
	if (l->size && vary_below(4))
		vary_octets((uint8_t *)l->octets, l->size);
	if (!vary_below(8)) {
		l->patched = !l->patched;
		l->patch = *patch;
	}
	if (l->patched)
		vary_action(&l->patch, 20);
}

static void
vary_header(struct stream_header *h)
{
	static const uint32_t links[] = {1, 1, 1, 113, 276, 0, 12, 147, 101, 228, 229};

	switch (vary_below(40)) {
	case 0:
		h->link = links[vary_below(11)];
		break;
	case 1:
		h->cap = STREAM_CAP_MIN + vary_below(TRACE_CAP - STREAM_CAP_MIN);
		break;
	case 2:
		h->snaplen = 1 + vary_below(vary_below(2) ? 100 : 262144);
		break;
	case 3:
		h->nano = !h->nano;
		break;
	case 4:
		h->start = vary_below(INT64_MAX) >> vary_below(63);
		break;
	case 5:
		h->idle[vary_below(3)] = vary_below(UINT32_MAX) >> vary_below(32);
		break;
	}
}

/* Records go, come twice, or change: one in `often`. */
static void
vary_records(struct stream_reader *r, struct stream_writer *w, const struct stream_header *h, unsigned often)
{
	static struct latent l;
	static struct action a;
	bool latents = h->kind == STREAM_LATENTS;

	while ((latents ? stream_read_latent(r, &l) : stream_read(r, &a)) == 1) {
		int what = vary_below(often) ? 9 : vary_below(8), times = what == 0 ? 0 : what == 1 ? 2 : 1;
		if (what < 8 && what > 1) {
			if (latents)
				vary_latent(&l, &a);
			else
				vary_action(&a, 1 + vary_below(30));
		}
		while (times--) {
			if (latents)
				stream_write_latent(w, &l, false);
			else
				stream_write(w, &a);
		}
	}
}

/* The stream changed: its octets, or none where it can't be read. */
static struct octets
vary_stream(struct octets in)
{
	static struct stream_reader r;
	static struct stream_writer w;
	struct stream_header h;
	struct octets out = {0};
	int from = octets_open(in), to = octets_open((struct octets){(const uint8_t *)"", 0});

	if (stream_reader_init(&r, from) < 0 || stream_writer_init(&w, to) < 0)
		found("no memory");
	r.kinds = 1 << STREAM_ACTIONS | 1 << STREAM_LATENTS;
	while (stream_read_header(&r, &h) == 1) {
		vary_header(&h);
		stream_write_header(&w, &h);
		vary_records(&r, &w, &h, 1 + vary_below(20));
		stream_write_end(&w, vary_below(20) ? STREAM_WHOLE : vary_below(3));
	}
	if (stream_flush(&w) == 0)
		out = octets_of(to);
	stream_reader_free(&r);
	stream_writer_free(&w);
	close(from);
	close(to);
	return out;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t max, unsigned seed)
{
	vary_seed(seed);
	if (vary_below(2)) {
		struct octets out = vary_stream((struct octets){p, n});
		bool fits = out.n && out.n <= max;
		if (fits)
			memcpy(p, out.p, n = out.n);
		free((void *)out.p);
		if (fits)
			return n;
	}
	return LLVMFuzzerMutate(p, n, max);
}
