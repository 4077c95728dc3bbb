/* tc-gen: learns from packet actions, and generates actions that never were. */
#include "generate.h"
#include "learn.h"
#include "present.h"
#include "steer.h"

#include "neural/linear.h"
#include "record/traces.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NANO INT64_C(1000000000)

static const char usage_text[] =
    "usage: tc-gen [-q] [-v] [-n N] [--duration S] [--start TIME] [--rate R] [--hosts R] [--temperature R]\n"
    "              [--seed N] [--steps N] [--values N] [--model FILE | --learn FILE] [-o FILE] [STREAM]\n"
    "Learns from packet actions (standard input for none or \"-\"), and generates others of their kind.\n"
    "      --learn FILE       learn alone: write the model there, whole or not at all\n"
    "      --model FILE       generate alone, from a model; reads no input; \"builtin\": the built-in one,\n"
    "                         which is also taken where standard input is a terminal\n"
    "  -n, --packets N        generate N packets (as many as were learned from)\n"
    "      --duration S       generate S seconds\n"
    "      --start TIME       of the first packet: seconds since 1970, or 2026-11-23T12:00:00Z\n"
    "      --rate R           let flows open R times as often (1)\n"
    "      --hosts R          let R times as many hosts take part (1)\n"
    "      --temperature R    below 1 the likely becomes likelier, above 1 less so (1)\n"
    "      --seed N           another learning, other draws (1)\n"
    "      --steps N          of learning, at most (2000)\n"
    "      --values N         of each field to be learned as they are, the commonest (400)\n"
    "  -o, --output FILE      write FILE only if all succeeds; - forces standard output\n"
    "  -q, --quiet            no progress, no word of what was learned\n"
    "  -v, --verbose          how learning goes, and a line at the end\n"
    "  -h, --help             print this\n"
    "  -V, --version          print the version of TraceCodec\n";

struct program {
	struct filter filter;
	const char *learn, *model;
	bool learns; /* there is no model yet */
	uint64_t packets, duration, done;
	uint32_t steps, values;
	struct generate_options generate;
	struct stream_reader reader;
	struct corpus corpus;
	struct model learned;
	struct stream_writer writer;
	struct generator *generator;
};

static void
check(struct program *p)
{
	const struct filter *f = &p->filter;
	static const char alone[] = "nDARHT"; /* options of generating */
	static const char *const names[] = {"packets", "duration", "start", "rate", "hosts", "temperature"};

	if (p->learn && p->model)
		filter_misuse("--learn and --model exclude each other");
	if (p->model && f->input)
		filter_misuse("%s: with --model nothing is read", f->input);
	if (!p->learn && !p->model && !f->input && isatty(STDIN_FILENO))
		p->model = "builtin";
	p->learns = !p->model;
	if (p->model && f->given['s'])
		filter_misuse("--steps is for learning, --model is learned");
	if (p->model && f->given['E'])
		filter_misuse("--values is for learning, --model is learned");
	for (int i = 0; p->learn && alone[i]; i++)
		if (f->given[(int)alone[i]])
			filter_misuse("--%s is for generating, --learn learns alone", names[i]);
	if (p->learn && f->given['o'])
		filter_misuse("--learn writes a model and no stream: without --output");
}

static void
arguments(struct program *p, int argc, char **argv)
{
	static const struct option table[] = {
	    {"learn", required_argument, NULL, 'L'},	   {"model", required_argument, NULL, 'M'},
	    {"packets", required_argument, NULL, 'n'},	   {"duration", required_argument, NULL, 'D'},
	    {"rate", required_argument, NULL, 'R'},	   {"temperature", required_argument, NULL, 'T'},
	    {"seed", required_argument, NULL, 'S'},	   {"steps", required_argument, NULL, 's'},
	    {"start", required_argument, NULL, 'A'},	   {"hosts", required_argument, NULL, 'H'},
	    {"values", required_argument, NULL, 'E'},
	    FILTER_OUTPUT, FILTER_PROGRESS, FILTER_HELP, {0}};
	struct filter *f = &p->filter;
	int c;

	p->generate = (struct generate_options){.seed = 1, .temperature = 1, .rate = 1, .hosts = 1, .start = -1};
	p->steps = 2000;
	p->values = VOCABULARY_VALUES;
	while ((c = filter_next(f, argc, argv, "n:o:qv", table)) != -1) {
		switch (c) {
		case 'L':
			p->learn = optarg;
			break;
		case 'M':
			p->model = optarg;
			break;
		case 'n':
			p->packets = filter_number("packets", optarg, 0, UINT64_MAX);
			break;
		case 'D':
			p->duration = filter_number("duration", optarg, 0, 1000000000);
			break;
		case 'R':
			p->generate.rate = filter_real("rate", optarg, 0.001f, 1000);
			break;
		case 'H':
			p->generate.hosts = filter_real("hosts", optarg, 0.001f, 1000);
			break;
		case 'A':
			p->generate.start = filter_time("start", optarg);
			break;
		case 'E':
			p->values = filter_number("values", optarg, 1, 4000);
			break;
		case 'T':
			p->generate.temperature = filter_real("temperature", optarg, 0.01f, 100);
			break;
		case 'S':
			p->generate.seed = filter_number("seed", optarg, 0, UINT64_MAX);
			break;
		case 's':
			p->steps = filter_number("steps", optarg, 1, 10000000);
			break;
		default:
			filter_option(f, c);
		}
	}
	filter_operand(f, argc, argv);
	check(p);
	if (p->learn)
		f->output = p->learn;
}

static void
prepare(struct program *p)
{
	struct filter *f = &p->filter;
	char why_not[MODEL_ERROR];
	const char *why;

	bool builtin = p->model && !strcmp(p->model, "builtin");
	if (p->learns)
		filter_open_input(f);
	else if (!builtin)
		filter_reads_path(f, p->model);
	filter_open_output(f);
	if (p->model && model_load(&p->learned, builtin ? NULL : p->model, why_not) < 0)
		errx(1, "%s: %s", p->model, why_not);
	if (p->learns && linear_start(&why) < 0)
		errx(1, "%s", why);
	if (stream_writer_init(&p->writer, f->out.fd) < 0 || (p->learns && linear_room(1) < 0))
		err(1, NULL);
	filter_confine(f);
}

/* --- learning --- */

static int
add_trace(void *arg, struct stream_header *h)
{
	struct program *p = arg;

	if (corpus_add(&p->corpus, h, &p->reader) < 0) {
		if (!*p->reader.error)
			warn(NULL);
		return -1;
	}
	return 0;
}

static int
read_all(struct program *p)
{
	traces_open(&p->reader, &p->filter, NULL, NULL);
	int status = traces_each(&p->reader, &p->filter, add_trace, p);

	filter_explain(&p->filter, "", p->reader.error);
	if (!p->filter.quiet)
		traces_unknown(&p->reader);
	stream_reader_free(&p->reader);
	if (!status && !p->corpus.packets) {
		warnx("%s: no packets to learn from", p->filter.input);
		status = 1;
	}
	if (corpus_finish(&p->corpus) < 0)
		err(1, NULL);
	return status;
}

static void
report(const struct descent *d, clock_t start)
{
	static const char *const names[HEADS] = {"flows", "openings"};
	double seconds = (clock() - start) / (double)CLOCKS_PER_SEC;

	fprintf(stderr, "%s: %" PRIu32 " steps, %.1f s: %.3f nats, held back %.3f, least %.3f after %" PRIu32 "\n",
		names[d->net->head], d->step, seconds, d->loss, d->held, d->least, d->least_at);
}

static void
descend(struct program *p, const struct lesson *l, enum head head)
{
	struct descent d;
	struct network *net = &p->learned.net[head];
	clock_t start = clock();
	bool loud = p->filter.how == PROGRESS_VERBOSE;

	if (network_init(net, &p->learned.vocabulary, head) < 0)
		err(1, NULL);
	network_randomize(net, p->generate.seed);
	if (descent_init(&d, net, l, p->steps, p->generate.seed) < 0)
		err(1, NULL);
	progress_work(head == HEAD_FLOW ? "learns how flows go on" : "learns how flows open", "steps", &p->done,
		      loud ? PROGRESS_QUIET : p->filter.how);
	while (!descent_done(&d) && !io_interrupted) {
		descent_step(&d);
		p->done = d.step;
		progress_goal(&p->done, d.last ? d.last : d.steps);
		progress_tick();
		if (loud && descent_measured(&d))
			report(&d, start);
	}
	for (int f = 0; f < FIELDS && loud; f++)
		if (d.field[f] >= 0.005)
			fprintf(stderr, "%s %.2f ", field_names[f], d.field[f]);
	if (loud)
		fputc('\n', stderr);
	progress_clear();
	descent_finish(&d);
	descent_free(&d);
}

static void
learn(struct program *p)
{
	struct model *m = &p->learned;
	const struct corpus *c = &p->corpus;
	struct lesson l;

	m->header = c->header;
	m->packets = c->packets;
	m->flows = c->flows;
	for (uint32_t t = 0; t < c->traces; t++)
		m->seconds += c->length[t] / NANO;
	m->header.start += c->length[c->traces - 1];
	if (vocabulary_learn(&m->vocabulary, c, p->values) < 0 || lesson_init(&l, &m->vocabulary, c) < 0)
		err(1, NULL);
	if (p->filter.how == PROGRESS_VERBOSE)
		fprintf(stderr, "tc-gen: %" PRIu32 " packets, %" PRIu32 " flows, %" PRIu32 " openings, %d symbols\n", c->packets,
			c->flows, l.opens, m->vocabulary.all);
	for (int h = 0; h < HEADS && !io_interrupted; h++)
		descend(p, &l, h);
	if (io_interrupted) {
		lesson_free(&l);
		return;
	}
	model_round(m);
	if (present_take(m, &l) < 0 || steer_openings(m, &l) < 0 || steer_waits(m, &l) < 0)
		err(1, NULL);
	if (p->filter.how == PROGRESS_VERBOSE)
		fprintf(stderr, "tc-gen: %" PRIu32 " flows go on, openings made %.2f times slower\n", m->n_alive, m->open_slow);
	lesson_free(&l);
}

static int
write_model(struct program *p)
{
	size_t n;
	progress_end();
	uint8_t *octets = model_build(&p->learned, &n);

	if (!octets)
		err(1, NULL);
	if (write_all(p->filter.out.fd, octets, n) < 0)
		err(1, "%s", p->filter.output);
	free(octets);
	return 0;
}

/* --- generating --- */

/* An interrupt before the first packet: a trace all the same, without any. */
static int
write_nothing(struct program *p)
{
	if (p->learn || !p->corpus.traces)
		return 130;
	if (stream_write_header(&p->writer, &p->corpus.header) == 0 && stream_write_end(&p->writer, STREAM_INTERRUPTED) == 0)
		stream_flush(&p->writer);
	filter_explain(&p->filter, p->writer.error, "");
	return 130;
}

static int
generate(struct program *p)
{
	struct stream_writer *w = &p->writer;
	struct filter *f = &p->filter;
	struct action a;
	int64_t time = 0, end = (int64_t)p->duration * NANO;
	uint64_t n = 0, at = 0, most = f->given['n'] ? p->packets : f->given['D'] ? UINT64_MAX : p->learned.packets;
	int got = 0;

	if (!(p->generator = generator_new(&p->learned, &p->generate)))
		err(1, NULL);
	progress_work("generates", "packets", &n, f->how);
	progress_goal(most == UINT64_MAX ? &at : &n, most == UINT64_MAX ? (uint64_t)end : most);
	int r = stream_write_header(w, generator_header(p->generator));
	while (r == 0 && n < most && !io_interrupted && (got = generator_next(p->generator, &a, &time)) == 1) {
		if (f->given['D'] && time > end)
			break;
		r = stream_write(w, &a);
		n++;
		at = time;
	}
	if (r == 0 && got >= 0)
		r = stream_write_end(w, io_interrupted ? STREAM_INTERRUPTED : STREAM_WHOLE);
	if (r == 0)
		r = stream_flush(w);
	progress_end();
	if (got < 0)
		warn(NULL);
	filter_explain(f, w->error, "");
	if (!f->quiet && r == 0 && n < most && most != UINT64_MAX && !io_interrupted && got == 0)
		warnx("nothing more comes after %" PRIu64 " packets", n);
	return r < 0 || got < 0 ? 1 : io_interrupted ? 130 : 0;
}

/* The exit status. */
static int
run(struct program *p)
{
	int status = 0;

	if (p->learns) {
		status = read_all(p);
		if (status == 0)
			learn(p);
		if (io_interrupted)
			return write_nothing(p);
		if (status)
			return status;
		corpus_free(&p->corpus);
	}
	return p->learn ? write_model(p) : generate(p);
}

static int
finish(struct program *p, int status)
{
	status = filter_close(&p->filter, status);
	generator_free(p->generator);
	stream_writer_free(&p->writer);
	corpus_free(&p->corpus);
	model_free(&p->learned);
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
