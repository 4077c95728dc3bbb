/* Where threads wait for each other: POSIX has it, as an option that Apple's systems don't have. */
#ifndef TC_BARRIER_H
#define TC_BARRIER_H

#include <pthread.h>

#ifndef __linux__

struct barrier {
	pthread_mutex_t lock;
	pthread_cond_t all;
	unsigned due, here, round;
};

static inline void
barrier_init(struct barrier *b, unsigned n)
{
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->all, NULL);
	b->due = n;
	b->here = b->round = 0;
}

static inline void
barrier_wait(struct barrier *b)
{
	pthread_mutex_lock(&b->lock);
	unsigned round = b->round;
	if (++b->here == b->due) {
		b->here = 0;
		b->round++;
		pthread_cond_broadcast(&b->all);
	} else {
		while (b->round == round)
			pthread_cond_wait(&b->all, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
}

static inline void
barrier_free(struct barrier *b)
{
	pthread_cond_destroy(&b->all);
	pthread_mutex_destroy(&b->lock);
}

#define pthread_barrier_t		  struct barrier
#define pthread_barrier_init(b, unused, n) barrier_init(b, n)
#define pthread_barrier_wait(b)		  barrier_wait(b)
#define pthread_barrier_destroy(b)	  barrier_free(b)

#endif

#endif
