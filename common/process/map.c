#include "process/map.h"

#include "process/io.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

int
map_open(struct map *m, const char *path)
{
	if (outfile_open_secret(&m->out, path) < 0)
		return -1;
	if (!(m->file = io_stream(dup(m->out.fd)))) {
		outfile_discard(&m->out);
		return -1;
	}
	fputs("packet\twhat\tslot\taddress\n", m->file);
	return 0;
}

int
map_close(struct map *m, bool keep)
{
	int bad = ferror(m->file) | fclose(m->file), error = errno;

	if (keep && !bad)
		return outfile_commit(&m->out);
	outfile_discard(&m->out);
	errno = error;
	return bad ? -1 : 0;
}

void
map_line(void *arg, const char *what, uint32_t slot, const char *text)
{
	struct map *m = arg;

	fprintf(m->file, "%" PRIu64 "\t%s\t%" PRIu32 "\t%s\n", m->packet, what, slot, text);
}
