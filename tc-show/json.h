/* The records of tc-records(5) as JSON objects, one a line, and back. */
#ifndef TC_JSON_H
#define TC_JSON_H

#include "record/stream.h"

#include <stdio.h>

void json_print_header(FILE *f, const struct stream_header *h);
void json_print_action(FILE *f, const struct action *a);
void json_print_end(FILE *f, const struct stream_reader *r);

/* What a line holds. */
enum json_line { JSON_BAD, JSON_HEADER, JSON_ACTION, JSON_END };

/* Reads one line into whichever of the three it is; JSON_BAD with the reason in why, of n octets. */
enum json_line json_parse(const char *line, struct stream_header *h, struct action *a,
			  enum stream_end *end, char *why, size_t n);

#endif
