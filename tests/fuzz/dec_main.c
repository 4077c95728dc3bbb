#include "within.h"
#define main tc_dec_main
#include "tc-dec/main.c"

#include <unistd.h>

/* A decoder without a cache knows nothing of the trace before: it serves again, once all that it
 * was given is written. */
static struct decoder *kept;

/* prepare() without the weights, which are loaded once. */
static void
ready(struct program *p, bool cached)
{
	struct filter *f = &p->filter;

	filter_open_input(f);
	filter_open_output(f);
	if (stream_writer_init(&p->writer, f->out.fd) < 0 ||
	    !(p->decoder = !cached && kept ? kept : decoder_new(&p->net, cached, 1, &p->writer)))
		err(1, NULL);
	traces_open(&p->reader, f, pass_on, p);
	p->reader.kinds = 1 << STREAM_LATENTS;
}

void
program_dec(struct octets in, bool cached, struct outcome *o)
{
	static struct program p;
	static struct stream_reader named;
	struct network net = p.net;
	struct stream_header h = {0};
	char why[WEIGHTS_ERROR];
	int status;

	if (!net.data && (weights_load(&net, p.hash, NULL, why) < 0 || network_settle(&net) < 0))
		found("no weights");
	program_enter(in, o);
	p = (struct program){.net = net, .filter = WITHIN(1)};
	if (stream_reader_init(&named, STDIN_FILENO) == 0) {
		named.kinds = 1 << STREAM_LATENTS;
		if (stream_read_header(&named, &h) == 1)
			memcpy(p.hash, h.weights, sizeof p.hash);
	}
	stream_reader_free(&named);
	lseek(STDIN_FILENO, 0, SEEK_SET);
	if ((status = setjmp(program_gone)) == 0) {
		ready(&p, cached);
		status = 1 + run(&p);
	}
	if (!cached)
		kept = !*p.writer.error ? p.decoder : NULL;
	if (cached || !kept)
		decoder_free(p.decoder);
	stream_reader_free(&p.reader);
	stream_writer_free(&p.writer);
	program_left(status - 1, status > 1);
}
