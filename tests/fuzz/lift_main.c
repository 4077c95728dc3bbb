#include "within.h"
#define main tc_lift_main
#include "tc-lift/main.c"

void
program_lift(struct octets in, uint32_t cap, struct outcome *o)
{
	static struct lift l;
	char *path[] = {"-"};
	int status;

	program_enter(in, o);
	l = (struct lift){.options = {.output = "-", .how = PROGRESS_QUIET,
				      .header = {.cap = cap, .idle = {300, 60, 60}}}};
	if ((status = setjmp(program_gone)) == 0) {
		prepare(&l, 1, path);
		enum stream_end end = run(&l);
		if (!l.begun)
			begin(&l, 0);
		if (stream_write_end(&l.writer, end) < 0 || stream_flush(&l.writer) < 0)
			errx(1, "%s", l.writer.error);
		status = 1 + (end != STREAM_WHOLE);
	}
	capture_close(&l.reader[0]);
	free(l.reader);
	trace_free(&l.trace);
	stream_writer_free(&l.writer);
	program_left(status - 1, status > 1);
}
