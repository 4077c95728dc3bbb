/*
 * scramble SEED [ACTIONS]: a stream that no lift would write, to show that the compiler is total.
 * Without a stream: random actions of all sorts. With one on file: its actions with fields dropped,
 * added, changed.
 */
#include "record/stream.h"
#include "vary.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static struct stream_reader r;
	static struct stream_writer w;
	static struct action a;
	static const uint32_t links[] = {1, 1, 1, 113, 276, 0, 12, 147};
	struct stream_header h = {.snaplen = 128, .cap = 64, .idle = FLOW_IDLE_DEFAULT};

	if (argc < 2)
		errx(2, "usage: scramble SEED [ACTIONS]");
	vary_seed(strtoull(argv[1], NULL, 10));
	h.link = links[vary_below(8)];
	if (stream_writer_init(&w, STDOUT_FILENO) < 0)
		err(2, NULL);
	if (argc == 2) {
		stream_write_header(&w, &h);
		for (int i = 0; i < 2000; i++) {
			a.has = 0;
			vary_action(&a, 1 + vary_below(12));
			stream_write(&w, &a);
		}
	} else {
		int fd = open(argv[2], O_RDONLY);
		if (fd < 0 || stream_reader_init(&r, fd) < 0 || stream_read_header(&r, &h) != 1)
			errx(2, "%s: %s", argv[2], r.error);
		stream_write_header(&w, &h);
		while (stream_read(&r, &a) == 1) {
			if (!vary_below(3))
				vary_action(&a, 30);
			stream_write(&w, &a);
		}
	}
	if (stream_write_end(&w, STREAM_WHOLE) < 0 || stream_flush(&w) < 0)
		errx(2, "%s", w.error);
	return 0;
}
