/*
 * An input that may be compressed: its octets as they were before. What begins otherwise is read as it comes, no octet more
 * than asked for once its first ones have told what it is.
 */
#ifndef TC_INPUT_H
#define TC_INPUT_H

#include "process/kind.h"

#include <stdint.h>
#include <sys/types.h>

struct input {
	int fd;
	struct unpack *unpack;	 /* NULL: it is not compressed */
	uint8_t head[KIND_HEAD]; /* the first octets, given of which were read */
	size_t n, given;
	bool ended; /* there is no more: a terminal would be asked again */
};

/* On a descriptor of which n octets, KIND_HEAD at most, were read already. 0, or -1 with the reason in why. */
int input_open(struct input *in, int fd, const void *head, size_t n, char *why, size_t size);
/* Whether it is of a kind that another program takes: kind_explain(). */
bool input_mistaken(const struct input *in, const char *not_wanted, unsigned taken, char *why, size_t size);
/* Whether the next read gives what was read already. */
bool input_ready(const struct input *in);
/* As read_some(). */
ssize_t input_read(struct input *in, void *p, size_t n);
/* What went wrong in unpacking; NULL if nothing did. */
const char *input_error(const struct input *in);
/* The descriptor stays open. */
void input_close(struct input *in);

#endif
