/*
 * mutations N SEED CAPTURE ...: N times a capture, a stream made of one, or weights, with octets flipped, cut,
 * repeated, inserted, go to who reads them: a stream of actions to tc-compile, one of latents to tc-dec, weights to
 * their loader, a capture to tc-lift. A damaged stream is always noticed: exit status 1 and one line, and what came
 * before the damage is passed on. Of a damaged capture, all that is whole is lifted, and where that is not all of it,
 * that is said. What breaks this, or takes longer than a minute, ends the program, and its input is in build/found.
 */
#include "../unit/vary.h"
#include "check.h"
#include "codec/codec.h"
#include "neural/weights.h"
#include "record/latent.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1 << 20) /* octets */

enum kind { ACTIONS, LATENTS, WEIGHTS, CAPTURE, KINDS };
static const char *const kind_names[KINDS] = {"actions", "latents", "weights", "captures"};

struct file {
	enum kind kind;
	struct octets octets;
};

static uint8_t mutated[2 * FILE_MAX];

static struct file *file;
static int files;

static void
add(enum kind kind, struct octets o)
{
	if (o.n >= FILE_MAX)
		errx(2, "a file of %zu octets is too long", o.n);
	file[files++] = (struct file){kind, o};
}

static struct octets
read_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(2, "%s", path);
	struct octets o = octets_of(fd);
	close(fd);
	return o;
}

/* As many latents as there are actions, of coordinates drawn at random; some have the action beside them. */
static struct octets
latents_for(struct octets stream, const struct network *net, enum latent_type type)
{
	static struct stream_reader r;
	static struct stream_writer w;
	static struct latent l;
	static uint8_t coordinates[(LATENT_MAX + CODEC_ASSIGNED) * 4];
	struct stream_header h;
	float z[LATENT_MAX + CODEC_ASSIGNED];
	int from = octets_open(stream), to = octets_open((struct octets){(const uint8_t *)"", 0});

	if (stream_reader_init(&r, from) < 0 || stream_writer_init(&w, to) < 0 || stream_read_header(&r, &h) != 1)
		found("no stream: %s", r.error);
	h.kind = STREAM_LATENTS;
	h.type = type;
	codec_blocks(net, h.block);
	uint32_t n = stream_coordinates(&h);
	stream_write_header(&w, &h);
	while (w.packets < 40 && stream_read(&r, &l.patch) == 1) {
		for (uint32_t i = 0; i < n; i++)
			z[i] = ((int64_t)vary_below(1000) - 500) / 125.0f;
		latent_put(type, z, n, coordinates);
		l.octets = coordinates;
		l.size = latent_size(type, n);
		l.patched = !vary_below(8);
		stream_write_latent(&w, &l, false);
	}
	stream_write_end(&w, STREAM_WHOLE);
	stream_flush(&w);
	struct octets out = octets_of(to);
	stream_reader_free(&r);
	stream_writer_free(&w);
	close(from);
	close(to);
	return out;
}

/* A capture, what it lifts to, and latents for it. */
static void
add_capture(const char *path, const struct network *net)
{
	struct octets capture = read_file(path);
	struct outcome o;

	add(CAPTURE, capture);
	program_lift(capture, 64, &o);
	if (o.status == 0) {
		add(LATENTS, latents_for(o.out, net, files / 3 % LATENT_TYPES));
		add(ACTIONS, o.out);
	} else {
		outcome_free(&o);
	}
}

/* Weights of a few units. */
static void
add_weights(void)
{
	struct network net;
	struct octets o;

	for (int type = WEIGHTS_F32; type <= WEIGHTS_F16; type++) {
		struct shape shape = {.latent = 3, .encoder = 2, .trunk = 2, .detail = 1};
		if (network_init(&net, &shape) < 0)
			err(2, NULL);
		network_randomize(&net, 1);
		if (!(o.p = weights_build(&net, type, &o.n)))
			err(2, NULL);
		add(WEIGHTS, o);
		network_free(&net);
	}
}

/* Another n octets, after what is at `at`, from p, which may lie among them. */
static size_t
insert(size_t n, size_t at, const uint8_t *p, size_t more)
{
	static uint8_t kept[64];

	memcpy(kept, p, more);
	memmove(mutated + at + more, mutated + at, n - at);
	memcpy(mutated + at, kept, more);
	return n + more;
}

static size_t
mutate_once(size_t n)
{
	uint8_t random[64];
	size_t at = vary_below(n), some = 1 + vary_below(vary_below(2) ? 4 : 64);

	if (some > n - at)
		some = n - at;
	switch (vary_below(6)) {
	case 0: /* flipped */
		mutated[at] ^= 1 << vary_below(8);
		return n;
	case 1: /* another */
		mutated[at] += 1 + vary_below(255);
		return n;
	case 2: /* cut off */
		return vary_below(4) ? at : n - some;
	case 3: /* cut out */
		memmove(mutated + at, mutated + at + some, n - at - some);
		return n - some;
	case 4: /* repeated, there or elsewhere */
		return insert(n, vary_below(2) ? at : vary_below(n), mutated + at, some);
	default: /* inserted */
		for (size_t i = 0; i < some; i++)
			random[i] = vary_below(256);
		return insert(n, at, random, some);
	}
}

static struct octets
mutate(const struct file *f)
{
	size_t n;

	do {
		memcpy(mutated, f->octets.p, n = f->octets.n);
		for (int times = 1 + vary_below(3); times && n; times--)
			n = mutate_once(n);
	} while (n == f->octets.n && !memcmp(mutated, f->octets.p, n));
	return (struct octets){mutated, n};
}

/* --- who reads it --- */

static void
noticed(const struct outcome *o)
{
	if (o->status != 1 || o->lines != 1)
		found("exit status %d, %u lines: %s", o->status, o->lines, o->said);
}

static void
actions(struct octets in)
{
	struct content c = content_of(in);
	struct captured b;
	struct outcome o;

	program_compile(in, &o);
	noticed(&o);
	if (o.out.n) {
		b = captured_of(o.out);
		if (b.broken || b.packets != c.packets)
			found("%" PRIu64 " records, %" PRIu64 " packets", c.packets, b.packets);
	}
	outcome_free(&o);
}

static void
latents(struct octets in, bool cached)
{
	struct outcome o;

	program_dec(in, cached, &o);
	noticed(&o);
	/* What is behind the end damages no trace. */
	if (o.out.n && check_stream(o.out).ended == STREAM_WHOLE && content_of(in).ended != STREAM_WHOLE)
		found("damaged latents, but actions that end whole");
	outcome_free(&o);
}

static void
weights(struct octets in)
{
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	char why[WEIGHTS_ERROR] = "";

	if (weights_parse(&net, hash, in.p, in.n, why) == 0 || !*why)
		found("damaged weights are taken");
}

/* The packets of a pcap file by its own lengths, without libpcap: how many are whole; *broken: octets are left. */
static uint64_t
count(struct octets in, bool *broken)
{
	uint64_t packets = 0;
	size_t at = 24;

	while (in.n - at >= 16) {
		uint32_t length = in.p[at + 8] | in.p[at + 9] << 8 | in.p[at + 10] << 16 | (uint32_t)in.p[at + 11] << 24;
		if (length > 262144 || length > in.n - at - 16)
			break;
		at += 16 + length;
		packets++;
	}
	*broken = at < in.n;
	return packets;
}

static void
capture(struct octets in, struct octets whole)
{
	static const uint8_t magic[2][4] = {{0xd4, 0xc3, 0xb2, 0xa1}, {0x4d, 0x3c, 0xb2, 0xa1}};
	struct captured a = captured_of(in);
	struct outcome o;

	program_lift(in, 64, &o);
	/* Another file header, which has no checksum, may mean another kind of file. */
	if (in.n >= 24 && !memcmp(in.p, whole.p, 24) && (!memcmp(in.p, magic[0], 4) || !memcmp(in.p, magic[1], 4)))
		a.packets = count(in, &a.broken);
	if (o.status != (!a.opened || a.broken) || o.lines != (unsigned)o.status)
		found("exit status %d, %u lines: %s", o.status, o.lines, o.said);
	if (a.opened && check_stream(o.out).packets != a.packets)
		found("%" PRIu64 " packets, lifted: %s", a.packets, o.said);
	outcome_free(&o);
}

int
main(int argc, char **argv)
{
	uint64_t many[KINDS] = {0};
	struct network net;
	uint8_t hash[WEIGHTS_HASH];
	char why[WEIGHTS_ERROR];

	if (argc < 4)
		errx(2, "usage: mutations N SEED CAPTURE ...");
	if (weights_load(&net, hash, NULL, why) < 0 || !(file = calloc(3 * argc, sizeof *file)))
		errx(2, "%s", why);
	mallopt(M_MMAP_THRESHOLD, 1 << 17); /* zeros from the system, page by page, not set one by one */
	found_keep();
	vary_seed(strtoull(argv[2], NULL, 10));
	add_weights();
	for (int i = 3; i < argc; i++)
		add_capture(argv[i], &net);
	network_free(&net);
	for (uint64_t i = 0; i < strtoull(argv[1], NULL, 10); i++) {
		const struct file *f = &file[vary_below(8) ? vary_below(files) : vary_below(2)];
		found_in = mutate(f);
		many[f->kind]++;
		alarm(60);
		if (f->kind == ACTIONS)
			actions(found_in);
		else if (f->kind == LATENTS)
			latents(found_in, !vary_below(8));
		else if (f->kind == WEIGHTS)
			weights(found_in);
		else
			capture(found_in, f->octets);
	}
	for (int k = 0; k < KINDS; k++)
		fprintf(stderr, "%s%" PRIu64 " of %s", k ? ", " : "", many[k], kind_names[k]);
	fprintf(stderr, ": none unnoticed (seed %s)\n", argv[2]);
	return 0;
}
