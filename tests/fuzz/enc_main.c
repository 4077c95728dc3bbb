#include "within.h"
#define main tc_enc_main
#include "tc-enc/main.c"

/* Encoders without a cache know nothing of the trace before: they serve again, once all that they
 * were given is written. */
static struct encoder *kept[LATENT_TYPES][4];

/* prepare() without the weights, which are loaded once. */
static void
ready(struct program *p, struct encoder *known)
{
	struct filter *f = &p->filter;

	filter_open_input(f);
	filter_open_output(f);
	if (stream_writer_init(&p->writer, f->out.fd) < 0 ||
	    !(p->encoder = known ? known : encoder_new(&p->net, &p->encode, 1, &p->writer)))
		err(1, NULL);
	traces_open(&p->reader, f, pass_on, p);
}

void
program_enc(struct octets in, enum latent_type type, unsigned steps, bool cached, struct outcome *o)
{
	static struct program p;
	struct network net = p.net;
	struct encoder **keep = &kept[type][steps];
	char why[WEIGHTS_ERROR];
	int status;

	if (!net.data && (weights_load(&net, p.hash, NULL, why) < 0 || network_settle(&net) < 0))
		found("no weights");
	program_enter(in, o);
	p = (struct program){.net = net, .filter = WITHIN(1),
			     .encode = {.analysis = {.type = type, .refine = steps > 0, .steps = steps}, .patch = true,
					.cached = cached}};
	if ((status = setjmp(program_gone)) == 0) {
		ready(&p, cached ? NULL : *keep);
		status = 1 + run(&p);
	}
	if (!cached)
		*keep = !*p.writer.error ? p.encoder : NULL;
	if (cached || !*keep)
		encoder_free(p.encoder);
	stream_reader_free(&p.reader);
	stream_writer_free(&p.writer);
	program_left(status - 1, status > 1);
}
