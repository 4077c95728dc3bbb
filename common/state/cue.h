/*
 * A cue is one field of an action as seen against the state. The same line of code computes the field from the packet
 * (lift) and the packet from the field (compile), so that the two can't drift apart. Each layer's function handles its
 * fields in one order for both directions, then updates the state.
 */
#ifndef TC_CUE_H
#define TC_CUE_H

#include "packet/layers.h"
#include "state/trace.h"

struct cue {
	struct trace *t;
	struct packet *p;
	struct action *a;
	bool lift;
	uint32_t slot;
	struct flow *f;
	int dir;
	struct side *me, *peer;
	struct host *from, *to; /* NULL: a fixed address, or a slot that was given away */
	uint32_t avoid;         /* a fresh sequence number must differ from this one */
};

/* What an action asked for and didn't get. */
static inline void
cue_odd(struct cue *c, enum odd what)
{
	c->t->odd[what]++;
}

/* A number of 0 to max; the state predicts `predicted`. Returns what it is. */
static inline int64_t
cue_number(struct cue *c, enum action_field f, int64_t v, int64_t predicted, int64_t max)
{
	if (c->lift) {
		if (v != predicted)
			action_set(c->a, f, v);
		return v;
	}
	if (!action_has(c->a, f))
		return predicted;
	v = c->a->num[f];
	if (v < 0 || v > max) {
		cue_odd(c, ODD_RANGE);
		v = v < 0 ? 0 : max;
	}
	return v;
}

/* A signed number between -max and max. */
static inline int64_t
cue_signed(struct cue *c, enum action_field f, int64_t v, int64_t predicted, int64_t max)
{
	if (c->lift || !action_has(c->a, f))
		return cue_number(c, f, v, predicted, max);
	v = c->a->num[f];
	if (v < -max || v > max) {
		cue_odd(c, ODD_RANGE);
		v = v < 0 ? -max : max;
	}
	return v;
}

/* A number modulo 2^32 as steps from base. */
static inline uint32_t
cue_steps(struct cue *c, enum action_field f, uint32_t v, uint32_t base)
{
	return base + (uint32_t)cue_signed(c, f, (int32_t)(v - base), 0, INT64_C(1) << 31);
}

static inline bool
cue_flag(struct cue *c, enum action_field f, bool v, bool predicted)
{
	return cue_number(c, f, v, predicted, 1);
}

/* A number with no known base, such as an initial sequence number: the field records only that it is zero, or, with
 * zero_predicted, that it isn't; compile draws the value. */
uint32_t cue_free(struct cue *c, enum action_field f, uint32_t v, bool zero_predicted);

/* A list of numbers: n of them, size octets each (2 only where it is predicted), room for max. */
struct cue_array {
	void *v;
	unsigned size, n, max;
};
/* Returns how many there are. Mostly there are none, and none are predicted. */
unsigned cue_long_list(struct cue *c, enum action_field f, struct cue_array v,
		       struct cue_array predicted);
static inline unsigned
cue_list(struct cue *c, enum action_field f, struct cue_array v, struct cue_array predicted)
{
	if (predicted.n == 0 && (c->lift ? v.n == 0 : !action_has(c->a, f)))
		return 0;
	return cue_long_list(c, f, v, predicted);
}
/* A layout of options, remembered where it is short and well-formed. */
unsigned cue_layout(struct cue *c, enum action_field f, uint32_t *v, unsigned n,
		    const uint16_t *predicted, unsigned n_predicted, unsigned max);
void cue_remember_layout(const uint32_t *v, unsigned n, uint16_t *memory, uint8_t *n_memory);

/* A host or link address; predicted NULL: by nothing. Returns the host's slot, SLOT_NONE for a
 * fixed address. version: what a compiler gives where the action says nothing fit. */
uint32_t cue_host(struct cue *c, enum action_field f, struct address *v,
		  const struct address *predicted, int version);
void cue_mac(struct cue *c, enum action_field f, uint8_t *v, const uint8_t *predicted);

/* The layers. */
void cue_link(struct cue *c);
void cue_frame(struct cue *c);
void cue_arp(struct cue *c);
void cue_ip(struct cue *c);
void cue_lengths(struct cue *c);
void cue_tcp_layout(struct cue *c);
void cue_tcp(struct cue *c);
void cue_udp(struct cue *c);
void cue_icmp(struct cue *c);

#endif
