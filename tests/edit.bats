# tc-edit: what each operation moves, and what it must not; that all that comes out lifts to itself.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	tc-lift -q tests/fixtures/sample.pcap >"$BATS_FILE_TMPDIR/a"
	tc-compile -q "$BATS_FILE_TMPDIR/a" >"$BATS_FILE_TMPDIR/pcap"
	tc-lift -q tests/fixtures/edge/scan-ports.pcap >"$BATS_FILE_TMPDIR/scan"
	tc-lift -q tests/fixtures/edge/tcp-plain-ip4.pcap >"$BATS_FILE_TMPDIR/plain"
}

# The sample's actions, what they compile to, a scan, and one connection.
of() { echo "$BATS_FILE_TMPDIR/$1"; }

# lasts STREAM [OPTION...]: it lifts to itself, with the same --cap.
lasts() { tc-compile -q --strict "$1" | tc-lift -q "${@:2}" | cmp - "$1"; }

# times CAPTURE: of its packets.
times() { tcpdump --nano -ttnr "$1" 2>/dev/null | cut -d' ' -f1; }

# metrics A B: {name: value} by tc-diff.
metrics() { { tc-diff -q --json "$1" "$2" 2>/dev/null || true; } | jq -c '.metrics | map_values(.value)'; }

# hosts STREAM: how many are named.
hosts() { tc-show "$1" | jq -s '[.[] | .orig_h, .resp_h, .target, .quote_src, .quote_dst | select(type == "array")] | length'; }

# count STREAM: packets and flows.
count() { end "$1" | cut -d' ' -f1,2; }

# --- what lifts to itself ---

@test "nothing to do: the same octets, from a file and a pipe, of one trace and of several" {
	tc-edit "$(of a)" | cmp - "$(of a)"
	cat "$(of a)" | tc-edit - | cmp - "$(of a)"
	cat "$(of plain)" "$(of scan)" "$(of plain)" >"$tmp/three"
	tc-edit <"$tmp/three" | cmp - "$tmp/three"
	tc-edit -o "$tmp/out" "$tmp/three"
	cmp "$tmp/out" "$tmp/three"
}

@test "each operation, and combinations of them, lift to themselves: edges" {
	python3 tests/edits.py -n 3 "$edge"/{tcp-plain-ip4,tcp-plain-ip6,tcp-syn-again-other-isn,tcp-roles-swapped-after-fin,tcp-simultaneous-open}.pcap \
		"$edge"/{scan-hosts,nd-solicitation,arp-odd-hardware,arp-request-reply,icmp-error-quote-of-other-address,fragments-in-order-udp,vlan-same-5-tuple,snapped-varying,duplicates,time-backwards}.pcap \
		>"$tmp/said" || { cat "$tmp/said"; false; }
	tail -n 1 "$tmp/said"
	[[ $(tail -n 1 "$tmp/said") = *" 0 did not" ]]
}

@test "each operation, and combinations of them, lift to themselves: the sample" {
	python3 tests/edits.py -n 6 "$sample" >"$tmp/said" || { cat "$tmp/said"; false; }
	is "$(cut -f2 "$tmp/said" | sed '$d' | wc -l)" 15
}

@test "any actions, not those of a lift alone: what comes of them lifts to itself" {
	for seed in {1..6}; do
		scramble $seed >"$tmp/random"
		scramble $seed "$(of a)" >"$tmp/changed"
		for f in random changed; do
			cap=$(tc-show "$tmp/$f" | sed -n 1p | jq .cap)
			tc-edit -q --speed 3 --copies 2 "$tmp/$f" >"$tmp/b"
			is "$(count "$tmp/b" | cut -d' ' -f1)" "$(count "$tmp/$f" | awk '{ print 2 * $1 }')"
			lasts "$tmp/b" --cap "$cap"
		done
	done
}

# --- what is kept ---

@test "--from and --to: what tcpdump has between those times; pieces make up the whole" {
	start=$(times "$(of pcap)" | sed -n 1p)
	tc-edit --from 5 --to 10.5 "$(of a)" >"$tmp/b"
	lasts "$tmp/b"
	times "$(of pcap)" | python3 -c 'import sys
from decimal import Decimal as D
times = [D(line) for line in sys.stdin]
print(*(t for t in times if 5 <= t - times[0] < D("10.5")), sep="\n")' >"$tmp/want"
	[ "$(wc -l <"$tmp/want")" -gt 1000 ]
	tc-compile "$tmp/b" >"$tmp/pcap"
	times "$tmp/pcap" | cmp - "$tmp/want"
	tc-edit --from 2026-11-23T16:31:38.728959Z --to 2026-11-23T16:31:44.228959000Z "$(of a)" | cmp - "$tmp/b"
	tc-edit --to 5 "$(of a)" >"$tmp/1"
	tc-edit --from 10.5 "$(of a)" >"$tmp/3"
	is "$(for f in "$tmp"/{1,b,3}; do count "$f"; done | awk '{ n += $1 } END { print n }')" "$(packets "$sample")"
	is "$(tc-edit --from 1000 "$(of a)" | end)" "0 0 whole"
}

@test "-f: what tc-lift makes of what tcpdump's filter leaves of the compiled capture" {
	for expression in 'tcp port 80' 'tcp[13] & 2 != 0' 'ip6 and udp' 'greater 1000' icmp 'not port http' 'vlan'; do
		echo "$expression"
		tc-edit -f "$expression" "$(of a)" >"$tmp/b"
		tcpdump -r "$(of pcap)" -w - "$expression" 2>/dev/null | tc-lift -q | cmp - "$tmp/b"
		[ "$(count "$tmp/b" | cut -d' ' -f1)" -gt 10 ]
	done
}

# frames EXPRESSION FIELD: the times of all frames of $(of pcap) with a stream of which a packet matches, by tshark.
streams() {
	tshark -n -r "$(of pcap)" -Y "$1" -T fields -e "$2" 2>/dev/null | sort -u >"$tmp/streams"
	tshark -n -r "$(of pcap)" -Y "$2" -T fields -e frame.time_epoch -e frame.len -e "$2" 2>/dev/null |
		awk -F'\t' 'NR == FNR { on[$1]; next } $3 in on { print $1, $2 }' "$tmp/streams" -
}

@test "--flows: exactly the packets of the flows that the filter names in the whole capture" {
	while IFS='|' read -r expression display stream; do
		echo "$expression"
		streams "$display" "$stream" >"$tmp/want"
		tc-edit --flows "$expression" "$(of a)" >"$tmp/b"
		lasts "$tmp/b"
		tc-compile -q "$tmp/b" >"$tmp/pcap"
		tshark -n -r "$tmp/pcap" -T fields -e frame.time_epoch -e frame.len 2>/dev/null | tr '\t' ' ' | cmp - "$tmp/want"
		[ "$(wc -l <"$tmp/want")" -gt 50 ]
		# From a pipe, which waits in memory.
		cat "$(of a)" | tc-edit --flows "$expression" | cmp - "$tmp/b"
	done <<-'END'
		tcp[13] & 4 != 0|tcp.flags.reset == 1 and ip|tcp.stream
		tcp port 13|tcp.port == 13|tcp.stream
		udp port 53|udp.port == 53 and not icmp and not icmpv6|udp.stream
	END
}

@test "--flows with -f and limits: each where the page says" {
	tc-edit --from 5 "$(of a)" | tc-edit --flows 'tcp[13] & 4 != 0 and ip' | tc-edit -f 'tcp[13] & 2 != 0' >"$tmp/want"
	tc-edit -f 'tcp[13] & 2 != 0' --flows 'tcp[13] & 4 != 0 and ip' --from 5 "$(of a)" >"$tmp/b"
	cmp "$tmp/b" "$tmp/want"
}

@test "--sample: whole flows, about as many as asked for, more of them the same ones and others" {
	for share in 0 0.25 0.5 1; do
		tc-edit --sample $share --seed 3 "$(of a)" >"$tmp/$share"
		lasts "$tmp/$share"
		tc-compile -q "$tmp/$share" >"$tmp/pcap"
		times "$tmp/pcap" | sort >"$tmp/$share.times"
	done
	count "$tmp/0.25"
	count "$tmp/0.5"
	flows=$(count "$(of a)" | cut -d' ' -f2)
	is "$(count "$tmp/0")" "0 0"
	cmp "$tmp/1" "$(of a)"
	part() { count "$tmp/$1" | cut -d' ' -f2; }
	[ $((100 * $(part 0.25) / flows)) -ge 20 ]
	[ $((100 * $(part 0.25) / flows)) -le 30 ]
	[ $((100 * $(part 0.5) / flows)) -ge 44 ]
	[ $((100 * $(part 0.5) / flows)) -le 56 ]
	is "$(comm -23 "$tmp/0.25.times" "$tmp/0.5.times" | wc -l)" 0
	tc-edit --sample 0.25 --seed 3 "$(of a)" | cmp - "$tmp/0.25"
	run -1 cmp -s <(tc-edit --sample 0.25 --seed 4 "$(of a)") "$tmp/0.25"
}

# --- what is moved and multiplied ---

@test "--speed 2: times halve, what is no time stays" {
	tc-edit --speed 2 "$(of a)" >"$tmp/b"
	lasts "$tmp/b"
	metrics "$(of a)" "$tmp/b" >"$tmp/m"
	cat "$tmp/m"
	jq -e '[to_entries[] | select(.key | test("^(transition|tcp|conn|mix|endpoint|volume|interleave)[.]")) |
		select(.key != "interleave.active" and .value != 0).key] == []' "$tmp/m"
	jq -e '[.["time.iat", "time.duration", "rtt.syn", "rtt.ack"] | select(. < 49.9 or . > 50.1)] == []' "$tmp/m"
	# And back: nothing is lost but the resolution.
	tc-edit --speed 0.5 "$tmp/b" >"$tmp/c"
	cmp <(tc-show "$tmp/c" | sed '1s/"ns"/"us"/; s/"crc32":[0-9]*//') <(tc-show "$(of a)" | sed 's/"crc32":[0-9]*//')
	tc-show "$tmp/b" | sed -n 1p | jq -e '.resolution == "ns"'
}

@test "--speed: a gap that grows past the time-out opens a flow" {
	stream '{"dt":200000000000,"len":1,"flags":24}' | tc-show --reverse >"$tmp/a"
	is "$(count "$tmp/a")" "3 1"
	tc-edit --speed 0.5 "$tmp/a" >"$tmp/b"
	is "$(count "$tmp/b")" "3 2"
	is "$(tc-show "$tmp/b" | tail -n 2 | head -n 1 | jq -c '[.open, .dt]')" '[2,400000000000]'
	is "$(tc-edit --speed 10 "$tmp/b" | end)" "3 1 whole"
	# 3 ns at a third of the speed and back; rounded down.
	tc-edit --speed 3 "$tmp/a" | tc-show | sed -n 4p | jq -e '.dt == 66666666666'
}

@test "--shift: the start alone" {
	tc-edit --shift -3600.5 "$(of a)" >"$tmp/b"
	lasts "$tmp/b"
	is "$(metrics "$(of a)" "$tmp/b" | jq -c '[.[] | select(. != 0)]')" '[]'
	cmp <(tc-show "$tmp/b" | sed 1d) <(tc-show "$(of a)" | sed 1d)
	python3 - "$(of a)" "$tmp/b" <<-'END'
		import sys
		from msgpack import Unpacker
		a, b = (next(Unpacker(open(f, "rb"))) for f in sys.argv[1:])
		assert b["start"] == a["start"] - 3600500000000
		assert {**a, "start": b["start"]} == b
	END
	tc-edit --shift +0.0000005 "$(of a)" | tc-show | sed -n 1p | jq -e '.resolution == "ns"'
}

@test "--copies 3: three times the packets, flows, hosts and link addresses; each copy by itself is the trace" {
	# Without flows between addresses that everyone shares.
	tc-edit -q -f 'tcp or udp port 53 or icmp' "$(of a)" >"$tmp/a"
	tc-edit --copies 3 --seed 5 "$tmp/a" >"$tmp/b" 2>"$tmp/err"
	is "$(cat "$tmp/err")" ""
	lasts "$tmp/b"
	is "$(count "$tmp/b")" "$(count "$tmp/a" | awk '{ print 3 * $1, 3 * $2 }')"
	is "$(hosts "$tmp/b")" $((3 * $(hosts "$tmp/a")))
	macs() { tc-show "$1" | jq -s '[.[] | .src_mac, .dst_mac | select(type == "array")] | length'; }
	is "$(macs "$tmp/b")" $((3 * $(macs "$tmp/a")))
	metrics "$tmp/a" "$tmp/b" >"$tmp/m"
	cat "$tmp/m"
	jq -e '[.["volume.packets", "volume.octets", "volume.flows"]] == [200, 200, 200]' "$tmp/m"
	jq -e '[to_entries[] | select(.key | test("^(transition|tcp|conn|mix|rtt|anomaly)[.]|time.duration")).value | select(. > 1e-9)] == []' "$tmp/m"
	# They begin anywhere along it, the first where it was.
	tc-edit --copies 3 --seed 5 "$tmp/a" | cmp - "$tmp/b"
	run -1 cmp -s <(tc-edit --copies 3 --seed 6 "$tmp/a") "$tmp/b"
	is "$(tc-show "$tmp/b" | sed -n 1p)" "$(tc-show "$tmp/a" | sed -n 1p)"
	cat "$tmp/a" | tc-edit --copies 3 --seed 5 | cmp - "$tmp/b"
}

@test "--copies: flows between addresses that everyone shares are one, and counted" {
	craft c 'paced(0.1, [packet("0.0.0.0", "255.255.255.255", udp(68, 67, 300))] * 3 + [U()])'
	tc-lift "$tmp/c" >"$tmp/a"
	run -0 --separate-stderr tc-edit --copies 2 -o "$tmp/b" "$tmp/a"
	is "$stderr" "tc-edit: 1 flows have packets of several inputs or copies: both of their ends are the same there"
	is "$(count "$tmp/b")" "8 3"
	lasts "$tmp/b"
	tc-edit -q --copies 2 -o "$tmp/c" "$tmp/a" 2>"$tmp/err"
	is "$(cat "$tmp/err")" ""
}

# --- merging ---

# apart LABELS CAPTURE INPUT: the packets of a capture that a table of labels says are of an input.
apart() {
	python3 - "$@" <<-'END'
		import struct, sys
		labels = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])]
		assert labels.pop(0) == ["packet", "input", "flow"]
		data, at, number, out = open(sys.argv[2], "rb").read(), 24, 0, sys.stdout.buffer
		out.write(data[:24])
		while at < len(data):
		    size = 16 + struct.unpack_from("<I", data, at + 8)[0]
		    number += 1
		    assert labels[number - 1][0] == str(number)
		    if labels[number - 1][1] == sys.argv[3]:
		        out.write(data[at:at + size])
		    at += size
		assert number == len(labels)
	END
}

@test "--merge: the sums of packets, flows and hosts; by time; taken apart by its labels, each input is what it was" {
	tc-edit -q -f 'tcp or udp port 53 or icmp' "$(of a)" >"$tmp/a"
	tc-edit --sample 0.3 --shift 3.000007 "$tmp/a" >"$tmp/b"
	tc-edit --labels "$tmp/labels" --merge "$tmp/b" "$tmp/a" >"$tmp/c" 2>"$tmp/err"
	is "$(cat "$tmp/err")" ""
	lasts "$tmp/c"
	is "$(count "$tmp/c")" "$({ count "$tmp/a"; count "$tmp/b"; } | awk '{ n += $1; m += $2 } END { print n, m }')"
	is "$(hosts "$tmp/c")" $(($(hosts "$tmp/a") + $(hosts "$tmp/b")))
	tc-compile "$tmp/c" >"$tmp/pcap"
	times "$tmp/pcap" | sort -c
	for input in a b; do
		apart "$tmp/labels" "$tmp/pcap" "$tmp/$input" | tc-lift -q | cmp - "$tmp/$input"
	done
	# The flow in the labels is that which opens.
	is "$(cut -f3 "$tmp/labels" | sed 1d | awk '$1 > most { most++; if ($1 != most) exit 1 } END { print most }')" "$(count "$tmp/c" | cut -d' ' -f2)"
	# In a pipe, and the other way round, which changes names alone.
	cat "$tmp/b" | tc-edit --merge - "$tmp/a" | cmp - "$tmp/c"
	is "$(tc-edit --merge "$tmp/a" "$tmp/b" | end)" "$(end "$tmp/c")"
}

@test "--merge: finer times, the larger snap length and cap, the earlier start" {
	tc-lift --cap 100 "$edge/snapped-at-60-in-options-at-6.pcap" >"$tmp/a"
	craft c 'paced(0.1, [U()] * 3)'
	tc-lift "$tmp/c" >"$tmp/b"
	tc-edit --merge "$tmp/b" "$tmp/a" >"$tmp/c"
	both() { for f in "$@"; do tc-show "$f" | sed -n 1p; done | jq -cs "$what"; }
	what='[.[] | [.resolution, .snaplen, .cap]]'
	is "$(both "$tmp/a" "$tmp/b")" '[["us",60,100],["ns",262144,65536]]'
	is "$(both "$tmp/c")" '[["ns",262144,65536]]'
	what='[.[].start] | min'
	is "$(both "$tmp/c")" "$(both "$tmp/a" "$tmp/b")"
	lasts "$tmp/c"
}

@test "--merge of itself at once: equal times, the first input's come first, each keeps its order" {
	tc-edit --labels "$tmp/labels" --merge "$(of scan)" "$(of plain)" --shift 1 >"$tmp/a"
	cp "$(of plain)" "$tmp/p"
	tc-edit --labels "$tmp/labels" --merge "$tmp/p" "$(of plain)" >"$tmp/a"
	is "$(sed 1d "$tmp/labels" | cut -f2 | sort | uniq -c | awk '{ print $1 }' | xargs)" "$(count "$(of plain)" | cut -d' ' -f1 | sed 's/.*/& &/')"
	is "$(sed 1d "$tmp/labels" | cut -f2 | awk 'NR % 2 == 1' | sort -u)" "$(of plain)"
	# A trace whose times go back stays in its order.
	tc-lift "$edge/time-backwards.pcap" >"$tmp/back"
	tc-edit --labels "$tmp/labels" --merge "$(of plain)" "$tmp/back" | tc-compile >"$tmp/pcap"
	apart "$tmp/labels" "$tmp/pcap" "$tmp/back" | tc-lift -q | cmp - "$tmp/back"
}

@test "--share-hosts: the busiest are the busiest, with their link addresses; flows and packets stay" {
	tc-edit --labels "$tmp/labels" --shift 2 --share-hosts --merge "$(of scan)" "$(of plain)" >"$tmp/c"
	lasts "$tmp/c"
	is "$(count "$tmp/c")" "$({ count "$(of plain)"; count "$(of scan)"; } | awk '{ n += $1; m += $2 } END { print n, m }')"
	is "$(hosts "$tmp/c")" "$(hosts "$(of scan)")"
	is "$(tc-edit --merge "$(of scan)" "$(of plain)" >"$tmp/d"; hosts "$tmp/d")" $(($(hosts "$(of plain)") + $(hosts "$(of scan)")))
	# Hosts and link addresses go together, and the busiest of both is one.
	tc-compile "$tmp/c" >"$tmp/pcap"
	for input in plain scan; do
		apart "$tmp/labels" "$tmp/pcap" "$(of $input)" >"$tmp/$input.pcap"
		tshark -n -r "$tmp/$input.pcap" -T fields -e ip.src -e eth.src 2>/dev/null | sort | uniq -c | sort -rn | awk '{ print $2, $3 }' >"$tmp/$input"
	done
	cat "$tmp"/{plain,scan}
	is "$(sort -u "$tmp"/{plain,scan} | awk '{ print $1 }' | sort | uniq -d)" ""
	is "$(head -n 1 "$tmp/scan" | sort - "$tmp/plain" | uniq -d | wc -l)" 1
	# With a copy: that one has hosts of its own.
	tc-edit --copies 2 --share-hosts --merge "$(of scan)" "$(of plain)" >"$tmp/c"
	is "$(hosts "$tmp/c")" $(($(hosts "$(of plain)") + $(hosts "$(of scan)")))
	lasts "$tmp/c"
}

@test "--share-hosts, IPv6: solicited-node groups follow their hosts; several files" {
	for f in "$edge"/nd-*.pcap "$edge/tcp-plain-ip6.pcap"; do tc-lift -q "$f" >"$tmp/$(basename "$f" .pcap)"; done
	files=("$tmp"/nd-*)
	merges=()
	for f in "${files[@]}"; do merges+=(--merge "$f"); done
	tc-edit -q "${merges[@]}" --share-hosts "${files[0]}" >"$tmp/c"
	lasts "$tmp/c"
	is "$(count "$tmp/c" | cut -d' ' -f1)" "$(for f in "${files[0]}" "${files[@]}"; do count "$f"; done | awk '{ n += $1 } END { print n }')"
	# The first with itself: all is there already.
	tc-edit -q --merge "${files[0]}" --share-hosts "${files[0]}" >"$tmp/c"
	is "$(hosts "$tmp/c")" "$(hosts "${files[0]}")"
}

# --- several traces ---

@test "several traces: one by one; with --merge one" {
	cat "$(of plain)" "$(of scan)" >"$tmp/two"
	tc-edit --speed 2 --flows 'tcp[13] & 1 != 0' --copies 2 "$tmp/two" >"$tmp/b"
	one() { tc-edit --speed 2 --flows 'tcp[13] & 1 != 0' "$(of $1)" | end | awk '{ print 2 * $1, 2 * $2, $3 }'; }
	is "$(tc-show "$tmp/b" | jq -r 'select(.end) | "\(.packets) \(.flows) \(.end)"')" "$(one plain)
$(one scan)"
	is "$(tc-show "$tmp/b" | grep -c magic)" 2
	tc-edit --from 0.01 "$tmp/two" | cmp - <(for f in plain scan; do tc-edit --from 0.01 "$(of $f)"; done)
	tc-edit --merge "$(of plain)" "$tmp/two" >"$tmp/c"
	is "$(tc-show "$tmp/c" | grep -c magic)" 1
	is "$(count "$tmp/c")" "$(for f in plain scan plain; do count "$(of $f)"; done | awk '{ n += $1; m += $2 } END { print n, m }')"
	lasts "$tmp/c"
}

@test "a trace that was cut or interrupted stays so; what came goes through" {
	for end in cut interrupted; do
		stream '{"len":5,"flags":24}' | sed "s/whole/$end/" | tc-show --reverse >"$tmp/a" || true
		refused "tc-edit: $tmp/a: the trace ends $end after 3 packets" tc-edit -o "$tmp/none" "$tmp/a"
		[ ! -e "$tmp/none" ]
		tc-edit --speed 3 "$tmp/a" >"$tmp/b" 2>/dev/null || is $? 1
		is "$(end "$tmp/b")" "3 1 $end"
		tc-edit --copies 3 "$tmp/a" >"$tmp/b" 2>"$tmp/err" || is $? 1
		is "$(end "$tmp/b")" "9 3 $end"
		is "$(wc -l <"$tmp/err")" 1
		tc-edit --merge "$tmp/a" "$(of plain)" >"$tmp/b" 2>/dev/null || is $? 1
		is "$(end "$tmp/b" | cut -d' ' -f3)" $end
	done
	# A later trace of a stream still comes.
	cat "$tmp/a" "$(of plain)" >"$tmp/c"
	tc-edit "$tmp/c" 2>/dev/null >"$tmp/b" || is $? 1
	is "$(tc-show "$tmp/b" 2>/dev/null | grep -c magic)" 2
}

@test "a stream that breaks off: cut, with all that came, in one pass and in two" {
	head -c 20000 "$(of a)" >"$tmp/a"
	for options in '' '--flows tcp' '--copies 2' "--merge $(of plain)"; do
		tc-edit -q $options "$tmp/a" >"$tmp/b" 2>"$tmp/err" || is $? 1
		cat "$tmp/err"
		is "$(wc -l <"$tmp/err")" 1
		[[ $(cat "$tmp/err") = "tc-edit: $tmp/a: record "*": cut off" ]]
		is "$(end "$tmp/b" | cut -d' ' -f3)" cut
		[ "$(end "$tmp/b" | cut -d' ' -f1)" -gt 500 ]
		run -1 tc-edit $options -o "$tmp/none" "$tmp/a"
		[ ! -e "$tmp/none" ]
	done
	# The other input goes on to its end.
	tc-edit --shift 7200 --merge "$tmp/a" "$(of plain)" >"$tmp/b" 2>/dev/null || is $? 1
	is "$(tc-edit -q "$tmp/a" 2>/dev/null | end | cut -d' ' -f1)" $(($(end "$tmp/b" | cut -d' ' -f1) - $(count "$(of plain)" | cut -d' ' -f1)))
}

# --- when something is wrong ---

@test "link types that differ, in one line, before anything is written" {
	tc-show "$(of plain)" | sed '1s/"link":1/"link":12/' | tc-show --reverse | tc-edit -q >"$tmp/raw"
	refused "tc-edit: $tmp/raw: link type 12, but 1 in $(of plain): they can't be merged" tc-edit --merge "$tmp/raw" "$(of plain)"
	is "$output" ""
	cat "$(of plain)" "$tmp/raw" >"$tmp/two"
	refused "tc-edit: $tmp/two: a trace of link type 12 after one of 1 can't go into the same trace" tc-edit --merge "$(of plain)" "$tmp/two"
	refused "tc-edit: $tmp/two: a trace of link type 12 after one of 1, for which the expressions are" tc-edit -f tcp "$tmp/two"
	tc-edit "$tmp/two" | cmp - "$tmp/two"
}

@test "--strict, and what is changed without it" {
	stream '{"flow":9,"len":5,"flags":24}' | tc-show --reverse >"$tmp/a"
	refused "tc-edit: $tmp/a: record 3: flow slots not open or out of range" tc-edit --strict -o "$tmp/b" "$tmp/a"
	[ ! -e "$tmp/b" ]
	run -0 --separate-stderr tc-edit -o "$tmp/b" "$tmp/a"
	[[ $stderr = "tc-edit: changed: 1 flow slots not open"* ]]
	lasts "$tmp/b" --cap 16
	refused "tc-edit: $(of plain): record 1: times that the pcap file can't hold" tc-edit --strict --shift -4000000000 "$(of plain)"
	run -0 --separate-stderr tc-edit --shift -4000000000 -o "$tmp/b" "$(of plain)"
	[[ $stderr = "tc-edit: changed: "*" times that the pcap file can't hold" ]]
	lasts "$tmp/b"
}

@test "a pipe that is too long to be kept: said, and nothing is written" {
	for _ in 1 2 3 4; do cat "$(of a)"; done >"$tmp/long"
	refused "tc-edit: standard input: no file, and too long to be kept until it is read twice: --buffer 1 (MiB)" \
		bash -c "cat '$tmp/long' | tc-edit --copies 2 --buffer 1 -o '$tmp/b'"
	[ ! -e "$tmp/b" ]
	# A file may be as long as it is, and so may what needs one pass.
	tc-edit -q --copies 2 --buffer 1 "$tmp/long" >"$tmp/b"
	is "$(tc-show "$tmp/b" | grep -c magic)" 4
	cat "$tmp/long" | tc-edit --buffer 1 --speed 1 | cmp - "$tmp/long"
}

# bats test_tags=linux
@test "a file that is redirected is read twice, from where it stands" {
	for _ in 1 2 3 4; do cat "$(of a)"; done >"$tmp/long"
	tc-edit -q --copies 2 --buffer 1 <"$tmp/long" >"$tmp/b"
	is "$(tc-show "$tmp/b" | grep -c magic)" 4
	{ dd bs="$(stat -c %s "$(of a)")" count=1 of=/dev/null 2>&1; tc-edit -q --copies 2 --buffer 1 >"$tmp/c"; } <"$tmp/long"
	is "$(tc-show "$tmp/c" | grep -c magic)" 3
}

@test "memory: many flows and hosts, two passes, in little" {
	python3 tests/fixtures/flood.py 70000 >"$tmp/flood"
	tc-lift -q "$tmp/flood" >"$tmp/a"
	(ulimit -v 400000; tc-edit -q --copies 2 --flows tcp "$tmp/a" >"$tmp/b")
	tc-edit -q --flows tcp "$tmp/a" >"$tmp/b"
	lasts "$tmp/b"
}

@test "-f takes names, which are looked up before the program is confined" {
	tc-edit -f 'tcp port http' "$(of a)" | cmp - <(tc-edit -f 'tcp port 80' "$(of a)")
	tc-edit --flows 'tcp port http' "$(of a)" | cmp - <(tc-edit --flows 'tcp port 80' "$(of a)")
}

@test "^C ends the trace as interrupted, and it is sound" {
	mkfifo "$tmp/pipe"
	{ cat "$(of a)"; sleep 60; } >"$tmp/pipe" 3>&- &
	writer=$!
	head -c 300000 "$(of a)" >"$tmp/part"
	{ cat "$tmp/part"; exec sleep 60; } 3>&- | { exec tc-edit --speed 2 >"$tmp/b" 2>"$tmp/err" 3>&-; } &
	edit=$!
	enough() { [ "$(stat -c %s "$tmp/b" 2>/dev/null || echo 0)" -gt 100000 ]; }
	eventually enough
	kill -INT $edit
	status=0
	wait $edit || status=$?
	kill $writer || true
	is "$status" 130
	is "$(cat "$tmp/err")" ""
	is "$(end "$tmp/b" | cut -d' ' -f3)" interrupted
}

@test "a reader that goes away ends it silently, and no labels stay" {
	gone tc-edit "$(of a)"
	rm -f "$tmp/status"
	gone tc-edit --copies 20 --labels "$tmp/labels" "$(of a)"
	nothing() { [ ! -e "$tmp/labels" ]; }
	eventually nothing
}

@test "labels are no input, and no output" {
	cp "$(of plain)" "$tmp/a"
	for path in "$tmp/a" "$tmp/./a"; do
		run -2 --separate-stderr tc-edit --labels "$path" "$tmp/a"
		is "$stderr" "tc-edit: $path: is also an input ($tmp/a), which would be lost"
		run -2 --separate-stderr tc-edit --labels "$path" --merge "$tmp/a" "$(of plain)"
		is "$stderr" "tc-edit: $path: is also an input ($tmp/a), which would be lost"
		run -2 --separate-stderr tc-edit -o "$path" --merge "$tmp/a" "$(of plain)"
		is "$stderr" "tc-edit: $path: is also an input ($tmp/a), which would be lost"
	done
	run -2 --separate-stderr tc-edit -o "$tmp/b" --labels "$tmp/b" "$tmp/a"
	is "$stderr" "tc-edit: $tmp/b: is also an output ($tmp/b), which would be lost"
	cmp "$tmp/a" "$(of plain)"
	refused "tc-edit: $tmp/none: No such file or directory" tc-edit --merge "$tmp/none" "$tmp/a"
	refused "tc-edit: $sample: not a stream of actions, but a capture*" tc-edit --merge "$sample" "$tmp/a"
	printf 'a\tb' >"$tmp/x"
	cp "$tmp/a" "$tmp/a	b"
	tc-edit --labels "$tmp/l" "$tmp/a	b" >"$tmp/c"
	is "$(sed -n 2p "$tmp/l")" "1	$tmp/a?b	1"
}

@test "wrong usage is one line" {
	for value in x -1 1e3 5:00 2026-13-01T00:00:00Z 2026-02-30T00:00:00Z 1.0000000001 ''; do
		misused tc-edit --from "$value"
		misused tc-edit --to "$value"
	done
	for value in x 0 -1 1000001 0.0000001 ''; do misused tc-edit --speed "$value"; done
	for value in x 1.1 -0.5 ''; do misused tc-edit --sample "$value"; done
	for value in x 0 1001 2.5; do misused tc-edit --copies "$value"; done
	for value in x - --1 1.0000000001 99999999999; do misused tc-edit --shift "$value"; done
	misused tc-edit --share-hosts
	misused tc-edit --seed -1
	misused tc-edit --buffer 0
	misused tc-edit --merge -
	misused tc-edit --merge - --merge - "$(of plain)"
	misused tc-edit a b
	misused tc-edit -f 'tcp prt 80' "$(of plain)"
	misused tc-edit --flows 'tcp prt 80' "$(of plain)"
	[[ $stderr = "tc-edit: --flows tcp prt 80: "* ]]
	misused tc-edit -f tcp --filter udp
}
