/* An action's octets: the one place that knows them, writing and reading side by side. */
#ifndef TC_ACTION_MSGPACK_H
#define TC_ACTION_MSGPACK_H

#include "record/stream.h"

#include <msgpack.h>

/* A record is an array: the mask of the fields that are present, then their values, in the order of struct action_order. */
void action_write(msgpack_packer *pk, const struct action *a);
/* The twin of action_write: 0, or -1 with *why set to what is wrong with the record. */
int action_read(struct action *a, const msgpack_object *o, const struct action_order *order, const char **why);

#endif
