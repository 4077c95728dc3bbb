# tc-diff: nothing where nothing differs; where something does, as much as there is, and nothing elsewhere.

load helper

distortions='drop shuffle split flags jitter data'

# The sample's image, as actions and as a capture; the sample distorted (X.pcap), what was done (X.json), what tc-diff
# says (X).
setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	tc-lift -q tests/fixtures/sample.pcap >"$in/act"
	tc-compile "$in/act" >"$in/image.pcap"
	for d in $distortions; do
		/usr/bin/python3 tests/distort.py $d tests/fixtures/sample.pcap "$in/$d.pcap" 2>"$in/$d.json" &
	done
	wait
	for d in $distortions; do
		tc-diff --json tests/fixtures/sample.pcap "$in/$d.pcap" >"$in/$d" || [ $? -eq 1 ]
	done
}

# value METRIC [REPORT]
value() { jq --arg m "$1" '.metrics[$m].value' "${2:-$tmp/r}"; }

# above [REPORT]: the metrics that are above 0, by name; without those of traffic that was generated, which generated.bats is about
above() {
	jq -r '.metrics | to_entries[] | select(.value.value != 0).key' "${1:-$tmp/r}" | grep -vE '^(c2st|netshare\..*)$' | sort | xargs
}

# near ACTUAL EXPECTED TOLERANCE
near() {
	jq -en "($1) - ($2) | fabs <= $3" >/dev/null || { printf 'is        %s\nshould be %s within %s\n' "$@"; return 1; }
}

# differ A B: a report into $tmp/r; the two are not the same
differ() { run -1 --separate-stderr tc-diff --json "$@" && echo "$output" >"$tmp/r" && is "$stderr" ""; }

# equal A B: exit 0, and all metrics are 0
equal() {
	tc-diff --json "$@" >"$tmp/r" || { echo "tc-diff $*: status $?"; return 1; }
	is "$(jq -c '.metrics | map_values(.value) | with_entries(select(.value != 0))' "$tmp/r")" '{}'
}

# trouble PATTERN ARGUMENT...: exit 2, no report, and one line on standard error, which is the pattern
trouble() {
	local pattern=$1
	shift
	run -2 --separate-stderr tc-diff "$@"
	echo "stderr: $stderr"
	is "$output" ""
	[ "${#stderr_lines[@]}" -eq 1 ]
	# shellcheck disable=SC2053
	[[ $stderr = $pattern ]]
}

# pair PYTHON PYTHON: the report on two crafted captures
pair() {
	craft a "$1"
	craft b "$2"
	differ "$tmp/a" "$tmp/b"
}

# --- nothing differs ---

@test "the same trace twice: all zero, exit 0" {
	equal "$sample" "$sample"
	is "$(jq -r '.outside' "$tmp/r")" 0
	is "$(jq -c '[.a.packets, .b.packets]' "$tmp/r")" "[$(packets "$sample"),$(packets "$sample")]"
	is "$(jq -c .a.flows "$tmp/r")" "$(end "$BATS_FILE_TMPDIR/act" | cut -d' ' -f2)"
}

@test "what was lifted and compiled: all zero, exit 0" {
	equal "$sample" "$BATS_FILE_TMPDIR/image.pcap"
	equal "$BATS_FILE_TMPDIR/image.pcap" "$sample"
}

@test "captures and actions, in any order, one of them by standard input" {
	act=$BATS_FILE_TMPDIR/act image=$BATS_FILE_TMPDIR/image.pcap
	equal "$sample" "$act"
	equal "$act" "$sample"
	equal "$act" "$act"
	equal "$act" "$image"
	equal - "$sample" <"$act"
	equal "$act" - <"$sample"
	tc-lift -q "$sample" | equal "$image" -
	is "$(jq -r .b.name "$tmp/r")" "standard input"
	tc-lift -q "$sample" | tc-compile | equal "$sample" -
}

# one FIXTURE: what is wrong with it, its image, its actions; if anything
one() {
	local name=${1##*/} status=0
	tc-lift -q "$1" >"$tmp/$name.act" && tc-compile "$tmp/$name.act" >"$tmp/$name"
	tc-diff --tsv "$1" "$tmp/$name" && tc-diff --tsv "$tmp/$name.act" "$1" || status=$?
	[ $status -eq 0 ] || echo "$name: status $status"
}

@test "every fixture, its image and its actions: all zero, exit 0" {
	export tmp
	export -f one
	printf '%s\n' "$edge"/*.pcap | xargs -P 4 -I{} bash -c 'one {} >"$tmp/out.$$" 2>&1; tail -n 1 "$tmp/out.$$" | grep status' >"$tmp/wrong" || true
	# Two without packets, and one that nobody reads.
	is "$(sort "$tmp/wrong" | xargs)" "empty-pcapng.pcap: status 2 empty.pcap: status 2 pcapng-interfaces-differing-in-link-type.pcap: status 2"
	# The exit status counts all metrics; here is one that doesn't end in 0.
	run -1 tc-diff "$edge/one-packet-tcp.pcap" "$edge/one-packet-udp.pcap"
}

@test "joined traces, each with tables of its own size" {
	for cap in 16 65536 64; do tc-lift -q --cap $cap "$sample"; done >"$tmp/a"
	equal "$tmp/a" "$tmp/a"
	is "$(jq .a.packets "$tmp/r")" $((3 * $(packets "$sample")))
}

@test "actions of all sorts, against themselves and what they compile to" {
	for seed in 1 2 3 4; do
		scramble $seed >"$tmp/a"
		equal "$tmp/a" "$tmp/a"
		is "$(jq '[.metrics[].value | select(. != 0)] | length' "$tmp/r")" 0
	done
}

# --- known distortions ---

# agrees DISTORTION: tc-diff has found what distort.py counted, packet by packet. What is sorted into bins of 0.1 % may
# be off by as much: W1 (in % of a mean), KS (which sees no step within a bin), shares of the busiest hosts.
agrees() {
	jq -n --slurpfile done "$BATS_FILE_TMPDIR/$1.json" --slurpfile report "$BATS_FILE_TMPDIR/$1" '
		def slack(name; x):
			if name | test("_ks$") then 0.0005
			elif name | test("^time|^rtt") then 0.003 + 0.002 * x
			elif name | test("^endpoint") then 0.0005
			else 1e-9 * (1 + x) end;
		[($done[0].expected, $done[0].done) | to_entries[] | .key as $name | .value as $x
			| $report[0].metrics[$name].value as $y
			| select($y - $x | fabs > slack($name; $x)) | {$name, expected: $x, found: $y}],
		($done[0] | .packets + .flows, .event),
		($report[0] | [.a.packets, .b.packets, .a.flows, .b.flows], [.a.tcp_event, .b.tcp_event])' -c >"$tmp/found"
	is "$(sed -n 1p "$tmp/found")" "[]"
	is "$(sed -n 4,5p "$tmp/found")" "$(sed -n 2,3p "$tmp/found")"
	jq -e '.expected | length >= 25' "$BATS_FILE_TMPDIR/$1.json" >/dev/null
}

# seen DISTORTION METRICS [METRICS]: a change of these is seen, of the second ones perhaps, of no others (patterns); but for
# those of traffic that was generated.
seen() {
	jq -r '.metrics | to_entries[] | "\(.key) \(.value.value > 0)"' "$BATS_FILE_TMPDIR/$1" >"$tmp/seen"
	is "$(grep -E "^($2) " "$tmp/seen" | grep 'false$')" ""
	is "$(grep -vE "^($2|${3:-nothing}|c2st|netshare.*) " "$tmp/seen" | grep 'true$')" ""
	is "$(grep -cE "^($2) " "$tmp/seen")" "$4"
}

@test "1 % of the packets dropped" {
	agrees drop
	seen drop 'volume.(packets|octets)|mix.(size|flow_size)|tcp.event|transition.*|interleave.*|time.*|rtt.ack|burst.(1ms|10*ms|1s|10s)|anomaly.lost_segment|conn.history|endpoint.*' \
		'mix.protocol|conn.state|rtt.syn|anomaly.*' 26
	near "$(value volume.packets "$BATS_FILE_TMPDIR/drop")" '100 * 265 / 26499' 1e-9
}

@test "packets of different flows shuffled" {
	agrees shuffle
	seen shuffle 'interleave.*|time.duration|time.duration_ks|rtt.*' 'anomaly.*|conn.*' 9
	[ "$(value interleave.switch "$BATS_FILE_TMPDIR/shuffle" | cut -c1-4)" = 0.24 ]
}

@test "a tenth of the flows split in two" {
	agrees split
	seen split 'volume.flows|mix.flow_size|mix.port|conn.*|transition.*|time.duration|time.duration_ks|interleave.*|rtt.ack' \
		'anomaly.*' 15
	near "$(value volume.flows "$BATS_FILE_TMPDIR/split")" '100 * 73 / 726' 1e-9
}

@test "1 % of the flags changed" {
	agrees flags
	seen flags 'tcp.event|transition.*|conn.*' 'anomaly.*|rtt.ack' 5
	is "$(value tcp.event "$BATS_FILE_TMPDIR/flags" | cut -c1-6)" 2.0007
}

@test "times jittered by 5 %" {
	agrees jitter
	seen jitter 'time.*|rtt.*|burst.(1ms|10*ms|1s|10s)|interleave.active' 'anomaly.*' 12
}

@test "the acknowledgements of 1 % of the flows replaced by data" {
	agrees data
	seen data 'tcp.event|transition.*|mix.size|volume.octets|conn.history' 'anomaly.*|conn.state|rtt.ack' 6
}

@test "the distance from B to A is there where that from A to B is" {
	for d in $distortions; do
		differ "$BATS_FILE_TMPDIR/$d.pcap" "$sample"
		is "$(above)" "$(above "$BATS_FILE_TMPDIR/$d")"
	done
}

@test "a distorted capture and its actions are at the same distance" {
	for d in drop flags data; do
		differ "$sample" <(tc-lift -q "$BATS_FILE_TMPDIR/$d.pcap")
		is "$(jq -c .metrics "$tmp/r")" "$(jq -c .metrics "$BATS_FILE_TMPDIR/$d")"
	done
}

# --- by hand ---

@test "by hand: inter-arrival times of 1 ms and 1.1 ms" {
	pair 'paced(0.001, [U()] * 11)' 'paced(0.0011, [U()] * 11)'
	near "$(value time.iat)" 10 0.1
	near "$(value time.duration)" 10 0.1
	is "$(value time.iat_ks) $(value time.duration_ks)" "1 1"
	near "$(value interleave.active)" '100 / 11' 1e-9 # alive in 11 windows of 1 ms, in 12
	is "$(above)" "burst.1ms interleave.active time.duration time.duration_ks time.iat time.iat_ks"
}

@test "by hand: a SYN-ACK after 10 and after 12 ms" {
	pair '[(s := S()).c("S"), later(.010, s.s("SA")), later(.005, s.c())]' \
		'[(s := S()).c("S"), later(.012, s.s("SA")), later(.003, s.c())]'
	near "$(value rtt.syn)" 20 0.1
	# 10, 5 and 12, 3: W1 is (2 + 2) / 2, the mean 7.5.
	near "$(value rtt.ack)" '200 / 7.5' 0.1
	near "$(value time.iat)" '200 / 7.5' 0.1
	is "$(value time.duration)" 0
}

@test "by hand: a RST in the place of data" {
	pair '(s := S()).open() + [s.c("A", 100), s.s()]' '(s := S()).open() + [s.c("RA"), s.s(seq=0)]'
	is "$(value tcp.event)" 40              # 2 of 5 packets' shares
	is "$(value transition.tv)" 0.5         # of 4 rows, 1 goes elsewhere and 1 isn't there
	is "$(value transition.worst)" 1
	is "$(value conn.state)" 1              # S1, RSTO
	is "$(jq -c '[.a, .b | .conn_state | to_entries[] | select(.value > 0).key]' "$tmp/r")" '["S1","RSTO"]'
	near "$(value mix.size)" 0.2 1e-12
}

@test "by hand: packets of two flows by turns, and one flow after the other" {
	pair '[U(port=1111), U(port=2222)] * 2' '[U(port=1111)] * 2 + [U(port=2222)] * 2'
	near "$(value interleave.switch)" '1 - 1 / 3' 1e-12
	near "$(value interleave.mixing)" '(1 - 1 / 3) / 0.5' 1e-12
	is "$(value interleave.run_mean)" 100
	is "$(value interleave.run)" 1
	near "$(value time.duration)" 50 0.1    # 2.5 ms, 1.25 ms
	is "$(above)" "interleave.active interleave.mixing interleave.run interleave.run_mean interleave.switch time.duration time.duration_ks"
}

@test "by hand: one anomaly among eight TCP packets" {
	good='(s := S()).open() + [s.c("A", 100), s.c("A", 100), s.c("A", 100), s.c("A", 100), s.s()]'
	while IFS='|' read -r name bad; do
		echo "$name"
		pair "$good" "(s := S()).open() + [s.c('A', 100), s.c('A', 100), s.c('A', 100), $bad]"
		is "$(value "anomaly.$name")" 12.5
		is "$(jq -c '[.a, .b | .anomaly.'"$name"']' "$tmp/r")" "[0,1]"
		is "$(above | tr ' ' '\n' | grep -c ^anomaly)" 1
	done <<-'END'
		retransmission|s.c("A", 100, seq=-100), s.s()
		lost_segment|s.c("A", 100, seq=100), s.s(ack=-200)
		zero_window|s.c("A", 100), s.s(window=0)
		keep_alive|s.c("A", 1, seq=-1), s.s()
		out_of_order|Packet(s.c("A", 100, seq=-200), 0.0001), s.s()
	END
	pair "$good" "(s := S()).open() + [s.c('A', 100), s.c('A', 100), s.s(ack=-200), s.s(ack=-200), s.s(ack=-200)]"
	is "$(jq .b.anomaly.duplicate_ack "$tmp/r")" 3 # the first one repeats the SYN-ACK's
	is "$(value anomaly.duplicate_ack)" 37.5
}

@test "by hand: protocols, ports, sizes of packets and flows, hosts" {
	pair '[U()] * 4' '[U()] * 3 + [packet(A, B, icmp(8, 0, 1, 30))]'
	is "$(value mix.protocol)" 0.25
	is "$(value mix.flow_size)" 1           # 4; 3 and 1
	is "$(value volume.flows)" 100
	is "$(value mix.size)" 0                # both headers have 8 octets
	pair '[U(port=1111), U(port=2222)]' '[U(port=1111), U(port=2222, to=123)]'
	is "$(above)" mix.port
	is "$(value mix.port)" 0.5
	pair '[U(30)] * 4' '[U(30)] * 3 + [U(102)]'
	is "$(value mix.size) $(value volume.octets)" "0.25 25" # 72 octets; 3 * 72 + 144
	is "$(above)" "mix.size volume.octets"
	pair '[U(port=1111), U(port=2222)] * 2' '[U(port=1111), U(port=2222, src="192.168.1.11")] * 2'
	is "$(above)" endpoint.sources
	is "$(value endpoint.sources)" 0.5      # 1; 0.5, 0.5
	pair '[U(port=1111), U(port=2222)] * 2' '[U(port=1111), U(port=2222, dst="203.0.113.81")] * 2'
	is "$(above)" endpoint.destinations
}

@test "by hand: counts 3, 1 and 3, 0, 1 in windows of 1 ms" {
	pair '[later(g, U()) for g in (0, .0001, .0001, .0010)]' '[later(g, U()) for g in (0, .0001, .0001, .0020)]'
	near "$(value burst.1ms)" '100 * (7 / 6 - 0.5) / 0.5' 1e-9
	is "$(value burst.10ms)" 0
}

@test "by hand: half of the connections are refused" {
	pair 'sum((S(p).open() for p in range(4)), [])' \
		'S(0).open() + S(1).open() + sum(([s.c("S"), s.s("RA"), s.s("RA")] for s in (S(2), S(3))), [])'
	is "$(jq -c '.b.conn_state | with_entries(select(.value > 0))' "$tmp/r")" '{"S1":2,"REJ":2}'
	is "$(value conn.state)" 0.5
	is "$(value conn.history)" 0.5
	near "$(value tcp.event)" '100 * 8 / 12' 1e-9 # of 12 packets, 2 SYN-ACK and 2 ACK are 4 RST
}

@test "what a trace is measured by is its order of appearance, not its addresses" {
	craft a '[f for p in range(9) for f in S(40000 + p, client="10.0.0.%d" % p).open()]'
	craft b '[f for p in range(9) for f in S(50000 - p, client="172.16.9.%d" % (99 - p), isn=(7, 9)).open()]'
	tc-diff --json "$tmp/a" "$tmp/b" >"$tmp/r"
	is "$(jq -r '.metrics | to_entries[] | select(.value.value != 0).key' "$tmp/r" | sort | xargs)" \
		"netshare.jsd_destination_port netshare.jsd_source_port" # the initiators' ports are others
}

@test "nor is it by sequence numbers, in no half of their circle" {
	# Both ends open, as in RFC 9293, section 3.5; the first segment of each has an acknowledgement field of 0.
	for isn in '(1, 1)' '(3000000000, 1)' '(1, 3000000000)' '(3000000000, 4000000000)'; do
		craft "$isn" "[(s := S(isn=$isn)).c('S'), s.s('S'), s.c('SA', seq=-1), s.s('SA', seq=-1), s.c(), s.c('A', 100),
			s.s('A', ack=-100), s.s('R', ack_is=0), s.s(seq=0)]"
		equal "$tmp/(1, 1)" "$tmp/$isn"
	done
}

@test "nor by the acknowledgement field of a packet without ACK flag" {
	for ack in 0 2000 3000000000; do
		craft "$ack" "[(s := S(isn=(1, 1000))).c('S', ack_is=$ack), s.s('SA'), s.s('A', 50), s.c('P', 9, ack_is=$ack), s.s('A', 50)]"
		equal "$tmp/0" "$tmp/$ack"
	done
}

@test "nor by a number that would be 0, or one before it, where nothing is due yet" {
	for isn in 1 4294967294 4294967295 0; do # the first segment's number is one more
		craft "$isn" "[(s := S(isn=($isn, 1000))).c('A'), s.c('A'), s.s('A', 50), s.c('A', 9), s.c('A', 9, seq=-9), s.s('A', 50)]"
		equal "$tmp/1" "$tmp/$isn"
	done
}

@test "a SYN whose header is cut has its number here as it has for tc-lift" {
	craft a "[(s := S(isn=(1000000, 9))).c('S'), s.s('SA'), s.c('SR', offset=6), s.c('A', 10), s.s('A'), s.c('R'),
		s.c('S', seq_is=1000000), s.s('SA', seq_is=9, ack_is=1000001), s.c('A', 10, seq_is=1000001, ack_is=10)]"
	tc-lift -q "$tmp/a" | tc-compile >"$tmp/b"
	equal "$tmp/a" "$tmp/b"
}

# --- tolerance, exit status ---

@test "--tolerance: within is up to and with it, and each metric has its own" {
	b=$BATS_FILE_TMPDIR/split.pcap
	craft a '[U(30)] * 4'
	craft b '[U(30)] * 3 + [U(102)]'
	tc-diff --tolerance mix.size=0.25 --tolerance volume.octets=25 "$tmp/a" "$tmp/b" >"$tmp/out"
	is "$(tail -n 1 "$tmp/out")" 'Within tolerance: 38 of 38 metrics (exit status 0).'
	differ --tolerance mix.size=0.2499 --tolerance volume.octets=25 "$tmp/a" "$tmp/b"
	is "$(jq .outside "$tmp/r")" 1
	is "$(jq -c '.metrics["mix.size", "volume.octets", "time.iat"].tolerance' "$tmp/r" | xargs)" "0.2499 25 0"
	differ --tolerance volume.octets=1e3 "$tmp/a" "$tmp/b"
	args=()
	for m in $(above "$BATS_FILE_TMPDIR/split"); do
		args+=(--tolerance "$m=$(value "$m" "$BATS_FILE_TMPDIR/split")")
	done
	tc-diff "${args[@]}" "$sample" "$b" >/dev/null
	run -1 tc-diff "${args[@]:2}" "$sample" "$b"
}

@test "--fail-on: only these count" {
	for d in $distortions; do
		for m in volume.packets volume.flows tcp.event time.iat interleave.switch; do
			status=$(jq --arg m $m 'if .metrics[$m].value > 0 then 1 else 0 end' "$BATS_FILE_TMPDIR/$d")
			echo "$d $m $status"
			run -"$status" tc-diff --fail-on $m "$sample" "$BATS_FILE_TMPDIR/$d.pcap"
		done
	done
	run -1 tc-diff --fail-on volume.packets,volume.flows "$sample" "$BATS_FILE_TMPDIR/split.pcap"
	run -1 tc-diff --fail-on volume.packets --fail-on volume.flows "$sample" "$BATS_FILE_TMPDIR/split.pcap"
	run -0 tc-diff --fail-on volume.flows --tolerance volume.flows=11 "$sample" "$BATS_FILE_TMPDIR/split.pcap"
}

@test "with --fail-on the verdict says nothing of metrics that weren't asked" {
	run -0 tc-diff --fail-on volume.packets,time.iat "$sample" "$BATS_FILE_TMPDIR/split.pcap"
	is "$(sed -n '/^Verdict/,$p' <<<"$output")" "Verdict: B can stand in for A.
No difference in 2 of 2 metrics.
Within tolerance: 2 of 2 metrics (exit status 0)."
	run -1 tc-diff --fail-on volume.flows "$sample" "$BATS_FILE_TMPDIR/split.pcap"
	is "$(sed -n '/^Verdict/,$p' <<<"$output" | sed 1d)" "volume
        flows: 10.1 % more in B (726 to 799)
No difference in 0 of 1 metrics.
Outside tolerance: 1 of 1 metrics (exit status 1)."
}

@test "many differences are exit 1 too, never their number" {
	run -1 tc-diff "$sample" "$edge/one-packet-udp.pcap"
	run -1 tc-diff --json "$edge/arp-request-reply.pcap" "$sample"
	run -1 tc-diff --flows "$edge/arp-request-reply.pcap" "$sample"
}

# --- forms ---

@test "the report for people: both traces, the verdict, a line a metric with its unit" {
	run -1 tc-diff "$sample" "$BATS_FILE_TMPDIR/drop.pcap"
	[[ $output = *"
A  $sample
   $(packets "$sample") packets, 726 flows, "*"
B  $BATS_FILE_TMPDIR/drop.pcap
   26234 packets, "*"
Verdict: B can't stand in for A. "* ]]
	for m in $(jq -r '.metrics | keys[]' "$BATS_FILE_TMPDIR/drop"); do
		grep -qE "^$m +[0-9.e+-]+ +([0-9.e+-]+|n/a) +(TV|KS|%|pp|rate|nats|EMD) " <<<"$output"
	done
}

@test "--json is one object, whatever else is asked" {
	n=$(tc-diff --tsv "$sample" "$sample" | tail -n +2 | wc -l)
	for options in '' --paired '--tolerance tcp.event=inf' '--tolerance tcp.event=1e999'; do
		echo "$options"
		run tc-diff --json $options "$sample" "$BATS_FILE_TMPDIR/drop.pcap"
		# Trouble is an answer too.
		[ "$status" -eq 2 ] && continue
		[ "$status" -eq 1 ]
		is "$(jq -s 'length' <<<"$output")" 1
		is "$(jq '.metrics | length' <<<"$output")" "$n"
	done
	jq -e '.metrics_version == 2 and ([.metrics[] | has("value", "unit", "tolerance", "floor")] | all)' \
		"$BATS_FILE_TMPDIR/drop"
}

@test "--json of a file with a name of all sorts" {
	cp "$edge/one-packet-udp.pcap" "$tmp/"$'a "\\\t\nü.pcap'
	tc-diff --json "$tmp/"$'a "\\\t\nü.pcap' "$edge/one-packet-udp.pcap" >"$tmp/r"
	is "$(jq -r .a.name "$tmp/r")" "$tmp/"$'a "\\\t\nü.pcap'
}

@test "--json of a file with a name that is no UTF-8 has U+FFFD for each octet that isn't" {
	name=$'a\xff\xc3(\xe2\x82x\xf0\x9f\x98\x80\xed\xa0\x80\xc0\xaf\xe2\x82\xac.pcap'
	cp "$edge/one-packet-udp.pcap" "$tmp/$name"
	tc-diff --json "$tmp/$name" "$edge/one-packet-udp.pcap" >"$tmp/r"
	/usr/bin/python3 -c 'import json, sys; assert json.load(open(sys.argv[1], encoding="utf-8"))["a"]["name"] == sys.argv[2] + \
		"/a\ufffd\ufffd(\ufffd\ufffdx\U0001f600\ufffd\ufffd\ufffd\ufffd\ufffd\u20ac.pcap"' "$tmp/r" "$tmp"
}

@test "--tsv has a line a metric, and the values of --json" {
	run -1 tc-diff --tsv "$sample" "$BATS_FILE_TMPDIR/jitter.pcap"
	is "${lines[0]}" $'metric\tvalue\tfloor\ttolerance\tunit\tmetrics_version=2\tgroup\twords'
	is "$(tail -n +2 <<<"$output" | cut -f1,2)" \
		"$(jq -r '.metrics | to_entries[] | [.key, .value.value] | @tsv' "$BATS_FILE_TMPDIR/jitter" |
			python3 -c 'import sys
for line in sys.stdin: name, x = line.split(); print(name, "%.17g" % float(x), sep="\t")')"
	is "$(tail -n +2 <<<"$output" | awk -F'\t' '{ print NF }' | sort -u)" 8
}

@test "--flows has a line a flow" {
	for b in "$sample" "$BATS_FILE_TMPDIR/split.pcap" "$BATS_FILE_TMPDIR/act"; do
		tc-diff --flows --fail-on volume.packets "$sample" "$b" >"$tmp/flows"
		is "$(cut -f1 "$tmp/flows" | sort | uniq -c | xargs)" \
			"726 A $(tc-diff --json --fail-on volume.packets "$sample" "$b" | jq .b.flows) B 1 trace"
		is "$(awk -F'\t' '{ print NF }' "$tmp/flows" | sort -u)" 14
		# All packets are in one of them.
		is "$(awk -F'\t' '$1 == "A" { n += $9 + $10 } END { print n }' "$tmp/flows")" "$(packets "$sample")"
	done
}

@test "--flows of a connection, by hand" {
	craft a '(s := S()).open() + [s.c("A", 100), s.s("A", 250), s.c()] + s.close()'
	tc-diff --flows "$tmp/a" "$tmp/a" >"$tmp/flows"
	is "$(sed -n 2p "$tmp/flows" | cut -f1,3-)" \
		$'A\t0.010000000\t6\t192.168.1.10\t40000\t203.0.113.80\t80\t6\t3\t100\t250\tSF\tShADdFf'
}

@test "--transitions: the bigrams, each as distort.py counts it" {
	for d in drop split flags; do
		tc-diff --transitions "$sample" "$BATS_FILE_TMPDIR/$d.pcap" >"$tmp/out" || true
		sed '1,/^from\tto\t/d' "$tmp/out" | cut -f1-4 | sort >"$tmp/found"
		jq -r '.transitions[] | @tsv' "$BATS_FILE_TMPDIR/$d.json" | sort | diff "$tmp/found" -
	done
	# Shares of a row add up, and so do all: a TCP packet less a flow.
	sed '1,/^from\tto\t/d' "$tmp/out" | awk -F'\t' '{ row[$1] += $5; n[$1] += $3 }
		END { for (r in row) if (n[r] && (row[r] < 0.9999 || row[r] > 1.0001)) exit 1 }'
	tcp=$(jq '.a.tcp_event | add' "$BATS_FILE_TMPDIR/flags")
	flows=$(tc-diff --flows "$sample" "$sample" | awk -F'\t' '$1 == "A" && $4 == 6' | wc -l)
	is "$(awk -F'\t' '{ n += $3 } END { print n }' "$tmp/found")" $((tcp - flows))
}

# --- pairs ---

# paired A B: "packets different", then the fields that differ with how often
paired() {
	tc-diff --json --paired --fail-on volume.packets "$@" |
		jq -r '.paired | [.packets, .different, (del(.packets, .different) | to_entries[] | select(.value > 0) | "\(.key)=\(.value)")] | join(" ")'
}

@test "--paired: no difference between a trace and its image" {
	is "$(paired "$sample" "$BATS_FILE_TMPDIR/image.pcap")" "26499 0"
	is "$(paired "$sample" "$BATS_FILE_TMPDIR/act")" "26499 0"
}

@test "--paired names the fields that were changed, and no others" {
	tc-lift -q "$edge/tcp-plain-ip4.pcap" | tc-show >"$tmp/json"
	n=$(($(wc -l <"$tmp/json") - 2))
	while read -r field value; do
		echo "$field"
		# In the last packet, so that nothing follows from it.
		jq -c "if input_line_number == $n + 1 then .$field = $value | del(.t) else . end" "$tmp/json" | tc-show -r >"$tmp/b"
		is "$(paired "$edge/tcp-plain-ip4.pcap" "$tmp/b")" "$n 1 $field=1"
	done <<-'END'
		ttl 9
		win 777
		tos 4
		dt 123000
		id 9
		seq -5
		ack -7
		flags 17
		urgent 3
		pad 4
	END
}

@test "--paired: jitter is a matter of dt, an added payload not" {
	is "$(paired "$sample" "$BATS_FILE_TMPDIR/jitter.pcap" | cut -d' ' -f3- | sed 's/=.*//')" dt
	[[ " $(paired "$sample" "$BATS_FILE_TMPDIR/data.pcap")" != *" dt="* ]]
	[[ " $(paired "$sample" "$BATS_FILE_TMPDIR/data.pcap")" = *" len="* ]]
	changed=$(jq '[.event[0].ACK, .event[1].ACK] | .[0] - .[1]' "$BATS_FILE_TMPDIR/flags.json")
	is "$(paired "$sample" "$BATS_FILE_TMPDIR/flags.pcap" | grep -oE ' (flags|flow|dir|dt|ttl|win)=[0-9]+')" " flags=$changed"
}

@test "--paired changes nothing of the metrics" {
	for b in "$BATS_FILE_TMPDIR"/{drop,flags,split}.pcap; do
		differ --paired "$sample" "$b"
		is "$(jq -c .metrics "$tmp/r")" "$(jq -c .metrics "${b%.pcap}")"
	done
}

@test "--paired goes as far as both traces do" {
	craft a '[U()] * 5'
	craft b '[U()] * 3'
	is "$(paired --tolerance volume.packets=100 "$tmp/a" "$tmp/b")" "3 0"
}

# --- trouble ---

@test "--help, and what is no use of it" {
	run -0 --separate-stderr tc-diff --help
	[[ $output = "usage: tc-diff "* ]]
	is "$stderr" ""
	for args in '' "$sample" "$sample $sample $sample" "--nonsense $sample $sample" "--tolerance" "--json=1 $sample $sample"; do
		echo "$args"
		misused tc-diff $args
	done
}

@test "metrics and numbers that aren't" {
	for args in '--tolerance tcp.event' '--tolerance tcp.event=' '--tolerance tcp.event=-1' '--tolerance tcp.event=1y' '--tolerance tcp.event=x' \
		'--tolerance tcp.event=nan' '--tolerance nonsense=1' '--tolerance =1' '--fail-on nonsense' \
		'--fail-on tcp.event,nonsense' '--fail-on ,' '--fail-on tcp'; do
		echo "$args"
		trouble 'tc-diff: ?*' $args "$sample" "$sample"
	done
	trouble 'tc-diff: ?*' --fail-on '' "$sample" "$sample"
}

@test "standard input can't be both" {
	misused tc-diff - - <"$sample"
}

@test "a trace that isn't there, can't be read, or is none" {
	: >"$tmp/empty"
	cp Makefile "$tmp/foreign"
	mkdir "$tmp/folder"
	for bad in missing empty foreign folder; do
		echo $bad
		trouble "tc-diff: $tmp/$bad: ?*" "$tmp/$bad" "$sample"
		trouble "tc-diff: $tmp/$bad: ?*" "$sample" "$tmp/$bad"
	done
	trouble 'tc-diff: *missing: No such file or directory' "$sample" "$tmp/missing"
	trouble 'tc-diff: standard input: ?*' "$sample" - </dev/null
}

@test "a trace without packets" {
	tc-lift -q "$edge/empty.pcap" >"$tmp/act"
	for bad in "$edge/empty.pcap" "$edge/empty-pcapng.pcap" "$tmp/act"; do
		trouble "tc-diff: $bad: a trace without packets" "$sample" "$bad"
		trouble "tc-diff: $bad: a trace without packets" --json "$bad" "$sample"
		trouble "tc-diff: $bad: a trace without packets" "$bad" "$bad"
	done
}

@test "a trace that breaks off" {
	head -c 100000 "$sample" >"$tmp/cut.pcap"
	head -c 100000 "$BATS_FILE_TMPDIR/act" >"$tmp/cut.act"
	tc-lift -q "$tmp/cut.pcap" >"$tmp/says-cut.act" 2>/dev/null || true
	for bad in cut.pcap cut.act says-cut.act; do
		trouble "tc-diff: $tmp/$bad: after packet [1-9]*: ?*" "$sample" "$tmp/$bad"
		trouble "tc-diff: $tmp/$bad: after packet [1-9]*: ?*" --json "$tmp/$bad" "$sample"
	done
	f=$edge/pcapng-interfaces-differing-in-link-type.pcap
	trouble "tc-diff: $f: *link type*" "$f" "$sample"
}

@test "a full disk is trouble" {
	for form in '' --json --tsv --flows --transitions; do
		echo "$form"
		run -2 bash -c "tc-diff $form '$sample' '$sample' 2>&1 >/dev/full"
		is "$output" "tc-diff: standard output: No space left on device"
	done
}

@test "a reader that goes away ends it quietly or with trouble, not with a verdict" {
	run bash -c "set -o pipefail; tc-diff --flows '$sample' '$sample' 2>/dev/null | head -n 1 >/dev/null; echo \${PIPESTATUS[0]}"
	[[ $output = 2 || $output = 141 || $output = 0 ]]
}

# --- what is no trouble ---

@test "duplicates and packets out of time order are counted, and no trouble" {
	equal "$edge/time-far-backwards.pcap" "$edge/time-far-backwards.pcap"
	[ "$(jq .a.out_of_time_order "$tmp/r")" -gt 0 ]
	equal "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	craft a 'paced(0.001, [U()] * 9)'
	craft b '[later(g, U()) for g in (.001, .001, .001, -.5, .501, .001, .001, .001, .001)]'
	differ "$tmp/a" "$tmp/b"
	is "$(jq -c '[.a, .b | .out_of_time_order]' "$tmp/r")" '[0,1]'
	is "$(jq '[.metrics[].value | select(. < 0 or . == null)] | length' "$tmp/r")" 0
}

@test "legality is told of both, and is no distance" {
	craft a '(s := S()).open() + [s.c("A", 100)]'
	craft b '(s := S()).open() + [patch(s.c("A", 100), 50, bytes([9, 9]))]'
	equal "$tmp/a" "$tmp/b"
	is "$(jq -c '[.a, .b | .legality.checksum]' "$tmp/r")" '[0,1]'
}
