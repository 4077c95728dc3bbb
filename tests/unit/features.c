/* features CAPTURE ...: the sample of flows that tc-diff takes of a trace, a line each, under a line of names. */
#include "tc-diff/measure.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void
print_names(void)
{
	fputs("trace\tnumber", stdout);
	for (int i = 1; i <= HEAD_PACKETS; i++)
		for (int f = 0; f < PACKET_FEATURES; f++)
			printf("\t%s_%d", packet_feature_names[f], i);
	for (int f = 0; f < FLOW_FEATURES; f++)
		printf("\t%s", flow_feature_names[f]);
	putchar('\n');
}

static void
print_sample(const char *path)
{
	struct measure *m = calloc(1, sizeof *m);
	struct source s;
	struct packet p;
	struct step step;
	int got;

	if (!m || measure_init(m, false) < 0 || source_open(&s, path) < 0 || source_begin(&s, false) < 0)
		errx(1, "%s: can't be read", path);
	while ((got = source_next(&s, &p, &step)) == 1)
		measure_packet(m, &s, &p, &step);
	if (got < 0)
		errx(1, "%s: %s", path, s.error);
	measure_end(m);
	const uint32_t *rows[RESERVOIR_FLOWS];
	size_t n = reservoir_rows(&m->reservoir, -1, rows);
	for (size_t i = 0; i < n; i++) {
		const struct sample *sample = (const void *)((const char *)rows[i] - offsetof(struct sample, feature));
		printf("%s\t%" PRIu64, path, sample->number);
		for (int f = 0; f < FEATURES; f++)
			printf("\t%" PRIu32, rows[i][f]);
		putchar('\n');
	}
	measure_free(m);
	source_close(&s);
	free(m);
}

int
main(int argc, char **argv)
{
	print_names();
	for (int i = 1; i < argc; i++)
		print_sample(argv[i]);
	return ferror(stdout) | fclose(stdout) ? 1 : 0;
}
