/* tc-dec: latents in, packet actions out. */
#include "decode.h"
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
    "usage: tc-dec [-q] [-v] [-o FILE] [--weights FILE] [--no-cache] [--stats] [STREAM]\n"
    "Decodes latents (standard input for none or \"-\") to packet actions.\n"
    "  -o, --output FILE   write there, whole or not at all; \"-\": standard output, always\n"
    "      --weights FILE  another network than the built-in one\n"
    "      --no-cache      ask the network for every packet\n"
    "      --stats         one JSON object on standard error at the end\n"
    "  -q, --quiet         no progress\n"
    "  -v, --verbose       progress of a pipe too, and a line at the end\n";

struct options {
	bool cached, stats;
	enum progress_how how;
	const char *weights, *output, *input;
};

static void
arguments(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"output", required_argument, NULL, 'o'},
					      {"weights", required_argument, NULL, 'w'},
					      {"no-cache", no_argument, NULL, 'C'},
					      {"stats", no_argument, NULL, 'T'},
					      {"quiet", no_argument, NULL, 'q'},
					      {"verbose", no_argument, NULL, 'v'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	o->cached = true;
	while ((c = getopt_long(argc, argv, "o:qv", table, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->output = optarg;
			break;
		case 'w':
			o->weights = optarg;
			break;
		case 'C':
			o->cached = false;
			break;
		case 'T':
			o->stats = true;
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
			fputs(usage_text, stderr);
			exit(2);
		}
	}
	if (argc - optind > 1) {
		fputs(usage_text, stderr);
		exit(2);
	}
	o->input = argc > optind ? argv[optind] : "-";
}

struct program {
	struct options options;
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	struct stream_reader reader;
	struct stream_writer writer;
	struct outfile out;
	struct decoder *decoder;
};

static int
pass_on(void *arg)
{
	struct program *p = arg;

	return decoder_flush(p->decoder) < 0 ? -1 : stream_flush(&p->writer);
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
	    !(p->decoder = decoder_new(&p->net, o->cached, &p->writer)))
		err(1, NULL);
	p->reader.kinds = 1 << STREAM_LATENTS;
	p->reader.before_wait = pass_on;
	p->reader.before_wait_arg = p;
	linear_clock = o->stats;
	progress_begin(in, p->options.input, &p->reader.all, o->how);
}

/* What the header must say for this network: 0, or -1. */
static int
check_header(const struct program *p, const struct stream_header *h)
{
	uint32_t want = p->net.shape.latent + p->net.shape.time;
	char hex[17] = "";

	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", h->weights[i]);
	if (memcmp(h->weights, p->hash, sizeof p->hash)) {
		warnx("%s: made with other weights (%s...); --weights names them", p->options.input, hex);
		return -1;
	}
	if (h->coordinates != want) {
		warnx("%s: header: latents of %" PRIu32 " coordinates; these weights have %" PRIu32,
		      p->options.input, h->coordinates, want);
		return -1;
	}
	if (h->cap < 1 || h->cap > 1 << 20) {
		warnx("%s: header: a cap of %" PRIu32 "; 1 to %d are possible", p->options.input,
		      h->cap, 1 << 20);
		return -1;
	}
	return 0;
}

/* The packets of one trace: 0, or -1. */
static int
decode_trace(struct program *p, struct stream_header *h)
{
	static struct latent l;
	int got = 0, r;

	if (check_header(p, h) < 0)
		return -1;
	r = decoder_begin(p->decoder, h);
	while (r == 0 && (got = stream_read_latent(&p->reader, &l)) == 1)
		r = decoder_add(p->decoder, &l);
	if (r > 0)
		warnx("%s: record %" PRIu64 ": a coordinate is infinite or not a number",
		      p->options.input, p->reader.packets);
	bool cut = r > 0 || got < 0;
	if (r >= 0)
		r = decoder_end(p->decoder, io_interrupted ? STREAM_INTERRUPTED
					    : cut	   ? STREAM_CUT
							   : p->reader.end);
	if (r < 0 && !*p->writer.error)
		warn(NULL);
	return r < 0 || cut ? -1 : 0;
}

/* The exit status. */
static int
run(struct program *p)
{
	struct stream_header h;
	int got, status = 0;

	while ((got = stream_read_header(&p->reader, &h)) == 1) {
		if ((got = decode_trace(p, &h)) < 0)
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
print_stats(const struct program *p)
{
	uint64_t rows, found, asked;

	decoder_stats(p->decoder, &rows, &found, &asked);
	fprintf(stderr,
		"{\"rows\":%" PRIu64 ",\"cache_found\":%" PRIu64 ",\"cache_asked\":%" PRIu64
		",\"seconds\":%.3f,\"product_seconds\":%.3f,\"kernel\":\"%s\"}\n",
		rows, found, asked, clock() / (double)CLOCKS_PER_SEC, linear_seconds, linear_kernel());
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
	if (p.options.stats)
		print_stats(&p);
	if (p.reader.unknown)
		warnx("passed over %" PRIu64 " records with fields that this version doesn't know",
		      p.reader.unknown);
	if (status) {
		outfile_discard(&p.out);
	} else if (outfile_commit(&p.out) < 0) {
		warn("%s", io_name(p.options.output, "standard output"));
		status = 1;
	}
	decoder_free(p.decoder);
	stream_reader_free(&p.reader);
	stream_writer_free(&p.writer);
	network_free(&p.net);
	return status;
}
