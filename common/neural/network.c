#include "neural/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- weights --- */

static void
set_layer(struct network *net, int i, int in, int out, const char *name, const char *of)
{
	net->layer[i].in = in;
	net->layer[i].out = out;
	snprintf(net->name[i], sizeof net->name[i], "%s%s", name, of);
	net->n += (size_t)(in + 1) * out;
}

static void
lay_out(struct network *net)
{
	const struct shape *s = &net->shape;
	const struct code_layout *l = code_layout();
	int known = s->latent + s->trunk, seen = s->encoder + s->latent;

	set_layer(net, ENC_COARSE, CODE_COARSE, seen, "encoder.coarse", "");
	set_layer(net, ENC_HIDDEN, s->encoder, s->encoder, "encoder.hidden", "");
	set_layer(net, ENC_MEAN, s->encoder, s->latent, "encoder.mean", "");
	set_layer(net, ENC_LOGVAR, s->encoder, s->latent, "encoder.logvar", "");
	set_layer(net, DEC_TRUNK, s->latent, s->trunk, "decoder.trunk", "");
	set_layer(net, DEC_COARSE, known, CODE_COARSE, "decoder.coarse", "");
	set_layer(net, DEC_DETAIL, known + CODE_COARSE, s->detail, "decoder.detail", "");
	for (int g = 0; g < CODE_GROUPS; g++) {
		const char *of = code_group_names[g];
		set_layer(net, ENC_GROUP + g, l->width[g], seen, "encoder.", of);
		set_layer(net, ENC_SPREAD + g, l->width[g], s->latent, "encoder.spread.", of);
		set_layer(net, DEC_OUT + g, s->latent + s->detail, l->width[g], "decoder.", of);
	}
	set_layer(net, TIME_ENC_IN, TIME_BITS, s->time_hidden, "time.encoder.in", "");
	set_layer(net, TIME_ENC_HIDDEN, s->time_hidden, s->time_hidden, "time.encoder.hidden", "");
	set_layer(net, TIME_MEAN, s->time_hidden, s->time, "time.encoder.mean", "");
	set_layer(net, TIME_LOGVAR, s->time_hidden, s->time, "time.encoder.logvar", "");
	set_layer(net, TIME_DEC_IN, s->time, s->time_hidden, "time.decoder.in", "");
	set_layer(net, TIME_DEC_DETAIL, s->time_hidden, s->time_hidden, "time.decoder.hidden", "");
	set_layer(net, TIME_OUT, s->time_hidden, TIME_BITS, "time.decoder.out", "");
}

int
network_init(struct network *net, const struct shape *s)
{
	*net = (struct network){.shape = *s};
	lay_out(net);
	float *at = net->data = calloc(net->n, sizeof *at);
	if (!at)
		return -1;
	for (int i = 0; i < LAYERS; i++) {
		struct layer *l = &net->layer[i];
		l->w = at;
		l->b = at += (size_t)l->in * l->out;
		at += l->out;
	}
	return 0;
}

void
network_free(struct network *net)
{
	free(net->data);
	net->data = NULL;
}

void
network_randomize(struct network *net, uint64_t seed)
{
	for (int i = 0; i < LAYERS; i++) {
		struct layer *l = &net->layer[i];
		float *w = (float *)l->w, spread = sqrtf(2.0f / l->in);
		if (i >= ENC_GROUP && i < ENC_HIDDEN) /* few of its inputs are there at a time */
			spread = sqrtf(2.0f / 64);
		if (i == ENC_LOGVAR || i == TIME_LOGVAR || (i >= ENC_SPREAD && i < DEC_TRUNK))
			spread *= 0.1f;
		code_normals(w, (size_t)l->in * l->out, &seed);
		for (int j = 0; j < l->in * l->out; j++)
			w[j] *= spread;
		for (int j = 0; j < l->out; j++)
			((float *)l->b)[j] = i == ENC_LOGVAR || i == TIME_LOGVAR ? -3 : 0;
	}
}

/* Where a layer's gradient stands in one as long as the weights. */
static float *
grad_w(const struct network *net, float *grad, int i)
{
	return grad ? grad + (net->layer[i].w - net->data) : NULL;
}

static float *
grad_b(const struct network *net, float *grad, int i)
{
	return grad ? grad + (net->layer[i].b - net->data) : NULL;
}

static void
backward(const struct network *net, int i, const float *x, int ldx, const float *dy, int lddy,
	 float *dx, int lddx, float *grad, int n, int add)
{
	linear_backward(&net->layer[i], x, ldx, dy, lddy, dx, lddx, grad_w(net, grad, i),
			grad_b(net, grad, i), n, add);
}

/* --- activations --- */

static int
floats(float **p, size_t n)
{
	return (*p = calloc(n, sizeof **p)) ? 0 : -1;
}

int
pass_init(struct pass *p, const struct network *net, int max)
{
	const struct shape *s = &net->shape;
	const struct code_layout *l = code_layout();
	size_t m = max, seen = s->encoder + s->latent, widest = seen, h = s->time_hidden;
	int bad = 0;

	*p = (struct pass){.max = max, .s_width = s->latent + s->trunk + CODE_COARSE,
			   .t_width = s->latent + s->detail};
	if (widest < (size_t)p->s_width)
		widest = p->s_width;
	if (widest < (size_t)p->t_width)
		widest = p->t_width;
	bad |= floats(&p->coarse, m * CODE_COARSE) | floats(&p->a, m * seen) |
	       floats(&p->b, m * s->encoder) | floats(&p->mean, m * s->latent) |
	       floats(&p->logvar, m * s->latent) | floats(&p->da, m * seen) |
	       floats(&p->db, m * s->encoder) | floats(&p->s, m * p->s_width) |
	       floats(&p->ds, m * p->s_width) | floats(&p->t, m * p->t_width) |
	       floats(&p->dt, m * p->t_width) | floats(&p->coarse_logit, m * CODE_COARSE) |
	       floats(&p->work, m * widest);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		bad |= floats(&q->x, m * l->width[g]) | floats(&q->care, m * l->width[g]) |
		       floats(&q->t, m * p->t_width) | floats(&q->logit, m * l->width[g]);
		bad |= (q->row = calloc(m, sizeof *q->row)) ? 0 : -1;
	}
	bad |= floats(&p->tx, m * TIME_BITS) | floats(&p->ta, m * h) | floats(&p->tb, m * h) |
	       floats(&p->tmean, m * s->time) | floats(&p->tlogvar, m * s->time) |
	       floats(&p->tz, m * s->time) | floats(&p->tc, m * h) | floats(&p->td, m * h) |
	       floats(&p->tlogit, m * TIME_BITS) | floats(&p->te, m * h) | floats(&p->tf, m * h);
	return bad;
}

void
pass_free(struct pass *p)
{
	float *all[] = {p->coarse, p->a, p->b, p->mean, p->logvar, p->da, p->db, p->s, p->ds,
			p->t, p->dt, p->coarse_logit, p->work, p->tx, p->ta, p->tb, p->tmean, p->tlogvar, p->tz,
			p->tc, p->td, p->tlogit, p->te, p->tf};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		free(q->x);
		free(q->care);
		free(q->t);
		free(q->logit);
		free(q->row);
	}
}

/* The rows that have a group. */
static void
find_rows(struct group_pass *q, const struct code *code, enum code_group g, int n)
{
	q->n = 0;
	for (int i = 0; i < n; i++)
		if (code_has_group(&code[i], g))
			q->row[q->n++] = i;
}

static void
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

/*
 * --- the encoder ---
 *
 * [a | s] = the bits, coarse ones and those of the groups that are there, through their matrices;
 * b = relu(V relu(a)); mean = M b + s: the straight way s carries what has no structure. The variance
 * has a straight way of its own, from which bits anybody cares for: a coordinate is narrow where one of
 * its bits is there.
 */

/* Keeps log variances to what can be meant. */
static void
bound(float *logvar, size_t n)
{
	for (size_t i = 0; i < n; i++)
		logvar[i] = logvar[i] < LOGVAR_MIN ? LOGVAR_MIN : logvar[i] > LOGVAR_MAX ? LOGVAR_MAX : logvar[i];
}

void
network_encode(const struct network *net, struct pass *p, const struct code *code, int n,
	       bool logvar)
{
	const struct code_layout *l = code_layout();
	int e = net->shape.encoder, z = net->shape.latent, ez = e + z;

	p->n = n;
	for (int i = 0; i < n; i++)
		code_coarse_out(&code[i], p->coarse + i * CODE_COARSE);
	linear_forward(&net->layer[ENC_COARSE], p->coarse, CODE_COARSE, p->a, ez, n, 0);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		find_rows(q, code, g, n);
		for (int i = 0; i < q->n; i++)
			code_out(&code[q->row[i]], g, q->x + (size_t)i * l->width[g]);
		linear_forward(&net->layer[ENC_GROUP + g], q->x, l->width[g], p->work, ez, q->n, 0);
		add_rows(p->a, q->row, p->work, ez, q->n);
	}
	relu_forward(p->a, ez, e, n);
	linear_forward(&net->layer[ENC_HIDDEN], p->a, ez, p->b, e, n, 0);
	relu_forward(p->b, e, e, n);
	for (int i = 0; i < n; i++)
		memcpy(p->mean + (size_t)i * z, p->a + (size_t)i * ez + e, z * sizeof(float));
	linear_forward(&net->layer[ENC_MEAN], p->b, e, p->mean, z, n, 1);
	if (!logvar)
		return;
	linear_forward(&net->layer[ENC_LOGVAR], p->b, e, p->logvar, z, n, 0);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		for (size_t i = 0; i < (size_t)q->n * l->width[g]; i++)
			q->care[i] = fabsf(q->x[i]);
		linear_forward(&net->layer[ENC_SPREAD + g], q->care, l->width[g], p->work, z, q->n, 0);
		add_rows(p->logvar, q->row, p->work, z, q->n);
	}
	bound(p->logvar, (size_t)n * z);
}

void
network_encode_backward(const struct network *net, struct pass *p, float *dmean, float *dlogvar,
			float *grad)
{
	const struct code_layout *l = code_layout();
	int e = net->shape.encoder, z = net->shape.latent, ez = e + z, n = p->n;

	backward(net, ENC_MEAN, p->b, e, dmean, z, p->db, e, grad, n, 0);
	backward(net, ENC_LOGVAR, p->b, e, dlogvar, z, p->db, e, grad, n, 1);
	relu_backward(p->b, e, p->db, e, e, n);
	backward(net, ENC_HIDDEN, p->a, ez, p->db, e, p->da, ez, grad, n, 0);
	relu_backward(p->a, ez, p->da, ez, e, n);
	for (int i = 0; i < n; i++)
		memcpy(p->da + (size_t)i * ez + e, dmean + (size_t)i * z, z * sizeof(float));
	backward(net, ENC_COARSE, p->coarse, CODE_COARSE, p->da, ez, NULL, 0, grad, n, 0);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		take_rows(p->work, dlogvar, q->row, z, q->n);
		backward(net, ENC_SPREAD + g, q->care, l->width[g], p->work, z, NULL, 0, grad, q->n, 0);
		take_rows(p->work, p->da, q->row, ez, q->n);
		backward(net, ENC_GROUP + g, q->x, l->width[g], p->work, ez, NULL, 0, grad, q->n, 0);
	}
}

/*
 * --- the decoder ---
 *
 * s = [z, h, coarse bits], with h = relu(A z) and the coarse bits' logits = D [z, h]; t = [z, u], with
 * u = relu(B s); a group's logits = C t, for the rows that have it.
 */

void
network_decode(const struct network *net, struct pass *p, const float *z, int ld, int n,
	       const struct code *truth, struct code *out)
{
	int zw = net->shape.latent, h = net->shape.trunk;

	p->n = n;
	for (int i = 0; i < n; i++)
		memcpy(p->s + (size_t)i * p->s_width, z + (size_t)i * ld, zw * sizeof *z);
	linear_forward(&net->layer[DEC_TRUNK], p->s, p->s_width, p->s + zw, p->s_width, n, 0);
	relu_forward(p->s + zw, p->s_width, h, n);
	linear_forward(&net->layer[DEC_COARSE], p->s, p->s_width, p->coarse_logit, CODE_COARSE, n, 0);
	for (int i = 0; i < n; i++) {
		if (!truth)
			code_coarse_in(&out[i], p->coarse_logit + (size_t)i * CODE_COARSE);
		code_coarse_out(truth ? &truth[i] : &out[i],
				p->s + (size_t)i * p->s_width + zw + h);
	}
	linear_forward(&net->layer[DEC_DETAIL], p->s, p->s_width, p->t + zw, p->t_width, n, 0);
	relu_forward(p->t + zw, p->t_width, net->shape.detail, n);
	for (int i = 0; i < n; i++)
		memcpy(p->t + (size_t)i * p->t_width, p->s + (size_t)i * p->s_width, zw * sizeof *z);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		find_rows(q, truth ? truth : out, g, n);
		take_rows(q->t, p->t, q->row, p->t_width, q->n);
		linear_forward(&net->layer[DEC_OUT + g], q->t, p->t_width, q->logit,
			       net->layer[DEC_OUT + g].out, q->n, 0);
		for (int i = 0; !truth && i < q->n; i++)
			code_in(&out[q->row[i]], g,
				q->logit + (size_t)i * net->layer[DEC_OUT + g].out);
	}
}

void
network_decode_backward(const struct network *net, struct pass *p, float *dz, float *grad)
{
	int z = net->shape.latent, h = net->shape.trunk, n = p->n, sw = p->s_width,
	    tw = p->t_width;

	memset(p->dt, 0, (size_t)n * tw * sizeof *p->dt);
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		backward(net, DEC_OUT + g, q->t, tw, q->logit, net->layer[DEC_OUT + g].out, p->work, tw,
			 grad, q->n, 0);
		add_rows(p->dt, q->row, p->work, tw, q->n);
	}
	relu_backward(p->t + z, tw, p->dt + z, tw, net->shape.detail, n);
	backward(net, DEC_DETAIL, p->s, sw, p->dt + z, tw, p->ds, sw, grad, n, 0);
	backward(net, DEC_COARSE, p->s, sw, p->coarse_logit, CODE_COARSE, p->ds, sw, grad, n, 1);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < z; j++)
			p->ds[(size_t)i * sw + j] += p->dt[(size_t)i * tw + j];
	relu_backward(p->s + z, sw, p->ds + z, sw, h, n);
	backward(net, DEC_TRUNK, p->s, sw, p->ds + z, sw, p->ds, sw, grad, n, 1);
	for (int i = 0; i < n; i++)
		memcpy(dz + (size_t)i * z, p->ds + (size_t)i * sw, z * sizeof *dz);
}

/* --- decisions against the truth --- */

/* The logits of each row, in turn: the coarse ones, then those of each group that it has. */
typedef void decide(void *arg, int row, const float *truth, float *logit, int n);

static void
each_decision(struct pass *p, const struct code *truth, decide *f, void *arg)
{
	const struct code_layout *l = code_layout();
	float x[CODE_WORDS * 64];

	for (int i = 0; i < p->n; i++) {
		code_coarse_out(&truth[i], x);
		f(arg, i, x, p->coarse_logit + (size_t)i * CODE_COARSE, CODE_COARSE);
	}
	for (int g = 0; g < CODE_GROUPS; g++) {
		struct group_pass *q = &p->group[g];
		for (int i = 0; i < q->n; i++) {
			code_out(&truth[q->row[i]], g, x);
			f(arg, q->row[i], x, q->logit + (size_t)i * l->width[g], l->width[g]);
		}
	}
}

struct likelihood {
	float scale, *loss;
};

static void
likelihood(void *arg, int row, const float *truth, float *logit, int n)
{
	const struct likelihood *k = arg;
	float sum = 0;

	for (int j = 0; k->loss && j < n; j++)
		if (truth[j] != 0) {
			float m = truth[j] * logit[j];
			sum += (m < 0 ? -m : 0) + log1pf(expf(-fabsf(m)));
		}
	if (k->loss)
		k->loss[row] += sum;
	for (int j = 0; j < n; j++) {
		float m = truth[j] * logit[j];
		m = m > 60 ? 60 : m < -60 ? -60 : m;
		logit[j] = -truth[j] * k->scale / (1 + fast_exp(m));
	}
}

void
network_likelihood(struct pass *p, const struct code *truth, float scale, float *loss)
{
	struct likelihood k = {scale, loss};

	if (loss)
		memset(loss, 0, p->n * sizeof *loss);
	each_decision(p, truth, likelihood, &k);
}

static void
margin(void *arg, int row, const float *truth, float *logit, int n)
{
	float least = ((float *)arg)[row];

	for (int j = 0; j < n; j++)
		if (truth[j] != 0 && !(truth[j] * logit[j] >= least))
			least = truth[j] * logit[j];
	((float *)arg)[row] = least;
}

void
network_margin(struct pass *p, const struct code *truth, float *least)
{
	for (int i = 0; i < p->n; i++)
		least[i] = 1e9f;
	each_decision(p, truth, margin, least);
}

static void
hinge(void *arg, int row, const float *truth, float *logit, int n)
{
	float want = *(float *)arg;

	(void)row;
	for (int j = 0; j < n; j++)
		logit[j] = truth[j] != 0 && truth[j] * logit[j] < want ? -truth[j] : 0;
}

void
network_hinge(struct pass *p, const struct code *truth, float want)
{
	each_decision(p, truth, hinge, &want);
}

/* --- time --- */

void
time_encode(const struct network *net, struct pass *p, const struct time_code *code, int n,
	    bool logvar)
{
	int h = net->shape.time_hidden, z = net->shape.time;

	p->n = n;
	for (int i = 0; i < n; i++)
		time_out(code[i], p->tx + i * TIME_BITS);
	linear_forward(&net->layer[TIME_ENC_IN], p->tx, TIME_BITS, p->ta, h, n, 0);
	relu_forward(p->ta, h, h, n);
	linear_forward(&net->layer[TIME_ENC_HIDDEN], p->ta, h, p->tb, h, n, 0);
	relu_forward(p->tb, h, h, n);
	linear_forward(&net->layer[TIME_MEAN], p->tb, h, p->tmean, z, n, 0);
	if (logvar)
		linear_forward(&net->layer[TIME_LOGVAR], p->tb, h, p->tlogvar, z, n, 0);
	if (logvar)
		bound(p->tlogvar, (size_t)n * z);
}

void
time_encode_backward(const struct network *net, struct pass *p, float *dmean, float *dlogvar,
		     float *grad)
{
	int h = net->shape.time_hidden, z = net->shape.time, n = p->n;

	backward(net, TIME_MEAN, p->tb, h, dmean, z, p->te, h, grad, n, 0);
	backward(net, TIME_LOGVAR, p->tb, h, dlogvar, z, p->te, h, grad, n, 1);
	relu_backward(p->tb, h, p->te, h, h, n);
	backward(net, TIME_ENC_HIDDEN, p->ta, h, p->te, h, p->tf, h, grad, n, 0);
	relu_backward(p->ta, h, p->tf, h, h, n);
	backward(net, TIME_ENC_IN, p->tx, TIME_BITS, p->tf, h, NULL, 0, grad, n, 0);
}

void
time_decode(const struct network *net, struct pass *p, const float *z, int ld, int n)
{
	int h = net->shape.time_hidden, zw = net->shape.time;

	p->n = n;
	for (int i = 0; i < n; i++)
		memcpy(p->tz + (size_t)i * zw, z + (size_t)i * ld, zw * sizeof *z);
	linear_forward(&net->layer[TIME_DEC_IN], p->tz, zw, p->tc, h, n, 0);
	relu_forward(p->tc, h, h, n);
	linear_forward(&net->layer[TIME_DEC_DETAIL], p->tc, h, p->td, h, n, 0);
	relu_forward(p->td, h, h, n);
	linear_forward(&net->layer[TIME_OUT], p->td, h, p->tlogit, TIME_BITS, n, 0);
}

void
time_decode_backward(const struct network *net, struct pass *p, float *dz, float *grad)
{
	int h = net->shape.time_hidden, z = net->shape.time, n = p->n;

	backward(net, TIME_OUT, p->td, h, p->tlogit, TIME_BITS, p->te, h, grad, n, 0);
	relu_backward(p->td, h, p->te, h, h, n);
	backward(net, TIME_DEC_DETAIL, p->tc, h, p->te, h, p->tf, h, grad, n, 0);
	relu_backward(p->tc, h, p->tf, h, h, n);
	backward(net, TIME_DEC_IN, p->tz, z, p->tf, h, dz, z, grad, n, 0);
}

void
time_likelihood(struct pass *p, const struct time_code *truth, float scale, float *loss)
{
	struct likelihood k = {scale, loss};
	float x[TIME_BITS];

	for (int i = 0; i < p->n; i++) {
		time_out(truth[i], x);
		likelihood(&k, i, x, p->tlogit + i * TIME_BITS, TIME_BITS);
	}
}
