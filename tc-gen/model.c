#include "model.h"

#include "parts.h"
#include "process/kind.h"
#include "support/incbin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The built-in model; the Makefile says which file. */
INCBIN(model_default, MODEL_FILE);

#define FILE_LIMIT  (1 << 28)
#define HEADER_SIZE 256 /* at most */

uint32_t
model_services(const struct model *m)
{
	return m->vocabulary.n[FIELD_PROTO] * m->vocabulary.n[FIELD_RESP_P];
}

/* By a flow's first packet. */
static uint32_t
service_of(const struct model *m, const uint16_t *token)
{
	uint16_t proto = token[FIELD_PROTO], port = token[FIELD_RESP_P];

	return (proto == UNKNOWN ? 0 : proto) * m->vocabulary.n[FIELD_RESP_P] + (port == UNKNOWN ? 0 : port);
}

struct bound *
model_bound(const struct model *m, const uint16_t *opening)
{
	return m->bound + service_of(m, opening);
}

/* Below WAITS. */
static uint32_t
kind_of_service(const struct model *m, const uint16_t *opening)
{
	return (service_of(m, opening) * 0x9e3779b9u >> 16) % WAITS;
}

size_t
model_n_waits(const struct model *m)
{
	return (size_t)WAITS * STATES * m->vocabulary.n[FIELD_NEXT];
}

uint8_t *
model_waits(const struct model *m, const uint16_t *opening, int state)
{
	return m->wait + (kind_of_service(m, opening) * STATES + state) * (size_t)m->vocabulary.n[FIELD_NEXT];
}

uint8_t *
model_after_reset(const struct model *m, const uint16_t *opening)
{
	return m->after_reset + kind_of_service(m, opening);
}

uint8_t *
model_has(const struct model *m, const uint16_t *opening)
{
	return m->has + kind_of_service(m, opening) * FIELDS;
}

int64_t
model_time(const struct model *m, int64_t time)
{
	const int64_t latest = INT64_C(1) << 60;

	if (time > latest)
		time = latest;
	return m->header.nano ? time : (time + 500) / 1000 * 1000;
}

void
model_round(struct model *m)
{
	for (int h = 0; h < HEADS; h++)
		round_weights(&m->net[h]);
}

/* --- its file --- */

int
model_fail(char *why, const char *what)
{
	snprintf(why, MODEL_ERROR, "%s", what);
	return -1;
}

static void
put_header(uint8_t **p, const struct model *m)
{
	const struct stream_header *h = &m->header;

	put_u32(p, h->link);
	put_u32(p, h->snaplen);
	put_u32(p, h->nano);
	put_u64(p, h->start);
	put_u32(p, h->cap);
	for (int i = 0; i < FLOW_KINDS; i++)
		put_u32(p, h->idle[i]);
	put_u64(p, m->packets);
	put_u64(p, m->flows);
	put_u64(p, m->seconds);
}

/* What the sizes of all that follows hang on. */
static const uint32_t shape[] = {FIELDS, FEATURES, HISTORY, OPENINGS, EMBED, HIDDEN, STATES, WAITS};
#define SHAPE (sizeof shape / sizeof *shape)

static void
put_shape(uint8_t **p)
{
	for (size_t i = 0; i < SHAPE; i++)
		put_u32(p, shape[i]);
}

static int
take_shape(struct octets *o, char *why)
{
	for (size_t i = 0; i < SHAPE; i++)
		if (take_u32(o) != shape[i])
			return model_fail(why, "model: of another network; learn it anew");
	return 0;
}

static int
take_header(struct octets *o, struct model *m, char *why)
{
	struct stream_header *h = &m->header;

	h->link = take_u32(o);
	h->snaplen = take_u32(o);
	h->nano = take_u32(o);
	h->start = take_u64(o);
	h->cap = take_u32(o);
	for (int i = 0; i < FLOW_KINDS; i++)
		h->idle[i] = take_u32(o);
	m->packets = take_u64(o);
	m->flows = take_u64(o);
	m->seconds = take_u64(o);
	if (h->snaplen < 1 || h->nano > 1 || h->cap < STREAM_CAP_MIN || h->cap > STREAM_CAP_MAX || h->start < 0)
		return model_fail(why, "model: a header that no stream has");
	return 0;
}

static int
take_networks(struct octets *o, struct model *m, char *why)
{
	for (int h = 0; h < HEADS; h++) {
		if (network_init(&m->net[h], &m->vocabulary, h) < 0)
			return model_fail(why, strerror(ENOMEM));
		if (take_weights(o, &m->net[h], why) < 0)
			return -1;
	}
	return 0;
}

uint8_t *
model_build(struct model *m, size_t *n)
{
	uint8_t *out, *p;

	*n = HEADER_SIZE + vocabulary_size(&m->vocabulary) + present_size(m) + weights_size(&m->net[0]) + weights_size(&m->net[1]) + MODEL_HASH;
	if (!(p = out = calloc(1, *n)))
		return NULL;
	memcpy(p, MODEL_MAGIC, 8);
	p += 8;
	put_u32(&p, MODEL_VERSION);
	put_shape(&p);
	put_header(&p, m);
	put_vocabulary(&p, &m->vocabulary);
	put_present(&p, m);
	for (int h = 0; h < HEADS; h++)
		put_weights(&p, &m->net[h]);
	octets_hash(out, p - out, p);
	memcpy(m->hash, p, MODEL_HASH);
	*n = p + MODEL_HASH - out;
	return out;
}

int
model_parse(struct model *m, const uint8_t *p, size_t n, char *why)
{
	struct octets o = {p + 8, p + n, false};
	uint8_t hash[MODEL_HASH];

	*m = (struct model){0};
	if (n < 8 || memcmp(p, MODEL_MAGIC, 8)) {
		model_fail(why, "not a model of tc-gen");
		kind_explain(why, MODEL_ERROR, "not a model of tc-gen", 0, p, n);
		return -1;
	}
	uint32_t version = take_u32(&o);
	if (version != MODEL_VERSION) {
		snprintf(why, MODEL_ERROR, "model: version %u; this program reads %d", version, MODEL_VERSION);
		return -1;
	}
	if (n < 12 + MODEL_HASH)
		return model_fail(why, "model: cut off");
	o.end -= MODEL_HASH;
	octets_hash(p, n - MODEL_HASH, hash);
	memcpy(m->hash, o.end, MODEL_HASH);
	if (memcmp(hash, m->hash, MODEL_HASH))
		return model_fail(why, "model: damaged or cut off, its checksum is another");
	if (take_shape(&o, why) < 0 || take_header(&o, m, why) < 0 || take_vocabulary(&o, &m->vocabulary, why) < 0 || take_present(&o, m, why) < 0 ||
	    take_networks(&o, m, why) < 0)
		return -1;
	return o.at == o.end ? 0 : model_fail(why, "model: more octets than it should have");
}

int
model_load(struct model *m, const char *path, char *why)
{
	size_t n;

	if (!path)
		return model_parse(m, model_default, model_default_end - model_default, why);
	uint8_t *p = octets_read(path, FILE_LIMIT, &n);

	if (!p)
		return model_fail(why, errno == EFBIG ? "model: too large" : errno == EINVAL ? "not a regular file" : strerror(errno));
	int r = model_parse(m, p, n, why);
	free(p);
	return r;
}

void
model_free(struct model *m)
{
	for (int h = 0; h < HEADS; h++)
		network_free(&m->net[h]);
	vocabulary_free(&m->vocabulary);
	free(m->bound);
	free(m->wait);
	free(m->has);
	free(m->has_proto);
	free(m->after_reset);
	free(m->share);
	free(m->alive);
	*m = (struct model){0};
}
