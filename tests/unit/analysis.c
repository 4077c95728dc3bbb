/*
 * analysis [-p] CAPTURE: how often the analysis of TCP found what it looks for, a line each: name,
 * count. With -p a line for each TCP packet instead: its number, the verdicts as a number, the
 * duplicate acknowledgement's, octets in flight, completeness so far, and in nanoseconds, "-" where
 * there is none: the conversation's initial RTT, the RTT that it tells. tests/analysis.py holds
 * them against tshark's.
 */
#include "tc-diff/analysis.h"
#include "packet/capture.h"
#include "state/trace.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct trace trace;
static struct analysis_pool pool;
static struct analysis *flows; /* by slot */
static uint64_t packets, handshakes, rtts, found[ANALYSIS_NAMES];

static void
print_time(bool has, int64_t time)
{
	if (has)
		printf("\t%" PRId64, time);
	else
		printf("\t-");
}

static uint32_t
number_of(const struct action *a, int field)
{
	return action_has(a, field) ? a->num[field] : 0;
}

static void
packet(struct packet *p, uint64_t number, bool each)
{
	static struct action action;
	struct analysis_times t = {.wants_in_flight = true};

	trace_lift(&trace, p, &action);
	if (p->kind != PACKET_IP || p->proto != PROTO_TCP)
		return;
	struct analysis *a = &flows[number_of(&action, ACTION_FLOW)];
	analysis_open(a, &pool, number_of(&action, ACTION_OPEN));
	uint32_t bits = analysis_packet(a, number_of(&action, ACTION_DIR), p, &t);
	packets++;
	handshakes += t.has_initial_rtt;
	rtts += t.has_ack_rtt;
	for (int i = 0; i < ANALYSIS_NAMES; i++)
		found[i] += bits >> i & 1;
	if (!each)
		return;
	printf("%" PRIu64 "\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%u", number, bits,
	       t.duplicate_ack_num, t.bytes_in_flight, a->completeness);
	print_time(a->initial_rtt != 0, a->initial_rtt);
	print_time(t.has_ack_rtt, t.ack_rtt);
	putchar('\n');
}

static void
counts(void)
{
	printf("packets\t%" PRIu64 "\n", packets);
	for (int i = 0; i < ANALYSIS_NAMES; i++)
		printf("%s\t%" PRIu64 "\n", analysis_names[i], found[i]);
	printf("initial_rtt\t%" PRIu64 "\nack_rtt\t%" PRIu64 "\n", handshakes, rtts);
	printf("dropped\t%" PRIu64 "\n", pool.dropped);
}

int
main(int argc, char **argv)
{
	struct capture_reader r;
	struct capture_packet c;
	bool each = argc == 3 && !strcmp(argv[1], "-p");

	if (argc != 2 + each)
		errx(2, "usage: analysis [-p] CAPTURE");
	if (capture_open(&r, argv[1 + each], NULL, NULL) < 0)
		errx(2, "%s: %s", argv[1 + each], r.error);
	trace.header = (struct stream_header){.cap = TRACE_CAP, .idle = FLOW_IDLE_DEFAULT};
	if (trace_init(&trace, r.dlt, NULL, 0) < 0 ||
	    analysis_pool_init(&pool, ANALYSIS_POOL) < 0 ||
	    !(flows = calloc(TRACE_CAP, sizeof *flows)))
		err(2, NULL);
	/* A capture that breaks off ends where it does. */
	while (capture_read(&r, &c) == 1) {
		struct packet p = {.time = c.time, .caplen = c.caplen, .len = c.len};
		packet_parse(&p, r.dlt, c.data);
		packet(&p, r.packets, each);
	}
	capture_close(&r);
	if (!each)
		counts();
	if (fflush(stdout) || ferror(stdout))
		err(2, "standard output");
	return 0;
}
