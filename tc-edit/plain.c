#include "plain.h"

#include "packet/layers.h"

#define ETHERNET 1 /* DLT_EN10MB */

/* Options that each stand once, are as long as they should be, and need no padding. SACK blocks are left to the others. */
static bool
options_are_plain(const struct packet *p)
{
	static const uint8_t length[] = {
	    [OPTION_NOP] = 1, [OPTION_MSS] = 4, [OPTION_WSCALE] = 3, [OPTION_SACK_OK] = 2, [OPTION_TIMESTAMPS] = 10};
	unsigned octets = 0, seen = 0;

	for (int i = 0; i < p->n_options; i++) {
		uint32_t o = p->options[i];
		if (o >= sizeof length || !length[o] || (o != OPTION_NOP && seen >> o & 1))
			return false;
		seen |= 1u << o;
		octets += length[o];
	}
	return octets % 4 == 0 && p->tcp_off == 5 + octets / 4 && p->n_sack == 0;
}

bool
packet_is_plain(const struct packet *p, int dlt)
{
	if (dlt != ETHERNET || p->kind != PACKET_IP || p->n_link || p->n_tags || p->n_ext || !p->ip_len || ip_is_fragment(p))
		return false;
	if (p->src.version == 4 && p->ip_hl != 5)
		return false;
	if (p->proto == PROTO_TCP ? !options_are_plain(p) : p->proto != PROTO_UDP)
		return false;
	int header = transport_length(p);
	return p->rest >= header && p->caplen >= p->transport + header && p->len >= p->transport + p->rest;
}
