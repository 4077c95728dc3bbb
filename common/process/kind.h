/* What a file is, by its first octets: so that what was handed to the wrong program is named, and the right one with it. */
#ifndef TC_KIND_H
#define TC_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum kind {
	KIND_UNKNOWN,
	KIND_PCAP,
	KIND_PCAPNG,
	KIND_ACTIONS,
	KIND_LATENTS,
	KIND_WEIGHTS,
	KIND_MODEL,
	KIND_JSON,
	KIND_TEXT,
	KIND_GZIP,
	KIND_ZSTD,
	KIND_XZ,
	KIND_LZ4,
	KIND_BZIP2,
	KIND_ZIP,
	KINDS
};

#define KIND_HEAD 64 /* octets that tell all of them */

enum kind kind_of(const void *head, size_t n);
/*
 * For a reader of other kinds: `not_wanted`, such as "not a capture", and what the file is instead, to `why`. False, and why as
 * it was, where nobody can tell, or the file is one of the kinds that are taken (bit k, kind k).
 */
bool kind_explain(char *why, size_t size, const char *not_wanted, unsigned taken, const void *head, size_t n);

#endif
