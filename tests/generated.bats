# tc-diff's metrics for traffic that was generated: c2st, memorised, NetShare's marginals.
load helper

setup_file() {
	PATH=$BATS_TEST_DIRNAME/../bin:$PATH
	cd "$BATS_TEST_DIRNAME/.." || return
	/usr/bin/python3 tests/distort.py shuffle tests/fixtures/sample.pcap "$BATS_FILE_TMPDIR/shuffle.pcap" 2>/dev/null
}

# of A B [OPTION...]: tc-diff's JSON into $tmp/r
of() { tc-diff -q --json "$@" >"$tmp/r" || [ $? -eq 1 ]; }
value() { jq --arg m "$1" '.metrics[$m].value' "$tmp/r"; }

@test "a capture and its image: all are exactly 0, memorised is 1" {
	tc-lift -q "$sample" | tc-compile >"$tmp/image"
	of "$sample" "$tmp/image"
	is "$(jq -c '[.metrics | to_entries[] | select(.key | test("^(c2st|netshare)")) | .value.value] | [length, add]' "$tmp/r")" '[11,0]'
	is "$(jq .memorised.b "$tmp/r")" 1
	is "$(jq '.memorised.a_halves < 1' "$tmp/r")" true
}

@test "c2st: flows that differ in one respect are told apart, whichever trace is A" {
	craft a 'sum((S(40000 + p).open() + S(40000 + p).close() for p in range(60)), [])'
	craft b 'sum(([S(40000 + p).c("S"), S(40000 + p).s("RA")] for p in range(60)), [])'
	of "$tmp/a" "$tmp/b"
	is "$(value c2st)" 50
	of "$tmp/b" "$tmp/a"
	is "$(value c2st)" 50
}

@test "c2st: half of the flows are others: a quarter more than a guess" {
	craft a 'sum((S(40000 + p).open() for p in range(100)), [])'
	craft b 'sum((S(40000 + p).open() if p % 2 else [S(40000 + p).c("S"), S(40000 + p).s("RA")] for p in range(100)), [])'
	of "$tmp/a" "$tmp/b"
	is "$(value c2st)" 25
}

@test "c2st: what marginals hardly see: packets of different flows shuffled" {
	of "$sample" "$BATS_FILE_TMPDIR/shuffle.pcap"
	jq -e '.metrics | .c2st.value > 20 and .["mix.size"].value == 0' "$tmp/r"
	of "$sample" "$sample"
	is "$(value c2st)" 0
}

@test "the group counts only where it is asked for, by its name or a metric's" {
	craft a '[U(30, 40000 + p) for p in range(50)]'
	craft b '[U(30, 50000 + p) for p in range(50)]'
	tc-diff -q "$tmp/a" "$tmp/b" >"$tmp/report"
	grep -qE '^netshare.jsd_source_port +0.69' "$tmp/report"
	run -1 tc-diff -q --fail-on generated "$tmp/a" "$tmp/b"
	run -1 tc-diff -q --fail-on netshare.jsd_source_port "$tmp/a" "$tmp/b"
	tc-diff -q --fail-on c2st "$tmp/a" "$tmp/b" >"$tmp/report"
}

@test "memorised: flows of three packets or more that begin alike, never for the exit status" {
	craft a 'S(40000).open() + S(40001).open() + [U(30)]'
	craft b 'S(40000).open() + (lambda s: [s.c("S"), s.s("SA"), s.c("RA")])(S(40001)) + [U(30, 40002), U(30, 40003)]'
	craft c '(lambda s: [s.c("S"), s.s("SA"), s.c("RA")])(S(40001))'
	of "$tmp/a" "$tmp/b"
	is "$(jq -c .memorised "$tmp/r")" '{"b":0.5,"a_halves":1}'
	of "$tmp/a" "$tmp/b" --reference "$tmp/c"
	is "$(jq -c .memorised.b "$tmp/r")" 1
	of "$tmp/c" "$tmp/b"
	is "$(jq -c .memorised.a_halves "$tmp/r")" 0
	run -1 tc-diff -q "$tmp/a" "$tmp/b"
	[[ $output = *"memorised"*" 100.0 % "*" 50.0 %"* ]]
}

@test "NetShare's marginals by hand" {
	craft a '[U(30, 40000, 53), U(30, 40000, 53), U(30, 40000, 53), U(130, 40000, 53)]'
	craft b '[U(30, 40000, 53), U(30, 40000, 53), U(30, 40000, 123), U(80, 40000, 123)]'
	of "$tmp/a" "$tmp/b"
	is "$(value netshare.jsd_protocol)" 0
	is "$(value netshare.jsd_source_port)" 0
	# 53: 1 and 1/2, 123: 0 and 1/2
	jq -en --argjson x "$(value netshare.jsd_destination_port)" \
		'$x - (0.5 * (1 / 0.75 | log) + 0.25 * (0.5 / 0.75 | log) + 0.25 * (2 | log)) | fabs < 1e-12'
	# A quarter of the packets is 50 octets away, of a range of 100.
	is "$(value netshare.emd_size)" 0.125
	# Flows of 4 packets; of 2: A has one value alone.
	is "$(value netshare.emd_packets)" 1
}

@test "every feature of a flow, and every metric, is in tc-metrics(7)" {
	make -s build/tests/features
	page=$(mandoc -Tutf8 man/tc-metrics.7 | col -b)
	for feature in $(features "$sample" | head -n 1 | tr '\t' '\n' | sed -n 's/_1$//p; /_[0-9]*$/!p' | tail -n +3); do
		grep -qw "$feature" <<<"$page"
	done
	of "$sample" "$sample"
	for metric in $(jq -r '.metrics | keys[]' "$tmp/r"); do grep -qwF "$metric" <<<"$page"; done
}
