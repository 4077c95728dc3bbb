/* Messages of ICMP that are whole, and replies that were asked for, whatever was drawn. */
#ifndef TC_GEN_MESSAGES_H
#define TC_GEN_MESSAGES_H

#include "state/trace.h"

struct messages {
	uint32_t (*asked)[2]; /* by slot: requests of each direction that got no reply yet */
};

/* Whether IP's version has messages of such a type (RFC 792, RFC 4443 section 2.1). */
static inline bool
messages_have(int family, int64_t type)
{
	return family == 4 ? type < 128 : (type >= 1 && type <= 4) || type >= 128;
}

/* For so many slots. 0, or -1 where memory is short. */
int messages_init(struct messages *m, uint32_t slots);
void messages_free(struct messages *m);
/*
 * Before an action is compiled: neighbour discovery is as long as its options are (RFC 4861, section 4), a listener report as its
 * records (RFC 3810, section 5.2), and who opens a flow asks. False for what is not to be sent: a reply that nobody asked for, an
 * error that quotes nothing, a type that there isn't.
 */
bool messages_put_right(struct messages *m, const struct trace *t, struct action *a);

#endif
