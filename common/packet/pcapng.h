/*
 * The blocks of a pcapng file: sections, interfaces, packets; all others are passed over. It reads
 * them itself, since libpcap keeps neither times before 1970 nor all resolutions, and wants one
 * byte order and one snap length in a file.
 */
#ifndef TC_PCAPNG_H
#define TC_PCAPNG_H

#include "packet/blocks.h"

struct capture_packet;

#define PCAPNG_SNAPLEN (256 << 10) /* octets of a packet at most, whatever its interface says */

struct pcapng_interface {
	uint32_t snaplen; /* octets; 0: any number */
	bool binary;	  /* times count 2^-exponent s, else 10^-exponent s */
	uint8_t exponent;
	uint64_t units; /* in a second */
	int64_t offset; /* s, to be added */
};

struct pcapng_reader {
	struct blocks blocks; /* where there is an error, it stays */
	bool ready;	      /* a packet's block begins at hand */
	struct pcapng_interface *interface;
	uint32_t interfaces, room; /* of the section */
	int link;		   /* LINKTYPE_ number of all interfaces; -1: there was none yet */
	bool nano;		   /* one of them has times finer than 1 us can tell */
	int64_t time;		   /* of the packet before, ns since 1970 */
};

/* Reads up to the first packet, so that link and nano are known. 0, or -1 with an error. A fault
 * behind the first interface is what pcapng_next() begins with. */
int pcapng_open(struct pcapng_reader *r, ssize_t (*read)(void *arg, char *p, size_t n), void *arg);
/* 1, 0 at the end, -1. */
int pcapng_next(struct pcapng_reader *r, struct capture_packet *p);
void pcapng_close(struct pcapng_reader *r);

#endif
