/* The records of tc-records(5) and tc-latents(5) as JSON objects, one a line, and back. */
#ifndef TC_JSON_H
#define TC_JSON_H

#include "record/stream.h"

#include <stdio.h>

void json_print_header(FILE *f, const struct stream_header *h);
/* t: ns since the header's start. */
void json_print_action(FILE *f, int64_t t, const struct action *a);
void json_print_latent(FILE *f, const struct stream_header *h, const struct latent *l);
void json_print_end(FILE *f, const struct stream_reader *r);

/* What a line holds. */
enum json_line { JSON_BAD, JSON_HEADER, JSON_ACTION, JSON_LATENT, JSON_END };

struct json_record {
	struct stream_header header; /* the last one that was read */
	struct action action;
	bool timed; /* the action has t */
	int64_t t;  /* ns since the header's start */
	struct latent latent; /* its octets live until the next line */
	enum stream_end end;
	uint64_t flows; /* of an end */
	char why[200];	/* JSON_BAD: the reason */
};

/* Before the first line, while files may still be opened: takes what hashing needs to be unforeseeable. */
void json_start(void);
/* Reads one line into whichever it is. */
enum json_line json_parse(const char *line, struct json_record *r);

#endif
