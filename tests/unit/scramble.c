/*
 * scramble SEED [ACTIONS]: a stream that no lift would write, to show that the compiler is total.
 * Without a stream: random actions of all sorts. With one on file: its actions with fields dropped,
 * added, changed.
 */
#include "record/stream.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t state;

static uint64_t
rnd(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* Mostly small, now and then as large as it gets. */
static int64_t
number(void)
{
	int64_t v = rnd(INT64_MAX) >> rnd(63);

	return rnd(3) ? v : -v;
}

static void
random_value(struct action *a, int f)
{
	static const char *const texts[] = {"224.0.0.1", "::1", "ff02::fb", "1.2.3.4", "hello",
					    "", "ff:ff:ff:ff:ff:ff", "0.0.0.0"};
	static const int protocols[] = {6, 17, 1, 58, 132, 0, 43, 44, 59, 50, 0x806, 0x10000, 0x10800,
					0x20000};

	a->has |= 1ull << f;
	if (action_fields[f].kind == ACTION_INT) {
		a->num[f] = f == ACTION_PROTO && rnd(8) ? protocols[rnd(14)]
			    : f == ACTION_OPEN		? (int64_t)rnd(5)
			    : f == ACTION_FLOW && rnd(8) ? (int64_t)rnd(20)
			    : f == ACTION_DT		? (int64_t)rnd(1000000)
			    : f == ACTION_LEN && rnd(8) ? (int64_t)rnd(1500)
							 : number();
	} else if (action_fields[f].kind == ACTION_LIST) {
		struct action_list *l = action_list(a, f);
		l->n = rnd(rnd(4) ? 6 : ACTION_LIST_MAX + 1);
		for (int i = 0; i < l->n; i++)
			l->v[i] = rnd(2) ? (int64_t)rnd(9) : number();
	} else {
		struct action_ref *r = action_ref(a, f);
		memset(r, 0, sizeof *r);
		r->kind = rnd(3);
		if (r->kind == REF_FIXED)
			strcpy(r->text, texts[rnd(8)]);
		r->slot = rnd(8) ? rnd(20) : rnd(UINT32_MAX);
		r->class = rnd(8) ? rnd(14) : rnd(256);
		r->has_suffix = rnd(2);
		r->new_suffix = r->has_suffix && rnd(2);
		r->suffix = r->has_suffix ? rnd(20) : 0;
	}
}

static void
scramble(struct action *a, unsigned often)
{
	for (int f = 0; f < ACTION_COUNT; f++) {
		if (rnd(often))
			continue;
		if (rnd(3))
			random_value(a, f);
		else
			a->has &= ~(1ull << f);
	}
}

int
main(int argc, char **argv)
{
	static struct stream_reader r;
	static struct stream_writer w;
	static struct action a;
	static const uint32_t links[] = {1, 1, 1, 113, 276, 0, 12, 147};
	struct stream_header h = {.snaplen = 128, .cap = 64, .idle = {300, 60, 60}};

	if (argc < 2)
		errx(2, "usage: scramble SEED [ACTIONS]");
	state = strtoull(argv[1], NULL, 10);
	h.link = links[rnd(8)];
	if (stream_writer_init(&w, STDOUT_FILENO) < 0)
		err(2, NULL);
	if (argc == 2) {
		stream_write_header(&w, &h);
		for (int i = 0; i < 2000; i++) {
			a.has = 0;
			scramble(&a, 1 + rnd(12));
			stream_write(&w, &a);
		}
	} else {
		int fd = open(argv[2], O_RDONLY);
		if (fd < 0 || stream_reader_init(&r, fd) < 0 || stream_read_header(&r, &h) != 1)
			errx(2, "%s: %s", argv[2], r.error);
		stream_write_header(&w, &h);
		while (stream_read(&r, &a) == 1) {
			if (!rnd(3))
				scramble(&a, 30);
			stream_write(&w, &a);
		}
	}
	if (stream_write_end(&w, STREAM_WHOLE) < 0 || stream_flush(&w) < 0)
		errx(2, "%s", w.error);
	return 0;
}
