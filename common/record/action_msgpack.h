/* An action's octets: the one place that knows them, writing and reading side by side. */
#ifndef TC_ACTION_MSGPACK_H
#define TC_ACTION_MSGPACK_H

#include "record/stream.h"
#include "record/wire.h"

#include <msgpack.h>

/* Octets of a record, at most, and what wire.h may write over behind it. */
#define ACTION_OCTETS_INT  WIRE_NUMBER
#define ACTION_OCTETS_LIST (WIRE_NUMBER * (1 + ACTION_LIST_MAX))
#define ACTION_OCTETS_REF  (WIRE_NUMBER + ACTION_TEXT_MAX)
#define X(id, name, kind, unit) + ACTION_OCTETS_##kind
enum { ACTION_OCTETS = 3 * WIRE_NUMBER ACTION_FIELDS(X) };
#undef X

/* A record is an array: the mask of the fields that are present, then their values, in the order of struct action_order.
 * Returns the octet behind it. */
uint8_t *action_write(uint8_t *p, const struct action *a);
/* The twin of action_write, for what records nearly always are: the octet behind it. NULL where it is anything else, not all
 * there, or wrong: a is of no use then, and action_read() will tell. */
const uint8_t *action_scan(struct action *a, struct wire w, const struct action_order *order);
/* The same of any object: 0, or -1 with *why set to what is wrong with the record. Where action_scan() takes a record, this
 * one gives the same action. */
int action_read(struct action *a, const msgpack_object *o, const struct action_order *order, const char **why);

#endif
