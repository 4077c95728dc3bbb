#include "dialogue.h"

#include "scale.h"

void
dialogue_take(struct dialogue *d, const struct action *a, int64_t time)
{
	int dir = action_number(a, ACTION_DIR) == 1, open = action_number(a, ACTION_OPEN);
	int64_t len = action_number(a, ACTION_LEN), flags = action_has(a, ACTION_FLAGS) ? a->num[ACTION_FLAGS] : TCP_ACK;

	if (!d->packets || open == FLOW_REUSED || open == FLOW_REUSED_REVERSED)
		*d = (struct dialogue){.opened = time, .before = time, .all = d->all, .after = d->after, .tried = d->tried,
				       .tries = d->packets ? d->tries + 1 : 0};
	else
		d->before = d->last[d->dir];
	uint32_t kind = (uint32_t)(flags & 255) << 24 | (len & 0xffffff);
	d->row = d->packets && d->dir == dir ? d->row + 1 : 1;
	d->alike = d->packets && d->dir == dir && d->kind == kind ? d->alike + 1 : 1;
	d->kind = kind;
	d->data = len > 0;
	if (dir)
		d->tries = 0;
	d->tried = d->tries > d->tried ? d->tries : d->tried;
	d->packets++;
	d->all++;
	if (len > 0) {
		d->octets[dir] += len;
		if (action_number(a, ACTION_SEQ) >= 0)
			d->waiting[dir] += len < 65536 ? len : 65536;
	}
	if (flags & TCP_ACK && !action_number(a, ACTION_ACK_SAME)) {
		int64_t behind = -action_number(a, ACTION_ACK);
		d->waiting[!dir] = behind > 0 && behind < d->waiting[!dir] ? behind : behind > 0 ? d->waiting[!dir] : 0;
	}
	d->flags[dir] |= flags & 7;
	d->dir = dir;
	d->said[dir] = true;
	d->last[dir] = time;
}

int
dialogue_state(const struct dialogue *d)
{
	return (d->waiting[0] > 0) | (d->waiting[1] > 0) << 1 | d->dir * DIALOGUE_DIR | d->data * DIALOGUE_DATA;
}

void
pace_take(struct pace *p, int64_t time)
{
	p->time[p->n++ % PACE] = time;
}

static float
time_log(int64_t t)
{
	return t > 0 ? scale_log(t / 64) * (1 / 8.0f) : 0;
}

void
pace_features(const struct pace *p, int64_t time, float *x)
{
	static const uint32_t back[RATES] = {2, 8, PACE};

	for (int i = 0; i < RATES; i++) {
		uint32_t n = p->n < back[i] ? p->n : back[i];
		x[i] = n ? time_log(time - p->time[(p->n - n) % PACE]) : 0;
	}
}

/* A time between two octaves is some of both. */
static void
tell_time(int64_t t, float *x)
{
	float at = t > 0 ? scale_log(t) - 9 : 0;

	at = at < 0 ? 0 : at > OCTAVES - 2 ? OCTAVES - 2 : at;
	for (int k = 0; k < OCTAVES; k++)
		x[k] = 0;
	if (t < 0)
		return;
	x[(int)at] = 1 - (at - (int)at);
	x[(int)at + 1] = at - (int)at;
}

void
dialogue_features(const struct dialogue *d, const struct pace *p, const struct coming *next, float *x)
{
	int64_t now = d->last[d->dir];
	int i = 0;

	x[i++] = scale_log(d->packets) * 0.25f;
	x[i++] = d->packets == 1;
	x[i++] = d->packets == 2;
	for (int s = 0; s < 2; s++) {
		x[i++] = scale_log(d->octets[s]) * 0.125f;
		x[i++] = scale_log(d->waiting[s]) * 0.125f;
		x[i++] = d->waiting[s] > 0;
		x[i++] = d->said[s];
		for (int b = 0; b < 3; b++)
			x[i++] = d->flags[s] >> b & 1;
	}
	static const uint32_t course[] = {1, 2, 4, 16};
	for (int k = 0; k < 4; k++)
		x[i++] = d->alike > course[k];
	x[i++] = scale_log(d->row) * 0.25f;
	x[i++] = scale_log(d->alike) * 0.25f;
	x[i++] = scale_log(d->tries) * 0.5f;
	x[i++] = scale_log(d->all) * 0.25f;
	x[i++] = d->dir;
	x[i++] = d->said[!d->dir] ? time_log(now - d->last[!d->dir]) : 0;
	x[i++] = time_log(now - d->before);
	x[i++] = time_log(now - d->opened);
	x[i++] = next->same >= 0;
	x[i++] = next->same >= 0 ? time_log(next->same) : 0;
	x[i++] = scale_log(d->after) * 0.5f;
	tell_time(next->any, x + i);
	tell_time(next->host, x + i + OCTAVES);
	pace_features(p, now, x + i + 2 * OCTAVES);
}
