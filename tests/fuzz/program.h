/*
 * The programs as functions, so that a fuzzer runs thousands of them a second: their own main.c, with
 * standard input and output in memory. What would end a program ends its function; what it would say
 * on standard error is counted.
 */
#ifndef TC_PROGRAM_H
#define TC_PROGRAM_H

#include "state/trace.h"
#include "record/stream.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct octets {
	const uint8_t *p;
	size_t n;
};

/* What a program left: its exit status, its standard output, which is the caller's to free. */
struct outcome {
	int status;
	unsigned lines;	   /* on standard error */
	char said[512];	   /* the last of them */
	struct octets out;
	uint64_t odd[ODDS]; /* tc-compile: what could not be granted */
};

void program_lift(struct octets in, uint32_t cap, struct outcome *o);
void program_compile(struct octets in, struct outcome *o);
/* Latents are taken for those of the weights that are built in, whatever they say. */
void program_dec(struct octets in, bool cached, struct outcome *o);
/* steps: of a refinement, at most. */
void program_enc(struct octets in, enum latent_type type, unsigned steps, bool cached, struct outcome *o);
/* form: of the report, as in tc-diff's enum, and 4 for a pairing too. */
void program_diff(struct octets a, struct octets b, unsigned form, struct outcome *o);

void outcome_free(struct outcome *o);

/* A descriptor that octets can be read from. */
int octets_open(struct octets in);
/* What stands in a file now, to be freed. */
struct octets octets_of(int fd);

/* --- for the functions above --- */

extern jmp_buf program_gone;
/* Before and after: the standard streams change, and descriptors that were left open are closed. */
void program_enter(struct octets in, struct outcome *o);
void program_left(int status, bool trouble);
void program_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void program_leave(int status) __attribute__((noreturn));

/* A bug. After found_keep() what found_in says is kept in build/found then, and at any crash or alarm. */
extern struct octets found_in;
void found_keep(void);
void __attribute__((noreturn, format(printf, 1, 2))) found(const char *format, ...);

#endif
