#include "record/stream.h"

#include "process/io.h"
#include "record/action_msgpack.h"
#include "record/latent.h"

#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER     (1 << 18)
#define PROMPT     1024 /* packets that are passed on though more are ready */
#define RECORD_MAX (1 << 16) /* octets of one record; the longest that is written has 3 kB */
#define DEPTH_MAX  4

const char *const stream_end_names[3] = {"whole", "cut", "interrupted"};
const char *const stream_kind_names[STREAM_KINDS] = {"actions", "latents"};
const char *const latent_type_names[LATENT_TYPES] = {"f32", "f16"};
const char *const stream_block_names[STREAM_BLOCKS] = {"what", "who", "when"};
const int stream_versions[STREAM_KINDS] = {[STREAM_ACTIONS] = 1, [STREAM_LATENTS] = 2};
static const char *const idle_names[3] = {"idle_tcp", "idle_udp", "idle_other"};

static int
fail(char *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (!*error)
		vsnprintf(error, STREAM_ERROR, format, ap);
	va_end(ap);
	return -1;
}

/* --- writing --- */

/* Where n octets can be written. After an error they go nowhere. */
static uint8_t *
room(struct stream_writer *w, size_t n)
{
	if (w->n + n > BUFFER && stream_flush(w) < 0)
		w->n = w->summed = 0;
	return (uint8_t *)w->buf + w->n;
}

static void
written_to(struct stream_writer *w, const uint8_t *p)
{
	w->n = p - (uint8_t *)w->buf;
}

int
stream_writer_init(struct stream_writer *w, int fd)
{
	*w = (struct stream_writer){.fd = fd, .buf = malloc(BUFFER)};
	return w->buf ? 0 : fail(w->error, "%s", strerror(errno));
}

void
stream_writer_free(struct stream_writer *w)
{
	free(w->buf);
	w->buf = NULL;
}

/* libdeflate has the CRC-32 of zlib in a seventh of its time; with zlib's, tc-dec would take 12 % longer. */
static void
sum_written(struct stream_writer *w)
{
	w->crc = libdeflate_crc32(w->crc, w->buf + w->summed, w->n - w->summed);
	w->summed = w->n;
}

int
stream_flush(struct stream_writer *w)
{
	if (*w->error)
		return -1;
	sum_written(w);
	if (write_all(w->fd, w->buf, w->n) < 0)
		return fail(w->error, "%s", strerror(errno));
	w->n = w->summed = 0;
	return 0;
}

static uint8_t *
put_number(uint8_t *p, const char *key, int64_t v)
{
	return wire_put_number(wire_put_text(p, key), v);
}

static uint8_t *
put_text(uint8_t *p, const char *key, const char *text)
{
	return wire_put_text(wire_put_text(p, key), text);
}

static uint8_t *
put_latents(uint8_t *p, const struct stream_header *h)
{
	char hex[2 * sizeof h->weights + 1];

	for (size_t i = 0; i < sizeof h->weights; i++)
		snprintf(hex + 2 * i, 3, "%02x", h->weights[i]);
	p = wire_put_length(wire_put_text(p, "blocks"), WIRE_MAP, STREAM_BLOCKS);
	for (int b = 0; b < STREAM_BLOCKS; b++)
		p = put_number(p, stream_block_names[b], h->block[b]);
	p = put_text(p, "type", latent_type_names[h->type]);
	return put_text(p, "weights", hex);
}

/* Octets of a header, at most. */
#define X(id, name, kind, unit) + sizeof name + sizeof unit + 2 * WIRE_NUMBER
enum { HEADER_OCTETS = 1024 ACTION_FIELDS(X) };
#undef X

int
stream_write_header(struct stream_writer *w, const struct stream_header *h)
{
	uint8_t *p = room(w, HEADER_OCTETS);

	sum_written(w);
	w->crc = 0;
	w->packets = w->flows = 0;
	p = wire_put_length(p, WIRE_MAP, h->kind == STREAM_LATENTS ? 16 : 13);
	p = put_text(p, "magic", STREAM_MAGIC);
	p = put_text(p, "kind", stream_kind_names[h->kind]);
	p = put_number(p, "version", stream_versions[h->kind]);
	p = put_number(p, "link", h->link);
	p = put_number(p, "snaplen", h->snaplen);
	p = put_text(p, "resolution", h->nano ? "ns" : "us");
	p = put_number(p, "start", h->start);
	p = put_number(p, "cap", h->cap);
	for (int i = 0; i < 3; i++)
		p = put_number(p, idle_names[i], h->idle[i]);
	if (h->kind == STREAM_LATENTS)
		p = put_latents(p, h);
	p = wire_put_length(wire_put_text(p, "fields"), WIRE_ARRAY, ACTION_COUNT);
	for (int f = 0; f < ACTION_COUNT; f++)
		p = wire_put_text(p, action_fields[f].name);
	p = wire_put_length(wire_put_text(p, "units"), WIRE_ARRAY, ACTION_COUNT);
	for (int f = 0; f < ACTION_COUNT; f++)
		p = wire_put_text(p, action_fields[f].unit);
	written_to(w, p);
	return *w->error ? -1 : 0;
}

/*
 * A program that has no time to wait for input would fill its buffer before it passes anything on, and the next one
 * would wait for that: the records of 26,000 actions.
 */
static int
written(struct stream_writer *w, bool opens)
{
	w->packets++;
	w->flows += opens;
	return *w->error || (w->packets % PROMPT == 0 && stream_flush(w) < 0) ? -1 : 0;
}

int
stream_write(struct stream_writer *w, const struct action *a)
{
	written_to(w, action_write(room(w, ACTION_OCTETS), a));
	return written(w, action_opens(a));
}

int
stream_write_latent(struct stream_writer *w, const struct latent *l, bool opens)
{
	uint8_t *p = room(w, 2 * WIRE_NUMBER + l->size + l->rest_size + ACTION_OCTETS);

	p = wire_put_length(p, WIRE_ARRAY, 1 + l->patched);
	p = wire_put_length(p, WIRE_OCTETS, l->size + l->rest_size);
	memcpy(p, l->octets, l->size);
	p += l->size;
	if (l->rest_size)
		memcpy(p, l->rest, l->rest_size);
	p += l->rest_size;
	written_to(w, l->patched ? action_write(p, &l->patch) : p);
	return written(w, opens);
}

int
stream_write_end(struct stream_writer *w, enum stream_end end)
{
	uint8_t *p = room(w, 128);

	p = put_text(wire_put_length(p, WIRE_MAP, 4), "end", stream_end_names[end]);
	p = put_number(p, "packets", w->packets);
	p = put_number(p, "flows", w->flows);
	p = wire_put_text(p, "crc32");
	written_to(w, p);
	sum_written(w); /* all but the sum itself */
	written_to(w, wire_put_number(p, w->crc));
	return *w->error ? -1 : 0;
}

/* --- reading --- */

int
stream_reader_init(struct stream_reader *r, int fd)
{
	*r = (struct stream_reader){
	    .fd = fd, .buf = malloc(BUFFER + WIRE_NUMBER), .zone = msgpack_zone_new(RECORD_MAX),
	    .kinds = 1 << STREAM_ACTIONS};
	return r->buf && r->zone ? 0 : fail(r->error, "%s", strerror(ENOMEM));
}

void
stream_reader_give(struct stream_reader *r, const void *head, size_t n)
{
	memcpy(r->buf, head, n);
	r->n = n;
}

void
stream_reader_free(struct stream_reader *r)
{
	free(r->buf);
	if (r->zone)
		msgpack_zone_free(r->zone);
	r->buf = NULL;
	r->zone = NULL;
}

/* Where in the input the last object began, or one that was looked for: for messages. */
static uint64_t
position(const struct stream_reader *r)
{
	return r->offset + r->record;
}

static uint64_t
be(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/*
 * The length of the msgpack object at p, so that the library never sees one that is cut, deep or
 * long: octets, 0 where n octets don't hold it whole, -1 where it is none of ours.
 */
static long
span(const uint8_t *p, size_t n, int depth)
{
	/* first octets 0xc0 to 0xdf: octets of the length or value behind; s: a length to add */
	static const struct {
		uint8_t width, adds;
	} fixed[32] = {{0, 0}, {0, 9}, {0, 0}, {0, 0}, {1, 1}, {2, 1}, {4, 1}, {1, 2},
		       {2, 2}, {4, 2}, {4, 0}, {8, 0}, {1, 0}, {2, 0}, {4, 0}, {8, 0},
		       {1, 0}, {2, 0}, {4, 0}, {8, 0}, {2, 0}, {3, 0}, {5, 0}, {9, 0},
		       {17, 0}, {1, 1}, {2, 1}, {4, 1}, {2, 3}, {4, 3}, {2, 4}, {4, 4}};
	uint64_t items;
	size_t at = 1;

	if (n == 0)
		return 0;
	if (*p < 0x80 || *p >= 0xe0)
		return 1;
	if (*p < 0xa0) {
		items = (*p & 15) << (*p < 0x90);
	} else if (*p < 0xc0) {
		return 1 + (*p & 31) <= (long)n ? 1 + (*p & 31) : 0;
	} else {
		int width = fixed[*p - 0xc0].width, adds = fixed[*p - 0xc0].adds;
		if (adds == 9)
			return -1;
		at += width;
		if (at > n)
			return 0;
		items = be(p + 1, width > 4 ? 4 : width);
		if (adds < 3) { /* 1: octets, 2: octets and an extension's type */
			uint64_t total = at + (adds ? items + adds - 1 : 0);
			return total > RECORD_MAX ? -1 : total <= n ? (long)total : 0;
		}
		items <<= adds == 4;
	}
	if (depth == 0 || items > RECORD_MAX)
		return -1;
	while (items--) {
		long s = span(p + at, n - at, depth - 1);
		if (s <= 0)
			return s < 0 || at <= RECORD_MAX ? s : -1;
		at += s;
	}
	return at <= RECORD_MAX ? (long)at : -1;
}

/* Brings more input: 1, 0 at its end, -1. */
static int
refill(struct stream_reader *r)
{
	ssize_t got;

	r->crc = libdeflate_crc32(r->crc, r->buf + r->summed, r->at - r->summed);
	memmove(r->buf, r->buf + r->at, r->n - r->at);
	r->offset += r->at;
	r->n -= r->at;
	r->at = r->summed = r->record = 0;
	if (r->before_wait && read_waits(r->fd) && r->before_wait(r->before_wait_arg) < 0)
		return fail(r->error, "output failed");
	got = read_some(r->fd, r->buf + r->n, BUFFER - r->n);
	if (got < 0)
		return fail(r->error, "%s", strerror(errno));
	r->n += got;
	return got > 0;
}

/* The next object: 1, 0 at the end of the input, -1. It lives until the next call. */
static int
next_object(struct stream_reader *r, msgpack_object *o)
{
	long s;
	size_t off = 0;
	int more;

	r->record = r->at;
	if (*r->error)
		return -1;
	while ((s = span((uint8_t *)r->buf + r->at, r->n - r->at, DEPTH_MAX)) == 0) {
		if ((more = refill(r)) < 0)
			return -1;
		if (more)
			continue;
		if (r->n == 0)
			return 0;
		return fail(r->error, "record %" PRIu64 " (octet %" PRIu64 "): cut off",
			    r->packets + 1, position(r));
	}
	msgpack_zone_clear(r->zone);
	if (s < 0 || msgpack_unpack(r->buf + r->at, s, &off, r->zone, o) != MSGPACK_UNPACK_SUCCESS)
		return fail(r->error, "record %" PRIu64 " (octet %" PRIu64 "): not a record",
			    r->packets + 1, position(r));
	r->at += s;
	return 1;
}

static bool
text_is(const msgpack_object *o, const char *s)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(s) &&
	       !memcmp(o->via.str.ptr, s, o->via.str.size);
}

static const msgpack_object *
map_get(const msgpack_object *map, const char *key)
{
	for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++)
		if (text_is(&map->via.map.ptr[i].key, key))
			return &map->via.map.ptr[i].val;
	return NULL;
}

/* A number of the map that must be there and fit: 0 or -1. */
static int
map_number(const msgpack_object *map, const char *key, int64_t low, int64_t high, int64_t *v)
{
	const msgpack_object *o = map_get(map, key);

	if (!o || (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
		   o->type != MSGPACK_OBJECT_NEGATIVE_INTEGER))
		return -1;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 > INT64_MAX)
		return -1;
	*v = o->via.i64;
	return *v < low || *v > high ? -1 : 0;
}

static int
read_order(struct action_order *order, const msgpack_object *fields)
{
	if (!fields || fields->type != MSGPACK_OBJECT_ARRAY || fields->via.array.size > 64)
		return -1;
	*order = (struct action_order){.n = fields->via.array.size};
	for (int i = 0; i < order->n; i++) {
		int f = 0;
		while (f < ACTION_COUNT &&
		       !text_is(&fields->via.array.ptr[i], action_fields[f].name))
			f++;
		order->field[i] = f;
		*(f == ACTION_COUNT ? &order->unknown : &order->known) |= 1ull << i;
	}
	return 0;
}

static int
read_number_u32(const msgpack_object *o, const char *key, uint32_t *v)
{
	int64_t n;

	if (map_number(o, key, 0, UINT32_MAX, &n) < 0)
		return -1;
	*v = n;
	return 0;
}

/* A text of the map as its place among names, n if it is none of them. */
static int
map_choice(const msgpack_object *map, const char *key, const char *const *names, int n)
{
	const msgpack_object *o = map_get(map, key);
	int i = 0;

	while (i < n && (!o || !text_is(o, names[i])))
		i++;
	return i;
}

/* 64 hexadecimal digits. */
static int
read_hash(const msgpack_object *o, uint8_t *hash)
{
	unsigned v;

	if (!o || o->type != MSGPACK_OBJECT_STR || o->via.str.size != 64)
		return -1;
	for (int i = 0; i < 32; i++) {
		char two[3] = {o->via.str.ptr[2 * i], o->via.str.ptr[2 * i + 1]};
		if (strspn(two, "0123456789abcdef") != 2 || sscanf(two, "%x", &v) != 1)
			return -1;
		hash[i] = v;
	}
	return 0;
}

/* The blocks of a latent: as many coordinates as there may be in all, at most. */
static int
read_blocks(const msgpack_object *o, struct stream_header *h)
{
	const msgpack_object *blocks = map_get(o, "blocks");
	uint32_t sum = 0;

	for (int b = 0; b < STREAM_BLOCKS; b++) {
		if (!blocks || blocks->type != MSGPACK_OBJECT_MAP ||
		    read_number_u32(blocks, stream_block_names[b], &h->block[b]) < 0 || h->block[b] > STREAM_COORDINATES)
			return -1;
		sum += h->block[b];
	}
	return sum < 1 || sum > STREAM_COORDINATES ? -1 : 0;
}

static int
read_kind(struct stream_reader *r, const msgpack_object *o, const msgpack_object *kind,
	  struct stream_header *h)
{
	int64_t version = -1;

	h->kind = 0;
	while (h->kind < STREAM_KINDS && !(kind && text_is(kind, stream_kind_names[h->kind])))
		h->kind++;
	if (h->kind == STREAM_KINDS || !(r->kinds >> h->kind & 1))
		return fail(r->error, "not a stream of %s",
			    stream_kind_names[r->kinds >> STREAM_ACTIONS & 1 ? STREAM_ACTIONS
									     : STREAM_LATENTS]);
	if (map_number(o, "version", 0, INT64_MAX, &version) < 0 || version != stream_versions[h->kind])
		return fail(r->error, "version %" PRId64 " of the format of %s; this program reads %d", version,
			    stream_kind_names[h->kind], stream_versions[h->kind]);
	if (h->kind != STREAM_LATENTS)
		return 0;
	h->type = map_choice(o, "type", latent_type_names, LATENT_TYPES);
	if (h->type == LATENT_TYPES || read_blocks(o, h) < 0 || read_hash(map_get(o, "weights"), h->weights) < 0)
		return fail(r->error, "header: blocks, type or weights are missing or wrong");
	return 0;
}

int
stream_read_header(struct stream_reader *r, struct stream_header *h)
{
	msgpack_object o;
	const msgpack_object *magic;
	int got = next_object(r, &o);

	if (got == 0)
		return r->traced ? 0 : fail(r->error, "empty: not a stream of TraceCodec");
	if (got < 0 && r->n == 0) /* nothing could be read at all */
		return -1;
	if (got < 0 || !(magic = map_get(&o, "magic")) || !text_is(magic, STREAM_MAGIC)) {
		if (!r->traced)
			*r->error = '\0';
		return fail(r->error, r->traced ? "octet %" PRIu64 ": not a header where one must be"
						: "not a stream of TraceCodec",
			    position(r));
	}
	const msgpack_object *kind = map_get(&o, "kind"), *resolution = map_get(&o, "resolution");
	if (read_kind(r, &o, kind, h) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (read_number_u32(&o, idle_names[i], &h->idle[i]) < 0)
			return fail(r->error, "header: %s is missing or wrong", idle_names[i]);
	if (read_number_u32(&o, "link", &h->link) < 0 ||
	    read_number_u32(&o, "snaplen", &h->snaplen) < 0 ||
	    read_number_u32(&o, "cap", &h->cap) < 0 || !resolution ||
	    map_number(&o, "start", INT64_MIN, INT64_MAX, &h->start) < 0)
		return fail(r->error, "header: link, snaplen, cap, resolution or start is missing "
				      "or wrong");
	if (h->cap < STREAM_CAP_MIN || h->cap > STREAM_CAP_MAX)
		return fail(r->error, "header: a cap of %" PRIu32 "; %d to %d are possible", h->cap, STREAM_CAP_MIN,
			    STREAM_CAP_MAX);
	h->nano = text_is(resolution, "ns");
	if (!h->nano && !text_is(resolution, "us"))
		return fail(r->error, "header: resolution is neither \"us\" nor \"ns\"");
	if (read_order(&r->order, map_get(&o, "fields")) < 0)
		return fail(r->error, "header: fields are missing or wrong");
	r->traced = true;
	r->packets = r->flows = 0;
	r->header = *h;
	return 1;
}

static int
read_end(struct stream_reader *r, const msgpack_object *o)
{
	const msgpack_object *end = map_get(o, "end");
	int64_t packets, flows, sum;
	uint32_t crc;

	for (r->end = 0; r->end < 3 && !text_is(end, stream_end_names[r->end]);)
		r->end++;
	if (r->end == 3 || map_number(o, "packets", 0, INT64_MAX, &packets) < 0 ||
	    map_number(o, "flows", 0, INT64_MAX, &flows) < 0 ||
	    map_number(o, "crc32", 0, UINT32_MAX, &sum) < 0)
		return fail(r->error, "damaged end record");
	if (r->header.kind == STREAM_LATENTS) /* nobody knows before they are decoded */
		r->flows = flows;
	/* The sum, which is of all octets before it, is the last of them. */
	size_t width = sum < 1 << 7 ? 1 : sum < 1 << 8 ? 2 : sum < 1 << 16 ? 3 : 5;
	crc = libdeflate_crc32(r->crc, r->buf + r->summed, r->at - width - r->summed);
	if (sum != crc || (uint64_t)packets != r->packets || (uint64_t)flows != r->flows)
		return fail(r->error,
			    "damaged: the checksum, or the count of packets or flows, is not that "
			    "of the end record (%" PRId64 " packets there, %" PRIu64 " here)",
			    packets, r->packets);
	r->crc = 0;
	r->summed = r->at;
	return 0;
}

/* The next record of a packet, an array: 1, 0 after the end record, -1. */
static int
next_record(struct stream_reader *r, msgpack_object *o)
{
	for (;;) {
		int got = next_object(r, o);
		if (got < 0)
			return -1;
		if (got == 0)
			return fail(r->error, "cut off after record %" PRIu64 ": no end record",
				    r->packets);
		if (o->type == MSGPACK_OBJECT_ARRAY)
			return 1;
		if (map_get(o, "end"))
			return read_end(r, o);
		if (map_get(o, "magic"))
			return fail(r->error,
				    "cut off after record %" PRIu64 ": another trace begins at octet "
				    "%" PRIu64 " without an end record before it",
				    r->packets, position(r));
		r->unknown++;
	}
}

static int
damaged(struct stream_reader *r, const char *why)
{
	return fail(r->error, "record %" PRIu64 " (octet %" PRIu64 "): damaged (%s)",
		    r->packets + 1, position(r), why);
}

static int
read_action(struct stream_reader *r, const msgpack_object *o, struct action *a)
{
	const char *why;

	if (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size &&
	    o->via.array.ptr[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		r->unknown += (o->via.array.ptr[0].via.u64 & r->order.unknown) != 0;
	if (action_read(a, o, &r->order, &why) < 0)
		return damaged(r, why);
	return 1;
}

/* What stands next, if it may be a record of the ordinary sort. */
static struct wire
next_wire(const struct stream_reader *r)
{
	const uint8_t *end = (uint8_t *)r->buf + r->n;

	return (struct wire){*r->error ? end : (uint8_t *)r->buf + r->at, end};
}

static void
passed(struct stream_reader *r, const uint8_t *at)
{
	r->record = r->at;
	r->at = at - (uint8_t *)r->buf;
}

int
stream_read(struct stream_reader *r, struct action *a)
{
	const uint8_t *at = action_scan(a, next_wire(r), &r->order);
	msgpack_object o;
	int got;

	if (at)
		passed(r, at);
	else if ((got = next_record(r, &o)) != 1)
		return got;
	else if (read_action(r, &o, a) < 0)
		return -1;
	r->packets++;
	r->all++;
	r->flows += action_opens(a);
	return 1;
}

/* A latent as nearly all are; NULL where it is anything else. */
static const uint8_t *
scan_latent(struct latent *l, struct wire w, const struct action_order *order, size_t want)
{
	uint32_t items, size;

	if (!wire_get_array(&w, &items) || items < 1 || items > 2 || !wire_get_octets(&w, &l->octets, &size) || size != want)
		return NULL;
	l->size = size;
	l->rest_size = 0;
	l->patched = items == 2;
	return l->patched ? action_scan(&l->patch, w, order) : w.at;
}

/* Any latent. */
static int
read_latent(struct stream_reader *r, struct latent *l, size_t want)
{
	msgpack_object o;
	int got = next_record(r, &o);

	if (got != 1)
		return got;
	const msgpack_object *e = o.via.array.ptr;
	if (o.via.array.size < 1 || o.via.array.size > 2 || e->type != MSGPACK_OBJECT_BIN)
		return damaged(r, "not an array of a latent and, maybe, a patch");
	l->octets = (const uint8_t *)e->via.bin.ptr;
	l->size = e->via.bin.size;
	l->rest_size = 0;
	if (l->size != want)
		return fail(r->error, "record %" PRIu64 " (octet %" PRIu64 "): a latent of %zu octets, "
				      "where the header says %zu",
			    r->packets + 1, position(r), l->size, want);
	l->patched = o.via.array.size == 2;
	return l->patched ? read_action(r, &e[1], &l->patch) : 1;
}

int
stream_read_latent(struct stream_reader *r, struct latent *l)
{
	size_t want = latent_size(r->header.type, stream_coordinates(&r->header));
	const uint8_t *at = scan_latent(l, next_wire(r), &r->order, want);
	int got;

	if (at)
		passed(r, at);
	else if ((got = read_latent(r, l, want)) != 1)
		return got;
	r->packets++;
	r->all++;
	return 1;
}
