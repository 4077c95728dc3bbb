/* tc-enc: packet actions in, one continuous latent a packet out. */
#include "encode.h"
#include "neural/weights.h"
#include "record/io.h"
#include "record/progress.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-enc [-q] [-v] [-o FILE] [--weights FILE] [--latent-type f32|f16|i8] [--sample] [--seed N]\n"
    "              [--no-refine] [--refine N] [--no-patch] [--no-cache] [--stats] [STREAM]\n"
    "Encodes packet actions (standard input for none or \"-\") as latents.\n"
    "  -o, --output FILE       write there, whole or not at all; \"-\": standard output, always\n"
    "      --weights FILE      another network than the built-in one\n"
    "      --latent-type TYPE  coordinates as f32, f16 (default) or i8\n"
    "      --sample            draw from the posterior instead of taking its mean\n"
    "      --seed N            of the draws (0)\n"
    "      --no-refine         take latents as the encoder gives them\n"
    "      --refine N          steps of a refinement, at most (1000)\n"
    "      --no-patch          latents alone, also where they decode wrong\n"
    "      --no-cache          ask the network for every packet\n"
    "      --stats             one JSON object on standard error at the end\n"
    "  -q, --quiet             no progress, no word of what the latents alone don't hold\n"
    "  -v, --verbose           progress of a pipe too, and a line at the end\n";

struct options {
	struct encode_options encode;
	enum progress_how how;
	const char *weights, *output, *input;
};

static void __attribute__((noreturn))
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static enum latent_type
type_option(const char *text)
{
	for (int i = 0; i < LATENT_TYPES; i++)
		if (!strcmp(text, latent_type_names[i]))
			return i;
	errx(2, "--latent-type %s: f32, f16 or i8 is wanted", text);
}

static uint64_t
number(const char *text, uint64_t high, const char *what)
{
	uint64_t v;

	if (!io_number(text, 0, high, &v))
		errx(2, "%s %s: 0 to %" PRIu64 " is wanted", what, text, high);
	return v;
}

static void
arguments(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
	    {"output", required_argument, NULL, 'o'},	   {"weights", required_argument, NULL, 'w'},
	    {"latent-type", required_argument, NULL, 't'}, {"sample", no_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'S'},	   {"no-refine", no_argument, NULL, 'R'},
	    {"refine", required_argument, NULL, 'r'},	   {"no-patch", no_argument, NULL, 'P'},
	    {"no-cache", no_argument, NULL, 'C'},	   {"stats", no_argument, NULL, 'T'},
	    {"quiet", no_argument, NULL, 'q'},		   {"verbose", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},		   {0}};
	struct encode_options *e = &o->encode;
	int c;

	*e = (struct encode_options){.refine = true, .patch = true, .cached = true, .steps = 1000, .type = LATENT_F16};
	while ((c = getopt_long(argc, argv, "o:qv", table, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->output = optarg;
			break;
		case 'w':
			o->weights = optarg;
			break;
		case 't':
			e->type = type_option(optarg);
			break;
		case 's':
			e->sample = true;
			break;
		case 'S':
			e->seed = number(optarg, UINT64_MAX, "--seed");
			break;
		case 'R':
			e->refine = false;
			break;
		case 'r':
			e->steps = number(optarg, 100000, "--refine");
			break;
		case 'P':
			e->patch = false;
			break;
		case 'C':
			e->cached = false;
			break;
		case 'T':
			e->stats = true;
			break;
		case 'q':
			o->how = PROGRESS_QUIET;
			break;
		case 'v':
			o->how = PROGRESS_VERBOSE;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(fclose(stdout) ? 1 : 0);
		default:
			usage();
		}
	}
	if (argc - optind > 1)
		usage();
	o->input = argc > optind ? argv[optind] : "-";
}

struct program {
	struct options options;
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	struct stream_reader reader;
	struct stream_writer writer;
	struct outfile out;
	struct encoder *encoder;
};

static int
pass_on(void *arg)
{
	struct program *p = arg;

	return encoder_flush(p->encoder) < 0 ? -1 : stream_flush(&p->writer);
}

static void
prepare(struct program *p)
{
	const struct options *o = &p->options;
	int in = strcmp(o->input, "-") ? open(o->input, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	char why_not[WEIGHTS_ERROR];
	const char *why;

	if (in < 0)
		err(1, "%s", o->input);
	p->options.input = io_name(o->input, "standard input");
	if (linear_start(&why) < 0)
		errx(1, "%s", why);
	if (weights_load(&p->net, p->hash, o->weights, why_not) < 0)
		errx(1, "%s: %s", o->weights ? o->weights : "built-in weights", why_not);
	if (outfile_open(&p->out, o->output) < 0)
		errno == ENOTTY ? errx(1, "standard output is a terminal; -o - writes to it")
				: err(1, "%s", o->output);
	if (stream_reader_init(&p->reader, in) < 0 || stream_writer_init(&p->writer, p->out.fd) < 0 ||
	    !(p->encoder = encoder_new(&p->net, &o->encode, &p->writer)))
		err(1, NULL);
	p->reader.before_wait = pass_on;
	p->reader.before_wait_arg = p;
	linear_clock = o->encode.stats;
	progress_begin(in, p->options.input, &p->reader.all, o->how);
}

/* The packets of one trace: 0, or -1. */
static int
encode_trace(struct program *p, struct stream_header *h)
{
	static struct action a;
	int got = 0, r;

	h->kind = STREAM_LATENTS;
	h->type = p->options.encode.type;
	h->coordinates = p->net.shape.latent + p->net.shape.time;
	memcpy(h->weights, p->hash, sizeof h->weights);
	if (h->cap < 1 || h->cap > 1 << 20) {
		warnx("%s: header: a cap of %" PRIu32 "; 1 to %d are possible", p->options.input,
		      h->cap, 1 << 20);
		return -1;
	}
	r = encoder_begin(p->encoder, h);
	while (r == 0 && (got = stream_read(&p->reader, &a)) == 1)
		r = encoder_add(p->encoder, &a);
	if (r == 0)
		r = encoder_end(p->encoder, io_interrupted ? STREAM_INTERRUPTED
					    : got < 0	   ? STREAM_CUT
							   : p->reader.end);
	if (r < 0 && !*p->writer.error)
		warn(NULL);
	return r < 0 || got < 0 ? -1 : 0;
}

/* The exit status. */
static int
run(struct program *p)
{
	struct stream_header h;
	int got, status = 0;

	while ((got = stream_read_header(&p->reader, &h)) == 1) {
		if ((got = encode_trace(p, &h)) < 0)
			break;
		if (p->reader.end != STREAM_WHOLE) {
			warnx("%s: the trace ends %s after %" PRIu64 " packets", p->options.input,
			      stream_end_names[p->reader.end], p->reader.packets);
			status = 1;
		}
	}
	if (pass_on(p) < 0)
		warnx("%s: %s", io_name(p->options.output, "standard output"), p->writer.error);
	else if (*p->reader.error && !io_interrupted)
		warnx("%s: %s", p->options.input, p->reader.error);
	if (io_interrupted)
		return 130;
	return got < 0 || *p->writer.error ? 1 : status;
}

static void
print_fields(const char *name, const uint64_t *n)
{
	const char *before = "";

	fprintf(stderr, ",\"%s\":{", name);
	for (int f = 0; f < ACTION_COUNT; f++) {
		if (!n[f])
			continue;
		fprintf(stderr, "%s\"%s\":%" PRIu64, before, action_fields[f].name, n[f]);
		before = ",";
	}
	fputc('}', stderr);
}

static void
print_stats(const struct program *p)
{
	uint64_t found, asked;
	const struct encode_stats *s = encoder_stats(p->encoder, &found, &asked);
	double n = s->packets ? s->packets : 1;

	fprintf(stderr,
		"{\"packets\":%" PRIu64 ",\"traces\":%" PRIu64 ",\"unsayable\":%" PRIu64
		",\"whole\":%" PRIu64 ",\"core\":%" PRIu64 ",\"whole_refined\":%" PRIu64
		",\"core_refined\":%" PRIu64 ",\"refined\":%" PRIu64 ",\"refinement_steps\":%" PRIu64
		",\"patched\":%" PRIu64 ",\"time_wrong\":%" PRIu64 ",\"kl\":%.3f,\"time_error\":%.9f"
		",\"rows\":%" PRIu64 ",\"cache_found\":%" PRIu64 ",\"cache_asked\":%" PRIu64
		",\"seconds\":%.3f,\"product_seconds\":%.3f,\"kernel\":\"%s\"",
		s->packets, s->traces, s->unsayable, s->whole, s->core, s->whole_after,
		s->core_after, s->refined, s->steps, s->patched, s->time_wrong, s->kl / n,
		s->time_error / n, s->rows, found, asked, clock() / (double)CLOCKS_PER_SEC,
		linear_seconds, linear_kernel());
	print_fields("wrong", s->wrong);
	print_fields("wrong_refined", s->wrong_after);
	fputs(",\"margins\":{", stderr);
	for (int i = 0; i < 7; i++)
		fprintf(stderr, "\"below %g\":%" PRIu64 ",", encode_margins[i], s->margins[i]);
	fprintf(stderr, "\"above\":%" PRIu64 "}}\n", s->margins[7]);
}

static void
report(const struct program *p)
{
	uint64_t found, asked;
	const struct encode_stats *s = encoder_stats(p->encoder, &found, &asked);

	if (s->patched)
		warnx("%" PRIu64 " of %" PRIu64 " packets with a patch", s->patched, s->packets);
	else if (!p->options.encode.patch && s->whole_after < s->packets)
		warnx("%" PRIu64 " of %" PRIu64 " packets will not be decoded as they were",
		      s->packets - s->whole_after, s->packets);
	if (p->reader.unknown)
		warnx("passed over %" PRIu64 " records with fields that this version doesn't know",
		      p->reader.unknown);
}

int
main(int argc, char **argv)
{
	static struct program p;

	io_start();
	arguments(&p.options, argc, argv);
	prepare(&p);
	int status = run(&p);
	progress_end();
	if (p.options.encode.stats)
		print_stats(&p);
	if (p.options.how != PROGRESS_QUIET)
		report(&p);
	if (status) {
		outfile_discard(&p.out);
	} else if (outfile_commit(&p.out) < 0) {
		warn("%s", io_name(p.options.output, "standard output"));
		status = 1;
	}
	encoder_free(p.encoder);
	stream_reader_free(&p.reader);
	stream_writer_free(&p.writer);
	network_free(&p.net);
	return status;
}
