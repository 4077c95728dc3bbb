#include "process/unpack.h"

#include "process/io.h"
#include "process/kind.h"
#include "support/portable.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUFFER (1 << 16)

/* What libarchive leaves unchecked: gzip's checksum and length of what was compressed, its last eight octets. */
struct trailer {
	uint8_t last[10]; /* of what was read so far, and two before those eight */
	uint64_t read;
	bool several; /* maybe: files of gzip may be joined, and each has a trailer */
	uint32_t crc, length;
};

struct unpack {
	struct archive *archive;
	enum kind kind;
	struct trailer trailer;
	ssize_t (*more)(void *arg, void *p, size_t n);
	void *arg;
	size_t head; /* octets in `in` that libarchive has not had */
	bool opened, ended;
	char error[200];
	uint8_t in[BUFFER];
};

#ifdef __linux__
static int statm = -1;
#endif

void
unpack_prepare(void)
{
#ifdef __linux__
	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
#endif
}

bool
unpack_takes(const void *head, size_t n)
{
	switch (kind_of(head, n)) {
	case KIND_GZIP:
	case KIND_ZSTD:
	case KIND_XZ:
	case KIND_LZ4:
		return true;
	default:
		return false;
	}
}

/* --- memory --- */

/* What bounds it is the whole program's: one of its threads unpacks at a time. */
static pthread_mutex_t unpacking = PTHREAD_MUTEX_INITIALIZER;

#ifdef __linux__

/* Octets of address space that the program has now; 0 where nobody knows. */
static size_t
address_space(void)
{
	char text[40];
	ssize_t n = lseek(statm, 0, SEEK_SET) < 0 ? -1 : read(statm, text, sizeof text - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoul(text, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* Takes room for a window and no more, until release(). 0, or -1 with errno. */
static int
bound(struct rlimit *before)
{
	size_t now = address_space();
	struct rlimit limit;

	if (!now) {
		errno = ENOSYS;
		return -1;
	}
	if (getrlimit(RLIMIT_AS, before) < 0)
		return -1;
	limit = *before;
	if (limit.rlim_cur > now + UNPACK_ROOM)
		limit.rlim_cur = now + UNPACK_ROOM;
	return setrlimit(RLIMIT_AS, &limit);
}

static void
release(const struct rlimit *before)
{
	setrlimit(RLIMIT_AS, before);
}

#else

/* Nobody says how much it has, so there is nothing to bound it by. */
static int
bound(struct rlimit *before)
{
	(void)before;
	return 0;
}

static void
release(const struct rlimit *before)
{
	(void)before;
}

#endif

/* --- octets --- */

static void
trailer_pass(struct trailer *t, const uint8_t *p, size_t n)
{
	uint8_t seam[4];

	memcpy(seam, t->last + 8, 2);
	memcpy(seam + 2, p, n < 2 ? n : 2);
	t->several |= t->read && memmem(seam, 2 + (n < 2 ? n : 2), "\x1f\x8b\x08", 3);
	t->several |= memmem(p + !t->read, n - !t->read, "\x1f\x8b\x08", 3) != NULL;
	size_t keep = n < sizeof t->last ? sizeof t->last - n : 0;
	memmove(t->last, t->last + sizeof t->last - keep, keep);
	memcpy(t->last + keep, p + n - (sizeof t->last - keep), sizeof t->last - keep);
	t->read += n;
}

/* At the end. Of several joined ones the length tells whether the last trailer is that of all. */
static bool
trailer_agrees(const struct trailer *t)
{
	uint32_t crc, length;

	memcpy(&crc, t->last + 2, 4);
	memcpy(&length, t->last + 6, 4);
	if (le32toh(length) != t->length)
		return t->several;
	return le32toh(crc) == t->crc;
}

/* libarchive wants more. */
static la_ssize_t
supply(struct archive *a, void *arg, const void **p)
{
	struct unpack *u = arg;
	ssize_t n = u->head;

	*p = u->in;
	u->head = 0;
	if (n == 0 && (n = u->more(u->arg, u->in, BUFFER)) < 0)
		archive_set_error(a, errno, "%s", strerror(errno));
	if (n > 0 && u->kind == KIND_GZIP)
		trailer_pass(&u->trailer, u->in, n);
	return n;
}

/* One kind is enough, and what nobody asked for can't be made use of. */
static int
support(struct archive *a, enum kind kind)
{
	switch (kind) {
	case KIND_GZIP:
		return archive_read_support_filter_gzip(a);
	case KIND_ZSTD:
		return archive_read_support_filter_zstd(a);
	case KIND_XZ:
		return archive_read_support_filter_xz(a);
	default:
		return archive_read_support_filter_lz4(a);
	}
}

struct unpack *
unpack_new(const void *head, size_t n, ssize_t (*more)(void *arg, void *p, size_t n), void *arg)
{
	struct unpack *u = n <= BUFFER ? calloc(1, sizeof *u) : NULL;

	if (!u)
		return NULL;
	u->more = more;
	u->arg = arg;
	u->head = n;
	memcpy(u->in, head, n);
	u->kind = kind_of(head, n);
	if (!(u->archive = archive_read_new()) || support(u->archive, u->kind) != ARCHIVE_OK ||
	    archive_read_support_format_raw(u->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(u->archive) != ARCHIVE_OK) {
		unpack_free(u);
		errno = ENOMEM;
		return NULL;
	}
	return u;
}

/* ARCHIVE_OK, ARCHIVE_EOF where there is nothing, or an error. */
static int
begin(struct unpack *u)
{
	struct archive_entry *entry;
	int r;

	if (u->opened)
		return ARCHIVE_OK;
	u->opened = true;
	r = archive_read_open(u->archive, u, NULL, supply, NULL);
	return r == ARCHIVE_OK ? archive_read_next_header(u->archive, &entry) : r;
}

static ssize_t
read_data(struct unpack *u, void *p, size_t n)
{
	int r = begin(u);

	return r == ARCHIVE_OK ? archive_read_data(u->archive, p, n) : r == ARCHIVE_EOF ? 0 : -1;
}

ssize_t
unpack_read(struct unpack *u, void *p, size_t n)
{
	struct rlimit before;
	ssize_t got = -1;

	if (*u->error || u->ended)
		return u->ended ? 0 : -1;
	pthread_mutex_lock(&unpacking);
	bool bounded = bound(&before) == 0;
	if (bounded) {
		got = read_data(u, p, n);
		release(&before);
	}
	pthread_mutex_unlock(&unpacking);
	if (!bounded) {
		snprintf(u->error, sizeof u->error, "compressed, and its memory can't be bounded: %s", strerror(errno));
		return -1;
	}
	u->ended = got == 0 || (got < 0 && io_interrupted); /* what is missing then is no damage */
	if (got > 0 && u->kind == KIND_GZIP) {
		u->trailer.crc = libdeflate_crc32(u->trailer.crc, p, got);
		u->trailer.length += got;
	}
	if (got == 0 && u->kind == KIND_GZIP && !io_interrupted && !trailer_agrees(&u->trailer)) {
		u->ended = false;
		snprintf(u->error, sizeof u->error, "compressed, and damaged: gzip's checksum or length is not that of what was there");
		errno = EIO;
		return -1;
	}
	if (got >= 0 || u->ended)
		return u->ended ? 0 : got;
	const char *why = archive_error_string(u->archive);
	if (archive_errno(u->archive) == ENOMEM)
		snprintf(u->error, sizeof u->error, "compressed with a window that needs more than %zu MiB, or memory is short",
			 UNPACK_ROOM >> 20);
	else
		snprintf(u->error, sizeof u->error, "compressed, and cut off or damaged: %s", why ? why : "no reason is known");
	errno = EIO;
	return -1;
}

const char *
unpack_error(const struct unpack *u)
{
	return u && *u->error ? u->error : NULL;
}

void
unpack_free(struct unpack *u)
{
	if (!u)
		return;
	archive_read_free(u->archive);
	free(u);
}
