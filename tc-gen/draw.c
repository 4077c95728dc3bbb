#include "draw.h"

#include "messages.h"
#include "support/random.h"
#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

#define EVEN_FEW 4.0f /* openings that say little */
#define RARE 0.005f /* a time so much less likely than the likeliest is not drawn */

_Static_assert(INPUTS <= PRODUCT_IN, "");

static int
width_of(const struct network *net)
{
	return head_context[net->head] * EMBED + FEATURES;
}

/* A layer, its columns filled up to whole lanes by what is not looked at. */
static int
set_layer(struct draw_layer *l, const struct network *net, int w, int b, int in, int out)
{
	int width = shares_width(out);
	float *filled = calloc((size_t)in * width, sizeof *filled);
	int bad = -1;

	l->bias = calloc(width, sizeof *l->bias);
	if (filled && l->bias) {
		for (int i = 0; i < in; i++)
			memcpy(filled + (size_t)i * width, tensor(net, w, net->data) + (size_t)i * out, out * sizeof *filled);
		memcpy(l->bias, tensor(net, b, net->data), out * sizeof *l->bias);
		bad = product_init(&l->product, filled, l->bias, in, width);
	}
	free(filled);
	return bad;
}

static void
free_layer(struct draw_layer *l)
{
	free(l->bias);
	free(l->product.w);
}

int
drawing_init(struct drawing *d, const struct model *m, enum head head, float temperature)
{
	const struct network *net = &m->net[head];
	int most = 0;

	*d = (struct drawing){.m = m, .net = net, .cold = 1 / temperature};
	for (int f = 0; f < FIELDS; f++)
		most = net->v->n[f] > most ? net->v->n[f] : most;
	d->x = malloc(DRAW_ROWS * sizeof *d->x);
	d->a = malloc(DRAW_ROWS * sizeof *d->a);
	d->r = malloc(DRAW_ROWS * sizeof *d->r);
	d->p = malloc((size_t)DRAW_ROWS * shares_width(most) * sizeof *d->p);
	bool bad = legal_init(&d->legal, net->v) < 0 || !d->x || !d->a || !d->r || !d->p ||
		   set_layer(&d->lower, net, INPUT, INPUT_BIAS, width_of(net), HIDDEN) < 0 ||
		   set_layer(&d->upper, net, UPPER, UPPER_BIAS, HIDDEN, HIDDEN) < 0;
	for (int f = 0; f < FIELDS && !bad; f++)
		if (network_decides(net, f))
			bad = set_layer(&d->out[f], net, OUTPUT + f, OUTPUT_BIAS + f, HIDDEN, net->v->n[f]) < 0;
	return bad ? -1 : 0;
}

void
drawing_free(struct drawing *d)
{
	legal_free(&d->legal);
	free(d->x);
	free(d->a);
	free(d->r);
	free(d->p);
	free_layer(&d->lower);
	free_layer(&d->upper);
	for (int f = 0; f < FIELDS; f++)
		free_layer(&d->out[f]);
	*d = (struct drawing){0};
}

static const float *
row_of(const struct drawing *d, int t, enum field f, uint16_t token, int columns)
{
	return tensor(d->net, t, d->net->data) + (size_t)(d->net->v->first[f] + token) * columns;
}

WIDEST static void
add(float *y, const float *e, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += e[j];
}

WIDEST static void
rectify(float *y, const float *x)
{
	for (int j = 0; j < HIDDEN; j++)
		y[j] = x[j] > 0 ? x[j] : 0;
}

/* A packet is the sum of its symbols' rows; what came before goes through two layers, and is one vector then. */
static void
begin(struct drawing *d, const struct draw_row *row, int n)
{
	int positions = head_context[d->net->head];

	for (int i = 0; i < n; i++) {
		float *x = d->x[i];
		memset(x, 0, positions * EMBED * sizeof *x);
		memcpy(x + positions * EMBED, row[i].feature, sizeof row[i].feature);
		for (int k = 0; k < positions; k++) {
			const uint16_t *token = row[i].context[k];
			for (int f = 0; token && f < FIELDS; f++)
				if (token[f] && token[f] != UNKNOWN)
					add(x + k * EMBED, row_of(d, EMBEDDING, f, token[f], EMBED), EMBED);
		}
	}
	product(&d->lower.product, *d->x, INPUTS, n, *d->a, HIDDEN);
	for (int i = 0; i < n; i++)
		rectify(d->r[i], d->a[i]);
	product(&d->upper.product, *d->r, HIDDEN, n, *d->a, HIDDEN);
	for (int i = 0; i < n; i++)
		rectify(d->a[i], d->a[i]);
}

/* 2 to the eighths that an octet is above DRAW_EVEN; 0: never. */
static float
likelier(uint8_t wait)
{
	static const float eighth[] = {1, 1.0905077f, 1.1892071f, 1.2968396f, 1.4142136f, 1.5422108f, 1.6817928f, 1.8340081f};

	if (!wait)
		return 0;
	return eighth[wait % 8] * (wait >= DRAW_EVEN ? 1 << (wait - DRAW_EVEN) / 8 : 1.0f / (1 << (DRAW_EVEN + 7 - wait) / 8));
}

/* Takes away the times that are over, and those that are hardly ever: a network gives everything some chance, and one long
 * silence in a thousand is most of a trace's length. */
static void
wait_longer(const struct drawing *d, float *p, enum field f, const struct draw_row *r)
{
	int64_t since = r->since;
	const struct vocabulary *v = d->net->v;
	const struct symbol *s = &v->symbol[v->first[f]];
	float most = 0;
	int n = v->n[f];

	for (int i = 1; i < n && r->wait; i++)
		p[i] *= likelier(r->wait[i]);
	for (int i = 1; i < n && since > 0; i++)
		if (symbol_most(&s[i]) < since)
			p[i] = 0;
	for (int i = 1; i < n; i++)
		if (s[i].low < 0 && (since > 0 || r->opening < 0 || !wait_is_told_by(-s[i].high, r->opening)))
			p[i] = 0;
	for (int i = 1; i < n; i++)
		most = p[i] > most ? p[i] : most;
	if (f == FIELD_OPENED)
		return;
	for (int i = 1; i < n; i++)
		p[i] = p[i] < most * RARE ? 0 : p[i];
}

static uint16_t
choose(float *p, int n, uint64_t *random)
{
	float lane[SHARES_LANES], r, sum = 0;
	int j = 0;

	shares_sum(p, n, lane);
	for (int k = 0; k < SHARES_LANES; k++)
		sum += lane[k];
	r = random_uniform(random) * sum;
	while (j < SHARES_LANES - 1 && r >= lane[j])
		r -= lane[j++];
	while (j > 0 && lane[j] == 0)
		j--;
	for (int i = j; i < n; i += SHARES_LANES)
		if ((r -= p[i]) < 0)
			return i;
	for (int i = n - 1; i > 0; i--)
		if (i % SHARES_LANES == j && p[i] > 0)
			return i;
	return 0;
}

/* A flow's hosts are of one IP, and of that of its protocol; TCP's are no groups (RFC 9293, section 3.9.2.3). */
static void
keep_family(const struct vocabulary *v, float *p, enum field f, const uint16_t *token)
{
	static const enum field before[] = {FIELD_PROTO, FIELD_ORIG_H};
	int family = 0;

	for (int k = 0; k < 2 && before[k] < f && !family; k++)
		if (token[before[k]])
			family = symbol_family(v, before[k], &v->symbol[v->first[before[k]] + token[before[k]]]);
	for (int i = 1; i < v->n[f] && !token[FIELD_PROTO]; i++)
		p[i] = symbol_group(v, &v->symbol[v->first[f] + i]) ? 0 : p[i];
	for (int i = 1; i < v->n[f] && family; i++) {
		int other = symbol_family(v, f, &v->symbol[v->first[f] + i]);
		p[i] = other && other != family ? 0 : p[i];
	}
}

/* A protocol's flows open to ports that others of its flows did. */
static void
keep_services(const struct drawing *d, const uint16_t *token, float *p)
{
	int n = d->net->v->n[FIELD_RESP_P];
	const struct bound *of_port = d->m->bound + token[FIELD_PROTO] * n;

	for (int i = 0; i < n; i++)
		p[i] = of_port[i].packets ? p[i] : 0;
}

/* Messages of ICMP are of types that its version has (RFC 792, RFC 4443 section 2.1); where one says none its direction's last one
 * holds, 0 at first. */
static void
keep_types(const struct drawing *d, const struct draw_row *r, float *p)
{
	const struct vocabulary *v = d->net->v;
	uint16_t proto = d->net->head == HEAD_OPEN ? r->token[FIELD_PROTO] : r->context[0][FIELD_PROTO];
	int family = proto == UNKNOWN ? 0 : symbol_family(v, FIELD_PROTO, &v->symbol[v->first[FIELD_PROTO] + proto]);
	bool said = d->net->head == HEAD_FLOW && r->said[r->token[FIELD_DIR] != 0];

	for (int i = said; i < v->n[FIELD_TYPE] && family; i++) {
		int32_t type = d->legal.low[v->first[FIELD_TYPE] + i];
		p[i] = messages_have(family, type) ? p[i] : 0;
	}
}

/* A network that draws from what it drew wanders: what came more often lately than it should comes less often now. */
static void
even_out(const struct drawing *d, enum field f, const struct draw_row *r, float *p)
{
	const uint16_t *share = d->m->share + d->net->v->first[f], *lately = r->lately + d->net->v->first[f];

	for (int i = 0; i < d->net->v->n[f]; i++)
		p[i] *= (share[i] * (r->latest / 65535.0f) + EVEN_FEW) / (lately[i] + EVEN_FEW);
}

/* The connection that a packet goes on with, or opens; NULL: it isn't TCP's. */
static const struct connection *
connection_of(const struct drawing *d, const struct draw_row *r)
{
	static const struct connection none;

	if (d->net->head == HEAD_FLOW)
		return r->connection;
	return r->token[FIELD_PROTO] ? NULL : &none;
}

/* The shares of a field's symbols, for such rows; they are shares_width() of them apart. */
static void
decide(struct drawing *d, enum field f, const struct draw_row *row, const int *of, int n)
{
	const struct connection *c;
	int symbols = d->net->v->n[f], width = shares_width(symbols);

	for (int i = 0; i < n; i++)
		rectify(d->r[i], d->a[of[i]]);
	product(&d->out[f].product, *d->r, HIDDEN, n, d->p, width);
	for (int i = 0; i < n; i++) {
		shares_weigh(d->p + i * width, symbols, d->cold);
		if (d->net->head == HEAD_OPEN)
			even_out(d, f, &row[of[i]], d->p + i * width);
		if (f == FIELD_NEXT || f == FIELD_OPENED)
			wait_longer(d, d->p + i * width, f, &row[of[i]]);
		else if (f == FIELD_ORIG_H || f == FIELD_RESP_H)
			keep_family(d->net->v, d->p + i * width, f, row[of[i]].token);
		else if (f == FIELD_RESP_P)
			keep_services(d, row[of[i]].token, d->p + i * width);
		else if (f == FIELD_TYPE)
			keep_types(d, &row[of[i]], d->p + i * width);
		else if ((c = connection_of(d, &row[of[i]])))
			legal_keep(&d->legal, c, row[of[i]].lawless, f, row[of[i]].token, d->p + i * width);
	}
}

/* Whether a packet can have a field at all, by what was decided of it. */
static bool
may_have(const struct drawing *d, const struct draw_row *r, enum field f)
{
	if (d->net->head == HEAD_FLOW)
		return f == FIELD_NEXT || (r->token[FIELD_NEXT] && (!r->has || r->has[f] & LEGAL_HAS || (r->connection && legal_needs(f))));
	return f <= FIELD_PROTO || d->m->has_proto[r->token[FIELD_PROTO] * FIELDS + f] & LEGAL_HAS;
}

/* Field by field, so that what a field's decision takes is near for all rows. */
void
draw(struct drawing *d, struct draw_row *row, int n)
{
	int of[DRAW_ROWS];

	begin(d, row, n);
	for (int i = 0; i < n; i++)
		memset(row[i].token, 0, sizeof row[i].token);
	for (int f = 0; f < FIELDS; f++) {
		int symbols = d->net->v->n[f], m = 0;
		for (int i = 0; network_decides(d->net, f) && i < n; i++)
			if (may_have(d, &row[i], f))
				of[m++] = i;
		decide(d, f, row, of, m);
		for (int i = 0; i < m; i++) {
			struct draw_row *r = &row[of[i]];
			r->token[f] = choose(d->p + i * shares_width(symbols), symbols, r->random);
			if (r->token[f])
				add(d->a[of[i]], row_of(d, DECIDED, f, r->token[f], HIDDEN), HIDDEN);
		}
	}
}

float
draw_goes_on(struct drawing *d, const struct draw_row *row)
{
	float lane[SHARES_LANES], sum = 0;
	int first = 0;

	if (d->net->v->n[FIELD_NEXT] < 2)
		return 0;
	begin(d, row, 1);
	decide(d, FIELD_NEXT, row, &first, 1);
	shares_sum(d->p, d->net->v->n[FIELD_NEXT], lane);
	for (int k = 0; k < SHARES_LANES; k++)
		sum += lane[k];
	return sum > 0 ? 1 - d->p[0] / sum : 0;
}
