/*
 * The files that a program reads and writes, by device and inode, so that none is both, and none is written twice: a path,
 * a link and a redirection may name the same one. Only regular files count; a device or a pipe keeps nothing.
 */
#ifndef TC_FILES_H
#define TC_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct file {
	dev_t dev;
	ino_t ino;
	const char *base; /* of a file that isn't there yet, in the folder of that device and inode; NULL: the file's own */
	const char *name; /* for messages */
	bool written;
};

struct files {
	struct file *file;
	size_t n;
};

/* A file that is read, by its descriptor or its path. 0, or -1 with errno where memory is short. */
int files_read(struct files *f, int fd, const char *name);
int files_read_path(struct files *f, const char *path);
/*
 * A file that is to be written, not yet opened; standard output for NULL and "-". If it is one of those so far, that one
 * goes to *clash, whose name is NULL else. 0, or -1 as above. Names and paths must outlive the struct files.
 */
int files_write(struct files *f, const char *path, const char *name, struct file *clash);
void files_free(struct files *f);

#endif
