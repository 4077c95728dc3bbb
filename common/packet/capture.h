/*
 * Capture files: the only place that knows <pcap.h>. pcapng is read by pcapng.c, pcap by libpcap, but for records as they
 * ought to be, from files and pipes; the caller is told before a read waits, so that nothing ready is held back.
 */
#ifndef TC_CAPTURE_H
#define TC_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_ERROR 320

/* Times within so many seconds of 1970 are kept: so the difference of any two has 63 bits, in nanoseconds. */
#define CAPTURE_SECONDS	 (53375 * INT64_C(86400))
#define CAPTURE_TIME_MIN (-CAPTURE_SECONDS * 1000000000)
#define CAPTURE_TIME_MAX (CAPTURE_SECONDS * 1000000000 - 1)
#define CAPTURE_BEYOND	 "times before 1823-11-13 or after 2116-02-19"

struct capture_reader {
	void *pcap;       /* pcap_t */
	void *program;    /* struct bpf_program, or NULL */
	struct pcapng_reader *pcapng; /* NULL: a pcap file */
	struct capture_source *source;
	int fd;
	bool swapped;	  /* the numbers of a pcap file are of the other byte order */
	int dlt;          /* libpcap's number of the link type */
	uint32_t snaplen; /* octets */
	bool nano;        /* microseconds don't hold its timestamps */
	uint64_t packets; /* read so far */
	char error[CAPTURE_ERROR];
};

struct capture_packet {
	int64_t time;         /* ns since 1970 */
	bool beyond;          /* it was out of range, and is the nearest that isn't */
	uint32_t caplen, len; /* octets */
	const uint8_t *data;  /* caplen octets, until the next call */
};

/* Opens a capture, "-" for standard input; before_wait may be NULL. 0, or -1 with r->error. */
int capture_open(struct capture_reader *r, const char *path, int (*before_wait)(void *), void *arg);
/* The same from a descriptor, which the reader takes, and of which n octets at head, 24 at most, were
 * read already. */
int capture_open_fd(struct capture_reader *r, int fd, const void *head, size_t n,
		    int (*before_wait)(void *), void *arg);
/* Only packets that match the expression of pcap-filter(7) from now on. 0, or -1 with r->error. */
int capture_filter(struct capture_reader *r, const char *expression);
/* 1, 0 at the end, -1 with r->error where the file breaks off or is damaged. */
int capture_read(struct capture_reader *r, struct capture_packet *p);
void capture_close(struct capture_reader *r);

/* An expression of pcap-filter(7) for packets that come from elsewhere. Names in it may have to be looked up, so it is opened
 * before a program is confined. 0, or -1 with error, of CAPTURE_ERROR octets. */
struct capture_match {
	void *program; /* struct bpf_program */
};
int capture_match_open(struct capture_match *m, int dlt, const char *expression, char *error);
/* caplen octets of data. */
bool capture_matches(const struct capture_match *m, const uint8_t *data, uint32_t caplen, uint32_t len);
void capture_match_close(struct capture_match *m);

/* The most octets of a packet that readers of a capture of this link type take. */
uint32_t capture_max(int dlt);

struct capture_writer {
	int fd;
	uint8_t *buffer;
	size_t n; /* octets in it */
	bool nano;
	char error[CAPTURE_ERROR];
};

/* A pcap file on fd, little-endian, which the writer takes. Each 0, or -1 with w->error. */
int capture_create(struct capture_writer *w, int fd, int dlt, uint32_t snaplen, bool nano);
int capture_write(struct capture_writer *w, const struct capture_packet *p);
int capture_flush(struct capture_writer *w);
int capture_finish(struct capture_writer *w);

#endif
