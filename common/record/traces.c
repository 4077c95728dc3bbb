#include "record/traces.h"

#include "process/kind.h"

#include <err.h>
#include <inttypes.h>

void
traces_open(struct stream_reader *r, const struct filter *f, int (*flush)(void *), void *arg)
{
	if (stream_reader_init(r, f->in) < 0)
		err(f->failure, NULL);
	r->before_wait = flush;
	r->before_wait_arg = arg;
	progress_begin(f->in, f->input, &r->all, f->how);
}

void
traces_mistaken(struct stream_reader *r)
{
	static const char *const wanted[] = {NULL, "not a stream of actions", "not a stream of latents", "not a stream of TraceCodec"};
	unsigned k = r->kinds & 3, taken = (k & 1) << KIND_ACTIONS | (k >> 1) << KIND_LATENTS;

	if (*r->error && !r->traced && r->offset == 0)
		kind_explain(r->error, sizeof r->error, wanted[k], taken, r->buf, r->n);
}

int
traces_each(struct stream_reader *r, const struct filter *f, int (*trace)(void *, struct stream_header *), void *arg)
{
	struct stream_header h;
	int got, status = 0;

	while ((got = stream_read_header(r, &h)) == 1) {
		if ((got = trace(arg, &h)) < 0)
			break;
		if (r->end == STREAM_WHOLE)
			continue;
		warnx("%s: the trace ends %s after %" PRIu64 " packets", f->input, stream_end_names[r->end], r->packets);
		status = 1;
	}
	traces_mistaken(r);
	progress_end();
	return io_interrupted ? 130 : got < 0 ? 1 : status;
}

void
traces_unknown(const struct stream_reader *r)
{
	if (r->unknown)
		warnx("passed over %" PRIu64 " records with fields that this version doesn't know", r->unknown);
}
