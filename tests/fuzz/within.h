/* Stands before a program's main.c, and filter.c, which then are parts of a function: see program.h. */
#include "program.h"
#include "process/filter.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

/* From standard input to standard output, and trouble alone is said. */
#define WITHIN(status) {.failure = (status), .quiet = true, .how = PROGRESS_QUIET, .jobs = 1, .input = "-", .output = "-"}

#undef err
#define warn(...)	  program_say(__VA_ARGS__)
#define warnx(...)	  program_say(__VA_ARGS__)
#define err(status, ...)  (program_say(__VA_ARGS__), program_leave(status))
#define errx(status, ...) (program_say(__VA_ARGS__), program_leave(status))
#define exit(status)	  program_leave(status)
