/* tc-diff --html: the report as one page that needs nothing else, and no script. */
#ifndef TC_HTML_H
#define TC_HTML_H

#include "process/outfile.h"
#include "report.h"

/* The file, opened before the program gives up its paths; it appears whole or not at all. */
struct html {
	struct outfile out;
	FILE *file;
};

/* 0, or -1 with errno. */
int html_open(struct html *h, const char *path);
void html_write(FILE *f, const struct report *r);
int html_close(struct html *h, bool keep);

#endif
