/*
 * The fresh endpoints of one capture that is joined to others: each of its hosts, groups and link
 * addresses gets an address of its class that none has got before. Those of tracecodec(7) that stay do, but
 * for 127.0.0.1 and ::1: hosts of two captures would become one.
 */
#ifndef TC_NAMES_H
#define TC_NAMES_H

#include "packet/address.h"
#include "state/slots.h"

struct names {
	struct fresh *fresh; /* of all captures */
	struct slots slots;
	struct address *name; /* by slot */
};

/* 0, or -1 where memory is short. */
int names_begin(struct names *n, struct fresh *fresh);
void names_end(struct names *n);
/* Whether there may be too little room for those of another packet. */
bool names_full(const struct names *n);

struct address names_host(struct names *n, const struct address *a);
/* Each gives the address at `at` its name; the first returns what it was. */
struct address names_rename_host(struct names *n, int version, uint8_t *at);
void names_rename_mac(struct names *n, uint8_t *at);

#endif
