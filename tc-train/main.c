/* tc-train: packet actions in, weights out. */
#include "neural/weights.h"
#include "record/traces.h"
#include "train.h"

#include "about.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: tc-train -o FILE [--init FILE] [--checkpoint FILE] [--steps N] [--batch N] [--rate R]\n"
    "                [--decay R] [--beta R] [--augment R] [--balance R] [--held N]\n"
    "                [--latent N] [--encoder N] [--trunk N] [--detail N] [--seed N]\n"
    "                [--threads N] [--report N] [-q] [STREAM]\n"
    "Learns from packet actions (standard input for none or \"-\") the weights of a codec.\n"
    "  -o, --output FILE      write FILE only if all succeeds; - forces standard output\n"
    "      --init FILE        go on from these weights; \"default\": the built-in ones\n"
    "      --checkpoint FILE  keep the state of the training there; resume it where it is there\n"
    "      --steps N          descents (20000)\n"
    "      --batch N          packets each (2048)\n"
    "      --rate R           learning rate at its highest (0.006)\n"
    "      --decay R          weight decay (0.0001)\n"
    "      --beta R           weight of the KL rate in the loss (0.018)\n"
    "      --augment R        share of packets with fields made random (0.4)\n"
    "      --balance R        share of packets drawn evenly by field (0.2)\n"
    "      --held N           every N-th trace is held back, to measure on; 0: none (20)\n"
    "      --latent N, --encoder N, --trunk N, --detail N\n"
    "                         coordinates of what an action does, hidden units (96 96 48 64)\n"
    "      --seed N           of all that is drawn (1)\n"
    "      --threads N        workers; the result depends on their number (2)\n"
    "      --report N         steps between reports (500)\n"
    "  -q, --quiet            no reports, which also saves their time\n"
    "  -h, --help             print this\n"
    "  -V, --version          print the version of TraceCodec\n";

struct options {
	struct filter filter;
	struct recipe recipe;
	struct shape shape;
	uint32_t held;
	const char *init, *checkpoint;
	int resume;	      /* the checkpoint that was there, or -1 */
	struct outfile state; /* the next one */
};

static void
arguments(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
	    FILTER_OUTPUT,				  {"init", required_argument, NULL, 'i'},
	    {"checkpoint", required_argument, NULL, 'c'}, {"steps", required_argument, NULL, 's'},
	    {"batch", required_argument, NULL, 'b'},	  {"rate", required_argument, NULL, 'r'},
	    {"decay", required_argument, NULL, 'd'},	  {"beta", required_argument, NULL, 'B'},
	    {"augment", required_argument, NULL, 'G'},	  {"balance", required_argument, NULL, 'e'},
	    {"held", required_argument, NULL, 'H'},	  {"latent", required_argument, NULL, 'L'},
	    {"encoder", required_argument, NULL, 'E'},	  {"trunk", required_argument, NULL, 'K'},
	    {"detail", required_argument, NULL, 'A'},	  {"seed", required_argument, NULL, 'S'},
	    {"threads", required_argument, NULL, 't'},	  {"report", required_argument, NULL, 'R'},
	    {"quiet", no_argument, NULL, 'q'},		  FILTER_HELP,
	    {0}};
	struct recipe *r = &o->recipe;
	struct shape *s = &o->shape;
	int c;

	*r = (struct recipe){20000, 2048, 2, 500, 6e-3f, 1e-4f, 0.018f, 0.4f, 0.2f, 1};
	*s = (struct shape){96, 96, 48, 64};
	o->held = 20;
	while ((c = filter_next(&o->filter, argc, argv, "o:q", table)) != -1) {
		const char *what = o->filter.option;
		switch (c) {
		case 'i':
			o->init = optarg;
			break;
		case 'c':
			o->checkpoint = o->filter.also = optarg;
			break;
		case 's':
			r->steps = filter_number(what, optarg, 1, 100000000);
			break;
		case 'b':
			r->batch = filter_number(what, optarg, 16, 65536);
			break;
		case 'r':
			r->rate = filter_real(what, optarg, 0, 1);
			break;
		case 'd':
			r->decay = filter_real(what, optarg, 0, 1);
			break;
		case 'B':
			r->beta = filter_real(what, optarg, 0, 10);
			break;
		case 'G':
			r->augment = filter_real(what, optarg, 0, 1);
			break;
		case 'e':
			r->balance = filter_real(what, optarg, 0, 1);
			break;
		case 'H':
			o->held = filter_number(what, optarg, 0, 1000000);
			break;
		case 'L':
			s->latent = filter_number(what, optarg, 1, LATENT_MAX);
			break;
		case 'E':
			s->encoder = filter_number(what, optarg, 1, 4096);
			break;
		case 'K':
			s->trunk = filter_number(what, optarg, 1, 4096);
			break;
		case 'A':
			s->detail = filter_number(what, optarg, 1, 4096);
			break;
		case 'S':
			r->seed = filter_number(what, optarg, 0, UINT32_MAX);
			break;
		case 't':
			r->threads = filter_number(what, optarg, 1, 64);
			break;
		case 'R':
			r->report = filter_number(what, optarg, 1, 1000000);
			break;
		default:
			filter_option(&o->filter, c);
		}
	}
	if (r->batch % r->threads)
		filter_misuse("--threads %" PRIu32 ": the batch of %" PRIu32 " doesn't divide by it", r->threads,
		     r->batch);
	filter_operand(&o->filter, argc, argv);
	if (!o->filter.output)
		filter_misuse("-o FILE is missing");
}

static void
write_weights(const struct network *net, const struct filter *f)
{
	size_t n;
	uint8_t *p = weights_build(net, WEIGHTS_F16, &n);

	if (!p)
		err(1, NULL);
	if (write_all(f->out.fd, p, n) < 0)
		err(1, "%s", f->output);
	free(p);
}

/* A checkpoint is the weights, then step and moments, in this machine's own order of octets. */
static void
checkpoint_write(const struct trainer *t, struct options *o)
{
	size_t n, moments = t->net->n * sizeof(float);
	uint8_t *w = weights_build(t->net, WEIGHTS_F32, &n), *p = w ? realloc(w, n + 4 + 2 * moments) : NULL;

	if (!p)
		err(1, NULL);
	memcpy(p + n, &t->step, 4);
	memcpy(p + n + 4, t->m, moments);
	memcpy(p + n + 4 + moments, t->v, moments);
	if (write_all(o->state.fd, p, n + 4 + 2 * moments) < 0 || outfile_renew(&o->state) < 0)
		err(1, "%s", o->checkpoint);
	free(p);
}

static void
checkpoint_read(struct trainer *t, int fd, const char *path)
{
	size_t moments = t->net->n * sizeof(float), n;
	char why[WEIGHTS_ERROR];
	uint8_t hash[WEIGHTS_HASH], *w = weights_build(t->net, WEIGHTS_F32, &n), *p;
	struct network net;

	free(w);
	size_t all = n + 4 + 2 * moments;
	if (!(p = malloc(all + 1)))
		err(1, "%s", path);
	size_t have = 0;
	for (ssize_t got; have < all + 1 && (got = read(fd, p + have, all + 1 - have)) > 0;)
		have += got;
	close(fd);
	if (have != all)
		errx(1, "%s: not a checkpoint of this training: %zu octets, %zu are wanted", path,
		     have, all);
	if (weights_parse(&net, hash, p, n, why) < 0)
		errx(1, "%s: %s", path, why);
	memcpy(t->net->data, net.data, moments);
	memcpy(t->net->place, net.place, NETWORK_PLACES * sizeof *net.place);
	network_free(&net);
	memcpy(&t->step, p + n, 4);
	memcpy(t->m, p + n + 4, moments);
	memcpy(t->v, p + n + 4 + moments, moments);
	free(p);
}

#define PROBE 16 /* steps that tell how long all of them will take */

/* A time for people: "50 s", "12 min", "3 h 20 min". */
static const char *
duration(double seconds, char *text, size_t n)
{
	unsigned minutes = seconds / 60 + 0.5;

	if (seconds < 120)
		snprintf(text, n, "%.0f s", seconds);
	else if (minutes < 120)
		snprintf(text, n, "%u min", minutes);
	else
		snprintf(text, n, "%u h %u min", minutes / 60, minutes % 60);
	return text;
}

/* What the steps that are left will take, after `done` of them took so many seconds. */
static const char *
left(const struct trainer *t, uint32_t done, double seconds, char *text, size_t n)
{
	return duration(seconds / done * (t->recipe.steps - t->step), text, n);
}

static void
report(struct trainer *t, uint32_t done, double seconds)
{
	char text[40];
	struct measure m;
	double n = t->watched ? t->watched : 1;

	fprintf(stderr, "%" PRIu32 " steps, %.0f s, %s left: %.4f nats of reconstruction, KL %.1f",
		t->step, seconds, left(t, done, seconds, text, sizeof text), t->loss[0] / n, t->loss[1] / n);
	memset(t->loss, 0, sizeof t->loss);
	t->watched = 0;
	if (trainer_measure(t, &m) == 0) {
		fprintf(stderr, "; %s: whole %.3f %%, drawn %.2f %%, KL %.1f; wrong:",
			t->held->packets ? "held back" : "known",
			100 * m.whole, 100 * m.sampled, m.kl);
		for (int shown = 0; shown < 8; shown++) {
			int worst = 0;
			for (int f = 0; f < ACTION_COUNT; f++)
				if (m.wrong[f] > m.wrong[worst])
					worst = f;
			if (!m.wrong[worst])
				break;
			fprintf(stderr, " %s %" PRIu64, action_fields[worst].name, m.wrong[worst]);
			m.wrong[worst] = 0;
		}
	}
	fputc('\n', stderr);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
train(struct trainer *t, struct options *o)
{
	char text[40];

	if (o->resume >= 0) {
		checkpoint_read(t, o->resume, o->checkpoint);
		if (!o->filter.quiet)
			fprintf(stderr, "tc-train: goes on after %" PRIu32 " steps\n", t->step);
	}
	uint32_t first = t->step;
	double start = now();
	while (t->step < o->recipe.steps && !io_interrupted) {
		bool probe = t->step == first && o->recipe.steps - first > PROBE && !o->filter.quiet;
		uint32_t steps = o->recipe.report - t->step % o->recipe.report;
		if (steps > o->recipe.steps - t->step)
			steps = o->recipe.steps - t->step;
		if (probe && steps > PROBE)
			steps = PROBE;
		if (trainer_run(t, steps) < 0)
			errx(1, "no thread can be had");
		if (probe)
			fprintf(stderr, "tc-train: %" PRIu32 " steps will take some %s\n", o->recipe.steps - first,
				left(t, t->step - first, now() - start, text, sizeof text));
		if (t->step % o->recipe.report && t->step < o->recipe.steps && !io_interrupted)
			continue;
		if (!o->filter.quiet)
			report(t, t->step - first, now() - start);
		if (o->checkpoint)
			checkpoint_write(t, o);
	}
}

static void
read_all(struct options *o, struct dataset *data, struct dataset *held)
{
	struct filter *f = &o->filter;
	struct stream_reader reader;

	traces_open(&reader, f, NULL, NULL);
	if (dataset_read(data, held, o->held, &reader) < 0)
		err(1, NULL);
	progress_end();
	if (io_interrupted)
		exit(130);
	traces_mistaken(&reader);
	if (*reader.error)
		errx(1, "%s: %s", f->input, reader.error);
	if (!data->packets)
		errx(1, "%s: no packets to learn from", f->input);
	if (dataset_index(data) < 0)
		err(1, NULL);
	stream_reader_free(&reader); /* training takes long */
	if (f->quiet)
		return;
	fprintf(stderr,
		"tc-train: %" PRIu64 " packets of %" PRIu32 " traces, %" PRIu64
		" of them different; %" PRIu64 " packets of %" PRIu32 " traces held back\n",
		data->packets, data->traces, data->codes, held->packets, held->traces);
	if (data->left_out + held->left_out)
		warnx("left out %" PRIu64 " packets that no bits can say", data->left_out + held->left_out);
}

/* Opens everything, and makes the network that the first step begins with. */
static void
prepare(struct options *o, struct network *net)
{
	uint8_t hash[WEIGHTS_HASH];
	char why_not[WEIGHTS_ERROR];
	const char *why;

	filter_open_input(&o->filter);
	if (o->init && strcmp(o->init, "default"))
		filter_reads_path(&o->filter, o->init);
	filter_open_output(&o->filter);
	o->resume = o->checkpoint ? open(o->checkpoint, O_RDONLY | O_CLOEXEC) : -1;
	if (o->checkpoint && ((o->resume < 0 && errno != ENOENT) || outfile_open(&o->state, o->checkpoint) < 0))
		err(1, "%s", o->checkpoint);
	if (linear_start(&why) < 0)
		errx(1, "%s", why);
	if (o->init) {
		if (weights_load(net, hash, strcmp(o->init, "default") ? o->init : NULL, why_not) < 0)
			errx(1, "%s: %s", o->init, why_not);
	} else {
		if (network_init(net, &o->shape) < 0)
			err(1, NULL);
		network_randomize(net, o->recipe.seed);
	}
	filter_confine(&o->filter);
}

int
main(int argc, char **argv)
{
	static struct options o = {.filter = {.usage = usage_text, .failure = 1, .how = PROGRESS_QUIET}};
	static struct dataset data, held;
	static struct trainer t;
	struct network net;

	io_start();
	arguments(&o, argc, argv);
	prepare(&o, &net);
	read_all(&o, &data, &held);
	if (trainer_init(&t, &net, &o.recipe, &data, &held) < 0 || (!o.init && trainer_init_weights(&t) < 0) ||
	    linear_room(o.recipe.threads) < 0)
		err(1, NULL);
	train(&t, &o);
	if (!io_interrupted) {
		free(net.about);
		if (!(net.about = about_coordinates(&net, &data)))
			err(1, NULL);
		write_weights(&net, &o.filter);
	}
	int status = filter_close(&o.filter, io_interrupted ? 130 : 0);
	if (o.checkpoint)
		outfile_discard(&o.state);
	trainer_free(&t);
	dataset_free(&data);
	dataset_free(&held);
	network_free(&net);
	return status;
}
