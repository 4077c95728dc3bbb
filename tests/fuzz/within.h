/* Stands before a program's main.c, which then is a part of a function: see program.h. */
#include "program.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#undef err
#define warn(...)	  program_say(__VA_ARGS__)
#define warnx(...)	  program_say(__VA_ARGS__)
#define err(status, ...)  (program_say(__VA_ARGS__), program_leave(status))
#define errx(status, ...) (program_say(__VA_ARGS__), program_leave(status))
#define exit(status)	  program_leave(status)
