/*
 * arrivals actions|latents|capture: reads it from standard input as it comes, and writes for each packet two
 * numbers of 64 bits, ns since 1970: when it was read, and the time that it has itself (0 of latents, which say theirs to
 * the network alone). What is written stands there before more input is waited for.
 */
#include "packet/capture.h"
#include "record/stream.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
pass_on(void *unused)
{
	(void)unused;
	return fflush(stdout);
}

static void
arrived(int64_t own)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t pair[2] = {now.tv_sec * INT64_C(1000000000) + now.tv_nsec, own};
	fwrite(pair, sizeof pair, 1, stdout);
}

static void
packets(void)
{
	struct capture_reader r;
	struct capture_packet p;
	int got;

	if (capture_open(&r, "-", pass_on, NULL) < 0)
		errx(1, "%s", r.error);
	while ((got = capture_read(&r, &p)) == 1)
		arrived(p.time);
	if (got < 0)
		errx(1, "%s", r.error);
	capture_close(&r);
}

static void
records(enum stream_kind kind)
{
	static struct stream_reader r;
	static struct stream_header h;
	static struct action a;
	static struct latent l;
	int got;

	if (stream_reader_init(&r, STDIN_FILENO) < 0)
		errx(1, "%s", r.error);
	r.kinds = 1 << kind;
	r.before_wait = pass_on;
	while ((got = stream_read_header(&r, &h)) == 1) {
		int64_t own = h.start;
		if (kind == STREAM_LATENTS)
			while ((got = stream_read_latent(&r, &l)) == 1)
				arrived(0);
		else
			while ((got = stream_read(&r, &a)) == 1)
				arrived(own += action_number(&a, ACTION_DT));
		if (got < 0)
			break;
	}
	if (got < 0)
		errx(1, "%s", r.error);
	stream_reader_free(&r);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "capture"))
		packets();
	else if (argc == 2 && !strcmp(argv[1], "actions"))
		records(STREAM_ACTIONS);
	else if (argc == 2 && !strcmp(argv[1], "latents"))
		records(STREAM_LATENTS);
	else
		errx(2, "actions, latents or capture is wanted");
	return fclose(stdout) ? 1 : 0;
}
