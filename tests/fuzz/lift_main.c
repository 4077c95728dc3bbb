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
	l = (struct lift){.filter = WITHIN(1), .options = {.header = {.cap = cap, .idle = FLOW_IDLE_DEFAULT}},
			  .paths = path, .n = 1};
	if ((status = setjmp(program_gone)) == 0) {
		prepare(&l);
		status = 1 + run(&l);
	}
	capture_close(&l.reader[0]);
	free(l.reader);
	jobs_free(l.jobs);
	trace_free(&l.trace);
	stream_writer_free(&l.writer);
	program_left(status - 1, status > 1);
}
