#include "state/trace.h"

#include "state/cue.h"
#include "support/hugepages.h"

#include <stdlib.h>
#include <string.h>

const char *const odd_names[ODDS] = {
    [ODD_SLOT] = "flow slots not open or out of range",
    [ODD_HOST] = "hosts that nobody named",
    [ODD_MAC] = "link addresses that nobody named",
    [ODD_RANGE] = "numbers out of range",
    [ODD_LAYOUT] = "layouts that don't fit",
    [ODD_QUOTE] = "quotes of unknown packets",
    [ODD_SHAPE] = "headers that contradict each other",
    [ODD_TIME] = "times that the pcap file can't hold",
};

int
trace_init(struct trace *t, int dlt, struct fresh *fresh, uint64_t seed)
{
	uint32_t cap = t->header.cap;

	*t = (struct trace){.header = t->header, .dlt = dlt, .time = t->header.start,
			    .clock = INT64_MIN, .fresh = fresh, .random = seed};
	t->flow = hugepages_new(cap * sizeof *t->flow);
	t->flow_link = calloc(cap, sizeof *t->flow_link);
	t->host = calloc(cap, sizeof *t->host);
	if (!t->flow || !t->flow_link || !t->host)
		return -1;
	if (!fresh)
		return slots_init(&t->flows, FLOW_KEY, cap) | slots_init(&t->macs, 6, cap) |
		       slots_init(&t->hosts, sizeof(struct address), cap) |
		       slots_init(&t->suffixes, 3, cap);
	t->mac = calloc(cap, sizeof *t->mac);
	t->mac_named = calloc(cap, sizeof *t->mac_named);
	t->suffix = calloc(cap, sizeof *t->suffix);
	return t->mac && t->mac_named && t->suffix ? 0 : -1;
}

void
trace_free(struct trace *t)
{
	slots_free(&t->flows);
	slots_free(&t->hosts);
	slots_free(&t->macs);
	slots_free(&t->suffixes);
	hugepages_free(t->flow, t->header.cap * sizeof *t->flow);
	free(t->flow_link);
	free(t->host);
	free(t->mac);
	free(t->mac_named);
	free(t->suffix);
	t->flow = NULL;
}

static struct host *
host_of(struct trace *t, const struct flow *f, int dir)
{
	uint32_t slot = f->host[dir];

	if (slot == SLOT_NONE || t->host[slot].named != f->host_named[dir])
		return NULL;
	return &t->host[slot];
}

/* Names the ends of a flow that opens; in compiling, gives them their addresses. */
static void
name_ends(struct cue *c)
{
	struct flow *f = c->f;
	int version = 4;

	if (f->proto <= PROTO_IP_MAX && !c->lift) {
		const struct action_ref *r = action_ref(c->a, ACTION_ORIG_H);
		if (!action_has(c->a, ACTION_ORIG_H))
			version = 4;
		else if (r->kind == REF_FIXED)
			version = strchr(r->text, ':') ? 6 : 4;
		else if (r->kind == REF_NEW)
			version = r->class & ADDRESS_V6 ? 6 : 4;
		else if (r->slot < c->t->header.cap && c->t->host[r->slot].named)
			version = c->t->host[r->slot].address.version;
	}
	f->host[0] = f->host[1] = SLOT_NONE;
	if (f->proto >= PROTO_FRAME)
		return;
	f->host[0] = cue_host(c, ACTION_ORIG_H, &f->address[0], NULL, version);
	f->host[1] = cue_host(c, ACTION_RESP_H, &f->address[1], NULL, version);
	for (int d = 0; d < 2; d++)
		if (f->host[d] != SLOT_NONE)
			f->host_named[d] = c->t->host[f->host[d]].named;
}

static void
open_new(struct cue *c)
{
	struct flow *f = c->f;

	f->proto = cue_number(c, ACTION_PROTO, f->proto, PROTO_TCP, PROTO_RUNT);
	if (f->proto > PROTO_IP_MAX && f->proto < PROTO_FRAME && f->proto != ETHERTYPE_ARP &&
	    f->proto != ETHERTYPE_RARP) {
		cue_odd(c, ODD_RANGE);
		f->proto += PROTO_FRAME;
	}
	name_ends(c);
	f->port[0] = cue_number(c, ACTION_ORIG_P, f->port[0], 0, 0xffff);
	f->port[1] = cue_number(c, ACTION_RESP_P, f->port[1], 0, 0xffff);
}

/* The flow that the action names, opened as it says: what flow_find() is for lifting. */
static void
compile_flow(struct cue *c, enum flow_open *open)
{
	struct trace *t = c->t;
	int64_t slot = action_has(c->a, ACTION_FLOW) ? c->a->num[ACTION_FLOW] : 0;

	if (slot < 0 || slot >= t->header.cap) {
		cue_odd(c, ODD_SLOT);
		slot = (uint64_t)slot % t->header.cap;
	}
	c->slot = slot;
	c->f = &t->flow[slot];
	flow_fetch(c->f);
	*open = cue_number(c, ACTION_OPEN, 0, 0, FLOW_REUSED_REVERSED);
	c->dir = cue_number(c, ACTION_DIR, 0, 0, 1);
	if (*open != FLOW_NEW && !c->f->opened) {
		cue_odd(c, ODD_SLOT);
		*open = FLOW_NEW;
	}
	if (*open == FLOW_NEW)
		flow_renew(c->f);
}

static void
describe_flow(struct cue *c)
{
	const struct flow *f = c->f;
	struct packet *p = c->p;

	p->src = f->address[c->dir];
	p->dst = f->address[!c->dir];
	p->src_port = f->port[c->dir];
	p->dst_port = f->port[!c->dir];
	if (f->proto == PROTO_RUNT) {
		p->runt = true;
	} else if (f->proto >= PROTO_FRAME) {
		p->ethertype = f->proto - PROTO_FRAME;
	} else if (f->proto > PROTO_IP_MAX) {
		p->kind = PACKET_ARP;
		p->ethertype = f->proto;
	} else {
		p->kind = PACKET_IP;
		p->proto = f->proto;
		p->ethertype = p->src.version == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
	}
}

static void
cue_flow(struct cue *c)
{
	enum flow_open open;
	uint32_t base;

	if (c->lift) {
		c->slot = flow_find(c->t, c->p, &c->dir, &open);
		c->f = &c->t->flow[c->slot];
		cue_number(c, ACTION_FLOW, c->slot, 0, UINT32_MAX);
		cue_number(c, ACTION_OPEN, open, 0, FLOW_REUSED_REVERSED);
		cue_number(c, ACTION_DIR, c->dir, 0, 1);
	} else {
		compile_flow(c, &open);
	}
	if (open == FLOW_NEW)
		open_new(c);
	/* Not the old connection's number, or it would not be another one. */
	if ((open == FLOW_REUSED || open == FLOW_REUSED_REVERSED) &&
	    flow_syn_base(&c->f->side[open == FLOW_REUSED_REVERSED], &base))
		c->avoid = base;
	flow_reopen(c->t, c->slot, open);
	c->t->at.slot = c->slot;
	c->t->at.dir = c->dir;
	c->t->at.open = open;
	c->me = flow_side(c->f, c->dir);
	c->peer = flow_side(c->f, !c->dir);
	c->from = host_of(c->t, c->f, c->dir);
	c->to = host_of(c->t, c->f, !c->dir);
}

static void
go_through(struct cue *c)
{
	struct packet *p = c->p;
	struct trace *t = c->t;

	/* Unsigned, since an action may ask for any step. */
	p->time = (uint64_t)t->time + cue_signed(c, ACTION_DT, (uint64_t)p->time - t->time, 0,
						 INT64_MAX);
	t->time = p->time;
	cue_flow(c);
	if (!c->lift)
		describe_flow(c);
	if (p->kind == PACKET_ARP) {
		p->operation = cue_number(c, ACTION_TYPE, p->operation, c->me->word, 0xffff);
		c->me->word = p->operation;
	}
	cue_link(c);
	if (p->kind == PACKET_IP)
		cue_ip(c);
	else if (p->kind == PACKET_ARP)
		cue_arp(c);
	else
		cue_frame(c);
	c->me->seen = true;
}

void
trace_lift(struct trace *t, struct packet *p, struct action *a)
{
	struct cue c = {.t = t, .p = p, .a = a, .lift = true};

	a->has = 0;
	go_through(&c);
	if (packet_faults(p, t->dlt, false))
		action_set(a, ACTION_AS_IS, 1);
}

void
trace_follow(struct trace *t, struct packet *p)
{
	t->at.slot = flow_find(t, p, &t->at.dir, &t->at.open);
	struct flow *f = &t->flow[t->at.slot];

	flow_reopen(t, t->at.slot, t->at.open);
	if (p->kind != PACKET_IP)
		return;
	if (p->proto == PROTO_TCP && packet_has(p, TCP_SEQ_END))
		flow_remember(f, t->at.dir, p);
	if (ip_is_fragment(p))
		datagram_note(t, p, t->at.slot, t->at.dir);
}

void
trace_compile(struct trace *t, struct packet *p, struct action *a)
{
	struct cue c = {.t = t, .p = p, .a = a};

	packet_clear(p);
	go_through(&c);
	if (!cue_number(&c, ACTION_AS_IS, 0, 0, 1))
		t->odd[ODD_SHAPE] += packet_faults(p, t->dlt, true);
}
