/* The report as JSON. */
#include "process/version.h"
#include "report.h"
#include "verdict.h"
#include "words.h"

#include <err.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So that no value is missing where memory is short. */
static void *
allocate(size_t n)
{
	void *p = malloc(n);

	if (!p)
		err(2, NULL);
	return p;
}

/* Octets of the UTF-8 character at s, 0 where there is none: jansson knows which are. */
static size_t
character(const char *s)
{
	for (size_t n = 1; n <= strnlen(s, 4); n++) {
		json_t *c = json_stringn(s, n);
		bool is_one = c != NULL;
		json_decref(c);
		if (is_one)
			return n;
	}
	return 0;
}

/* A file's name may be any octets: those that are no UTF-8 become U+FFFD each, since JSON can't say them. */
static json_t *
name(const char *s)
{
	char *text = allocate(3 * strlen(s) + 1), *to = text;

	while (*s) {
		size_t n = character(s);
		memcpy(to, n ? s : "\xef\xbf\xbd", n ? n : 3);
		to += n ? n : 3;
		s += n ? n : 1;
	}
	json_t *v = json_stringn(text, to - text);
	free(text);
	return v;
}

/* Whole numbers without a fraction of 0; null for none. */
static json_t *
number(double v)
{
	if (!isfinite(v))
		return json_null();
	return v == trunc(v) && fabs(v) < 0x1p53 ? json_integer(v) : json_real(v);
}

static json_t *
counts(const uint64_t *count, const char *const *names, int n)
{
	json_t *o = json_object();

	for (int i = 0; i < n; i++)
		json_object_set_new(o, names[i], json_integer(count[i]));
	return o;
}

static json_t *
trace(const struct source *s, const struct measure *m)
{
	json_t *legality = counts(m->total.illegal, illegal_names, ILLEGALS);

	if (s->actions) /* they have no checksums that could be wrong */
		json_object_set_new(legality, illegal_names[ILLEGAL_CHECKSUM], json_null());
	return json_pack("{s:o, s:I, s:I, s:I, s:{s:I, s:I}, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o}",
			 "name", name(s->name),
			 "packets", (json_int_t)m->total.packets,
			 "octets", (json_int_t)m->total.octets,
			 "flows", (json_int_t)m->total.flows,
			 "conversations", "tcp", (json_int_t)m->conversations[0], "udp", (json_int_t)m->conversations[1],
			 "connections", (json_int_t)m->connections,
			 "seconds", number((m->end - m->start) / 1e9),
			 "out_of_time_order", (json_int_t)m->backwards,
			 "duplicates", (json_int_t)m->duplicates,
			 "legality", legality,
			 "tcp_event", counts(m->total.event, event_names, EVENTS),
			 "anomaly", counts(m->total.anomaly, anomaly_names, ANOMALIES),
			 "conn_state", counts(m->total.state, conn_state_names, CONN_STATES));
}

static json_t *
distances(const struct report *r)
{
	json_t *o = json_object();

	for (int i = 0; i < metrics_count; i++) {
		const struct result *x = &r->results[i];
		struct words w;
		words_of(i, r->ma, r->mb, &w);
		json_object_set_new(o, metrics[i].name,
				    json_pack("{s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:s}", "value", number(x->value),
					      "unit", metrics[i].unit, "tolerance", number(x->tolerance), "floor",
					      number(x->floor), "drift", number(x->drift), "group", group_names[metrics[i].group], "times",
					      number(result_times(x)), "a", number(w.a), "b", number(w.b), "of", w.unit,
					      "words", w.text));
	}
	return o;
}

/* What stands out, the most telling first. */
static json_t *
verdict(const struct report *r)
{
	int order[METRICS_MAX], n = verdict_order(r, order);
	json_t *names = json_array();

	for (int k = 0; k < n; k++)
		json_array_append_new(names, json_string(metrics[order[k]].name));
	return json_pack("{s:b, s:s, s:o}", "stands_in", n == 0, "against",
			 r->exact ? "nothing" : r->reference ? "reference" : r->drifted ? "drift" : "floor", "differs", names);
}

static json_t *
paired(const struct report *r)
{
	json_t *o = json_pack("{s:I, s:I}", "packets", (json_int_t)r->paired_packets,
			      "different", (json_int_t)r->paired_different);

	for (int i = 0; i < ACTION_COUNT; i++)
		json_object_set_new(o, action_fields[i].name, json_integer(r->paired[i]));
	return o;
}

void
report_json(FILE *f, const struct report *r)
{
	/* Keys are our own, and nobody can choose them so that they collide; chance would have to open a file. */
	json_object_seed(1);
	json_set_alloc_funcs(allocate, free);
	json_t *o = json_pack("{s:s, s:i, s:i, s:o, s:o, s:o}", "version", TC_VERSION, "metrics_version",
			      METRICS_VERSION, "outside", r->outside,
			      "a", trace(r->a, r->ma), "b", trace(r->b, r->mb), "metrics", distances(r));

	json_object_set_new(o, "memorised", json_pack("{s:o, s:o}", "b", number(r->memorised), "a_halves",
						      number(r->memorised_halves)));
	if (r->paired)
		json_object_set_new(o, "paired", paired(r));
	json_object_set_new(o, "verdict", verdict(r));
	json_dumpf(o, f, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(o);
	fputc('\n', f);
}
