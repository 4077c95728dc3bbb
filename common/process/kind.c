#include "process/kind.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How files of a kind begin; `octets` stand at the first one. */
static const struct {
	enum kind kind;
	const char *octets;
	size_t n;
} beginnings[] = {
    {KIND_PCAP, "\xa1\xb2\xc3\xd4", 4},
    {KIND_PCAP, "\xd4\xc3\xb2\xa1", 4},
    {KIND_PCAP, "\xa1\xb2\x3c\x4d", 4}, /* nanoseconds */
    {KIND_PCAP, "\x4d\x3c\xb2\xa1", 4},
    {KIND_PCAP, "\xa1\xb2\xcd\x34", 4}, /* patched tcpdump's */
    {KIND_PCAP, "\x34\xcd\xb2\xa1", 4},
    {KIND_PCAPNG, "\n\r\r\n", 4},
    {KIND_WEIGHTS, "tc-weigh", 8},
    {KIND_MODEL, "tc-gener", 8},
    {KIND_GZIP, "\x1f\x8b", 2},
    {KIND_ZSTD, "\x28\xb5\x2f\xfd", 4},
    {KIND_XZ, "\xfd" "7zXZ\0", 6},
    {KIND_LZ4, "\x04\x22\x4d\x18", 4},
    {KIND_BZIP2, "BZh", 3},
    {KIND_ZIP, "PK\x03\x04", 4},
};

/* What it is, and what to do with it. */
static const struct {
	const char *is, *hint;
} kinds[KINDS] = {
    [KIND_PCAP] = {"a capture (pcap)", "tc-lift turns it into packet actions"},
    [KIND_PCAPNG] = {"a capture (pcapng)", "tc-lift turns it into packet actions"},
    [KIND_ACTIONS] = {"a stream of actions", "tc-compile turns it into a capture, tc-enc into latents, tc-show into JSON"},
    [KIND_LATENTS] = {"a stream of latents", "tc-dec turns it into packet actions, tc-show into JSON"},
    [KIND_WEIGHTS] = {"weights", "tc-enc and tc-dec take them by --weights, tc-train by --init"},
    [KIND_MODEL] = {"a model of tc-gen", "tc-gen takes it by --model"},
    [KIND_JSON] = {"JSON", "tc-show --reverse turns what tc-show printed into a stream"},
    [KIND_TEXT] = {"text", NULL},
    [KIND_GZIP] = {"compressed", "gzip -dc unpacks it"},
    [KIND_ZSTD] = {"compressed", "zstd -dc unpacks it"},
    [KIND_XZ] = {"compressed", "xz -dc unpacks it"},
    [KIND_LZ4] = {"compressed", "lz4 -dc unpacks it"},
    [KIND_BZIP2] = {"compressed", "bzip2 -dc unpacks it"},
    [KIND_ZIP] = {"a zip archive", "unzip -p unpacks it"},
};

static bool
holds(const void *head, size_t n, const char *text)
{
	return memmem(head, n, text, strlen(text));
}

/* Octets of a text, as far as they were read: none of those that no text has. */
static bool
is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < ' ' && !strchr("\t\n\f\r\033", p[i])) || p[i] == 0x7f || !p[i])
			return false;
	return n > 0;
}

enum kind
kind_of(const void *head, size_t n)
{
	const uint8_t *p = head;

	if (n > KIND_HEAD)
		n = KIND_HEAD;
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (n >= beginnings[i].n && !memcmp(p, beginnings[i].octets, beginnings[i].n))
			return beginnings[i].kind;
	/* A header of tc-records(5) or tc-latents(5), a map of msgpack, as the programs write it. */
	if (n && *p >= 0x80 && holds(p, n, "\xaatracecodec"))
		return holds(p, n, "\xa7""actions") ? KIND_ACTIONS : holds(p, n, "\xa7latents") ? KIND_LATENTS : KIND_UNKNOWN;
	if (!is_text(p, n))
		return KIND_UNKNOWN;
	return *p == '{' ? KIND_JSON : KIND_TEXT;
}

bool
kind_explain(char *why, size_t size, const char *not_wanted, unsigned taken, const void *head, size_t n)
{
	enum kind k = kind_of(head, n);
	const char *hint = kinds[k].hint;

	if (k == KIND_UNKNOWN || taken >> k & 1)
		return false;
	snprintf(why, size, "%s, but %s%s%s", not_wanted, kinds[k].is, hint ? "; " : "", hint ? hint : "");
	return true;
}
