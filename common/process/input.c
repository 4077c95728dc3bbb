#include "process/input.h"

#include "process/io.h"
#include "process/unpack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static ssize_t
more(void *in, void *p, size_t n)
{
	return read_some(((struct input *)in)->fd, p, n);
}

/* Whether the first octets tell enough; of what is live no more is waited for. */
static bool
is_clear(const struct input *in)
{
	switch (kind_of(in->head, in->n)) {
	case KIND_UNKNOWN:
	case KIND_JSON:
	case KIND_TEXT:
		return in->n == KIND_HEAD;
	default:
		return true;
	}
}

static int
look(struct input *in)
{
	ssize_t got = 1;

	while (!is_clear(in) && got > 0) {
		size_t room = KIND_HEAD - in->n;
		got = in->unpack ? unpack_read(in->unpack, in->head + in->n, room) : more(in, in->head + in->n, room);
		if (got > 0)
			in->n += got;
		in->ended = got == 0;
	}
	return got < 0 ? -1 : 0;
}

static int
fail(struct input *in, char *why, size_t size)
{
	const char *reason = input_error(in);

	snprintf(why, size, "%s", reason ? reason : strerror(errno));
	input_close(in);
	return -1;
}

int
input_open(struct input *in, int fd, const void *head, size_t n, char *why, size_t size)
{
	*in = (struct input){.fd = fd, .n = n};
	if (n)
		memcpy(in->head, head, n);
	if (look(in) < 0)
		return fail(in, why, size);
	if (!unpack_takes(in->head, in->n))
		return 0;
	if (!(in->unpack = unpack_new(in->head, in->n, more, in)))
		return fail(in, why, size);
	in->n = 0;
	in->ended = false;
	return look(in) < 0 ? fail(in, why, size) : 0;
}

bool
input_mistaken(const struct input *in, const char *not_wanted, unsigned taken, char *why, size_t size)
{
	char text[100];

	snprintf(text, sizeof text, "%s%s", in->unpack ? "compressed, and what was is " : "", not_wanted);
	return kind_explain(why, size, text, taken, in->head, in->n);
}

bool
input_ready(const struct input *in)
{
	return in->given < in->n;
}

ssize_t
input_read(struct input *in, void *p, size_t n)
{
	if (input_ready(in)) {
		if (n > in->n - in->given)
			n = in->n - in->given;
		memcpy(p, in->head + in->given, n);
		in->given += n;
		return n;
	}
	if (in->ended)
		return 0;
	return in->unpack ? unpack_read(in->unpack, p, n) : more(in, p, n);
}

const char *
input_error(const struct input *in)
{
	return unpack_error(in->unpack);
}

void
input_close(struct input *in)
{
	unpack_free(in->unpack);
	in->unpack = NULL;
}
