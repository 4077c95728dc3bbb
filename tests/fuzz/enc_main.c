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
	if (stream_reader_init(&p->reader, STDIN_FILENO) < 0 ||
	    stream_writer_init(&p->writer, STDOUT_FILENO) < 0 ||
	    !(p->encoder = known ? known : encoder_new(&p->net, &p->options.encode, &p->writer)))
		err(1, NULL);
	p->reader.before_wait = pass_on;
	p->reader.before_wait_arg = p;
}

void
program_enc(struct octets in, enum latent_type type, unsigned steps, bool cached, struct outcome *o)
{
	static struct program p;
	struct network net = p.net;
	struct encoder **keep = &kept[type][steps];
	char why[WEIGHTS_ERROR];
	const char *why_not;
	int status;

	if (!net.data && (linear_start(&why_not) < 0 || weights_load(&net, p.hash, NULL, why) < 0))
		found("no weights");
	program_enter(in, o);
	p = (struct program){.net = net, .options = {.input = "-", .output = "-", .how = PROGRESS_QUIET,
					 .encode = {.type = type, .refine = steps > 0, .patch = true,
						    .steps = steps, .cached = cached}}};
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
