#include "json.h"

#include "record/latent.h"
#include "support/portable.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NANO  UINT64_C(1000000000)
#define EXACT (INT64_C(1) << 53) /* beyond it many readers of JSON round a number */

/* --- header --- */

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
    {"link", offsetof(struct stream_header, link)},
    {"snaplen", offsetof(struct stream_header, snaplen)},
    {"cap", offsetof(struct stream_header, cap)},
    {"idle_tcp", offsetof(struct stream_header, idle[0])},
    {"idle_udp", offsetof(struct stream_header, idle[1])},
    {"idle_other", offsetof(struct stream_header, idle[2])},
};
#define NUMBERS (sizeof numbers / sizeof *numbers)

void
json_print_header(FILE *f, const struct stream_header *h)
{
	uint64_t size = h->start < 0 ? -(uint64_t)h->start : (uint64_t)h->start;

	fprintf(f,
		"{\"magic\":\"" STREAM_MAGIC "\",\"kind\":\"%s\",\"version\":%d,"
		"\"resolution\":\"%s\",\"start\":\"%s%" PRIu64 ".%09" PRIu64 "\"",
		stream_kind_names[h->kind], stream_versions[h->kind], h->nano ? "ns" : "us", h->start < 0 ? "-" : "", size / NANO,
		size % NANO);
	for (size_t i = 0; i < NUMBERS; i++)
		fprintf(f, ",\"%s\":%" PRIu32, numbers[i].name,
			*(const uint32_t *)((const char *)h + numbers[i].at));
	if (h->kind == STREAM_LATENTS) {
		for (int b = 0; b < STREAM_BLOCKS; b++)
			fprintf(f, "%s\"%s\":%" PRIu32, b ? "," : ",\"blocks\":{", stream_block_names[b], h->block[b]);
		fprintf(f, "},\"type\":\"%s\",\"weights\":\"", latent_type_names[h->type]);
		for (size_t i = 0; i < sizeof h->weights; i++)
			fprintf(f, "%02x", h->weights[i]);
		fputc('"', f);
	}
	fputs("}\n", f);
}

/* Seconds with nine decimals, as text: a number of so many digits is more than most readers of JSON
 * keep. */
static bool
parse_start(const char *text, int64_t *start)
{
	uint64_t seconds, rest;
	int n = 0;
	bool minus = text && *text == '-';

	if (!text || sscanf(text + minus, "%11" SCNu64 ".%9" SCNu64 "%n", &seconds, &rest, &n) != 2 ||
	    text[minus + n] || text[minus + n - 10] != '.' || seconds > INT64_MAX / NANO - 1)
		return false;
	*start = seconds * NANO + rest;
	if (minus)
		*start = -*start;
	return true;
}

/* A name of the table: its place, n if it is none of them. */
static unsigned
choice(const json_t *o, const char *key, const char *const *names, unsigned n)
{
	const char *text = json_string_value(json_object_get(o, key));
	unsigned i = 0;

	while (i < n && !(text && !strcmp(text, names[i])))
		i++;
	return i;
}

static const char *
parse_latents(const json_t *o, struct stream_header *h)
{
	const json_t *blocks = json_object_get(o, "blocks");
	json_int_t sum = 0;
	const char *hex = json_string_value(json_object_get(o, "weights"));
	unsigned v;

	if ((h->type = choice(o, "type", latent_type_names, LATENT_TYPES)) == LATENT_TYPES)
		return "type";
	for (int b = 0; b < STREAM_BLOCKS; b++) {
		const json_t *n = json_object_get(blocks, stream_block_names[b]);
		if (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > STREAM_COORDINATES)
			return "blocks";
		sum += h->block[b] = json_integer_value(n);
	}
	if (sum < 1 || sum > STREAM_COORDINATES)
		return "blocks";
	if (!hex || strlen(hex) != 2 * sizeof h->weights ||
	    strspn(hex, "0123456789abcdef") != 2 * sizeof h->weights)
		return "weights";
	for (size_t i = 0; i < sizeof h->weights; i++) {
		sscanf(hex + 2 * i, "%2x", &v);
		h->weights[i] = v;
	}
	return NULL;
}

static const char *
parse_header(const json_t *o, struct stream_header *h)
{
	const char *resolution = json_string_value(json_object_get(o, "resolution"));
	const char *magic = json_string_value(json_object_get(o, "magic"));

	if (!magic || strcmp(magic, STREAM_MAGIC) != 0)
		return "magic";
	if ((h->kind = choice(o, "kind", stream_kind_names, STREAM_KINDS)) == STREAM_KINDS)
		return "kind";
	if (json_integer_value(json_object_get(o, "version")) != stream_versions[h->kind])
		return "version";
	if (!resolution || (strcmp(resolution, "ns") != 0 && strcmp(resolution, "us") != 0))
		return "resolution";
	h->nano = *resolution == 'n';
	if (!parse_start(json_string_value(json_object_get(o, "start")), &h->start))
		return "start";
	for (size_t i = 0; i < NUMBERS; i++) {
		const json_t *v = json_object_get(o, numbers[i].name);
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    json_integer_value(v) > UINT32_MAX)
			return numbers[i].name;
		*(uint32_t *)((char *)h + numbers[i].at) = json_integer_value(v);
	}
	return h->kind == STREAM_LATENTS ? parse_latents(o, h) : NULL;
}

/* --- packet --- */

static void
print_ref(FILE *f, const struct action_ref *r)
{
	if (r->kind == REF_KNOWN) {
		fprintf(f, "%" PRIu32, r->slot);
	} else if (r->kind == REF_FIXED) {
		/* An address as text; what stands there is checked by whoever compiles it. */
		fputc('"', f);
		for (const char *s = r->text; *s; s++)
			if (*s >= ' ' && *s < 127 && *s != '"' && *s != '\\')
				fputc(*s, f);
			else
				fprintf(f, "\\u%04x", (unsigned char)*s);
		fputc('"', f);
	} else {
		fprintf(f, "[%" PRIu32 ",%d", r->slot, r->class);
		if (r->has_suffix)
			fprintf(f, ",%" PRIu32, r->suffix);
		fputs(r->new_suffix ? ",1]" : "]", f);
	}
}

/* Most of what is written is numbers, and fprintf() would take most of the time. */
static void
print_number(FILE *f, int64_t v)
{
	char digits[20];
	size_t at = sizeof digits;
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		digits[--at] = '0' + size % 10;
	while (size /= 10);
	if (v < 0)
		digits[--at] = '-';
	fwrite_unlocked(digits + at, 1, sizeof digits - at, f);
}

/* before: what stands between the brace and the first field. */
static void
print_fields(FILE *f, const char *before, const struct action *a)
{
	for (uint64_t left = a->has; left; left &= left - 1) {
		int i = __builtin_ctzll(left);
		fputs_unlocked(before, f);
		before = ",";
		putc_unlocked('"', f);
		fputs_unlocked(action_fields[i].name, f);
		fputs_unlocked("\":", f);
		if (action_fields[i].kind == ACTION_INT) {
			print_number(f, a->num[i]);
		} else if (action_fields[i].kind == ACTION_REF) {
			print_ref(f, &a->ref[action_place[i]]);
		} else {
			const struct action_list *l = &a->list[action_place[i]];
			putc_unlocked('[', f);
			for (int k = 0; k < l->n; k++) {
				if (k)
					putc_unlocked(',', f);
				print_number(f, l->v[k]);
			}
			putc_unlocked(']', f);
		}
	}
	putc_unlocked('}', f);
}

void
json_print_action(FILE *f, int64_t t, const struct action *a)
{
	bool exact = t >= -EXACT && t <= EXACT;

	fputs_unlocked(exact ? "{\"t\":" : "{\"t\":\"", f);
	print_number(f, t);
	if (!exact)
		putc_unlocked('"', f);
	print_fields(f, ",", a);
	putc_unlocked('\n', f);
}

/* Coordinates in so many digits that they come back as they were; null for those that are no
 * numbers. */
void
json_print_latent(FILE *f, const struct stream_header *h, const struct latent *l)
{
	float z[STREAM_COORDINATES];

	latent_get(h->type, l->octets, stream_coordinates(h), z);
	fputs("{\"latent\":[", f);
	for (uint32_t i = 0; i < stream_coordinates(h); i++) {
		if (i)
			fputc(',', f);
		if (isfinite(z[i]))
			fprintf(f, "%.9g", z[i]);
		else
			fputs("null", f);
	}
	fputc(']', f);
	if (l->patched) {
		fputs(",\"patch\":{", f);
		print_fields(f, "", &l->patch);
	}
	fputs("}\n", f);
}

/* The twin of what print_ref() does to a text: a character for each octet, here in UTF-8. */
static bool
parse_text(const char *from, char *to, size_t size)
{
	for (const uint8_t *s = (const uint8_t *)from; *s; s++) {
		uint8_t c = *s;
		if (c > 0xc3) /* beyond U+00FF */
			return false;
		if (c >= 0x80)
			c = c << 6 | (*++s & 0x3f);
		if (size-- == 1)
			return false;
		*to++ = c;
	}
	*to = '\0';
	return true;
}

static bool
parse_ref(const json_t *v, struct action_ref *r)
{
	uint32_t n[4] = {0};
	size_t size = json_array_size(v);

	*r = (struct action_ref){0};
	if (json_is_string(v)) {
		r->kind = REF_FIXED;
		return parse_text(json_string_value(v), r->text, sizeof r->text);
	}
	if (json_is_integer(v)) {
		r->slot = json_integer_value(v);
		return json_integer_value(v) >= 0 && json_integer_value(v) <= UINT32_MAX;
	}
	if (size < 2 || size > 4)
		return false;
	for (size_t i = 0; i < size; i++) {
		const json_t *e = json_array_get(v, i);
		if (!json_is_integer(e) || json_integer_value(e) < 0 ||
		    json_integer_value(e) > UINT32_MAX)
			return false;
		n[i] = json_integer_value(e);
	}
	r->kind = REF_NEW;
	r->slot = n[0];
	r->class = n[1] > 255 ? 255 : n[1];
	r->suffix = n[2];
	r->has_suffix = size > 2;
	r->new_suffix = size == 4;
	return true;
}

static bool
parse_list(const json_t *v, struct action_list *l)
{
	size_t size = json_array_size(v);

	if (!json_is_array(v) || size > ACTION_LIST_MAX)
		return false;
	l->n = size;
	for (size_t i = 0; i < size; i++) {
		if (!json_is_integer(json_array_get(v, i)))
			return false;
		l->v[i] = json_integer_value(json_array_get(v, i));
	}
	return true;
}

/* Takes the time out of a packet's line, so that its fields alone are left. */
static const char *
parse_time(json_t *o, struct json_record *r)
{
	const json_t *v = json_object_get(o, "t");
	const char *text = json_string_value(v);
	char *end;

	r->timed = v != NULL;
	r->t = json_integer_value(v);
	if (text) {
		errno = 0;
		r->t = strtoll(text, &end, 10);
		if (text[strspn(text, "-0123456789")] || end == text || *end || errno)
			return "t";
	} else if (v && !json_is_integer(v)) {
		return "t";
	}
	json_object_del(o, "t");
	return NULL;
}

static const char *
parse_action(json_t *o, struct action *a)
{
	const char *key;
	json_t *v;

	a->has = 0;
	json_object_foreach (o, key, v) {
		bool good = false;
		int f = 0;
		while (f < ACTION_COUNT && strcmp(action_fields[f].name, key) != 0)
			f++;
		if (f == ACTION_COUNT)
			return key;
		if (action_fields[f].kind == ACTION_INT) {
			a->num[f] = json_integer_value(v);
			good = json_is_integer(v);
		} else if (action_fields[f].kind == ACTION_REF) {
			good = parse_ref(v, action_ref(a, f));
		} else {
			good = parse_list(v, action_list(a, f));
		}
		if (!good)
			return key;
		a->has |= 1ull << f;
	}
	return NULL;
}

static const char *
parse_latent(json_t *o, const struct stream_header *h, struct latent *l)
{
	static uint8_t octets[STREAM_COORDINATES * 4];
	float z[STREAM_COORDINATES];
	const json_t *list = json_object_get(o, "latent");
	json_t *patch = json_object_get(o, "patch"), *v;
	const char *key;

	if (h->kind != STREAM_LATENTS || json_array_size(list) != stream_coordinates(h))
		return "latent";
	for (uint32_t i = 0; i < stream_coordinates(h); i++) {
		const json_t *c = json_array_get(list, i);
		if (!json_is_number(c) && !json_is_null(c))
			return "latent";
		z[i] = json_is_null(c) ? NAN : (float)json_number_value(c);
	}
	latent_put(h->type, z, stream_coordinates(h), octets);
	l->octets = octets;
	l->size = latent_size(h->type, stream_coordinates(h));
	l->patched = patch != NULL;
	json_object_foreach (o, key, v)
		if (v != list && v != patch)
			return key;
	if (patch && !json_is_object(patch))
		return "patch";
	return patch ? parse_action(patch, &l->patch) : NULL;
}

/* --- end --- */

void
json_print_end(FILE *f, const struct stream_reader *r)
{
	fprintf(f, "{\"end\":\"%s\",\"packets\":%" PRIu64 ",\"flows\":%" PRIu64 "}\n",
		stream_end_names[r->end], r->packets, r->flows);
}

static const char *
parse_end(const json_t *o, struct json_record *r)
{
	r->end = choice(o, "end", stream_end_names, 3);
	r->flows = json_integer_value(json_object_get(o, "flows"));
	return r->end < 3 ? NULL : "end";
}

void
json_start(void)
{
	json_object_seed(0);
}

enum json_line
json_parse(const char *line, struct json_record *r)
{
	json_error_t error;
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	enum json_line kind;
	const char *bad;

	if (!json_is_object(o)) {
		snprintf(r->why, sizeof r->why, "%s", o ? "not a JSON object" : error.text);
		json_decref(o);
		return JSON_BAD;
	}
	if (json_object_get(o, "magic")) {
		kind = JSON_HEADER;
		bad = parse_header(o, &r->header);
	} else if (json_object_get(o, "end")) {
		kind = JSON_END;
		bad = parse_end(o, r);
	} else if (json_object_get(o, "latent")) {
		kind = JSON_LATENT;
		bad = parse_latent(o, &r->header, &r->latent);
	} else {
		kind = JSON_ACTION;
		if (!(bad = parse_time(o, r)))
			bad = parse_action(o, &r->action);
	}
	if (bad) {
		snprintf(r->why, sizeof r->why, "\"%s\" is missing, unknown or not of its type", bad);
		kind = JSON_BAD;
	}
	json_decref(o);
	return kind;
}
