/* Large memory, all 0, of which the system gives what is touched, in large pages where it has such: fewer faults, and fewer
 * misses of the TLB. */
#ifndef TC_HUGEPAGES_H
#define TC_HUGEPAGES_H

#include <stddef.h>
#include <sys/mman.h>

/* NULL where memory is short. */
static inline void *
hugepages_new(size_t octets)
{
	void *p = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
#ifdef __linux__
	madvise(p, octets, MADV_HUGEPAGE);
#endif
	return p;
}

static inline void
hugepages_free(void *p, size_t octets)
{
	if (p)
		munmap(p, octets);
}

#endif
