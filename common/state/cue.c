#include "state/cue.h"

#include "support/random.h"

#include <string.h>

uint32_t
cue_free(struct cue *c, enum action_field f, uint32_t v, bool zero_predicted)
{
	bool zero = (v == 0);

	zero = cue_flag(c, f, zero_predicted ? !zero : zero, false) ^ zero_predicted;
	if (c->lift)
		return v;
	if (zero)
		return 0;
	do
		v = random_next(&c->t->random);
	while (v == 0 || v == c->avoid);
	return v;
}

static uint64_t
element(const void *v, unsigned size, unsigned i)
{
	return size == 2   ? ((const uint16_t *)v)[i]
	       : size == 4 ? ((const uint32_t *)v)[i]
			   : ((const uint64_t *)v)[i];
}

static void
set_element(void *v, unsigned size, unsigned i, uint64_t e)
{
	if (size == 4)
		((uint32_t *)v)[i] = e;
	else
		((uint64_t *)v)[i] = e;
}

unsigned
cue_long_list(struct cue *c, enum action_field f, struct cue_array v, struct cue_array predicted)
{
	struct action_list *l = action_list(c->a, f);
	unsigned i, n;

	if (c->lift) {
		for (i = 0; i < v.n && v.n == predicted.n; i++)
			if (element(v.v, v.size, i) != element(predicted.v, predicted.size, i))
				break;
		if (i == predicted.n && v.n == predicted.n)
			return v.n;
		c->a->has |= 1ull << f;
		l->n = v.n;
		for (i = 0; i < v.n; i++)
			l->v[i] = element(v.v, v.size, i);
		return v.n;
	}
	if (!action_has(c->a, f)) {
		for (i = 0; i < predicted.n; i++)
			set_element(v.v, v.size, i, element(predicted.v, predicted.size, i));
		return predicted.n;
	}
	if (l->n > v.max)
		cue_odd(c, ODD_LAYOUT);
	n = l->n > v.max ? v.max : l->n;
	for (i = 0; i < n; i++)
		set_element(v.v, v.size, i, l->v[i]);
	return n;
}

unsigned
cue_layout(struct cue *c, enum action_field f, uint32_t *v, unsigned n, const uint16_t *predicted,
	   unsigned n_predicted, unsigned max)
{
	unsigned i;

	/* The common case first: as before. */
	for (i = 0; c->lift && i < n && n == n_predicted && v[i] == predicted[i];)
		i++;
	if (c->lift && n == n_predicted && i == n)
		return n;
	if (!c->lift && !action_has(c->a, f)) {
		for (i = 0; i < n_predicted; i++)
			v[i] = predicted[i];
		return n_predicted;
	}
	n = cue_list(c, f, (struct cue_array){v, 4, n, max},
		     (struct cue_array){(void *)predicted, 2, n_predicted, MEMORY_LIST});
	for (i = 0; !c->lift && i < n; i++)
		v[i] &= OPTION_BAD | 0xffff;
	return n;
}

void
cue_remember_layout(const uint32_t *v, unsigned n, uint16_t *memory, uint8_t *n_memory)
{
	if (n > MEMORY_LIST || (n && v[n - 1] & OPTION_BAD))
		n = 0;
	for (unsigned i = 0; i < n; i++)
		memory[i] = v[i];
	*n_memory = n;
}

static void
tell(struct trace *t, const char *what, uint32_t slot, const struct address *a, const uint8_t *mac)
{
	char text[ACTION_TEXT_MAX];

	if (!t->on_name)
		return;
	if (a)
		address_text(a, text, sizeof text);
	else
		mac_text(mac, text, sizeof text);
	t->on_name(t->on_name_arg, what, slot, text);
}

/* --- hosts --- */

static uint32_t
name_suffix(struct trace *t, const uint8_t *octets, bool *is_new)
{
	uint32_t slot = slots_find(&t->suffixes, octets);

	*is_new = slot == SLOT_NONE;
	if (*is_new)
		slot = slots_add(&t->suffixes, octets);
	else
		slots_touch(&t->suffixes, slot);
	return slot;
}

static void
lift_host(struct trace *t, struct action_ref *r, const struct address *v)
{
	enum address_class class = address_class(v);
	bool is_new;

	if (class == ADDRESS_FIXED) {
		r->kind = REF_FIXED;
		address_text(v, r->text, sizeof r->text);
		return;
	}
	r->kind = REF_KNOWN;
	r->slot = slots_find(&t->hosts, v);
	if (r->slot != SLOT_NONE) {
		slots_touch(&t->hosts, r->slot);
		return;
	}
	r->kind = REF_NEW;
	r->slot = slots_add(&t->hosts, v);
	r->class = class | (v->version == 6 ? ADDRESS_V6 : 0);
	r->has_suffix = address_has_suffix(v, class);
	r->new_suffix = false;
	if (r->has_suffix) {
		r->suffix = name_suffix(t, v->octet + 13, &is_new);
		r->new_suffix = is_new;
	} else if (v->version == 6) {
		r->has_suffix = true;
		r->suffix = v->octet[1] & 15;
	}
}

/* The low 24 bits that a suffix's slot stands for. */
static uint32_t
compile_suffix(struct cue *c, const struct action_ref *r)
{
	struct trace *t = c->t;
	uint32_t slot = r->has_suffix ? r->suffix : UINT32_MAX;

	if (slot >= t->header.cap) {
		cue_odd(c, ODD_HOST);
		return fresh_suffix(t->fresh);
	}
	if (r->new_suffix || !t->suffix[slot]) {
		if (!r->new_suffix)
			cue_odd(c, ODD_HOST);
		t->suffix[slot] = fresh_suffix(t->fresh) + 1;
	}
	return t->suffix[slot] - 1;
}

static struct address
compile_address(struct cue *c, const struct action_ref *r, int version)
{
	unsigned class = r->class & ~ADDRESS_V6;

	if (class >= ADDRESS_CLASSES || (r->class & ADDRESS_V6 ? 6 : 4) != version ||
	    (class == ADDRESS_SOLICITED && version == 4)) {
		cue_odd(c, ODD_HOST);
		class = ADDRESS_GLOBAL;
	}
	if (version == 4)
		return fresh_address(c->t->fresh, 4, class, 0);
	if (class == ADDRESS_GROUP)
		return fresh_address(c->t->fresh, 6, class, r->suffix);
	uint32_t suffix = compile_suffix(c, r);
	return class == ADDRESS_SOLICITED ? address_solicited(suffix)
					  : fresh_address(c->t->fresh, 6, class, suffix);
}

static uint32_t
compile_host(struct cue *c, const struct action_ref *r, struct address *v, int version)
{
	struct trace *t = c->t;
	static const struct action_ref any = {.kind = REF_NEW};
	struct action_ref made = any;

	if (r && r->kind == REF_FIXED) {
		if (address_parse(v, r->text) && v->version == version &&
		    address_class(v) == ADDRESS_FIXED)
			return SLOT_NONE;
		cue_odd(c, ODD_HOST);
		*v = (struct address){.version = version};
		return SLOT_NONE;
	}
	if (!r) {
		cue_odd(c, ODD_HOST);
		made.class = version == 6 ? ADDRESS_V6 : 0;
		*v = compile_address(c, &made, version);
		return SLOT_NONE;
	}
	uint32_t slot = r->slot;
	if (slot >= t->header.cap) {
		cue_odd(c, ODD_HOST);
		slot %= t->header.cap;
	}
	struct host *h = &t->host[slot];
	if (r->kind == REF_NEW || !h->named || h->address.version != version) {
		if (r->kind == REF_KNOWN) {
			cue_odd(c, ODD_HOST);
			made.class = version == 6 ? ADDRESS_V6 : 0;
			r = &made;
		}
		*h = (struct host){.named = h->named + 1,
				   .address = compile_address(c, r, version)};
		tell(t, "host", slot, &h->address, NULL);
	}
	*v = h->address;
	return slot;
}

uint32_t
cue_host(struct cue *c, enum action_field f, struct address *v, const struct address *predicted,
	 int version)
{
	struct action_ref *r = action_ref(c->a, f);

	if (!c->lift) {
		if (!action_has(c->a, f) && predicted) {
			*v = *predicted;
			return SLOT_NONE;
		}
		return compile_host(c, action_has(c->a, f) ? r : NULL, v, version);
	}
	if (predicted && address_same(v, predicted))
		return SLOT_NONE;
	c->a->has |= 1ull << f;
	lift_host(c->t, r, v);
	if (r->kind == REF_FIXED)
		return SLOT_NONE;
	if (r->kind == REF_NEW) {
		c->t->host[r->slot] =
		    (struct host){.named = c->t->host[r->slot].named + 1, .address = *v};
		tell(c->t, "host", r->slot, v, NULL);
	}
	return r->slot;
}

/* --- link addresses --- */

static void
lift_mac(struct trace *t, struct action_ref *r, const uint8_t *v)
{
	if (mac_class(v) == MAC_FIXED) {
		r->kind = REF_FIXED;
		mac_text(v, r->text, sizeof r->text);
		return;
	}
	r->kind = REF_KNOWN;
	r->slot = slots_find(&t->macs, v);
	if (r->slot != SLOT_NONE) {
		slots_touch(&t->macs, r->slot);
		return;
	}
	r->kind = REF_NEW;
	r->slot = slots_add(&t->macs, v);
	r->class = mac_class(v);
	r->has_suffix = r->new_suffix = false;
	tell(t, "mac", r->slot, NULL, v);
}

static void
compile_mac(struct cue *c, const struct action_ref *r, uint8_t *v)
{
	struct trace *t = c->t;
	enum mac_class class = r->kind == REF_NEW && r->class == MAC_GROUP ? MAC_GROUP : MAC_HOST;
	uint32_t slot = r->slot;

	if (r->kind == REF_FIXED) {
		if (mac_parse(v, r->text) && mac_class(v) == MAC_FIXED)
			return;
		cue_odd(c, ODD_MAC);
		memset(v, 0, 6);
		return;
	}
	if (slot >= t->header.cap) {
		cue_odd(c, ODD_MAC);
		slot %= t->header.cap;
	}
	if (r->kind == REF_NEW || !t->mac_named[slot]) {
		if (r->kind == REF_KNOWN || r->class > MAC_GROUP)
			cue_odd(c, ODD_MAC);
		fresh_mac(t->fresh, class, t->mac[slot]);
		t->mac_named[slot] = true;
		tell(t, "mac", slot, NULL, t->mac[slot]);
	}
	memcpy(v, t->mac[slot], 6);
}

void
cue_mac(struct cue *c, enum action_field f, uint8_t *v, const uint8_t *predicted)
{
	struct action_ref *r = action_ref(c->a, f);

	if (c->lift) {
		if (predicted && !memcmp(v, predicted, 6))
			return;
		c->a->has |= 1ull << f;
		lift_mac(c->t, r, v);
	} else if (action_has(c->a, f)) {
		compile_mac(c, r, v);
	} else if (predicted) {
		memcpy(v, predicted, 6);
	} else {
		/* Whoever writes actions by hand need not name link addresses. */
		fresh_mac(c->t->fresh, MAC_HOST, v);
	}
}
