/*
 * units NAME: one test of the rooms in common/, by name; without a name it lists them. Silent and
 * exit 0 where all holds; else the line that didn't.
 */
#include "packet/address.h"
#include "packet/checksum.h"
#include "state/slots.h"
#include "process/io.h"
#include "record/stream.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			errx(1, "%s:%d: %s", __FILE__, __LINE__, #x);                              \
	} while (0)

static uint64_t state = 1;

static uint64_t
rnd(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

/* Against a naive model: a list ordered by use. */
static void
slots(void)
{
	struct slots s;
	uint32_t key[8], slot[8];
	int n = 0;

	HOLDS(slots_init(&s, sizeof *key, 8) == 0);
	for (int step = 0; step < 200000; step++) {
		uint32_t k = rnd(24), found = SLOT_NONE;
		int i;
		for (i = 0; i < n && key[i] != k; i++)
			;
		HOLDS(slots_find(&s, &k) == (i < n ? slot[i] : SLOT_NONE));
		if (i < n) {
			found = slot[i];
			slots_touch(&s, found);
		} else {
			found = slots_add(&s, &k);
			HOLDS(found == (n < 8 ? (uint32_t)n : slot[7]));
			i = n < 8 ? n++ : 7;
		}
		memmove(key + 1, key, i * sizeof *key);
		memmove(slot + 1, slot, i * sizeof *slot);
		key[0] = k;
		slot[0] = found;
	}
	slots_free(&s);
}

/* Fresh addresses are of the class asked for, and all different. */
static void
fresh(void)
{
	static struct fresh f;
	struct slots seen;
	char text[64];
	struct address back;

	HOLDS(slots_init(&seen, sizeof(struct address), 1 << 20) == 0);
	for (int version = 4; version <= 6; version += 2)
		for (int c = ADDRESS_GLOBAL; c < ADDRESS_CLASSES; c++) {
			int n = c == ADDRESS_LINK_LOCAL ? 64516 : 140000;
			if (c == ADDRESS_SOLICITED || (version == 6 && c == ADDRESS_LOOPBACK))
				continue;
			for (int i = 0; i < n; i++) {
				struct address a = fresh_address(&f, version, c, i & 0xffffff);
				HOLDS(address_class(&a) == (enum address_class)c);
				address_text(&a, text, sizeof text);
				HOLDS(address_parse(&back, text) && !memcmp(&a, &back, sizeof a));
				HOLDS(slots_find(&seen, &a) == SLOT_NONE);
				if (c <= ADDRESS_PRIVATE)
					slots_add(&seen, &a);
			}
		}
	slots_free(&seen);
}

static void
address_classes(void)
{
	static const struct {
		const char *text;
		enum address_class class;
	} table[] = {
	    {"8.8.8.8", ADDRESS_GLOBAL},	  {"10.1.2.3", ADDRESS_PRIVATE},
	    {"172.16.0.1", ADDRESS_PRIVATE},	  {"172.32.0.1", ADDRESS_GLOBAL},
	    {"192.168.1.255", ADDRESS_PRIVATE},	  {"100.64.0.1", ADDRESS_PRIVATE},
	    {"127.0.0.1", ADDRESS_FIXED},	  {"127.0.0.2", ADDRESS_LOOPBACK},
	    {"169.254.3.4", ADDRESS_LINK_LOCAL},  {"0.0.0.0", ADDRESS_FIXED},
	    {"255.255.255.255", ADDRESS_FIXED},	  {"224.0.0.251", ADDRESS_FIXED},
	    {"239.255.255.250", ADDRESS_FIXED},	  {"239.1.2.3", ADDRESS_GROUP},
	    {"232.1.1.1", ADDRESS_GROUP},	  {"2001:db8::1", ADDRESS_GLOBAL},
	    {"fe80::1", ADDRESS_LINK_LOCAL},	  {"fd00::1", ADDRESS_PRIVATE},
	    {"::", ADDRESS_FIXED},		  {"::1", ADDRESS_FIXED},
	    {"ff02::fb", ADDRESS_FIXED},	  {"ff02::1:ff00:1", ADDRESS_SOLICITED},
	    {"ff15::1234", ADDRESS_GROUP},	  {"::ffff:1.2.3.4", ADDRESS_GLOBAL}};
	struct address a;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		HOLDS(address_parse(&a, table[i].text));
		if (address_class(&a) != table[i].class)
			errx(1, "%s: class %d", table[i].text, address_class(&a));
	}
}

/* Groups that a standard or a vendor has reserved stay what they are; their neighbours are groups or hosts like any other. */
static void
mac_classes(void)
{
	static const struct {
		const char *text;
		enum mac_class class;
	} table[] = {
	    {"01:80:c2:00:00:00", MAC_FIXED}, {"01:80:c2:00:00:0e", MAC_FIXED}, {"01:80:c2:00:01:00", MAC_GROUP},
	    {"01:00:0c:cc:cc:cc", MAC_FIXED}, {"01:00:0c:cc:cd:cc", MAC_GROUP}, {"01:0e:cf:00:00:00", MAC_FIXED},
	    {"01:0e:d0:00:00:00", MAC_GROUP}, {"01:0c:cd:01:00:07", MAC_FIXED}, {"01:0c:cd:02:00:07", MAC_GROUP},
	    {"01:0c:cd:04:00:07", MAC_FIXED}, {"01:0c:cd:05:00:07", MAC_GROUP}, {"01:1b:19:00:00:00", MAC_FIXED},
	    {"01:1b:1a:00:00:00", MAC_GROUP}, {"01:15:4e:00:01:01", MAC_FIXED}, {"01:15:4e:00:02:01", MAC_GROUP},
	    {"01:16:4e:00:01:01", MAC_GROUP}, {"01:00:5e:00:00:fb", MAC_FIXED}, {"01:00:5e:00:01:fb", MAC_GROUP},
	    {"33:33:00:00:00:01", MAC_FIXED}, {"33:33:00:00:01:01", MAC_GROUP}, {"09:00:2b:00:00:05", MAC_FIXED},
	    {"09:00:2c:00:00:05", MAC_GROUP}, {"09:00:07:ff:ff:ff", MAC_FIXED}, {"09:00:07:ff:fe:ff", MAC_GROUP},
	    {"ab:00:00:01:00:00", MAC_FIXED}, {"ab:00:00:02:00:00", MAC_GROUP}, {"cf:00:00:00:00:00", MAC_FIXED},
	    {"cf:00:00:00:00:01", MAC_GROUP}, {"03:00:00:00:00:01", MAC_FIXED}, {"03:00:00:00:00:02", MAC_GROUP},
	    {"ff:ff:ff:ff:ff:ff", MAC_FIXED}, {"ff:ff:ff:ff:ff:fe", MAC_GROUP}, {"00:00:00:00:00:00", MAC_FIXED},
	    {"00:00:00:00:00:01", MAC_HOST},  {"fe:ff:ff:ff:ff:ff", MAC_HOST},  {"00:80:c2:00:00:00", MAC_HOST}};
	uint8_t mac[6];

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		HOLDS(mac_parse(mac, table[i].text));
		if (mac_class(mac) != table[i].class)
			errx(1, "%s: class %d", table[i].text, mac_class(mac));
	}
}

/* RFC 1071, section 3. */
static void
checksum(void)
{
	static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x80};

	HOLDS(checksum_fold(checksum_add(0, octets, 8)) == (uint16_t)~0xddf2);
	HOLDS(checksum_fold(checksum_add(0, octets, 9)) ==
	      (uint16_t)~(0xddf2 + 0x8000 - 0x10000 + 1));
}

static void
random_action(struct action *a)
{
	memset(a, 0, sizeof *a);
	for (int f = 0; f < ACTION_COUNT; f++) {
		if (rnd(4))
			continue;
		a->has |= 1ull << f;
		if (action_fields[f].kind == ACTION_INT)
			a->num[f] = (int64_t)(rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX)) >> rnd(64);
		if (action_fields[f].kind == ACTION_LIST) {
			struct action_list *l = action_list(a, f);
			l->n = rnd(ACTION_LIST_MAX + 1);
			for (int i = 0; i < l->n; i++)
				l->v[i] = (int64_t)rnd(UINT32_MAX) - 1000;
		}
		if (action_fields[f].kind == ACTION_REF) {
			struct action_ref *r = action_ref(a, f);
			r->kind = rnd(3);
			if (r->kind == REF_FIXED) {
				snprintf(r->text, sizeof r->text, "224.0.0.%d", (int)rnd(256));
				continue;
			}
			r->slot = rnd(100);
			if (r->kind == REF_KNOWN)
				continue;
			r->class = rnd(14);
			r->has_suffix = rnd(2);
			r->suffix = r->has_suffix ? rnd(100) : 0;
			r->new_suffix = r->has_suffix && rnd(2);
		}
	}
}

/* An action with everything that one may have, and nothing shorter than it may be: as words it fills ACTION_WORDS. */
static void
full(void)
{
	static struct action a, b;
	uint64_t *word = malloc(ACTION_WORDS * sizeof *word);

	for (int f = 0; f < ACTION_COUNT; f++) {
		action_set(&a, f, INT64_MIN + f);
		if (action_fields[f].kind == ACTION_LIST) {
			action_list(&a, f)->n = ACTION_LIST_MAX;
			for (int i = 0; i < ACTION_LIST_MAX; i++)
				action_list(&a, f)->v[i] = f * 1000 + i;
		} else if (action_fields[f].kind == ACTION_REF) {
			*action_ref(&a, f) = (struct action_ref){.kind = REF_FIXED};
			memset(action_ref(&a, f)->text, 'a' + f % 26, ACTION_TEXT_MAX - 1);
		}
	}
	HOLDS(action_pack(&a, word) == ACTION_WORDS);
	action_unpack(&b, word);
	for (int f = 0; f < ACTION_COUNT; f++)
		if (!action_same(&a, &b, f))
			errx(1, "field %s is lost as words", action_fields[f].name);
	free(word);
}

#define RECORDS 60

/* A stream of random actions in a file of its own: its descriptor and length. */
static int
stream_file(struct action *a, size_t *length)
{
	struct stream_header h = {.link = 1, .snaplen = 96, .start = -5, .cap = 64,
				  .idle = {1, 2, 3}};
	char name[] = "/tmp/units.XXXXXX";
	struct stream_writer w;
	int fd = mkstemp(name);

	HOLDS(fd >= 0 && unlink(name) == 0);
	HOLDS(stream_writer_init(&w, fd) == 0 && stream_write_header(&w, &h) == 0);
	for (int i = 0; i < RECORDS; i++) {
		random_action(&a[i]);
		HOLDS(stream_write(&w, &a[i]) == 0);
	}
	HOLDS(stream_write_end(&w, STREAM_WHOLE) == 0 && stream_flush(&w) == 0);
	stream_writer_free(&w);
	*length = lseek(fd, 0, SEEK_CUR);
	return fd;
}

/* What the reader makes of the octets from the start of fd: how many records, and how it ended. */
static int
read_back(int fd, const struct action *want, int *records)
{
	static struct stream_reader r;
	static struct action a;
	static struct latent l;
	struct stream_header h;
	int got;

	*records = 0;
	HOLDS(lseek(fd, 0, SEEK_SET) == 0 && stream_reader_init(&r, fd) == 0);
	r.kinds = 1 << STREAM_ACTIONS | 1 << STREAM_LATENTS;
	got = stream_read_header(&r, &h);
	if (got == 1 && h.kind == STREAM_LATENTS) {
		while ((got = stream_read_latent(&r, &l)) == 1)
			++*records;
	} else if (got == 1) {
		memset(&a, 0, sizeof a);
		while ((got = stream_read(&r, &a)) == 1) {
			if (want)
				HOLDS(a.has == want[*records].has);
			++*records;
		}
	}
	stream_reader_free(&r);
	stream_reader_free(&r); /* nothing is left to free */
	return got;
}

/* What is written is read, and written again to the same octets. */
static void
stream(void)
{
	static struct action a[RECORDS], b;
	struct stream_reader r;
	struct stream_header h;
	struct stream_writer w;
	size_t length;
	int fd = stream_file(a, &length), n;
	char name[] = "/tmp/units.XXXXXX";
	int again = mkstemp(name);

	HOLDS(unlink(name) == 0 && read_back(fd, a, &n) == 0 && n == RECORDS);
	lseek(fd, 0, SEEK_SET);
	HOLDS(stream_reader_init(&r, fd) == 0 && stream_writer_init(&w, again) == 0);
	HOLDS(stream_read_header(&r, &h) == 1 && stream_write_header(&w, &h) == 0);
	while (stream_read(&r, &b) == 1)
		HOLDS(stream_write(&w, &b) == 0);
	HOLDS(r.end == STREAM_WHOLE && stream_write_end(&w, r.end) == 0 && stream_flush(&w) == 0);
	char *x = malloc(length), *y = malloc(length + 1);
	HOLDS(pread(fd, x, length, 0) == (ssize_t)length);
	HOLDS(pread(again, y, length + 1, 0) == (ssize_t)length && !memcmp(x, y, length));
	free(x);
	free(y);
	stream_reader_free(&r);
	stream_writer_free(&w);
}

/* Traces after each other, so many that buffers end anywhere in them. */
static void
stream_traces(void)
{
	enum { TRACES = 40000 };
	struct stream_header h = {.link = 1, .snaplen = 96, .cap = 64, .idle = {1, 2, 3}};
	static struct action a;
	struct stream_writer w;
	struct stream_reader r;
	char name[] = "/tmp/units.XXXXXX";
	int fd = mkstemp(name);

	HOLDS(fd >= 0 && unlink(name) == 0 && stream_writer_init(&w, fd) == 0);
	for (int i = 0; i < TRACES; i++) {
		random_action(&a);
		HOLDS(stream_write_header(&w, &h) == 0 && stream_write(&w, &a) == 0 &&
		      stream_write_end(&w, STREAM_WHOLE) == 0);
	}
	HOLDS(stream_flush(&w) == 0 && lseek(fd, 0, SEEK_SET) == 0 && stream_reader_init(&r, fd) == 0);
	for (int i = 0; i < TRACES; i++)
		HOLDS(stream_read_header(&r, &h) == 1 && stream_read(&r, &a) == 1 && stream_read(&r, &a) == 0);
	HOLDS(stream_read_header(&r, &h) == 0);
	stream_writer_free(&w);
	stream_reader_free(&r);
	close(fd);
}

/* Cut anywhere, a stream is never taken for whole; what was whole before the cut is read. */
static void
stream_cut(void)
{
	static struct action a[RECORDS];
	size_t length;
	int fd = stream_file(a, &length), n, last = RECORDS;

	for (size_t at = length; at-- > 0;) {
		HOLDS(ftruncate(fd, at) == 0);
		HOLDS(read_back(fd, a, &n) == -1);
		HOLDS(n <= last);
		last = n;
	}
	HOLDS(last == 0);
}

/* A few latents, as octets on a file. */
static int
latent_file(size_t *length)
{
	struct stream_header h = {.kind = STREAM_LATENTS, .type = LATENT_F16, .block = {1, 1, 1}, .cap = 64};
	struct latent l = {.octets = (const uint8_t *)"\1\2\3\4\5\6", .size = 6};
	struct stream_writer w;
	char name[] = "/tmp/units.XXXXXX";
	int fd = mkstemp(name);

	HOLDS(fd >= 0 && unlink(name) == 0 && stream_writer_init(&w, fd) == 0 && stream_write_header(&w, &h) == 0);
	for (int i = 0; i < 20; i++)
		HOLDS(stream_write_latent(&w, &l, i % 3 == 0) == 0);
	HOLDS(stream_write_end(&w, STREAM_WHOLE) == 0 && stream_flush(&w) == 0);
	stream_writer_free(&w);
	*length = lseek(fd, 0, SEEK_CUR);
	return fd;
}

/* One octet changed anywhere is noticed. */
static void
damaged(int fd, size_t length)
{
	int n;

	HOLDS(read_back(fd, NULL, &n) == 0);
	for (size_t at = 0; at < length; at++) {
		uint8_t was, is;
		HOLDS(pread(fd, &was, 1, at) == 1);
		is = was ^ (1 + rnd(255));
		HOLDS(pwrite(fd, &is, 1, at) == 1);
		if (read_back(fd, NULL, &n) != -1)
			errx(1, "octet %zu: %02x for %02x was not noticed", at, is, was);
		HOLDS(pwrite(fd, &was, 1, at) == 1);
	}
}

static void
stream_damaged(void)
{
	static struct action a[RECORDS];
	size_t length;
	int fd = stream_file(a, &length);

	damaged(fd, length);
	fd = latent_file(&length);
	damaged(fd, length);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {{"checksum", checksum},
	     {"slots", slots},
	     {"fresh", fresh},
	     {"address-classes", address_classes},
	     {"mac-classes", mac_classes},
	     {"full", full},
	     {"stream", stream},
	     {"stream-traces", stream_traces},
	     {"stream-cut", stream_cut},
	     {"stream-damaged", stream_damaged}};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (argc < 2) {
			puts(tests[i].name);
		} else if (!strcmp(argv[1], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
