#include "about.h"

#include "code/names.h"
#include "code/when.h"
#include "record/stream.h"
#include "support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS   64
#define SAMPLE 2048 /* packets */
#define NAMED  4    /* fields of a coordinate, at most */

/* What moves of a coordinate change. */
struct change {
	uint32_t of[CODE_FIELDS]; /* packets with a field changed */
	uint32_t any, moves;
};

static double
deviation(const float *z, int n, int columns)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < n; i++) {
		sum += z[(size_t)i * columns];
		squares += (double)z[(size_t)i * columns] * z[(size_t)i * columns];
	}
	double mean = sum / n, variance = squares / n - mean * mean;
	return variance > 0 ? sqrt(variance) : 0;
}

static void
decode(const struct network *net, struct activations *p, const float *z, int n, struct code *out)
{
	int w = net->shape.latent;

	for (int i = 0; i < n; i += ROWS)
		decode_free(net, p, z + (size_t)i * w, w, n - i < ROWS ? n - i : ROWS, out + i);
}

static void
line(FILE *f, int index, enum stream_block block, const char *group, const char *fields, double share)
{
	fprintf(f, "%d\t%s\t%s\t%s\t%.4f\n", index, stream_block_names[block], group, fields, share);
}

/* The group that changes most, and the fields. */
static void
what_line(FILE *f, int index, const struct change *c)
{
	uint32_t by_group[CODE_GROUPS] = {0};
	struct change left = *c;
	char fields[NAMED * 16] = "";
	int group = 0;

	for (int field = 0; field < CODE_FIELDS; field++)
		by_group[code_group_of(field)] += c->of[field];
	for (int g = 0; g < CODE_GROUPS; g++)
		if (by_group[g] > by_group[group])
			group = g;
	for (int k = 0; k < NAMED; k++) {
		int best = 0;
		for (int field = 0; field < CODE_FIELDS; field++)
			if (left.of[field] > left.of[best])
				best = field;
		if (!left.of[best])
			break;
		snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "%s%s", k ? "," : "", action_fields[best].name);
		left.of[best] = 0;
	}
	line(f, index, STREAM_WHAT, c->any ? code_group_names[group] : "-", c->any ? fields : "-", (double)c->any / c->moves);
}

static int
what_lines(FILE *f, const struct network *net, const struct dataset *d)
{
	int w = net->shape.latent, n = 0;
	struct code *code = calloc(3 * SAMPLE, sizeof *code), *base = code + SAMPLE, *moved = base + SAMPLE;
	float *z = calloc(2 * (size_t)SAMPLE * w, sizeof *z), *at = z + (size_t)SAMPLE * w;
	struct activations p;
	uint64_t random = 1;
	int bad = activations_init(&p, net, ROWS) | (code && z ? 0 : -1);

	for (; !bad && n < SAMPLE; n += ROWS) {
		for (int i = 0; i < ROWS; i++)
			code[n + i] = *dataset_draw(d, 0, &random);
		network_take(&p, code + n, ROWS);
		network_encode(net, &p, false);
		memcpy(z + (size_t)n * w, p.mean, (size_t)ROWS * w * sizeof *z);
	}
	if (!bad)
		decode(net, &p, z, n, base);
	for (int k = 0; !bad && k < w; k++) {
		struct change c = {.moves = 2 * n};
		float by = deviation(z + k, n, w);
		for (int sign = -1; sign <= 1; sign += 2) {
			memcpy(at, z, (size_t)n * w * sizeof *z);
			for (int i = 0; i < n; i++)
				at[(size_t)i * w + k] += sign * by;
			decode(net, &p, at, n, moved);
			for (int i = 0; i < n; i++) {
				uint64_t wrong = code_wrong(&base[i], &moved[i]);
				c.any += wrong != 0;
				for (; wrong; wrong &= wrong - 1)
					c.of[__builtin_ctzll(wrong)]++;
			}
		}
		what_line(f, k, &c);
	}
	activations_free(&p);
	free(code);
	free(z);
	return bad;
}

/* The blocks that are assigned: what their coordinates are about is known, how often they matter is not. */
static void
assigned_lines(FILE *f, const struct dataset *d, int first)
{
	enum { N = NAMES_COORDINATES + WHEN_COORDINATES };
	static float z[DATASET_SAMPLE][N], at[N];
	struct names names;

	for (uint32_t i = 0; i < d->sampled; i++) {
		names_put(&d->sample[i].names, z[i]);
		when_put(d->sample[i].step, z[i] + NAMES_COORDINATES);
	}
	for (int k = 0; k < N; k++) {
		float by = deviation(&z[0][k], d->sampled, N);
		uint32_t changed = 0;
		for (uint32_t i = 0; i < 2 * d->sampled; i++) {
			memcpy(at, z[i / 2], sizeof at);
			at[k] += i & 1 ? by : -by;
			names_get(&names, at);
			const struct dataset_sample *s = &d->sample[i / 2];
			if (k < NAMES_COORDINATES)
				changed += k / 2 < s->names.n && names.slot[k / 2] != s->names.slot[k / 2];
			else
				changed += when_get(at + NAMES_COORDINATES, 1) != when_rounded(s->step, 1);
		}
		bool who = k < NAMES_COORDINATES;
		line(f, first + k, who ? STREAM_WHO : STREAM_WHEN, who ? "names" : "time", k < 2 ? "flow" : who ? "name" : "dt",
		     d->sampled ? changed / 2.0 / d->sampled : 0);
	}
}

char *
about_coordinates(const struct network *net, const struct dataset *d)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	fputs("index\tblock\tgroup\tfields\tshare\n", f);
	int bad = what_lines(f, net, d);
	assigned_lines(f, d, net->shape.latent);
	if (fclose(f) || bad) {
		free(text);
		return NULL;
	}
	return text;
}
