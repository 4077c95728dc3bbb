# tc-diff's verdict: can B stand in for A, and if not, why?

load helper

groups=connection,time,interleaving,mix,endpoints # all but volume, which a slice has less of

# verdict ARGUMENT...: what tc-diff says from "Verdict" on.
verdict() { { tc-diff "$@" || [ $? -eq 1 ]; } | sed -n '/^Verdict/,$p'; }

@test "a capture and its image: B can stand in for A, and with --exact is as A" {
	tc-lift -q "$sample" | tc-compile >"$tmp/b"
	is "$(verdict "$sample" "$tmp/b")" "Verdict: B can stand in for A.
No difference in 38 of 38 metrics.
Within tolerance: 38 of 38 metrics (exit status 0)."
	is "$(verdict --exact "$sample" "$tmp/b" | head -n 1)" "Verdict: B is as A."
}

@test "each metric has words with A's value and B's" {
	/usr/bin/python3 tests/distort.py drop "$sample" "$tmp/b" 2>/dev/null
	run -1 tc-diff --json "$sample" "$tmp/b"
	is "$(jq -r '.metrics[] | select(.group != "generated").words | select(test("in A|in B|none in either") | not)' <<<"$output")" ""
	is "$(jq -c '[.metrics["anomaly.lost_segment"] | .words, (.a * 100 | round), (.b * 100 | round), .of, .group]' <<<"$output")" \
		'["lost segments: 0.552 % in A, 1.03 % in B",55,103,"%","connection"]'
	is "$(jq -r '.verdict.differs[0]' <<<"$output")" anomaly.lost_segment
}

# slice FROM-TO: packets of the sample.
slice() { editcap -r "$sample" "$tmp/$1" "$1"; }

@test "another stretch of the same traffic can stand in for A; other traffic can't, nor what isn't traffic" {
	slice 1-4000 && slice 4001-8000
	run tc-diff --json --fail-on "$groups" "$tmp/1-4000" "$tmp/4001-8000"
	is "$(jq -c .verdict <<<"$output")" '{"stands_in":true,"against":"drift","differs":[]}'
	python3 tests/fixtures/soup.py 2 1000 >"$tmp/soup"
	run tc-diff --json --fail-on "$groups" "$sample" "$tmp/soup"
	is "$(jq -c '.verdict | [.stands_in, .against]' <<<"$output")" '[false,"drift"]'
	# The same packets at any other one's time.
	python3 - "$sample" "$tmp/mixed" <<-'END'
		import random, sys
		sys.path.insert(0, "tests")
		from floors import records
		header, packets = records(sys.argv[1])
		times = [p[:8] for p in packets]
		random.Random(1).shuffle(packets)
		open(sys.argv[2], "wb").write(header + b"".join(t + p[8:] for t, p in zip(times, packets)))
	END
	run tc-diff --json --fail-on "$groups" "$sample" "$tmp/mixed"
	is "$(jq -c '.metrics as $m | .verdict | [.stands_in, ([.differs[] | $m[.].group] | unique)]' <<<"$output")" \
		'[false,["connection","interleaving","time"]]'
}

@test "A with changes is held against the floor, and what was done to it leads" {
	for how in drop:connection flags:connection split:connection shuffle:interleaving jitter:time; do
		/usr/bin/python3 tests/distort.py "${how%:*}" "$sample" "$tmp/b" 2>/dev/null
		run -1 tc-diff --json "$sample" "$tmp/b"
		is "$(jq -r '.metrics as $m | .verdict | "\(.against) \($m[.differs[0]].group)"' <<<"$output")" "floor ${how#*:}"
	done
}

@test "which way times differ" {
	slow() { tc-lift -q "$sample" | tc-show | jq -c "if .t and (.t | type) == \"number\" then .t = (.t * $1 | floor) | del(.dt) else . end" |
		tc-show --reverse | tc-compile; }
	slow 1.5 >"$tmp/slow"
	slow 0.2 >"$tmp/fast"
	[[ $(tc-diff --json "$sample" "$tmp/slow" | jq -r '.metrics["rtt.syn"].words') = "SYN to SYN-ACK: 50 % slower in B ("* ]]
	[[ $(tc-diff --json "$sample" "$tmp/fast" | jq -r '.metrics["rtt.syn"].words') = "SYN to SYN-ACK: 5 times faster in B ("* ]]
	[[ $(tc-diff --json "$sample" "$tmp/fast" | jq -r '.metrics["time.duration"].words') = "duration of a flow: 5 times shorter in B ("* ]]
}

@test "the answer fits a screen of 80 columns and 24 lines, between traces that have nothing in common" {
	{ tc-diff "$sample" "$edge/arp-request-reply.pcap" || true; } | sed -n '/^A  /,$p' >"$tmp/out"
	[ "$(wc -l <"$tmp/out")" -le 24 ]
	grep -q '^connection$' "$tmp/out"
	is "$(grep -vE '^[AB]  ' "$tmp/out" | LC_ALL=C.UTF-8 awk 'length > 80')" ""
}

@test "groups in --fail-on and --tolerance, and tolerances in times the floor" {
	/usr/bin/python3 tests/distort.py drop "$sample" "$tmp/b" 2>/dev/null
	run -1 tc-diff --fail-on connection "$sample" "$tmp/b"
	run -0 tc-diff --fail-on volume --tolerance volume=2 "$sample" "$tmp/b"
	run -1 tc-diff --fail-on volume --tolerance volume=2 --tolerance volume.packets=0.5 "$sample" "$tmp/b"
	run -1 tc-diff --fail-on anomaly.lost_segment --tolerance connection=2x "$sample" "$tmp/b"
	run -0 tc-diff --fail-on anomaly.lost_segment --tolerance connection=20x "$sample" "$tmp/b"
	is "$(tc-diff --json --fail-on volume.flows --tolerance connection=2x "$sample" "$tmp/b" |
		jq '.metrics["tcp.event"] | .tolerance / .floor')" 2
	misused tc-diff --tolerance connection=1 --tolerance connection=2 "$sample" "$tmp/b"
}

@test "--reference: another trace's distance stands for A's own variation" {
	/usr/bin/python3 tests/distort.py drop "$sample" "$tmp/b" 2>/dev/null
	is "$(tc-diff --json --reference "$tmp/b" "$sample" "$tmp/b" | jq -c '[.verdict.stands_in, (.metrics | map(.value == .floor) | all)]')" \
		'[true,true]'
	is "$(tc-diff --json --reference "$sample" "$sample" "$tmp/b" | jq -c '[.verdict.stands_in, ([.metrics[].floor] | max)]')" '[false,0]'
	misused tc-diff --exact --reference "$sample" "$sample" "$tmp/b"
}

@test "colour is for terminals, and not where NO_COLOR is set" {
	see() { TERM=xterm script -qec "$* bin/tc-diff tests/fixtures/edge/udp-empty.pcap tests/fixtures/edge/udp-empty.pcap" /dev/null; }
	[[ $(see env) = *$'\033[32m'* ]]
	[[ $(see env NO_COLOR=1) != *$'\033'* ]]
	[[ $(tc-diff "$edge/udp-empty.pcap" "$edge/udp-empty.pcap") != *$'\033'* ]]
}
