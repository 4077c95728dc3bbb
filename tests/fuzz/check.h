/* What must hold of whatever a program wrote; what doesn't is found(). */
#ifndef TC_CHECK_H
#define TC_CHECK_H

#include "program.h"

/* A stream as its reader sees it, all its traces together. */
struct content {
	uint64_t packets;
	struct stream_header header; /* of the first trace */
	enum stream_end ended;	     /* the last one */
	size_t end;		     /* where its end record begins */
	bool begun;
	char error[STREAM_ERROR]; /* empty where there was none */
};
struct content content_of(struct octets stream);

/* A capture as its reader sees it: shape stands for the packets' times and lengths. */
struct captured {
	bool opened, broken;
	uint64_t packets, shape;
};
struct captured captured_of(struct octets capture);

/* A stream that some program wrote: it reads without an error. */
struct content check_stream(struct octets stream);
/* A stream that was lifted: what it compiles to lifts to the same again. capture: what that is made
 * into, to be freed; empty where no pcap file can hold it. */
void check_identity(struct octets stream, struct octets *capture);

#endif
