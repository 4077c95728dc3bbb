# big: many captures joined into one trace, each time from other endpoints.

load helper

# values CAPTURE FIELD...: of each packet, tabs between; checksums are looked at.
values() {
	local capture=$1
	shift
	tshark -n -r "$capture" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-o tcp.desegment_tcp_streams:FALSE -T fields "${@/#/-e}" 2>/dev/null
}

checksums=({ip,tcp,udp,icmp,icmpv6}.checksum.status)

# twice CAPTURE FOLDER: the capture as it goes in first, FOLDER/1, and again, FOLDER/2; nothing runs beside it.
twice() {
	local n
	n=$(packets "$1")
	big --live 1 --span 1000000 --snaplen 262144 -n $((2 * n)) -o "$2/both" "$1" 2>"$2/said"
	grep -q ' 2 instances; captures: 0 left out, 1 used more than once$' "$2/said"
	editcap -F nsecpcap -r "$2/both" "$2/1" "1-$n"
	editcap -F nsecpcap "$2/both" "$2/2" "1-$n"
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/build/tests:$PATH
	twice tests/fixtures/sample.pcap "$BATS_FILE_TMPDIR"
}

# Of the sample.
first=$BATS_FILE_TMPDIR/1
again=$BATS_FILE_TMPDIR/2

@test "as many packets as asked for, in order of time, from captures that go in again" {
	run -0 --separate-stderr big --live 50 -n 60000 -o "$tmp/a.pcap" $sample $edge/*
	[[ $stderr = "big: 60000 packets, "*" instances; captures: "*" left out, "*" used more than once" ]]
	is "$(packets "$tmp/a.pcap")" 60000
	tshark -n -r "$tmp/a.pcap" -T fields -e frame.time_epoch 2>/dev/null | LC_ALL=C sort -c
}

@test "the same seed gives the same octets, another one others" {
	for name in 1 1-too 2; do
		big --live 20 --seed ${name%-too} -n 40000 -o "$tmp/$name" $sample $edge/* 2>/dev/null
	done
	cmp "$tmp/1" "$tmp/1-too"
	run -1 cmp -s "$tmp/1" "$tmp/2"
}

@test "a trace of captures that went in and went in again lifts, compiles and compares as any other" {
	big --live 50 -n 60000 -o "$tmp/a.pcap" $sample $edge/* 2>/dev/null
	run -0 tests/roundtrip.sh "$tmp/a.pcap"
}

@test "no two instances have a unicast address in common" {
	for capture in "$first" "$again"; do
		values "$capture" {eth,ip,ipv6}.{src,dst} arp.{src,dst}.{hw_mac,proto_ipv4} icmpv6.nd.ns.target_address |
			tr '\t,' '\n\n' | sort -u >"$tmp/addresses"
		grep -vE '^$|^.[13579bdf]:|^ff..:|^2(2[4-9]|3.)\.|^(0.0.0.0|255.255.255.255|::|00(:00)+)$' "$tmp/addresses" \
			>"$tmp/hosts-${capture##*/}"
		[ "$(wc -l <"$tmp/hosts-${capture##*/}")" -gt 20 ]
	done
	is "$(comm -12 "$tmp"/hosts-*)" ""
}

# An octet of every tenth TCP checksum is spoiled. What an error quotes of a payload that grew is less than all of it,
# and tshark doesn't look at its checksum then: 2 for 1.
@test "right checksums stay right and wrong ones wrong, with fresh endpoints and with another behaviour" {
	python3 - $sample "$tmp/spoiled" <<-'PY'
		import struct, sys
		data, at, n = bytearray(open(sys.argv[1], "rb").read()), 24, 0
		while at < len(data):
		    size, frame = struct.unpack_from("<I", data, at + 8)[0], at + 16
		    if data[frame + 12:frame + 15] == b"\x08\x00\x45" and data[frame + 23] == 6 and size >= 54:
		        n += 1
		        data[frame + 50] ^= n % 10 == 0
		    at = frame + size
		open(sys.argv[2], "wb").write(data)
	PY
	values "$tmp/spoiled" "${checksums[@]}" >"$tmp/sums"
	[ "$(grep -c 0 "$tmp/sums")" -gt 500 ]
	[ "$(grep -c 1 "$tmp/sums")" -gt 15000 ]
	twice "$tmp/spoiled" "$tmp"
	values "$tmp/1" "${checksums[@]}" | cmp - "$tmp/sums"
	values "$tmp/2" "${checksums[@]}" | tr 2 1 | cmp - <(tr 2 1 <"$tmp/sums")
}

@test "checksums of ICMP errors, neighbour discovery, tagged, fragmented and damaged packets stay what they are" {
	for name in icmp-error-redirect icmp6-error-packet-too-big nd-redirect vlan-tags-qinq fragments-in-order-udp-ip6 \
		tcp-offset-in-payload; do
		twice $edge/$name.pcap "$tmp"
		cmp <(values "$tmp/1" frame.len "${checksums[@]}") <(values $edge/$name.pcap frame.len "${checksums[@]}")
	done
}

@test "what goes in first lifts to the same actions; again, to others" {
	big --live 1 --span 1000000 -n "$(packets $sample)" -o "$tmp/1" $sample 2>/dev/null
	# A step back in time becomes none.
	lines() { tc-lift -q "$1" | tc-show | jq -c 'if .dt < 0 then del(.dt) else . end | del(.t, .start, .resolution, .crc32)'; }
	cmp <(lines $sample) <(lines "$tmp/1")
	lines() { tc-lift -q "$1" | tc-show | jq -c 'del(.t, .dt)'; }
	[ "$(paste <(lines "$first") <(lines "$again") | awk -F'\t' '$1 != $2' | wc -l)" -gt 10000 ]
}

@test "what goes in again is as consistent as it was: tshark's analysis finds the same, in longer payloads" {
	fields=(tcp.flags tcp.analysis.{retransmission,out_of_order,duplicate_ack,lost_segment,ack_lost_segment,keep_alive})
	fields+=(tcp.analysis.{acks_frame,zero_window} tcp.options.sack.count)
	values "$first" tcp.len "${fields[@]}" >"$tmp/1"
	values "$again" tcp.len "${fields[@]}" >"$tmp/2"
	cmp <(cut -f 2- "$tmp/1") <(cut -f 2- "$tmp/2")
	paste <(cut -f 1 "$tmp/1") <(cut -f 1 "$tmp/2") |
		awk '$2 < $1 || $2 > $1 + 15 { exit 1 } $2 > $1 { n++ } END { exit n < 1000 }'
}

@test "acknowledgements and SACK blocks end where segments did, after as before" {
	cat >"$tmp/ends.py" <<-'PY'
		import sys
		ends = {}
		for line in sys.stdin:
		    numbers = [[int(n) for n in field.split(",") if n.strip()] for field in line.split("\t")]
		    if all(numbers[:6]):
		        stream, source, target, seq, size, ack = (n[0] for n in numbers[:6])
		        ends.setdefault((stream, source), set()).update((seq, seq + size, seq + size + 1))
		        known = ends.get((stream, target), ())
		        print(*(n in known for n in [ack] + numbers[6] + numbers[7]))
	PY
	ends() { values "$1" tcp.{stream,srcport,dstport,seq,len,ack} tcp.options.sack_{le,re} | python3 "$tmp/ends.py"; }
	ends "$first" >"$tmp/1"
	ends "$again" | cmp - "$tmp/1"
	[ "$(grep -c 'True True True' "$tmp/1")" -gt 100 ]
}

@test "a number of 0 that means something stays 0, and no other becomes 0" {
	zeros() {
		values "$1" tcp.window_size_value ip.id tcp.options.timestamp.{tsval,tsecr} udp.checksum arp.opcode |
			sed -E 's/0x0*/0x/g; s/[1-9a-f][0-9a-f]*/n/g'
	}
	cmp <(zeros "$first") <(zeros "$again")
}

@test "captures that aren't of Ethernet are left out; without others there is nothing" {
	big -n 100 -o "$tmp/a.pcap" $sample $edge/link-type-raw-101.pcap tests/helper.bash 2>"$tmp/said"
	grep -q 'captures: 2 left out' "$tmp/said"
	refused 'big: none of the captures is of Ethernet packets' big -n 9 -o "$tmp/b.pcap" $edge/link-type-raw-101.pcap
	[ ! -e "$tmp/b.pcap" ]
}
