/* tc-dec: latents in, packet actions out. */
#include "codec/decode.h"
#include "neural/weights.h"
#include "record/traces.h"

#include <err.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char usage_text[] =
    "usage: tc-dec [-q] [-v] [-o FILE] [--weights FILE] [--no-cache] [--jobs N] [--stats] [STREAM]\n"
    "Decodes latents (standard input for none or \"-\") to packet actions.\n"
    "  -o, --output FILE   write FILE only if all succeeds; - forces standard output\n"
    "      --weights FILE  another network than the built-in one\n"
    "      --no-cache      ask the network for every packet\n"
    "      --jobs N        threads; 0: as many as there are processors (1)\n"
    "      --stats         one JSON object on standard error at the end\n"
    "  -q, --quiet         no progress\n"
    "  -v, --verbose       progress of a pipe too, and a line at the end\n"
    "  -h, --help          print this\n"
    "  -V, --version       print the version of TraceCodec\n";

struct program {
	struct filter filter;
	struct stream_reader reader;
	bool cached, stats;
	const char *weights;
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	struct stream_writer writer;
	struct decoder *decoder;
};

static void
arguments(struct program *p, int argc, char **argv)
{
	static const struct option table[] = {{"weights", required_argument, NULL, 'w'},
					      {"no-cache", no_argument, NULL, 'C'},
					      {"stats", no_argument, NULL, 'T'},
					      FILTER_JOBS,
					      FILTER_OUTPUT,
					      FILTER_PROGRESS,
					      FILTER_HELP,
					      {0}};
	int c;

	p->cached = true;
	p->filter.jobs = 1;
	while ((c = filter_next(&p->filter, argc, argv, "o:qv", table)) != -1) {
		switch (c) {
		case 'w':
			p->weights = optarg;
			break;
		case 'C':
			p->cached = false;
			break;
		case 'T':
			p->stats = true;
			break;
		default:
			filter_option(&p->filter, c);
		}
	}
	filter_operand(&p->filter, argc, argv);
}

static int
pass_on(void *arg)
{
	struct program *p = arg;

	return decoder_flush(p->decoder) < 0 ? -1 : stream_flush(&p->writer);
}

static void
prepare(struct program *p)
{
	struct filter *f = &p->filter;
	char why_not[WEIGHTS_ERROR];

	filter_open_input(f);
	if (p->weights)
		filter_reads_path(f, p->weights);
	filter_open_output(f);
	if (weights_load(&p->net, p->hash, p->weights, why_not) < 0)
		errx(1, "%s: %s", p->weights ? p->weights : "built-in weights", why_not);
	if (network_settle(&p->net) < 0 || stream_writer_init(&p->writer, f->out.fd) < 0 ||
	    !(p->decoder = decoder_new(&p->net, p->cached, f->jobs, &p->writer)))
		err(1, NULL);
	filter_confine(f);
	traces_open(&p->reader, f, pass_on, p);
	p->reader.kinds = 1 << STREAM_LATENTS;
}

/* What the header must say for this network: 0, or -1. */
static int
check_header(const struct program *p, const struct stream_header *h)
{
	struct stream_header want = *h;
	char hex[17] = "";

	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", h->weights[i]);
	if (memcmp(h->weights, p->hash, sizeof p->hash)) {
		warnx("%s: made with other weights (%s...); --weights names them", p->filter.input, hex);
		return -1;
	}
	codec_blocks(&p->net, want.block);
	if (memcmp(want.block, h->block, sizeof want.block)) {
		warnx("%s: header: blocks of %" PRIu32 ", %" PRIu32 " and %" PRIu32 " coordinates; these weights have %" PRIu32
		      ", %" PRIu32 " and %" PRIu32, p->filter.input, h->block[0], h->block[1], h->block[2], want.block[0],
		      want.block[1], want.block[2]);
		return -1;
	}
	return 0;
}

/* The packets of one trace: 0, or -1. */
static int
decode_trace(void *arg, struct stream_header *h)
{
	struct latent l;
	struct program *p = arg;
	struct stream_reader *in = &p->reader;
	int got = 0, r;

	if (check_header(p, h) < 0)
		return -1;
	r = decoder_begin(p->decoder, h);
	while (r == 0 && (got = stream_read_latent(in, &l)) == 1)
		r = decoder_add(p->decoder, &l);
	if (r > 0)
		warnx("%s: record %" PRIu64 ": a coordinate is infinite or not a number",
		      p->filter.input, in->packets);
	bool cut = r > 0 || got < 0;
	if (r >= 0)
		r = decoder_end(p->decoder, io_interrupted ? STREAM_INTERRUPTED
					    : cut	   ? STREAM_CUT
							   : in->end);
	if (r < 0 && !*p->writer.error)
		warn(NULL);
	return r < 0 || cut ? -1 : 0;
}

/* The exit status. */
static int
run(struct program *p)
{
	int status = traces_each(&p->reader, &p->filter, decode_trace, p);

	pass_on(p);
	filter_explain(&p->filter, p->writer.error, p->reader.error);
	return status || !*p->writer.error ? status : 1;
}

static void
print_stats(const struct program *p)
{
	uint64_t found, asked, rows = decoder_stats(p->decoder, &found, &asked);

	fprintf(stderr,
		"{\"rows\":%" PRIu64 ",\"cache_found\":%" PRIu64 ",\"cache_asked\":%" PRIu64
		",\"seconds\":%.3f}\n",
		rows, found, asked, clock() / (double)CLOCKS_PER_SEC);
}

static int
finish(struct program *p, int status)
{
	if (p->stats)
		print_stats(p);
	traces_unknown(&p->reader);
	status = filter_close(&p->filter, status);
	stream_reader_free(&p->reader);
	decoder_free(p->decoder);
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
	prepare(&p);
	return finish(&p, run(&p));
}
