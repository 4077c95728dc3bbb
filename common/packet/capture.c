#include "packet/capture.h"

#include "process/input.h"
#include "process/io.h"

#include <endian.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_BUFFER  (1 << 16)
#define OUT_BUFFER (1 << 18)
#define PEEK   4096 /* octets looked at for the resolution of the timestamps */
#define NANO   INT64_C(1000000000)

/* What libpcap reads from: octets that were looked at before it, then the descriptor. */
struct capture_source {
	int fd;
	struct input input;
	size_t peeked, given;
	int (*before_wait)(void *);
	void *arg;
	uint8_t peek[PEEK];
	/* pcapng: octets of the block at hand that have passed, its length, its first ones. */
	bool blocks, big;
	uint32_t at, length;
	uint8_t head[12];
};

static uint32_t
number(const uint8_t *p, int n, bool big)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[big ? i : n - 1 - i];
	return v;
}

/*
 * libpcap refuses a pcapng file whose interfaces differ in snap length. Nothing hangs on those
 * here, so each interface description that passes gets the same one, the largest.
 */
static void
level_snap_lengths(struct capture_source *s, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && s->blocks; i++) {
		if (s->at < 12)
			s->head[s->at] = p[i];
		else if (s->at < 16 && number(s->head, 4, s->big) == 1)
			p[i] = s->at == (s->big ? 13 : 14) ? 4 : 0; /* 0x40000 */
		if (++s->at == 12) {
			if (number(s->head, 4, true) == 0x0a0d0d0a)
				s->big = number(s->head + 8, 4, true) == 0x1a2b3c4d;
			s->length = number(s->head + 4, 4, s->big);
			s->blocks = s->length >= 12;
		}
		if (s->at >= 16 && n - i - 1 > 0) {
			size_t skip = n - i - 1 < s->length - s->at ? n - i - 1 : s->length - s->at;
			s->at += skip;
			i += skip;
		}
		if (s->at >= 12 && s->at >= s->length)
			s->at = 0;
	}
}

static ssize_t
source_read(void *cookie, char *p, size_t n)
{
	struct capture_source *s = cookie;
	ssize_t got;

	if (s->given < s->peeked) {
		if (n > s->peeked - s->given)
			n = s->peeked - s->given;
		memcpy(p, s->peek + s->given, n);
		s->given += n;
		return n;
	}
	if (s->before_wait && read_waits(s->fd) && s->before_wait(s->arg) < 0) {
		errno = EIO;
		return -1;
	}
	got = input_read(&s->input, p, n);
	if (got > 0) {
		level_snap_lengths(s, (uint8_t *)p, got);
	}
	return got;
}

static int
source_close(void *cookie)
{
	struct capture_source *s = cookie;

	input_close(&s->input);
	if (s->fd != STDIN_FILENO)
		close(s->fd);
	free(s);
	return 0;
}

/* Whether all interface descriptions of a pcapng file that come before its packets were seen. */
static bool
saw_interfaces(const struct capture_source *s)
{
	const uint8_t *at = s->peek, *end = at + s->peeked;
	bool big;

	if (s->peeked < 12 || number(at, 4, true) != 0x0a0d0d0a)
		return true;
	big = number(at + 8, 4, true) == 0x1a2b3c4d;
	while (end - at >= 8) {
		uint32_t type = number(at, 4, big), length = number(at + 4, 4, big);
		if ((type != 0x0a0d0d0a && type != 1) || length < 12)
			return true;
		if (length > (size_t)(end - at))
			return false;
		at += length;
	}
	return false;
}

/* The first octets: what tells the resolution of the timestamps. */
static int
source_peek(struct capture_source *s)
{
	while (s->peeked < PEEK && (s->peeked < 24 || !saw_interfaces(s))) {
		ssize_t got = input_read(&s->input, s->peek + s->peeked, PEEK - s->peeked);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		s->peeked += got;
	}
	return 0;
}

/* Whether an interface description block of pcapng says that times are finer than 10^-6 s. */
static bool
interface_is_fine(const uint8_t *at, const uint8_t *end, bool big)
{
	while (end - at >= 4) {
		uint32_t code = number(at, 2, big), length = number(at + 2, 2, big);
		if (code == 0)
			return false;
		if (code == 9 && length == 1 && end - at >= 5) /* if_tsresol */
			return at[4] & 0x80 ? (at[4] & 0x7f) > 19 : at[4] > 6;
		at += 4 + (length + 3) / 4 * 4;
	}
	return false;
}

static bool
peek_is_fine(const struct capture_source *s)
{
	const uint8_t *at = s->peek, *end = at + s->peeked;
	bool big;

	if (s->peeked < 16)
		return false;
	if (number(at, 4, true) == 0xa1b23c4d || number(at, 4, false) == 0xa1b23c4d)
		return true;
	if (number(at, 4, true) != 0x0a0d0d0a)
		return false;
	big = number(at + 8, 4, true) == 0x1a2b3c4d;
	while (end - at >= 16) {
		uint32_t type = number(at, 4, big), length = number(at + 4, 4, big);
		if (length < 12 || length > (size_t)(end - at))
			return false;
		if (type == 1 && interface_is_fine(at + 16, at + length - 4, big))
			return true;
		at += length;
	}
	return false;
}

static int
fail(struct capture_reader *r, const char *why)
{
	const char *unpacking = r->source ? input_error(&r->source->input) : NULL;

	snprintf(r->error, sizeof r->error, "%s", unpacking ? unpacking : why);
	/* libpcap can't read this; the message names what can. */
	if (strstr(why, "different from the type of the first interface"))
		snprintf(r->error, sizeof r->error,
			 "its interfaces have different link types; split it with \"tshark -r FILE "
			 "-Y frame.interface_id==N -w - | editcap -F nsecpcap -T TYPE - PART\", TYPE "
			 "ether, rawip, ... as editcap -T lists them");
	return -1;
}

/* As libpcap has it (pcap-common.c). */
uint32_t
capture_max(int dlt)
{
	switch (dlt) {
	case DLT_DBUS:
	case DLT_USBPCAP:
		return 128 << 20;
	case DLT_EBHSCR:
		return 8 << 20;
	}
	return 256 << 10;
}

int
capture_open(struct capture_reader *r, const char *path, int (*before_wait)(void *), void *arg)
{
	int fd = io_open(path);

	*r = (struct capture_reader){0};
	return fd < 0 ? fail(r, strerror(errno)) : capture_open_fd(r, fd, NULL, 0, before_wait, arg);
}

int
capture_open_fd(struct capture_reader *r, int fd, const void *head, size_t n,
		int (*before_wait)(void *), void *arg)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct capture_source *s = malloc(sizeof *s);

	*r = (struct capture_reader){.source = s, .fd = fd};
	if (!s)
		return fail(r, strerror(errno));
	*s = (struct capture_source){.fd = fd, .before_wait = before_wait, .arg = arg};
	if (input_open(&s->input, fd, head, n, r->error, sizeof r->error) < 0 ||
	    input_mistaken(&s->input, "not a capture", 1 << KIND_PCAP | 1 << KIND_PCAPNG, r->error, sizeof r->error)) {
		source_close(s);
		return -1;
	}
	if (source_peek(s) < 0) {
		fail(r, strerror(errno));
		source_close(s);
		return -1;
	}
	if (s->peeked == 0) {
		fail(r, "empty: not a capture");
		source_close(s);
		return -1;
	}
	r->nano = peek_is_fine(s);
	s->blocks = s->peeked >= 12 && number(s->peek, 4, true) == 0x0a0d0d0a;
	level_snap_lengths(s, s->peek, s->peeked);
	cookie_io_functions_t functions = {.read = source_read, .close = source_close};
	FILE *f = fopencookie(s, "r", functions);
	if (!f) {
		fail(r, strerror(errno));
		source_close(s);
		return -1;
	}
	/* Without a buffer of ours the size would be ignored. */
	if ((r->buffer = malloc(IN_BUFFER)))
		setvbuf(f, r->buffer, _IOFBF, IN_BUFFER);
	r->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!r->pcap) {
		fail(r, why);
		fclose(f);
		free(r->buffer);
		r->buffer = NULL;
		return -1;
	}
	r->dlt = pcap_datalink(r->pcap);
	r->snaplen = pcap_snapshot(r->pcap);
	if (r->snaplen > capture_max(r->dlt))
		r->snaplen = capture_max(r->dlt);
	return 0;
}

int
capture_filter(struct capture_reader *r, const char *expression)
{
	struct bpf_program *program = malloc(sizeof *program);

	if (!program)
		return fail(r, strerror(errno));
	if (pcap_compile(r->pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		free(program);
		return fail(r, pcap_geterr(r->pcap));
	}
	r->program = program;
	return 0;
}

/* pcap's seconds are unsigned, 1970 to 2106; libpcap takes them for signed. pcapng's have 64 bits,
 * nanoseconds since 1970 end in 2262. */
static int64_t
time_of(const struct timeval *t)
{
	int64_t seconds = t->tv_sec + (t->tv_sec < 0 && t->tv_sec >= INT32_MIN ? INT64_C(1) << 32 : 0);

	if (seconds < 0 || seconds >= INT64_MAX / NANO)
		return seconds < 0 ? 0 : INT64_MAX - 1;
	return seconds * NANO + t->tv_usec;
}

int
capture_read(struct capture_reader *r, struct capture_packet *p)
{
	struct pcap_pkthdr *h;

	for (;;) {
		int got = pcap_next_ex(r->pcap, &h, &p->data);
		if (got == PCAP_ERROR_BREAK)
			return 0;
		if (got < 0)
			return fail(r, pcap_geterr(r->pcap));
		r->packets++;
		if (!r->program || pcap_offline_filter(r->program, h, p->data))
			break;
	}
	p->time = time_of(&h->ts);
	p->caplen = h->caplen;
	p->len = h->len;
	return 1;
}

void
capture_close(struct capture_reader *r)
{
	if (r->program) {
		pcap_freecode(r->program);
		free(r->program);
	}
	if (r->pcap)
		pcap_close(r->pcap); /* closes the source too */
	free(r->buffer);
	r->pcap = r->program = NULL;
	r->source = NULL;
	r->buffer = NULL;
}

static int
write_failed(struct capture_writer *w)
{
	snprintf(w->error, sizeof w->error, "%s", strerror(errno));
	return -1;
}

/* Little-endian on every machine; libpcap writes numbers as the machine has them. */
static int
write_numbers(struct capture_writer *w, const uint32_t *v, int n)
{
	uint32_t le[6];

	for (int i = 0; i < n; i++)
		le[i] = htole32(v[i]);
	return fwrite(le, sizeof *le, n, w->file) < (size_t)n ? write_failed(w) : 0;
}

/* A file's header as libpcap has it, which knows what number stands for a link type in a file. */
static int
make_header(struct capture_writer *w, pcap_t *pcap, struct pcap_file_header *h)
{
	char *octets = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&octets, &n);
	pcap_dumper_t *dumper = memory ? pcap_dump_fopen(pcap, memory) : NULL;
	bool made = false;

	if (dumper) {
		pcap_dump_close(dumper); /* closes the stream too */
		if ((made = n == sizeof *h))
			memcpy(h, octets, n);
	} else if (memory) {
		snprintf(w->error, sizeof w->error, "%s", pcap_geterr(pcap));
		fclose(memory);
	} else {
		write_failed(w);
	}
	free(octets);
	return made ? 0 : -1;
}

int
capture_create(struct capture_writer *w, int fd, int dlt, uint32_t snaplen, bool nano)
{
	struct pcap_file_header h;
	pcap_t *pcap = pcap_open_dead_with_tstamp_precision(
	    dlt, snaplen, nano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO);

	*w = (struct capture_writer){.nano = nano};
	if (!pcap)
		return write_failed(w);
	int made = make_header(w, pcap, &h);
	pcap_close(pcap);
	if (made < 0)
		return -1;
	if (!(w->file = io_stream(fd)))
		return write_failed(w);
	if ((w->buffer = malloc(OUT_BUFFER)))
		setvbuf(w->file, w->buffer, _IOFBF, OUT_BUFFER);
	uint32_t versions = h.version_major | (uint32_t)h.version_minor << 16;
	return write_numbers(w, (uint32_t[]){h.magic, versions, 0, 0, h.snaplen, h.linktype}, 6);
}

int
capture_write(struct capture_writer *w, const struct capture_packet *p)
{
	int64_t second = p->time / NANO, rest = p->time % NANO;

	if (rest < 0) {
		second--;
		rest += NANO;
	}
	uint32_t fraction = w->nano ? rest : rest / 1000;
	if (write_numbers(w, (uint32_t[]){second, fraction, p->caplen, p->len}, 4) < 0)
		return -1;
	return fwrite(p->data, 1, p->caplen, w->file) < p->caplen ? write_failed(w) : 0;
}

int
capture_flush(struct capture_writer *w)
{
	return w->file && fflush(w->file) < 0 ? write_failed(w) : 0;
}

int
capture_finish(struct capture_writer *w)
{
	int r = capture_flush(w);

	if (w->file)
		fclose(w->file);
	free(w->buffer);
	w->file = NULL;
	w->buffer = NULL;
	return r;
}
