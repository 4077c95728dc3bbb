#include "process/map.h"

#include "process/io.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

int
map_open(struct map *m, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && fchmod(fd, 0600) < 0) ||
	    !(m->file = io_stream(fd))) {
		close(fd);
		return -1;
	}
	fputs("packet\twhat\tslot\taddress\n", m->file);
	return 0;
}

int
map_close(struct map *m)
{
	int bad = ferror(m->file);

	return fclose(m->file) || bad ? -1 : 0;
}

void
map_line(void *arg, const char *what, uint32_t slot, const char *text)
{
	struct map *m = arg;

	fprintf(m->file, "%" PRIu64 "\t%s\t%" PRIu32 "\t%s\n", m->packet, what, slot, text);
}
