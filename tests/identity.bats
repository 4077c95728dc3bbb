# What lifting and compiling show together: tracecodec(7), IDENTITY.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	edge=tests/fixtures/edge
}

@test "the fixtures are what their script makes" {
	python3 tests/fixtures/craft.py "$BATS_TEST_TMPDIR/edge" >/dev/null
	diff -r "$BATS_TEST_TMPDIR/edge" "$edge"
}

@test "both parts of the identity hold on every fixture" {
	run tests/check-captures.sh "$edge"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(echo "$output" | tail -n 1 | grep -oE '[0-9]+ ok')" = "$(ls $edge | wc -l) ok" ]
}

@test "both parts of the identity hold on the sample" {
	run tests/roundtrip.sh tests/fixtures/sample.pcap
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output = ok* ]]
}

# A table of 16 or 64 flows and hosts that overflows: the second part still holds.
small_tables() {
	for f in "$edge"/*.pcap tests/fixtures/sample.pcap; do
		bin/tc-lift -q --cap "$1" "$f" >"$BATS_TEST_TMPDIR/a" 2>/dev/null || continue
		bin/tc-compile "$BATS_TEST_TMPDIR/a" | bin/tc-lift -q --cap "$1" | cmp - "$BATS_TEST_TMPDIR/a"
	done
}

@test "tables of 64 that overflow lift to the same octets again" {
	small_tables 64
	run bin/tc-lift --cap 64 "$edge/many-flows-tcp.pcap"
	[[ $output = *"forgotten for want of room"* ]]
}

@test "tables of 16 that overflow lift to the same octets again" {
	small_tables 16
}

@test "more flows and hosts than the tables hold by default" {
	a=$BATS_TEST_TMPDIR/a
	python3 tests/fixtures/flood.py 70000 >"$a.pcap"
	bin/tc-lift "$a.pcap" >"$a.act" 2>"$a.err"
	grep -q 'forgotten for want of room (--cap 65536)' "$a.err"
	bin/tc-compile "$a.act" | bin/tc-lift -q | cmp - "$a.act"
	bin/tc-show "$a.act" | tail -n 1 | grep -q '"flows":140000'
}

@test "the two captures differ where they may: addresses, numbers, payload" {
	bin/tc-lift -q tests/fixtures/sample.pcap | bin/tc-compile >"$BATS_TEST_TMPDIR/b.pcap"
	for field in ip.src tcp.seq_raw tcp.options.timestamp.tsval; do
		tshark -n -r tests/fixtures/sample.pcap -T fields -e $field 2>/dev/null |
			sort -u | grep . >"$BATS_TEST_TMPDIR/$field.a"
		tshark -n -r "$BATS_TEST_TMPDIR/b.pcap" -T fields -e $field 2>/dev/null |
			sort -u | grep . >"$BATS_TEST_TMPDIR/$field.b"
		[ -s "$BATS_TEST_TMPDIR/$field.a" ]
	done
	[ "$(comm -12 "$BATS_TEST_TMPDIR"/tcp.seq_raw.{a,b} | wc -l)" -lt 5 ]
}

@test "tshark finds no difference between the sample and its image" {
	bin/tc-lift -q tests/fixtures/sample.pcap >"$BATS_TEST_TMPDIR/act"
	bin/tc-compile "$BATS_TEST_TMPDIR/act" >"$BATS_TEST_TMPDIR/b.pcap"
	bin/tc-compile --full "$BATS_TEST_TMPDIR/act" >"$BATS_TEST_TMPDIR/full.pcap"
	tests/judge.py tests/fixtures/sample.pcap "$BATS_TEST_TMPDIR/b.pcap" --full "$BATS_TEST_TMPDIR/full.pcap"
}
