#include "field.h"

#include "scale.h"

#include <string.h>

#define TICK	  64 /* ns: times are told apart by them */
#define TICK_BITS 2  /* ranges of times: four a power of two */
#define BITS	  1  /* of other numbers: two */

#define M(f) (UINT64_C(1) << ACTION_##f)

const struct field_spec field_specs[FIELDS] = {
    [FIELD_NEXT] = {0, -1, 1, -1},
    [FIELD_OPENED] = {0, -1, 2, -1},
    [FIELD_PROTO] = {M(PROTO), ACTION_PROTO, 2, -1},
    [FIELD_ORIG_H] = {0, -1, 2, WHO_ORIG_H},
    [FIELD_RESP_H] = {0, -1, 2, WHO_RESP_H},
    [FIELD_RESP_P] = {M(RESP_P), ACTION_RESP_P, 2, -1},
    [FIELD_ORIG_P] = {M(ORIG_P), ACTION_ORIG_P, 2, -1},
    [FIELD_SRC_MAC] = {0, -1, 2, WHO_SRC_MAC},
    [FIELD_DST_MAC] = {0, -1, 2, WHO_DST_MAC},
    [FIELD_DIR] = {M(DIR), -1, 3, -1},
    [FIELD_AGAIN] = {M(OPEN), -1, 1, -1},
    [FIELD_FLAGS] = {M(FLAGS), -1, 3, -1},
    [FIELD_TYPE] = {M(TYPE) | M(CODE), -1, 3, -1},
    [FIELD_LEN] = {M(LEN), ACTION_LEN, 3, -1},
    [FIELD_SEQ] = {M(SEQ), ACTION_SEQ, 3, -1},
    [FIELD_ACK] = {M(ACK) | M(ACK_SAME), ACTION_ACK, 3, -1},
    [FIELD_SACK] = {M(SACK), -1, 3, -1},
    [FIELD_WIN] = {M(WIN), ACTION_WIN, 3, -1},
    [FIELD_OPTS] = {M(OPTS) | M(MSS) | M(WSCALE), -1, 3, -1},
    [FIELD_ID] = {M(ID), ACTION_ID, 3, -1},
    [FIELD_TSVAL] = {M(TSVAL), ACTION_TSVAL, 3, -1},
    [FIELD_TSECR] = {M(TSECR) | M(NO_ECHO), ACTION_TSECR, 3, -1},
    [FIELD_REST] = {M(REST), ACTION_REST, 3, -1},
    [FIELD_TTL] = {M(TTL), ACTION_TTL, 3, -1},
    [FIELD_PAD] = {M(PAD), ACTION_PAD, 3, -1},
    [FIELD_OTHER] = {M(FRAG) | M(TAGS) | M(LINK) | M(EXT) | M(TOS) | M(LABEL) | M(NO_CHECKSUM) | M(URGENT) | M(FRAG_ID) |
			 M(IP_HL) | M(IP_LEN) | M(UDP_LEN) | M(TCP_OFF),
		     -1, 3, -1},
};

const char *const field_names[FIELDS] = {"next", "opened", "proto", "orig_h", "resp_h", "resp_p", "orig_p", "src_mac", "dst_mac",
					 "dir", "again", "flags", "type", "len", "seq", "ack", "sack", "win", "opts", "id",
					 "tsval", "tsecr", "rest", "ttl", "pad", "other"};

bool
field_is_of(enum field f, enum head h)
{
	return field_specs[f].heads >> h & 1;
}


bool
number_of(enum field f, const struct action *a, int64_t *v)
{
	int number = field_specs[f].number;

	if (number < 0 || !action_has(a, number) || (a->has & field_specs[f].mask) != UINT64_C(1) << number)
		return false;
	*v = a->num[number];
	return *v > -(INT64_C(1) << 40) && *v < INT64_C(1) << 40;
}

void
range_of(int64_t v, int64_t *low, int64_t *high)
{
	int r = scale_range(v < 0 ? -v : v, BITS);
	int64_t a = scale_low(r, BITS), b = scale_low(r + 1, BITS);

	*low = v < 0 ? 1 - b : a;
	*high = v < 0 ? 1 - a : b;
}

void
range_of_time(const struct corpus *c, int64_t t, int64_t *low, int64_t *high)
{
	int r = scale_range((t < 0 ? -1 - t : t) / TICK, TICK_BITS);

	*low = scale_low(r, TICK_BITS) * TICK;
	*high = scale_low(r + 1, TICK_BITS) * TICK;
	if (t < 0) {
		int64_t least = *low;
		*low = -*high;
		*high = -least;
		return;
	}
	for (int k = 0; k < FLOW_KINDS; k++) {
		int64_t idle = c->header.idle[k] * INT64_C(1000000000) + 1;
		if (idle > *low && idle <= t)
			*low = idle;
		else if (idle < *high && idle > t)
			*high = idle;
	}
}

int64_t
time_of(enum field f, const struct corpus *c, uint32_t i, uint32_t opened)
{
	const struct packet_seen *p = &c->packet[i];

	if (f == FIELD_NEXT) {
		if (p->before == NOBODY)
			return NO_TIME;
		const struct packet_seen *before = &c->packet[p->before];
		int64_t wait = p->time > before->time ? p->time - before->time : 0, left = before->of_host - wait;
		return left >= 0 && wait_is_told_by(left, before->of_host) ? -1 - left : wait;
	}
	if (!p->opens)
		return NO_TIME;
	int64_t since = opened == NOBODY || c->packet[opened].trace != p->trace ? 0 : c->packet[opened].time;
	return p->time > since ? p->time - since : 0;
}

struct symbol
who_symbol(const struct corpus *c, enum field f, const struct packet_seen *p, struct action *a, uint64_t *word)
{
	const struct named *w = &p->who[field_specs[f].who];
	int kind = f == FIELD_SRC_MAC || f == FIELD_DST_MAC;
	struct symbol s = {.kind = SYMBOL_ABSENT};
	int64_t low, high;

	if (!w->set)
		return s;
	if (w->kind == REF_FIXED) {
		static const uint8_t ref[WHOS] = {ACTION_ORIG_H, ACTION_RESP_H, ACTION_SRC_MAC, ACTION_DST_MAC};
		const char *text = action_ref(a, ref[field_specs[f].who])->text;
		s.kind = SYMBOL_FIXED;
		s.n = (ACTION_TEXT_MAX + 7) / 8;
		memset(word, 0, s.n * 8);
		memcpy(word, text, strnlen(text, ACTION_TEXT_MAX - 1));
		return s;
	}
	if (w->id == NOBODY)
		return s;
	const struct someone *one = &c->one[kind][w->id];
	s.class = one->class;
	s.scope = one->scope;
	if (corpus_known(c, kind, w->id)) {
		s.kind = SYMBOL_NAMED;
		s.low = w->id;
	} else if (w->rank == NOBODY) {
		s.kind = SYMBOL_NEW;
	} else {
		s.kind = SYMBOL_RECENT;
		s.class = s.scope = 0;
		range_of(w->rank, &low, &high);
		s.low = low;
		s.high = high;
	}
	return s;
}
