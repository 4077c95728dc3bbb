#include "process/files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
add(struct files *f, struct file file)
{
	struct file *more = realloc(f->file, (f->n + 1) * sizeof *more);

	if (!more)
		return -1;
	f->file = more;
	f->file[f->n++] = file;
	return 0;
}

static int
add_read(struct files *f, const struct stat *st, const char *name)
{
	return S_ISREG(st->st_mode) ? add(f, (struct file){st->st_dev, st->st_ino, NULL, name, false}) : 0;
}

int
files_read(struct files *f, int fd, const char *name)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? add_read(f, &st, name) : 0;
}

int
files_read_path(struct files *f, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? add_read(f, &st, path) : 0;
}

/* Which file a path will be: false where it is none that counts. */
static bool
identify(const char *path, struct file *file)
{
	struct stat st;
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? slash - path + 1 : 1;

	file->base = NULL;
	if (stat(path, &st) < 0) {
		if (errno != ENOENT || n >= sizeof folder)
			return false;
		memcpy(folder, slash ? path : ".", n);
		folder[n] = '\0';
		if (stat(folder, &st) < 0)
			return false;
		file->base = slash ? slash + 1 : path;
	} else if (!S_ISREG(st.st_mode)) {
		return false;
	}
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return true;
}

static bool
same(const struct file *a, const struct file *b)
{
	if (a->dev != b->dev || a->ino != b->ino || !a->base != !b->base)
		return false;
	return !a->base || !strcmp(a->base, b->base);
}

int
files_write(struct files *f, const char *path, const char *name, struct file *clash)
{
	struct file file = {.name = name, .written = true};
	struct stat st;

	*clash = (struct file){0};
	if (path && strcmp(path, "-")) {
		if (!identify(path, &file))
			return 0;
	} else {
		if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		file.dev = st.st_dev;
		file.ino = st.st_ino;
	}
	for (size_t i = 0; i < f->n && !clash->name; i++)
		if (same(&f->file[i], &file))
			*clash = f->file[i];
	return clash->name ? 0 : add(f, file);
}

void
files_free(struct files *f)
{
	free(f->file);
	*f = (struct files){0};
}
