#include "within.h"
#define main tc_diff_main
#include "tc-diff/main.c"

#include <unistd.h>

void
program_diff(struct octets a, struct octets b, unsigned form, struct outcome *o)
{
	static struct diff d;
	static char path[32];
	int status;

	program_enter(b, o);
	int fd = octets_open(a);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	d = (struct diff){.filter = WITHIN(2), .options = {.form = form % 4, .paired = form & 4, .path = {path, "-"}}};
	if ((status = setjmp(program_gone)) == 0) {
		prepare(&d);
		run(&d);
		status = 1 + conclude(&d);
	}
	if (d.out)
		fclose(d.out);
	for (int i = 0; i < 2; i++) {
		source_close(&d.source[i]);
		measure_free(&d.measure[i]);
	}
	program_left(status - 1, status == 3);
}
