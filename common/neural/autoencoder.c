#include "neural/autoencoder.h"

#include "support/wide.h"

#include <stdlib.h>
#include <string.h>

/* Where the gradient of some weights stands in one as long as all of them. */
static float *
gradient(const struct network *net, float *grad, const float *of)
{
	return grad ? grad + (of - net->data) : NULL;
}

static void
backward(const struct network *net, int i, const float *x, int ldx, const float *dy, int lddy,
	 float *dx, int lddx, float *grad, int n, int add)
{
	const struct layer *l = &net->layer[i];

	linear_backward(l, x, ldx, dy, lddy, dx, lddx, gradient(net, grad, l->w), gradient(net, grad, l->b), n,
			add);
}

/* Rows of x through a layer: in floats while it is trained. */
static void
forward(const struct network *net, int i, const float *x, int ldx, float *y, int ldy, int n)
{
	if (net->turned)
		product(&net->product[i], x, ldx, n, y, ldy);
	else
		linear_forward(&net->layer[i], x, ldx, y, ldy, n, 0);
}

/* --- activations --- */

/* Not cleared, which would touch all of it: what is read was written before. */
static int
floats(float **p, size_t n)
{
	return (*p = malloc(n * sizeof **p)) ? 0 : -1;
}

int
activations_init(struct activations *p, const struct network *net, int max)
{
	const struct shape *s = &net->shape;
	const struct code_layout *l = code_layout();
	size_t m = max, e = s->encoder;
	int bad = 0;

	*p = (struct activations){.max = max, .s_width = s->latent + s->trunk + CODE_COARSE};
	bad |= floats(&p->coarse, m * CODE_COARSE) | floats(&p->a, m * e) | floats(&p->b, m * e) |
	       floats(&p->mean, m * s->latent) | floats(&p->logvar, m * s->latent) |
	       floats(&p->da, m * e) | floats(&p->db, m * e) | floats(&p->s, m * p->s_width) |
	       floats(&p->ds, m * p->s_width) | floats(&p->u, m * s->detail) |
	       floats(&p->du, m * s->detail) | floats(&p->coarse_logit, m * CODE_COARSE) |
	       floats(&p->work, m * (e > s->detail ? e : s->detail));
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		bad |= floats(&q->x, m * l->width[g]) | floats(&q->u, m * s->detail) |
		       floats(&q->logit, m * l->width[g]);
		bad |= (q->row = calloc(m, sizeof *q->row)) ? 0 : -1;
	}
	return bad;
}

void
activations_free(struct activations *p)
{
	float *all[] = {p->coarse, p->a, p->b, p->mean, p->logvar, p->da, p->db, p->s, p->ds, p->u, p->du,
			p->coarse_logit, p->work};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		free(q->x);
		free(q->u);
		free(q->logit);
		free(q->row);
	}
}

/* The rows that have a group. */
static void
find_rows(struct group_activations *q, const struct code *code, enum code_group g, int n)
{
	uint64_t has = code_layout()->has[g];

	q->n = 0;
	for (int i = 0; i < n; i++)
		if (code[i].has & has)
			q->row[q->n++] = i;
}

WIDE static void
add_rows(float *to, const int *row, const float *from, int cols, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < cols; j++)
			to[(size_t)row[i] * cols + j] += from[(size_t)i * cols + j];
}

static void
take_rows(float *to, const float *from, const int *row, int cols, int n)
{
	for (int i = 0; i < n; i++)
		memcpy(to + (size_t)i * cols, from + (size_t)row[i] * cols, cols * sizeof *to);
}

/* The coarse bits, and those of a group, as the straight ways take them. */
static struct straight_rows
coarse_rows(const struct activations *p)
{
	return (struct straight_rows){.n = p->n, .x = p->coarse, .mask = p->code ? &code_coarse_mask : NULL};
}

static struct straight_rows
group_rows(const struct activations *p, enum code_group g)
{
	const struct group_activations *q = &p->group[g];
	const uint64_t *mask = p->code ? code_mask(p->code, g) : NULL;

	return (struct straight_rows){q->n, q->row, q->x, mask, sizeof *p->code / sizeof *mask};
}

/*
 * --- the encoder ---
 *
 * a = relu(the bits, coarse ones and those of the groups that are there, through their matrices);
 * b = relu(V a); mean = M b, logvar = L b, and what the straight ways add.
 */

/* Keeps log variances to what can be meant. */
static void
bound(float *logvar, size_t n)
{
	for (size_t i = 0; i < n; i++)
		logvar[i] = logvar[i] < LOGVAR_MIN ? LOGVAR_MIN : logvar[i] > LOGVAR_MAX ? LOGVAR_MAX : logvar[i];
}

void
network_take(struct activations *p, const struct code *code, int n)
{
	const struct code_layout *l = code_layout();

	p->n = n;
	p->code = code;
	for (int i = 0; i < n; i++)
		code_coarse_out(&code[i], p->coarse + i * CODE_COARSE);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		find_rows(q, code, g, n);
		for (int i = 0; i < q->n; i++)
			code_out(&code[q->row[i]], g, q->x + (size_t)i * l->width[g]);
	}
}

/* The bits of a group, and its bias; those that are masked out are 0. Returns how many terms there are then. */
static int
list_group(const struct layer *l, const uint64_t *bit, const uint64_t *mask, struct product_term *term, int n)
{
	for (int k = 0; k < l->in; k += 64)
		for (uint64_t left = mask[k / 64]; left; left &= left - 1) {
			int b = __builtin_ctzll(left);
			term[n++] = (struct product_term){l->w + (size_t)(k + b) * l->out, bit[k / 64] >> b & 1 ? 1 : -1};
		}
	term[n++] = (struct product_term){l->b, 1};
	return n;
}

/* The first layer. Few of the coarse bits are set, and most of the details are masked out. */
static void
encode_bits(const struct network *net, struct activations *p)
{
	const struct layer *l = &net->layer[ENC_COARSE];
	struct product_term term[NETWORK_BITS + CODE_GROUPS + 4];
	int e = l->out, n = 0;

	for (; n < CODE_COARSE; n++)
		term[n] = (struct product_term){l->w + (size_t)n * e, -1};
	memcpy(p->work, l->b, e * sizeof *p->work);
	product_add(p->work, term, n, e);
	for (int i = 0; i < p->n; i++) {
		const struct code *c = &p->code[i];
		float *a = memcpy(p->a + (size_t)i * e, p->work, e * sizeof *a);
		n = 0;
		for (uint64_t has = c->has; has; has &= has - 1)
			term[n++] = (struct product_term){l->w + (size_t)__builtin_ctzll(has) * e, 2};
		for (int g = 0; g < CODE_GROUPS; g++)
			if (code_has_group(c, g))
				n = list_group(&net->layer[ENC_GROUP + g], c->bit + code_layout()->first[g] / 64, code_mask(c, g), term, n);
		product_add(a, term, n, e);
	}
}

void
network_encode(const struct network *net, struct activations *p, bool logvar)
{
	int e = net->shape.encoder, z = net->shape.latent, n = p->n;
	float *v = logvar ? p->logvar : NULL;

	encode_bits(net, p);
	relu_forward(p->a, e, e, n);
	forward(net, ENC_HIDDEN, p->a, e, p->b, e, n);
	relu_forward(p->b, e, e, n);
	forward(net, ENC_MEAN, p->b, e, p->mean, z, n);
	if (logvar)
		forward(net, ENC_LOGVAR, p->b, e, p->logvar, z, n);
	struct straight_rows rows = coarse_rows(p);
	straight_in(&net->straight[0], &rows, p->mean, v, z);
	for (int g = 0; g < CODE_GROUPS; g++) {
		rows = group_rows(p, g);
		straight_in(&net->straight[1 + g], &rows, p->mean, v, z);
	}
	if (logvar)
		bound(p->logvar, (size_t)n * z);
}

static void
straight_in_gradient(const struct network *net, int part, struct straight_rows rows, const float *dmean,
		     const float *dlogvar, float *grad)
{
	const struct straight *s = &net->straight[part];

	straight_in_backward(s, &rows, dmean, dlogvar, net->shape.latent, gradient(net, grad, s->w));
}

void
network_encode_backward(const struct network *net, struct activations *p, const float *dmean,
			const float *dlogvar, float *grad)
{
	const struct code_layout *l = code_layout();
	int e = net->shape.encoder, z = net->shape.latent, n = p->n;

	backward(net, ENC_MEAN, p->b, e, dmean, z, p->db, e, grad, n, 0);
	backward(net, ENC_LOGVAR, p->b, e, dlogvar, z, p->db, e, grad, n, 1);
	relu_backward(p->b, e, p->db, e, e, n);
	backward(net, ENC_HIDDEN, p->a, e, p->db, e, p->da, e, grad, n, 0);
	relu_backward(p->a, e, p->da, e, e, n);
	backward(net, ENC_COARSE, p->coarse, CODE_COARSE, p->da, e, NULL, 0, grad, n, 0);
	straight_in_gradient(net, 0, coarse_rows(p), dmean, dlogvar, grad);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		take_rows(p->work, p->da, q->row, e, q->n);
		backward(net, ENC_GROUP + g, q->x, l->width[g], p->work, e, NULL, 0, grad, q->n, 0);
		straight_in_gradient(net, 1 + g, group_rows(p, g), dmean, dlogvar, grad);
	}
}

/*
 * --- the decoder ---
 *
 * h = relu(A z); the coarse bits' logits = D h; u = relu(B [z, h, coarse bits]); a group's logits = C u,
 * for the rows that have it; and to all logits the straight ways add.
 */

/* n latents to the coarse logits; the latents and h are in s then. */
static void
decode_coarse(const struct network *net, struct activations *p, const float *z, int ld, int n)
{
	int zw = net->shape.latent, sw = p->s_width;
	struct straight_rows rows;

	p->n = n;
	for (int i = 0; i < n; i++)
		memcpy(p->s + (size_t)i * sw, z + (size_t)i * ld, zw * sizeof *z);
	forward(net, DEC_TRUNK, p->s, sw, p->s + zw, sw, n);
	relu_forward(p->s + zw, sw, net->shape.trunk, n);
	forward(net, DEC_COARSE, p->s + zw, sw, p->coarse_logit, CODE_COARSE, n);
	rows = (struct straight_rows){.n = n};
	straight_out(&net->straight[0], &rows, p->s, sw, p->coarse_logit);
}

/* s, with the coarse bits in it, to the logits of the rows that each group has. */
static void
decode_details(const struct network *net, struct activations *p)
{
	const struct code_layout *l = code_layout();
	int d = net->shape.detail;

	forward(net, DEC_DETAIL, p->s, p->s_width, p->u, d, p->n);
	relu_forward(p->u, d, d, p->n);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		take_rows(q->u, p->u, q->row, d, q->n);
		forward(net, DEC_OUT + g, q->u, d, q->logit, l->width[g], q->n);
		struct straight_rows rows = group_rows(p, g);
		straight_out(&net->straight[1 + g], &rows, p->s, p->s_width, q->logit);
	}
}

/* Where the coarse bits of a row stand in s. */
static float *
coarse_of(const struct network *net, struct activations *p, int row)
{
	return p->s + (size_t)row * p->s_width + net->shape.latent + net->shape.trunk;
}

void
decode_forced(const struct network *net, struct activations *p, const float *z, int ld)
{
	decode_coarse(net, p, z, ld, p->n);
	for (int i = 0; i < p->n; i++)
		memcpy(coarse_of(net, p, i), p->coarse + i * CODE_COARSE, CODE_COARSE * sizeof(float));
	decode_details(net, p);
}

void
decode_free(const struct network *net, struct activations *p, const float *z, int ld, int n,
	       struct code *out)
{
	const struct code_layout *l = code_layout();

	p->code = NULL;
	decode_coarse(net, p, z, ld, n);
	for (int i = 0; i < n; i++) {
		code_coarse_in(&out[i], p->coarse_logit + i * CODE_COARSE);
		code_coarse_out(&out[i], coarse_of(net, p, i));
	}
	for (int g = 0; g < CODE_GROUPS; g++)
		find_rows(&p->group[g], out, g, n);
	decode_details(net, p);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		for (int i = 0; i < q->n; i++)
			code_in(&out[q->row[i]], g, q->logit + (size_t)i * l->width[g]);
	}
}

static void
straight_out_gradient(const struct network *net, struct activations *p, int part, struct straight_rows rows,
		      const float *dlogit, float *grad)
{
	const struct straight *s = &net->straight[part];

	straight_out_backward(s, &rows, p->s, p->s_width, dlogit, p->ds, p->s_width, gradient(net, grad, s->w));
}

/* The last of the way back, and where it ends. */
static void
straight_backward(const struct network *net, struct activations *p, float *dz, float *grad)
{
	int z = net->shape.latent;

	straight_out_gradient(net, p, 0, coarse_rows(p), p->coarse_logit, grad);
	for (int g = 0; g < CODE_GROUPS; g++)
		straight_out_gradient(net, p, 1 + g, group_rows(p, g), p->group[g].logit, grad);
	for (int i = 0; i < p->n; i++)
		memcpy(dz + (size_t)i * z, p->ds + (size_t)i * p->s_width, z * sizeof *dz);
}

void
decode_backward(const struct network *net, struct activations *p, float *dz, float *grad)
{
	const struct code_layout *l = code_layout();
	int z = net->shape.latent, h = net->shape.trunk, d = net->shape.detail, n = p->n, sw = p->s_width;

	memset(p->du, 0, (size_t)n * d * sizeof *p->du);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		backward(net, DEC_OUT + g, q->u, d, q->logit, l->width[g], p->work, d, grad, q->n, 0);
		add_rows(p->du, q->row, p->work, d, q->n);
	}
	relu_backward(p->u, d, p->du, d, d, n);
	backward(net, DEC_DETAIL, p->s, sw, p->du, d, p->ds, sw, grad, n, 0);
	backward(net, DEC_COARSE, p->s + z, sw, p->coarse_logit, CODE_COARSE, p->ds + z, sw, grad, n, 1);
	relu_backward(p->s + z, sw, p->ds + z, sw, h, n);
	backward(net, DEC_TRUNK, p->s, sw, p->ds + z, sw, p->ds, sw, grad, n, 1);
	straight_backward(net, p, dz, grad);
}

/* dx += dy w^T of one row, the first `columns` of dx; few of dy are not 0. */
static void
add_few(const struct network *net, int i, const float *dy, float *dx, int columns)
{
	const struct layer *l = &net->layer[i];
	const float *w = net->turned + (l->w - net->data);
	struct product_term term[PRODUCT_IN];
	int n = 0;

	for (int j = 0; j < l->out; j++)
		if (dy[j] != 0)
			term[n++] = (struct product_term){w + (size_t)j * l->in, dy[j]};
	product_add(dx, term, n, columns);
}

void
decode_backward_few(const struct network *net, struct activations *p, float *dz)
{
	int z = net->shape.latent, h = net->shape.trunk, d = net->shape.detail, n = p->n, sw = p->s_width;

	memset(p->du, 0, (size_t)n * d * sizeof *p->du);
	memset(p->ds, 0, (size_t)n * sw * sizeof *p->ds);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_activations *q = &p->group[g];
		for (int i = 0; i < q->n; i++)
			add_few(net, DEC_OUT + g, q->logit + (size_t)i * net->layer[DEC_OUT + g].out, p->du + (size_t)q->row[i] * d, d);
	}
	relu_backward(p->u, d, p->du, d, d, n);
	for (int i = 0; i < n; i++) {
		float *ds = p->ds + (size_t)i * sw;
		add_few(net, DEC_DETAIL, p->du + (size_t)i * d, ds, z + h);
		add_few(net, DEC_COARSE, p->coarse_logit + i * CODE_COARSE, ds + z, h);
		relu_backward(p->s + (size_t)i * sw + z, sw, ds + z, sw, h, 1);
		add_few(net, DEC_TRUNK, ds + z, ds, z);
	}
	straight_backward(net, p, dz, NULL);
}
