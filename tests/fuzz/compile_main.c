#include "within.h"
#define main tc_compile_main
#include "tc-compile/main.c"

void
program_compile(struct octets in, struct outcome *o)
{
	static struct compile c;
	int status;

	program_enter(in, o);
	c = (struct compile){.filter = WITHIN(1)};
	if ((status = setjmp(program_gone)) == 0) {
		prepare(&c);
		status = 1 + run(&c);
	}
	memcpy(o->odd, c.odd, sizeof o->odd);
	jobs_free(c.jobs);
	trace_free(&c.trace);
	stream_reader_free(&c.reader);
	free(c.frame);
	program_left(status - 1, status > 1);
}
