#include "packet/capture.h"

#include "packet/pcapng.h"
#include "process/input.h"
#include "process/io.h"
#include "support/portable.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_BUFFER  (1 << 16)
#define OUT_BUFFER (1 << 18)
#define NANO	   INT64_C(1000000000)
#define MICRO_MAGIC 0xa1b2c3d4
#define NANO_MAGIC 0xa1b23c4d
#define RECORD	   16 /* octets before a packet: seconds, their fraction, captured length, length */

/* What is read from, who is told before that waits, and what was read ahead. */
struct capture_source {
	struct input input;
	int (*before_wait)(void *);
	void *arg;
	uint8_t *ahead; /* IN_BUFFER octets, of which those from at to n wait; NULL: pcapng has a buffer of its own */
	size_t at, n;
	int failed; /* the errno of a read ahead */
	bool ended;
	bool plain; /* its records are what they seem */
};

/* As read(2), from where nothing was read ahead. */
static ssize_t
source_more(struct capture_source *s, void *p, size_t n)
{
	if (s->failed) {
		errno = s->failed;
		return -1;
	}
	if (!input_ready(&s->input) && s->before_wait && read_waits(s->input.fd) && s->before_wait(s->arg) < 0) {
		errno = EIO;
		return -1;
	}
	return s->ended ? 0 : input_read(&s->input, p, n);
}

/* As read(2). */
static ssize_t
source_read(void *cookie, char *p, size_t n)
{
	struct capture_source *s = cookie;

	if (s->at == s->n && !s->ahead)
		return source_more(s, p, n);
	if (s->at == s->n) {
		ssize_t got = source_more(s, s->ahead, IN_BUFFER);
		if (got <= 0)
			return got;
		s->at = 0;
		s->n = got;
	}
	if (n > s->n - s->at)
		n = s->n - s->at;
	memcpy(p, s->ahead + s->at, n);
	s->at += n;
	return n;
}

/* The next n octets, which stay where they are; NULL where there is no room for so many, or they don't come. */
static const uint8_t *
source_ahead(struct capture_source *s, size_t n)
{
	if (n > IN_BUFFER)
		return NULL;
	if (s->n - s->at < n && s->at) {
		memmove(s->ahead, s->ahead + s->at, s->n - s->at);
		s->n -= s->at;
		s->at = 0;
	}
	while (s->n - s->at < n) {
		ssize_t got = source_more(s, s->ahead + s->n, IN_BUFFER - s->n);
		if (got <= 0) {
			s->ended = got == 0;
			s->failed = got < 0 ? errno : 0;
			return NULL;
		}
		s->n += got;
	}
	return s->ahead + s->at;
}

static int
fail(struct capture_reader *r, const char *why)
{
	const char *unpacking = r->source ? input_error(&r->source->input) : NULL;

	snprintf(r->error, sizeof r->error, "%s", unpacking ? unpacking : why);
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

/* Whether the records of this pcap file are what they seem: of the usual version, and of link types where libpcap changes no
 * octet of a packet, such as those in the byte order of the machine that wrote the file. */
static bool
is_plain(struct capture_reader *r, uint32_t magic)
{
	if ((magic != MICRO_MAGIC && magic != NANO_MAGIC && magic != __builtin_bswap32(MICRO_MAGIC) &&
	     magic != __builtin_bswap32(NANO_MAGIC)) ||
	    pcap_major_version(r->pcap) != 2 || pcap_minor_version(r->pcap) != 4)
		return false;
	switch (pcap_datalink(r->pcap)) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_PPP:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
		return !pcap_is_swapped(r->pcap);
	}
	return false;
}

/* The octets as libpcap is to read them. */
static int
open_pcap(struct capture_reader *r, uint32_t magic)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	cookie_io_functions_t functions = {.read = source_read};
	FILE *f = fopencookie(r->source, "r", functions);

	if (!f)
		return fail(r, strerror(errno));
	/* What is read ahead is the source's; glibc then asks it for one octet after the other. */
	setvbuf(f, NULL, _IONBF, 0);
	if (!(r->source->ahead = malloc(IN_BUFFER))) {
		fclose(f);
		return fail(r, strerror(errno));
	}
	r->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!r->pcap) {
		fclose(f);
		return fail(r, why);
	}
	r->swapped = pcap_is_swapped(r->pcap);
	r->source->plain = is_plain(r, magic);
	return 0;
}

/* The blocks are read without libpcap. It knows which link type a number in a file stands for, and compiles
 * filters: to it this is a pcap file that ends behind its header. */
static int
open_pcapng(struct capture_reader *r)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_file_header h = {NANO_MAGIC, 2, 4, 0, 0, PCAPNG_SNAPLEN, 0};

	if (!(r->pcapng = malloc(sizeof *r->pcapng)))
		return fail(r, strerror(errno));
	if (pcapng_open(r->pcapng, source_read, r->source) < 0)
		return fail(r, r->pcapng->blocks.error);
	h.linktype = r->pcapng->link;
	r->nano = r->pcapng->nano;
	FILE *f = fmemopen(&h, sizeof h, "r");
	if (!f)
		return fail(r, strerror(errno));
	r->pcap = pcap_fopen_offline(f, why);
	if (!r->pcap) {
		fclose(f);
		return fail(r, why);
	}
	return 0;
}

static int
begin(struct capture_reader *r)
{
	const struct input *in = &r->source->input;
	uint32_t magic = 0;

	if (in->n == 0)
		return fail(r, "empty: not a capture");
	memcpy(&magic, in->head, in->n < sizeof magic ? in->n : sizeof magic);
	r->nano = le32toh(magic) == NANO_MAGIC || be32toh(magic) == NANO_MAGIC;
	if ((be32toh(magic) == BLOCK_SECTION ? open_pcapng(r) : open_pcap(r, magic)) < 0)
		return -1;
	r->dlt = pcap_datalink(r->pcap);
	r->snaplen = pcap_snapshot(r->pcap);
	if (r->snaplen > capture_max(r->dlt))
		r->snaplen = capture_max(r->dlt);
	return 0;
}

int
capture_open_fd(struct capture_reader *r, int fd, const void *head, size_t n,
		int (*before_wait)(void *), void *arg)
{
	struct capture_source *s = malloc(sizeof *s);

	*r = (struct capture_reader){.source = s, .fd = fd};
	if (!s)
		return fail(r, strerror(errno));
	*s = (struct capture_source){.before_wait = before_wait, .arg = arg};
	if (input_open(&s->input, fd, head, n, r->error, sizeof r->error) < 0 ||
	    input_mistaken(&s->input, "not a capture", 1 << KIND_PCAP | 1 << KIND_PCAPNG, r->error, sizeof r->error) ||
	    begin(r) < 0) {
		capture_close(r);
		return -1;
	}
	return 0;
}

/* NULL with *why, which lives as long as pcap. */
static void *
compile_expression(pcap_t *pcap, const char *expression, const char **why)
{
	struct bpf_program *program = malloc(sizeof *program);

	*why = strerror(ENOMEM);
	if (program && pcap_compile(pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		free(program);
		program = NULL;
		*why = pcap_geterr(pcap);
	}
	return program;
}

static void
free_expression(void *program)
{
	if (program)
		pcap_freecode(program);
	free(program);
}

int
capture_filter(struct capture_reader *r, const char *expression)
{
	const char *why;

	r->program = compile_expression(r->pcap, expression, &why);
	return r->program ? 0 : fail(r, why);
}

int
capture_match_open(struct capture_match *m, int dlt, const char *expression, char *error)
{
	const char *why = strerror(ENOMEM);
	pcap_t *pcap = pcap_open_dead(dlt, capture_max(dlt));

	m->program = pcap ? compile_expression(pcap, expression, &why) : NULL;
	if (!m->program)
		snprintf(error, CAPTURE_ERROR, "%s", why);
	if (pcap)
		pcap_close(pcap);
	return m->program ? 0 : -1;
}

bool
capture_matches(const struct capture_match *m, const uint8_t *data, uint32_t caplen, uint32_t len)
{
	struct pcap_pkthdr h = {.caplen = caplen, .len = len};

	return pcap_offline_filter(m->program, &h, data);
}

void
capture_match_close(struct capture_match *m)
{
	free_expression(m->program);
	m->program = NULL;
}

static uint32_t
number(const struct capture_reader *r, const uint8_t *octets)
{
	uint32_t v;

	memcpy(&v, octets, sizeof v);
	return r->swapped ? __builtin_bswap32(v) : v;
}

/* The next packet, if it is one as they ought to be, and all there. What isn't, libpcap reads next: it has the words. */
static bool
next_plain(struct capture_reader *r, struct capture_packet *p)
{
	const uint8_t *h = source_ahead(r->source, RECORD);

	if (!h)
		return false;
	uint32_t fraction = number(r, h + 4), caplen = number(r, h + 8);
	if (fraction >= NANO || caplen > r->snaplen || !(h = source_ahead(r->source, RECORD + caplen)))
		return false;
	p->time = number(r, h) * NANO + (r->nano ? fraction : fraction * INT64_C(1000));
	p->beyond = false;
	p->caplen = caplen;
	p->len = number(r, h + 12);
	p->data = h + RECORD;
	r->source->at += RECORD + caplen;
	return true;
}

/* The next packet of a pcap file, as libpcap has it, but for its seconds: they are unsigned, 1970 to 2106. */
static int
next_of_pcap(struct capture_reader *r, struct capture_packet *p)
{
	struct pcap_pkthdr *h;

	if (r->source->plain && next_plain(r, p))
		return 1;
	int got = pcap_next_ex(r->pcap, &h, &p->data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got < 0)
		return fail(r, pcap_geterr(r->pcap));
	p->time = (uint32_t)h->ts.tv_sec * NANO + h->ts.tv_usec;
	p->beyond = false;
	p->caplen = h->caplen;
	p->len = h->len;
	return 1;
}

static int
next_of_pcapng(struct capture_reader *r, struct capture_packet *p)
{
	int got = pcapng_next(r->pcapng, p);

	return got < 0 ? fail(r, r->pcapng->blocks.error) : got;
}

static bool
matches(const struct capture_reader *r, const struct capture_packet *p)
{
	const struct capture_match m = {r->program};

	return !r->program || capture_matches(&m, p->data, p->caplen, p->len);
}

int
capture_read(struct capture_reader *r, struct capture_packet *p)
{
	int got;

	do {
		got = r->pcapng ? next_of_pcapng(r, p) : next_of_pcap(r, p);
		if (got != 1)
			return got;
		r->packets++;
	} while (!matches(r, p));
	return 1;
}

void
capture_close(struct capture_reader *r)
{
	free_expression(r->program);
	if (r->pcap)
		pcap_close(r->pcap);
	if (r->pcapng)
		pcapng_close(r->pcapng);
	if (r->source) {
		input_close(&r->source->input);
		free(r->source->ahead);
		if (r->source->input.fd != STDIN_FILENO)
			close(r->source->input.fd);
	}
	free(r->pcapng);
	free(r->source);
	r->pcap = r->program = NULL;
	r->pcapng = NULL;
	r->source = NULL;
}

static int
write_failed(struct capture_writer *w)
{
	snprintf(w->error, sizeof w->error, "%s", strerror(errno));
	return -1;
}

/* Little-endian on every machine; libpcap writes numbers as the machine has them. */
static void
put_numbers(struct capture_writer *w, const uint32_t *v, int n)
{
	for (int i = 0; i < n; i++) {
		uint32_t le = htole32(v[i]);
		memcpy(w->buffer + w->n, &le, sizeof le);
		w->n += sizeof le;
	}
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
	w->fd = fd;
	if (fd < 0 || !(w->buffer = malloc(OUT_BUFFER)))
		return write_failed(w);
	uint32_t versions = h.version_major | (uint32_t)h.version_minor << 16;
	put_numbers(w, (uint32_t[]){h.magic, versions, 0, 0, h.snaplen, h.linktype}, 6);
	return 0;
}

int
capture_write(struct capture_writer *w, const struct capture_packet *p)
{
	int64_t second = p->time / NANO, rest = p->time % NANO;

	if (rest < 0) {
		second--;
		rest += NANO;
	}
	if (OUT_BUFFER - w->n < RECORD + (size_t)p->caplen && capture_flush(w) < 0)
		return -1;
	put_numbers(w, (uint32_t[]){second, w->nano ? rest : rest / 1000, p->caplen, p->len}, 4);
	if (p->caplen > OUT_BUFFER - RECORD)
		return capture_flush(w) < 0 || write_all(w->fd, p->data, p->caplen) < 0 ? write_failed(w) : 0;
	memcpy(w->buffer + w->n, p->data, p->caplen);
	w->n += p->caplen;
	return 0;
}

int
capture_flush(struct capture_writer *w)
{
	size_t n = w->n;

	w->n = 0;
	return n && write_all(w->fd, w->buffer, n) < 0 ? write_failed(w) : 0;
}

int
capture_finish(struct capture_writer *w)
{
	int r = capture_flush(w);

	if (w->buffer)
		close(w->fd);
	free(w->buffer);
	w->buffer = NULL;
	return r;
}
