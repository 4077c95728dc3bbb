/* Large memory, all 0, of which the system gives what is touched, in large pages where it has such: fewer faults, and fewer
 * misses of the TLB. */
#ifndef TC_HUGEPAGES_H
#define TC_HUGEPAGES_H

#include <stddef.h>
#include <sys/mman.h>

#define HUGEPAGE ((size_t)2 << 20) /* of most machines */

/* Whole pages: Linux aligns such a mapping to them, and no small pages are left at its ends. */
static inline size_t
hugepages_whole(size_t octets)
{
	return (octets + HUGEPAGE - 1) / HUGEPAGE * HUGEPAGE;
}

/* NULL where memory is short. */
static inline void *
hugepages_new(size_t octets)
{
	octets = hugepages_whole(octets);
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
		munmap(p, hugepages_whole(octets));
}

#endif
