/* tc-enc: packet actions in, one continuous latent a packet out. */
#include "codec/encode.h"
#include "neural/weights.h"
#include "record/traces.h"

#include <err.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char usage_text[] =
    "usage: tc-enc [-q] [-v] [-o FILE] [--weights FILE] [--latent-type f32|f16] [--sample] [--seed N]\n"
    "              [--no-refine] [--refine N] [--no-patch] [--no-cache] [--jobs N]\n"
    "              [--stats] [STREAM]\n"
    "       tc-enc [--weights FILE] --coordinates\n"
    "Encodes packet actions (standard input for none or \"-\") as latents.\n"
    "  -o, --output FILE       write FILE only if all succeeds; - forces standard output\n"
    "      --weights FILE      another network than the built-in one\n"
    "      --latent-type TYPE  coordinates as f32 or f16 (default)\n"
    "      --sample            draw from the posterior instead of taking its mean\n"
    "      --seed N            of the draws (0)\n"
    "      --no-refine         take latents as the encoder gives them\n"
    "      --refine N          steps of a refinement, at most (700)\n"
    "      --no-patch          latents alone, also where they decode wrong\n"
    "      --no-cache          ask the network for every packet\n"
    "      --jobs N            threads; 0: as many as there are processors (1)\n"
    "      --coordinates       print what the coordinates of a latent are about, and exit\n"
    "      --stats             one JSON object on standard error at the end\n"
    "  -q, --quiet             no progress, no word of what the latents alone don't hold\n"
    "  -v, --verbose           progress of a pipe too, and a line at the end\n"
    "  -h, --help              print this\n"
    "  -V, --version           print the version of TraceCodec\n";

struct program {
	struct filter filter;
	struct stream_reader reader;
	struct encode_options encode;
	const char *weights;
	bool coordinates; /* are to be printed */
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	struct stream_writer writer;
	struct encoder *encoder;
};

static enum latent_type
type_option(const char *text)
{
	for (int i = 0; i < LATENT_TYPES; i++)
		if (!strcmp(text, latent_type_names[i]))
			return i;
	filter_misuse("--latent-type %s: f32 or f16 is wanted", text);
}

static void
arguments(struct program *p, int argc, char **argv)
{
	static const struct option table[] = {
	    {"weights", required_argument, NULL, 'w'}, {"latent-type", required_argument, NULL, 't'},
	    {"sample", no_argument, NULL, 's'},	       {"seed", required_argument, NULL, 'S'},
	    {"no-refine", no_argument, NULL, 'R'},     {"refine", required_argument, NULL, 'r'},
	    {"no-patch", no_argument, NULL, 'P'},      {"no-cache", no_argument, NULL, 'C'},
	    {"stats", no_argument, NULL, 'T'},	       {"coordinates", no_argument, NULL, 'X'},
	    FILTER_JOBS,			       FILTER_OUTPUT,
	    FILTER_PROGRESS,
	    FILTER_HELP,			       {0}};
	struct encode_options *e = &p->encode;
	int c;

	*e = (struct encode_options){.analysis = {.refine = true, .steps = 700, .type = LATENT_F16}, .patch = true, .cached = true};
	p->filter.jobs = 1;
	while ((c = filter_next(&p->filter, argc, argv, "o:qv", table)) != -1) {
		switch (c) {
		case 'w':
			p->weights = optarg;
			break;
		case 't':
			e->analysis.type = type_option(optarg);
			break;
		case 's':
			e->analysis.sample = true;
			break;
		case 'S':
			e->seed = filter_number("seed", optarg, 0, UINT64_MAX);
			break;
		case 'R':
			e->analysis.refine = false;
			break;
		case 'r':
			e->analysis.steps = filter_number("refine", optarg, 0, 100000);
			break;
		case 'P':
			e->patch = false;
			break;
		case 'C':
			e->cached = false;
			break;
		case 'T':
			e->analysis.stats = true;
			break;
		case 'X':
			p->coordinates = true;
			break;
		default:
			filter_option(&p->filter, c);
		}
	}
	if (p->filter.given['R'] && p->filter.given['r'])
		filter_misuse("--no-refine and --refine exclude each other");
	filter_operand(&p->filter, argc, argv);
	if (p->coordinates && (p->filter.input || p->filter.output))
		filter_misuse("--coordinates reads and writes no stream");
}

static void
load_weights(struct program *p)
{
	char why[WEIGHTS_ERROR];

	if (weights_load(&p->net, p->hash, p->weights, why) < 0)
		errx(1, "%s: %s", p->weights ? p->weights : "built-in weights", why);
}

/* The exit status. */
static int
print_coordinates(struct program *p)
{
	load_weights(p);
	if (!p->net.about)
		errx(1, "%s: without a table about the coordinates", p->weights ? p->weights : "built-in weights");
	fputs(p->net.about, stdout);
	network_free(&p->net);
	if (fclose(stdout))
		err(1, "standard output");
	return 0;
}

static int
pass_on(void *arg)
{
	struct program *p = arg;

	return encoder_flush(p->encoder) < 0 ? -1 : stream_flush(&p->writer);
}

static void
prepare(struct program *p)
{
	struct filter *f = &p->filter;

	filter_open_input(f);
	if (p->weights)
		filter_reads_path(f, p->weights);
	filter_open_output(f);
	load_weights(p);
	if (network_settle(&p->net) < 0 || stream_writer_init(&p->writer, f->out.fd) < 0 ||
	    !(p->encoder = encoder_new(&p->net, &p->encode, f->jobs, &p->writer)))
		err(1, NULL);
	filter_confine(f);
	traces_open(&p->reader, f, pass_on, p);
}

/* The packets of one trace: 0, or -1. */
static int
encode_trace(void *arg, struct stream_header *h)
{
	struct action a;
	struct program *p = arg;
	struct stream_reader *in = &p->reader;
	int got = 0, r;

	h->kind = STREAM_LATENTS;
	h->type = p->encode.analysis.type;
	codec_blocks(&p->net, h->block);
	memcpy(h->weights, p->hash, sizeof h->weights);
	r = encoder_begin(p->encoder, h);
	while (r == 0 && (got = stream_read(in, &a)) == 1)
		r = encoder_add(p->encoder, &a);
	if (r == 0)
		r = encoder_end(p->encoder, io_interrupted ? STREAM_INTERRUPTED
					    : got < 0	   ? STREAM_CUT
							   : in->end);
	if (r < 0 && !*p->writer.error)
		warn(NULL);
	return r < 0 || got < 0 ? -1 : 0;
}

/* The exit status. */
static int
run(struct program *p)
{
	int status = traces_each(&p->reader, &p->filter, encode_trace, p);

	pass_on(p);
	filter_explain(&p->filter, p->writer.error, p->reader.error);
	return status || !*p->writer.error ? status : 1;
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
		"{\"packets\":%" PRIu64 ",\"traces\":%" PRIu64 ",\"unencodable\":%" PRIu64
		",\"whole\":%" PRIu64 ",\"core\":%" PRIu64 ",\"whole_refined\":%" PRIu64
		",\"core_refined\":%" PRIu64 ",\"refined\":%" PRIu64 ",\"refinement_steps\":%" PRIu64
		",\"patched\":%" PRIu64 ",\"idle\":%" PRIu64
		",\"kl\":%.3f,\"kl_what\":%.3f,\"kl_who\":%.3f,\"kl_when\":%.3f,\"time_error\":%.9f"
		",\"rows\":%" PRIu64 ",\"cache_found\":%" PRIu64 ",\"cache_asked\":%" PRIu64
		",\"seconds\":%.3f",
		s->packets, s->traces, s->unencodable, s->whole, s->core, s->whole_after,
		s->core_after, s->refined, s->steps, s->patched, s->idle,
		(s->kl[0] + s->kl[1] + s->kl[2]) / n, s->kl[0] / n, s->kl[1] / n, s->kl[2] / n, s->time_error / n, s->rows, found, asked, clock() / (double)CLOCKS_PER_SEC);
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
	else if (!p->encode.patch && s->whole_after < s->packets)
		warnx("%" PRIu64 " of %" PRIu64 " packets will not be decoded as they were",
		      s->packets - s->whole_after, s->packets);
	traces_unknown(&p->reader);
}

static int
finish(struct program *p, int status)
{
	if (p->encode.analysis.stats)
		print_stats(p);
	if (!p->filter.quiet)
		report(p);
	status = filter_close(&p->filter, status);
	stream_reader_free(&p->reader);
	encoder_free(p->encoder);
	stream_writer_free(&p->writer);
	network_free(&p->net);
	return status;
}

int
main(int argc, char **argv)
{
	static struct program p = {.filter = {.usage = usage_text, .failure = 1}};

	io_start();
	arguments(&p, argc, argv);
	if (p.coordinates)
		return print_coordinates(&p);
	prepare(&p);
	return finish(&p, run(&p));
}
