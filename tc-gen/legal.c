#include "legal.h"

#include "support/random.h"

#include <stdlib.h>
#include <string.h>

#define FAR  (INT32_C(1) << 30)
#define STEP 0.9f /* of the shares that an octet can say: its powers */

/* By whose octets a rule is kept: those of the field in which it is broken, but for RULE_OVER, whose field has RULE_KIND. */
static const enum field rule_field[RULES] = {
    [RULE_KIND] = FIELD_FLAGS, [RULE_OVER] = FIELD_DIR, [RULE_AGAIN] = FIELD_AGAIN, [RULE_SEQ] = FIELD_SEQ,
    [RULE_ACK] = FIELD_ACK,    [RULE_SACK] = FIELD_SACK, [RULE_WIN] = FIELD_WIN};

static int32_t
clamp(int64_t v)
{
	return v < -FAR ? -FAR : v > FAR ? FAR : v;
}

/* What a symbol says in one number. */
static int64_t
number(enum field f, struct action *a)
{
	switch (f) {
	case FIELD_DIR:
		return action_number(a, ACTION_DIR);
	case FIELD_AGAIN:
		return action_number(a, ACTION_OPEN);
	case FIELD_FLAGS:
		return action_has(a, ACTION_FLAGS) ? a->num[ACTION_FLAGS] : TCP_ACK;
	case FIELD_TYPE:
		return action_number(a, ACTION_TYPE);
	case FIELD_LEN:
		return action_number(a, ACTION_LEN);
	case FIELD_SEQ:
		return action_number(a, ACTION_SEQ);
	case FIELD_ACK:
		return action_number(a, ACTION_ACK_SAME) ? -FAR : action_number(a, ACTION_ACK);
	case FIELD_SACK:
		return action_has(a, ACTION_SACK) ? connection_last_edge(action_list(a, ACTION_SACK)) : -FAR;
	default:
		return 0;
	}
}

int
legal_init(struct legal *l, const struct vocabulary *v)
{
	struct action a;
	uint64_t random = 0;

	*l = (struct legal){.v = v, .low = malloc(v->all * sizeof *l->low), .high = malloc(v->all * sizeof *l->high)};
	if (!l->low || !l->high)
		return -1;
	for (int f = 0; f < FIELDS; f++)
		for (int i = v->first[f]; i < v->first[f] + v->n[f]; i++) {
			const struct symbol *s = &v->symbol[i];
			bool range = s->kind == SYMBOL_RANGE;
			a.has = 0;
			if (!range)
				symbol_set(v, f, s, &a, &random);
			l->low[i] = clamp(range ? s->low : number(f, &a));
			l->high[i] = clamp(range ? s->high - 1 : number(f, &a));
		}
	return 0;
}

void
legal_free(struct legal *l)
{
	free(l->low);
	free(l->high);
	*l = (struct legal){0};
}

/* --- what is kept --- */

/* The most that a field says of a packet. */
static int32_t
said(const struct legal *l, enum field f, const uint16_t *token)
{
	return l->high[l->v->first[f] + token[f]];
}

static struct segment
segment_of(const struct legal *l, const uint16_t *token)
{
	int32_t ack = said(l, FIELD_ACK, token);

	return (struct segment){.dir = said(l, FIELD_DIR, token) == 1, .open = said(l, FIELD_AGAIN, token),
				.flags = said(l, FIELD_FLAGS, token), .len = said(l, FIELD_LEN, token),
				.seq = said(l, FIELD_SEQ, token), .ack = ack, .ack_same = ack == -FAR};
}

/* A range is kept where all of it is within. */
static void
keep_within(const struct legal *l, enum field f, struct bounds b, float *p)
{
	const int32_t *low = l->low + l->v->first[f], *high = l->high + l->v->first[f];
	int32_t least = clamp(b.least), most = clamp(b.most);
	int n = l->v->n[f], left = 0;

	for (int i = 0; i < n; i++)
		left |= low[i] >= least && high[i] <= most && p[i] > 0;
	for (int i = 0; i < n && left; i++)
		p[i] = low[i] >= least && high[i] <= most ? p[i] : 0;
}

static void
keep_kinds(const struct legal *l, const struct connection *c, struct segment *s, float *p)
{
	const int32_t *flags = l->low + l->v->first[FIELD_FLAGS];
	int n = l->v->n[FIELD_FLAGS], left = 0;
	bool may[n];

	for (int i = 0; i < n; i++) {
		s->flags = flags[i];
		may[i] = connection_kind(c, s);
		left |= may[i] && p[i] > 0;
	}
	for (int i = 0; i < n && left; i++)
		p[i] = may[i] ? p[i] : 0;
}

void
legal_keep(const struct legal *l, const struct connection *c, unsigned lawless, enum field f, const uint16_t *token, float *p)
{
	struct segment s = segment_of(l, token);
	bool any_kind = lawless >> connection_kind_rule(c) & 1, anew = lawless >> RULE_AGAIN & 1;

	if (f == FIELD_AGAIN && !anew && !connection_over(c))
		keep_within(l, f, (struct bounds){-FAR, FLOW_REUSED - 1}, p);
	else if (f == FIELD_FLAGS && !any_kind)
		keep_kinds(l, c, &s, p);
	else if (f == FIELD_LEN && !(lawless >> RULE_SEQ & 1))
		keep_within(l, f, connection_len(c, &s), p);
	else if (f == FIELD_SEQ && !(lawless >> RULE_SEQ & 1))
		keep_within(l, f, connection_seq(c, &s), p);
	else if (f == FIELD_ACK && !(lawless >> RULE_ACK & 1))
		keep_within(l, f, connection_ack(c, &s), p);
	else if (f == FIELD_SACK && !(lawless >> RULE_SACK & 1))
		keep_within(l, f, connection_sack(c, &s), p);
	else if (f == FIELD_WIN && !(lawless >> RULE_WIN & 1) && l->v->n[f] > 1 && connection_says_window(c, &s))
		p[0] = 0;
}

/* --- who breaks them --- */

/* The first has all, each later one a step less; 0 is none. */
static float
share_of(uint8_t octet)
{
	float share = octet >> 1 ? 1 : 0;

	for (int k = octet >> 1; k > 1; k--)
		share *= STEP;
	return share;
}

/* A rule that most break holds for nobody: the network knows who keeps it. */
void
legal_learn(uint8_t *has, const uint32_t *broken, const uint32_t *asked)
{
	for (int r = 0; r < RULES; r++) {
		uint8_t octet = broken[r] ? 2 : 0;
		bool holds = 2 * broken[r] < asked[r];
		while (holds && octet && octet < 254 && share_of(octet) * asked[r] > broken[r])
			octet += 2;
		has[rule_field[r]] = octet | (has[rule_field[r]] & LEGAL_HAS);
	}
}

unsigned
legal_draw(const uint8_t *has, uint64_t *random)
{
	unsigned lawless = 0;

	for (int r = 0; r < RULES; r++)
		if (has[rule_field[r]] > LEGAL_HAS && random_uniform(random) < share_of(has[rule_field[r]]))
			lawless |= 1u << r;
	return lawless;
}
