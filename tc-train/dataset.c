#include "dataset.h"

#include "code/names.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE 17 /* bits: distinct actions of a trace that are found again */

/* Room for one more: 0 or -1. */
static int
room(void **p, uint64_t n, uint64_t *have, size_t size)
{
	if (n < *have)
		return 0;
	uint64_t want = *have ? *have * 2 : 1024;
	void *more = realloc(*p, want * size);
	if (!more)
		return -1;
	*p = more;
	*have = want;
	return 0;
}

static uint64_t
hash(const struct code *c)
{
	const uint64_t *word = (const uint64_t *)c;
	uint64_t h = 0;

	for (size_t i = 0; i < sizeof *c / sizeof *word; i++)
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15 ^ h >> 29;
	return h >> (64 - TABLE);
}

static int
add(struct dataset *d, const struct code *c, uint32_t *table)
{
	uint32_t *at = &table[hash(c)];

	if (room((void **)&d->which, d->packets, &d->which_room, sizeof *d->which) < 0)
		return -1;
	if (!*at || memcmp(&d->code[*at - 1], c, sizeof *c)) {
		if (room((void **)&d->code, d->codes, &d->code_room, sizeof *d->code) < 0)
			return -1;
		d->code[d->codes++] = *c;
		*at = d->codes;
	}
	d->which[d->packets++] = *at - 1;
	return 0;
}

/* A reservoir (Vitter 1985, algorithm R). */
static void
keep(struct dataset *d, const struct names *names, int64_t step)
{
	uint64_t at = d->seen < DATASET_SAMPLE ? d->seen : random_next(&d->random) % (d->seen + 1);

	d->seen++;
	if (at >= DATASET_SAMPLE)
		return;
	d->sample[at] = (struct dataset_sample){*names, step};
	d->sampled += d->sampled < DATASET_SAMPLE;
}

static int
read_trace(struct dataset *d, struct stream_reader *r, uint32_t *table)
{
	struct action a;
	struct code code;
	struct names names;
	int got = 0, bad = 0;

	memset(table, 0, sizeof *table << TABLE);
	bad |= room((void **)&d->trace, d->traces, &d->trace_room, sizeof *d->trace);
	struct dataset_trace t = {.first = d->packets};
	while (!bad && (got = stream_read(r, &a)) == 1) {
		int64_t step = action_number(&a, ACTION_DT);
		a.has &= ~(1ull << ACTION_DT);
		names_take(&a, &names);
		keep(d, &names, step);
		if (code_put(&code, &a))
			bad = add(d, &code, table);
		else
			d->left_out++;
	}
	if (bad)
		return -1;
	t.n = d->packets - t.first;
	if (t.n)
		d->trace[d->traces++] = t;
	return got < 0;
}

int
dataset_read(struct dataset *d, struct dataset *back, uint32_t held, struct stream_reader *r)
{
	uint32_t *table = calloc(1u << TABLE, sizeof *table);
	struct stream_header h;
	uint32_t n = 0;
	int bad = table ? 0 : -1;

	while (bad >= 0 && stream_read_header(r, &h) == 1) {
		bad = read_trace(held && ++n % held == 0 ? back : d, r, table);
		if (bad > 0)
			break;
	}
	free(table);
	return bad < 0 ? -1 : 0;
}

int
dataset_index(struct dataset *d)
{
	double sum = 0;

	if (!(d->weight = calloc(d->traces + 1, sizeof *d->weight)))
		return -1;
	for (uint32_t i = 0; i < d->traces; i++)
		d->weight[i] = sum += sqrt(d->trace[i].n);
	for (int f = 0; f < CODE_FIELDS; f++) {
		for (uint64_t i = 0; i < d->codes; i++)
			d->n_by_field[f] += d->code[i].has >> f & 1;
		if (!(d->by_field[f] = calloc(d->n_by_field[f] + 1, sizeof(uint32_t))))
			return -1;
		uint32_t n = 0;
		for (uint64_t i = 0; i < d->codes; i++)
			if (d->code[i].has >> f & 1)
				d->by_field[f][n++] = i;
	}
	return 0;
}

void
dataset_free(struct dataset *d)
{
	free(d->code);
	free(d->which);
	free(d->trace);
	free(d->weight);
	for (int f = 0; f < CODE_FIELDS; f++)
		free(d->by_field[f]);
}

const struct code *
dataset_draw(const struct dataset *d, float even, uint64_t *random)
{
	double at = random_uniform(random) * d->weight[d->traces - 1];
	uint32_t low = 0, high = d->traces - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (d->weight[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	const struct dataset_trace *t = &d->trace[low];
	uint64_t packet = t->first + random_next(random) % t->n;
	int f = random_next(random) % CODE_FIELDS;
	if (random_uniform(random) < even && d->n_by_field[f])
		return &d->code[d->by_field[f][random_next(random) % d->n_by_field[f]]];
	return &d->code[d->which[packet]];
}
