#include "neural/weights.h"

#include "process/kind.h"
#include "record/latent.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_ 24
#define FILE_LIMIT (1 << 28) /* octets of a weights file */
#define SIZE_LIMIT 4096	     /* units of a layer */

/* The default weights; the Makefile says which file. */
extern const uint8_t weights_default[], weights_default_end[];
#define QUOTED(x)  #x
#define IN_FILE(x) QUOTED(x)
__asm__(".section .rodata\n.balign 16\n"
	".global weights_default\nweights_default:\n.incbin \"" IN_FILE(WEIGHTS_FILE) "\"\n"
	".global weights_default_end\nweights_default_end:\n.byte 0\n.previous\n");

static void
sha256(const uint8_t *p, size_t n, uint8_t *hash)
{
	SHA2_CTX c;

	SHA256Init(&c);
	SHA256Update(&c, p, n);
	SHA256Final(hash, &c);
}

/* --- octets --- */

static uint32_t
get_u32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
put_u32(uint8_t **p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*(*p)++ = v >> 8 * i;
}

/* Numbers are as those of latents. */
static enum latent_type
form_of(enum weights_type type)
{
	return type == WEIGHTS_F16 ? LATENT_F16 : LATENT_F32;
}

static const size_t header_size = 8 + 4 + 4 + 4 * SHAPE_SIZES + 4;

static void
sizes_of(const struct shape *s, uint32_t *v)
{
	memcpy(v, s, sizeof *s);
}

uint8_t *
weights_build(const struct network *net, enum weights_type type, size_t *n)
{
	uint32_t sizes[SHAPE_SIZES];
	uint8_t *out, *at;

	*n = header_size + TENSORS * (NAME_MAX_ + 8) + latent_size(form_of(type), net->n) + 2 * NETWORK_PLACES + WEIGHTS_HASH;
	if (!(at = out = calloc(1, *n)))
		return NULL;
	memcpy(at, WEIGHTS_MAGIC, 8);
	at += 8;
	put_u32(&at, WEIGHTS_VERSION);
	put_u32(&at, type);
	sizes_of(&net->shape, sizes);
	for (unsigned i = 0; i < SHAPE_SIZES; i++)
		put_u32(&at, sizes[i]);
	put_u32(&at, TENSORS);
	for (int i = 0; i < TENSORS; i++) {
		const struct tensor *t = &net->tensor[i];
		memcpy(at, t->name, NAME_MAX_);
		at += NAME_MAX_;
		put_u32(&at, t->rows);
		put_u32(&at, t->columns);
		latent_put(form_of(type), t->at, t->rows * t->columns, at);
		at += latent_size(form_of(type), t->rows * t->columns);
	}
	for (int b = 0; b < NETWORK_PLACES; b++) {
		*at++ = net->place[b];
		*at++ = net->place[b] >> 8;
	}
	sha256(out, at - out, at);
	return out;
}

static int
fail(char *why, const char *what)
{
	snprintf(why, WEIGHTS_ERROR, "%s", what);
	return -1;
}

/* One tensor: the number of octets it took, or 0 with why. */
static size_t
parse_tensor(struct tensor *t, enum weights_type type, const uint8_t *p, size_t n, char *why)
{
	int numbers = t->rows * t->columns;
	size_t size = latent_size(form_of(type), numbers);

	if (n < NAME_MAX_ + 8 + size)
		return fail(why, "weights: cut off"), 0;
	if (memcmp(p, t->name, NAME_MAX_) || get_u32(p + NAME_MAX_) != (uint32_t)t->rows ||
	    get_u32(p + NAME_MAX_ + 4) != (uint32_t)t->columns) {
		snprintf(why, WEIGHTS_ERROR,
			 "weights: of another network: %.24s of %u x %u, where %s of %d x %d is wanted",
			 (const char *)p, get_u32(p + NAME_MAX_), get_u32(p + NAME_MAX_ + 4),
			 t->name, t->rows, t->columns);
		return 0;
	}
	p += NAME_MAX_ + 8;
	if (!latent_finite(form_of(type), p, size))
		return fail(why, "weights: not all are finite"), 0;
	latent_get(form_of(type), p, numbers, t->at);
	return NAME_MAX_ + 8 + size;
}

/* The places of the bits: the number of octets they took, or 0 with why. */
static size_t
parse_places(struct network *net, const uint8_t *p, size_t n, char *why)
{
	if (n < 2 * NETWORK_PLACES)
		return fail(why, "weights: cut off"), 0;
	for (int b = 0; b < NETWORK_PLACES; b++) {
		net->place[b] = p[2 * b] | p[2 * b + 1] << 8;
		if (net->place[b] >= net->shape.latent)
			return fail(why, "weights: a bit's place is beyond the latent"), 0;
	}
	return 2 * NETWORK_PLACES;
}

/* All but whether the hash is that of the octets. */
static int
parse(struct network *net, uint8_t *hash, const uint8_t *p, size_t n, char *why)
{
	struct shape shape;
	uint32_t *size = (uint32_t *)&shape, type;
	const uint8_t *at = p + header_size;

	*net = (struct network){0};
	if (n < 8 || memcmp(p, WEIGHTS_MAGIC, 8)) {
		fail(why, "not a weights file of TraceCodec");
		kind_explain(why, WEIGHTS_ERROR, "not a weights file of TraceCodec", 1 << KIND_WEIGHTS, p, n);
		return -1;
	}
	if (n < header_size + WEIGHTS_HASH)
		return fail(why, "weights: cut off");
	if (get_u32(p + 8) != WEIGHTS_VERSION) {
		snprintf(why, WEIGHTS_ERROR, "weights: version %u; this program reads %d",
			 get_u32(p + 8), WEIGHTS_VERSION);
		return -1;
	}
	type = get_u32(p + 12);
	for (unsigned i = 0; i < SHAPE_SIZES; i++) {
		size[i] = get_u32(p + 16 + 4 * i);
		if (size[i] < 1 || size[i] > SIZE_LIMIT)
			return fail(why, "weights: a layer without units, or with too many");
	}
	if (type > WEIGHTS_F16 || shape.latent + shape.time > LATENT_MAX ||
	    get_u32(p + 16 + 4 * SHAPE_SIZES) != TENSORS)
		return fail(why, "weights: of another network");
	if (network_init(net, &shape) < 0)
		return fail(why, strerror(ENOMEM));
	for (int i = 0; i <= TENSORS; i++) {
		size_t left = p + n - WEIGHTS_HASH - at;
		size_t took = i < TENSORS ? parse_tensor(&net->tensor[i], type, at, left, why)
					  : parse_places(net, at, left, why);
		if (!took)
			goto bad;
		at += took;
	}
	if (at == p + n - WEIGHTS_HASH) {
		memcpy(hash, at, WEIGHTS_HASH);
		return 0;
	}
	fail(why, "weights: octets behind the places");
bad:
	network_free(net);
	return -1;
}

int
weights_parse(struct network *net, uint8_t *hash, const uint8_t *p, size_t n, char *why)
{
	uint8_t due[WEIGHTS_HASH];

	if (parse(net, hash, p, n, why) < 0)
		return -1;
	sha256(p, n - WEIGHTS_HASH, due);
	if (!memcmp(hash, due, sizeof due))
		return 0;
	network_free(net);
	return fail(why, "weights: damaged: the checksum is wrong");
}

int
weights_load(struct network *net, uint8_t *hash, const char *path, char *why)
{
	struct stat st;
	uint8_t *p;
	size_t n = 0;
	ssize_t got = 1;
	int r, fd;

	if (!path) /* as good as the program that they are a part of */
		return parse(net, hash, weights_default, weights_default_end - weights_default, why);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return fail(why, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_LIMIT) {
		close(fd);
		return fail(why, "not a weights file of TraceCodec");
	}
	if (!(p = malloc(st.st_size + 1))) {
		close(fd);
		return fail(why, strerror(ENOMEM));
	}
	while (n < (size_t)st.st_size && (got = read(fd, p + n, st.st_size - n)) > 0)
		n += got;
	r = got < 0 ? fail(why, strerror(errno)) : weights_parse(net, hash, p, n, why);
	free(p);
	close(fd);
	return r;
}
