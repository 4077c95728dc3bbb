/*
 * conn [-l] CAPTURE: the connections of a capture as Zeek's conn.log has them, one line each, with
 * tabs: ts, proto, orig_h, orig_p, resp_h, resp_p, duration, orig_bytes, resp_bytes, conn_state,
 * history, orig_pkts, resp_pkts. Cut as Zeek cuts; with -l where a flow opens, as tc-lift(1).
 * conn -t CAPTURE: nanoseconds a packet that conn_packet() takes, and bytes of a struct conn.
 */
#include "packet/capture.h"
#include "tc-diff/conn.h"
#include "state/trace.h"
#include "record/action.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct entry {
	bool used;
	struct conn conn;
	struct address host[2];
	uint16_t port[2];
} *entry;

/* Zeek's ports of ICMP: the type, and that of the answer or the code. */
static uint16_t
icmp_counterpart(const struct packet *p)
{
	static const uint8_t pairs4[] = {8, 0, 13, 14, 15, 16, 10, 9, 17, 18};
	static const uint8_t pairs6[] = {128, 129, 133, 134, 135, 136, 130, 131, 139, 140, 144, 145};
	const uint8_t *pairs = p->proto == PROTO_ICMP ? pairs4 : pairs6;
	unsigned n = p->proto == PROTO_ICMP ? sizeof pairs4 : sizeof pairs6;

	for (unsigned i = 0; i < n; i++)
		if (pairs[i] == p->type)
			return pairs[i ^ 1];
	return p->code;
}

static void
print_time(int64_t ns)
{
	printf("%" PRId64 ".%06" PRId64, ns / 1000000000, ns % 1000000000 / 1000);
}

static void
finish(struct entry *e)
{
	const struct conn *c = &e->conn;
	int o = c->orig, r = !o;

	if (!e->used)
		return;
	e->used = false;
	print_time(c->start);
	printf("\t%s", c->proto == PROTO_TCP	? "tcp"
		       : c->proto == PROTO_UDP	? "udp"
		       : c->proto == PROTO_ICMP ? "icmp"
						: "unknown_transport");
	for (int i = 0; i < 2; i++) {
		char text[64];
		address_text(&e->host[i ? r : o], text, sizeof text);
		printf("\t%s\t%d", text, e->port[i ? r : o]);
	}
	putchar('\t');
	if (c->last > c->start) {
		print_time(c->last - c->start);
		printf("\t%" PRIu64 "\t%" PRIu64, conn_octets(c, o), conn_octets(c, r));
	} else {
		printf("-\t-\t-");
	}
	printf("\t%s\t%s%s\t%" PRIu64 "\t%" PRIu64 "\n", conn_state_names[conn_state(c)],
	       c->n_history ? c->history : "-", c->lost_history ? "..." : "", c->end[o].packets,
	       c->end[r].packets);
}

static void
begin(struct entry *e, int dir, const struct packet *p)
{
	bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6;

	e->used = conn_begin(&e->conn, dir, p);
	e->host[dir] = p->src;
	e->host[!dir] = p->dst;
	e->port[dir] = icmp ? p->type : p->src_port;
	e->port[!dir] = icmp ? icmp_counterpart(p) : p->dst_port;
}

static void
packet(struct trace *t, struct packet *p, bool as_lift)
{
	static struct action a;

	trace_lift(t, p, &a);
	struct entry *e = &entry[action_number(&a, ACTION_FLOW)];
	int dir = action_number(&a, ACTION_DIR), open = action_number(&a, ACTION_OPEN);

	if (open == FLOW_NEW || open == FLOW_REUSED || open == FLOW_REUSED_REVERSED ||
	    (as_lift && open == FLOW_RESUMED) || !e->used ||
	    (!as_lift && conn_is_over(&e->conn, dir, p))) {
		finish(e);
		begin(e, dir, p);
	}
	if (e->used)
		conn_packet(&e->conn, dir, p);
}

static int
order(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return ((*x)->conn.start > (*y)->conn.start) - ((*x)->conn.start < (*y)->conn.start);
}

/* The capture over and over, all packets one flow's: what one step costs. */
static void
measure(struct capture_reader *r)
{
	struct capture_packet k;
	struct packet *p = NULL;
	size_t n = 0, steps = 0;
	struct timespec t[2];
	struct conn c;

	while (capture_read(r, &k) == 1) {
		if (!(n & (n + 1)) && !(p = realloc(p, 2 * (n + 1) * sizeof *p)))
			err(2, NULL);
		p[n] = (struct packet){.time = k.time, .caplen = k.caplen, .len = k.len};
		packet_parse(&p[n], r->dlt, k.data);
		n += p[n].kind == PACKET_IP;
	}
	if (!n || !conn_begin(&c, 0, &p[0]))
		errx(2, "no connection to begin with");
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	while (steps < 20000000)
		for (size_t i = 0; i < n; i++, steps++)
			conn_packet(&c, p[i].src_port != p[0].src_port, &p[i]);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	printf("%.1f ns, %zu bytes (%s)\n",
	       ((t[1].tv_sec - t[0].tv_sec) * 1e9 + t[1].tv_nsec - t[0].tv_nsec) / steps, sizeof c,
	       c.history);
	free(p);
}

/* The connections of a capture, those still open at its end in the order of their beginning. */
static void
connections(struct capture_reader *r, bool as_lift)
{
	static struct trace t;
	struct capture_packet k;

	t.header = (struct stream_header){.cap = TRACE_CAP, .idle = FLOW_IDLE_DEFAULT, .link = r->dlt};
	if (trace_init(&t, r->dlt, NULL, 0) < 0 || !(entry = calloc(TRACE_CAP, sizeof *entry)))
		err(2, NULL);
	while (capture_read(r, &k) == 1) {
		struct packet p = {.time = k.time, .caplen = k.caplen, .len = k.len};
		packet_parse(&p, r->dlt, k.data);
		packet(&t, &p, as_lift);
	}
	struct entry **live = calloc(TRACE_CAP, sizeof *live);
	size_t n = 0;
	for (uint32_t i = 0; i < TRACE_CAP; i++)
		if (entry[i].used)
			live[n++] = &entry[i];
	qsort(live, n, sizeof *live, order);
	for (size_t i = 0; i < n; i++)
		finish(live[i]);
	free(live);
}

int
main(int argc, char **argv)
{
	struct capture_reader r;
	bool as_lift = argc == 3 && !strcmp(argv[1], "-l");
	bool timing = argc == 3 && !strcmp(argv[1], "-t");

	if (argc != 2 + (as_lift || timing))
		errx(2, "usage: conn [-l | -t] CAPTURE");
	if (capture_open(&r, argv[argc - 1], NULL, NULL) < 0)
		errx(2, "%s: %s", argv[argc - 1], r.error);
	if (timing)
		measure(&r);
	else
		connections(&r, as_lift);
	capture_close(&r);
	return fflush(stdout) ? 2 : 0;
}
