#include "check.h"

#include "packet/capture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct content
content_of(struct octets stream)
{
	static struct stream_reader r;
	static struct latent l;
	static struct action a;
	struct content c = {0};
	struct stream_header h;
	int fd = octets_open(stream), got;

	if (stream_reader_init(&r, fd) < 0)
		found("no memory");
	r.kinds = 1 << STREAM_ACTIONS | 1 << STREAM_LATENTS;
	while (stream_read_header(&r, &h) == 1) {
		if (!c.begun)
			c.header = h;
		c.begun = true;
		r.kinds = 1 << h.kind; /* as the programs, which go on with what the first trace was */
		do {
			got = h.kind == STREAM_LATENTS ? stream_read_latent(&r, &l) : stream_read(&r, &a);
			c.packets += got == 1;
		} while (got == 1);
		c.ended = got < 0 ? STREAM_CUT : r.end;
		c.end = r.offset + r.record;
	}
	memcpy(c.error, r.error, sizeof c.error);
	stream_reader_free(&r);
	close(fd);
	return c;
}

struct captured
captured_of(struct octets capture)
{
	struct captured c = {0};
	struct capture_reader r;
	struct capture_packet p;
	int got;

	if (capture_open_fd(&r, octets_open(capture), NULL, 0, NULL, NULL) < 0)
		return c;
	c.opened = true;
	while ((got = capture_read(&r, &p)) == 1) {
		uint64_t v[] = {p.time, p.caplen, p.len};
		for (int i = 0; i < 3; i++)
			c.shape = (c.shape ^ v[i]) * 0x9e3779b97f4a7c15 ^ c.shape >> 29;
		c.packets++;
	}
	c.broken = got < 0;
	capture_close(&r);
	return c;
}

struct content
check_stream(struct octets stream)
{
	struct content c = content_of(stream);

	if (*c.error)
		found("a stream that was written: %s", c.error);
	return c;
}

/* Whether nothing was changed in compiling but, where a pcap file can't hold them, times. */
static bool
all_granted(const struct outcome *o)
{
	for (int i = 0; i < ODDS; i++)
		if (o->odd[i] && i != ODD_TIME)
			found("what was lifted can't be compiled: %s", odd_names[i]);
	return !o->odd[ODD_TIME];
}

void
check_identity(struct octets stream, struct octets *capture)
{
	struct content s = check_stream(stream), again;
	struct outcome b, c;

	*capture = (struct octets){0};
	program_compile(stream, &b);
	if (strstr(b.said, "isn't supported in savefiles"))
		goto out;
	if (b.status != (s.ended != STREAM_WHOLE))
		found("compiled: %s", b.said);
	bool granted = all_granted(&b);
	if (captured_of(b.out).packets != s.packets)
		found("%" PRIu64 " records, but %" PRIu64 " packets", s.packets, captured_of(b.out).packets);
	program_lift(b.out, s.header.cap, &c);
	if (c.status)
		found("lifted again: %s", c.said);
	again = check_stream(c.out);
	if (again.packets != s.packets)
		found("%" PRIu64 " records, but %" PRIu64 " lifted again", s.packets, again.packets);
	if (granted && (again.end != s.end || memcmp(c.out.p, stream.p, s.end)))
		found("lifted again it is another stream");
	outcome_free(&c);
	if (granted) {
		*capture = b.out;
		b.out.p = NULL;
	}
out:
	outcome_free(&b);
}
