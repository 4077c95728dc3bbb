# tc-lift: what it reads, what it selects, what a flow is, what it says.

load helper

# --- files ---

@test "every file type is read, with all its packets" {
	for f in "$edge"/{pcap-in,pcap-swapped,pcapng-with,pcapng-interfaces-alike,pcapng-sections-alike}*.pcap \
		"$edge"/{empty,empty-pcapng,pcapng-interfaces-differing-in-resolution}.pcap; do
		echo "$f"
		tc-lift -q "$f" >"$tmp/a"
		is "$(end "$tmp/a" | cut -d' ' -f1,3)" "$(packets "$f") whole"
	done
}

@test "every link type is read, with all its packets" {
	for f in "$edge"/link-type-*.pcap; do
		echo "$f"
		tc-lift -q "$f" >"$tmp/a"
		is "$(end "$tmp/a" | cut -d' ' -f1,3)" "$(packets "$f") whole"
	done
}

@test "packets longer than what is read at once, or than the snap length, stand among others" {
	python3 - >"$tmp/long" <<-'PY'
		import struct, sys
		out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 60000, 1)
		for i, n in enumerate([60, 60000, 60001, 60, 65520, 65521, 100, 200000, 60, 0, 60]):
		    out += struct.pack("<IIII", i, i, n, n) + bytes([2] * 12 + [0x88, 0xb5] + [0] * n)[:n]
		sys.stdout.buffer.write(out)
	PY
	tc-lift -q "$tmp/long" >"$tmp/a"
	is "$(tc-show "$tmp/a" | jq -c 'select(.cap and .magic == null)')" ""
	dd if="$tmp/long" bs=7777 status=none | tc-lift -q | cmp - "$tmp/a"
	tc-compile "$tmp/a" >"$tmp/again"
	is "$(packets "$tmp/again")" 11
	is "$(tcpdump -r "$tmp/again" -w - 2>/dev/null | wc -c)" "$(tcpdump -r "$tmp/long" -w - 2>/dev/null | wc -c)"
}

@test "the header names the link type, the snap length, the resolution and the time of the first packet" {
	header() { tc-lift -q "$1" | tc-show | sed -n 1p | jq -c "$2"; }
	is "$(header "$sample" '[.link, .snaplen, .resolution]')" '[1,128,"us"]'
	for name in link-type-sll2:276:us pcap-in-big-endian-nanoseconds:1:ns pcapng-with-nanoseconds:1:ns \
		pcapng-with-tenths-of-nanoseconds:1:ns pcapng-with-milliseconds:1:us empty:1:us; do
		IFS=: read -r file link resolution <<<"$name"
		echo "$file"
		is "$(header "$edge/$file.pcap" '[.link, .resolution]')" "[$link,\"$resolution\"]"
	done
	first=$(tcpdump --nano -tt -nr "$edge/pcap-in-nanoseconds.pcap" -c 1 2>/dev/null | cut -d' ' -f1)
	is "$(header "$edge/pcap-in-nanoseconds.pcap" .start)" "\"$first\""
}

@test "times come out as they went in, whatever the resolution" {
	for f in "$edge"/{pcap-in,pcapng-with,time}-*.pcap; do
		[ "$f" = "$edge/pcapng-with-tenths-of-nanoseconds.pcap" ] && continue
		echo "$f"
		tc-lift -q "$f" | tc-compile >"$tmp/b.pcap"
		times() { tcpdump --nano -tt -nr "$1" 2>/dev/null | cut -d' ' -f1; }
		is "$(times "$tmp/b.pcap")" "$(times "$f")"
	done
}

@test "standard input is read without a name and for -" {
	tc-lift "$sample" >"$tmp/a"
	tc-lift <"$sample" | cmp - "$tmp/a"
	cat "$sample" | tc-lift - | cmp - "$tmp/a"
}

@test "several files are one trace, through which flows go on" {
	f=$edge/tcp-plain-ip4.pcap
	tcpdump -r "$f" -w "$tmp/1" 'tcp[tcpflags] & tcp-syn != 0' 2>/dev/null
	tcpdump -r "$f" -w "$tmp/2" 'tcp[tcpflags] & tcp-syn == 0' 2>/dev/null
	is "$(packets "$tmp/1")" 2
	tc-lift "$tmp/1" "$tmp/2" | cmp - <(tc-lift "$f")
	tc-lift "$tmp/1" - <"$tmp/2" | cmp - <(tc-lift "$f")
}

@test "several files add up, under one header and one end" {
	tc-lift "$sample" "$edge/many-flows-tcp.pcap" "$edge/empty.pcap" "$sample" >"$tmp/a"
	is "$(tc-show "$tmp/a" | grep -c '"magic"')" 1
	is "$(tc-show "$tmp/a" | grep -c '"end"')" 1
	is "$(end "$tmp/a" | cut -d' ' -f1)" $((2 * $(packets "$sample") + $(packets "$edge/many-flows-tcp.pcap")))
}

@test "files whose link types differ are refused, and the file is named" {
	refused "tc-lift: $edge/link-type-sll.pcap: *link type*$edge/one-packet-tcp.pcap*" \
		tc-lift "$edge/one-packet-tcp.pcap" "$edge/link-type-sll.pcap"
	is "$output" ""
}

@test "interfaces of different link types: the command in the message splits the file" {
	f=$edge/pcapng-interfaces-differing-in-link-type.pcap
	run -1 --separate-stderr tc-lift -o "$tmp/a" "$f"
	command=$(sed 's/^[^"]*"//; s/"[^"]*$//' <<<"$stderr")
	echo "$command"
	part() { # INTERFACE TYPE: link type and packets of the part
		bash -o pipefail -c "$(sed "s,FILE,$f,; s,==N,==$1,; s,TYPE,$2,; s,PART,$tmp/part," <<<"$command")" 2>/dev/null
		tc-lift "$tmp/part" | tc-show | jq -cs '[.[0].link, .[-1].packets]'
	}
	is "$(part 0 ether)" "[1,3]"
	is "$(part 1 rawip)" "[12,3]"
}

@test "interfaces of different snap lengths are read" {
	f=pcapng-interfaces-differing-in-snap-length
	is "$(tc-lift "$edge/$f.pcap" | end)" "6 1 whole"
	is "$(actions $f 'map([.flags, .cap])')" '[[2,null],[18,null],[null,null],[17,null],[17,null],[null,null]]'
}

# --- selection ---

@test "-f selects what tcpdump selects" {
	for filter in 'tcp port 80' udp 'icmp or icmp6' 'ip6 and ip6[6] = 6' 'vlan 7' 'host 10.0.1.4' 'len > 200'; do
		echo "$filter"
		n=$(tcpdump -r "$sample" --count "$filter" 2>/dev/null | cut -d' ' -f1)
		is "$(tc-lift -f "$filter" "$sample" | end | cut -d' ' -f1)" "$n"
	done
}

@test "-f counts nothing of what it leaves out: neither time nor flows" {
	tcpdump -r "$sample" -w "$tmp/b.pcap" 'udp port 53' 2>/dev/null
	tc-lift -f 'udp port 53' "$sample" | cmp - <(tc-lift "$tmp/b.pcap")
}

@test "-f holds for all files" {
	is "$(tc-lift -f 'tcp[13] = 2' "$edge/tcp-plain-ip4.pcap" "$edge/tcp-plain-ip4.pcap" | end | cut -d' ' -f1)" 2
}

@test "a filter that isn't one is refused" {
	run -2 --separate-stderr tc-lift -f 'tcp prot 80' "$sample"
	is "$output" ""
	is "$stderr" "tc-lift: -f tcp prot 80: can't parse filter expression: syntax error. Try 'tc-lift --help' for more."
}

# --- rooms ---

@test "--cap 64 reports on standard error what was forgotten, the default forgets nothing" {
	f=$edge/many-flows-tcp.pcap
	tc-lift --cap 64 "$f" 2>"$tmp/err" >"$tmp/a"
	grep -qE '^tc-lift: forgotten for want of room \(--cap 64\): [1-9][0-9]* flows, [1-9][0-9]* hosts, [0-9]+ link addresses, 0 IPv6 suffixes$' "$tmp/err"
	is "$(tc-show "$tmp/a" | jq -s 'map(.flow // 0) | max < 64')" true
	tc-lift "$f" 2>"$tmp/err" >"$tmp/b"
	is "$(cat "$tmp/err")" ""
	is "$(end "$tmp/b" | cut -d' ' -f2)" 204
	[ "$(end "$tmp/a" | cut -d' ' -f2)" -gt 204 ]
}

@test "as many flows as were forgotten were opened once more than with room for all" {
	f=$edge/many-flows-udp.pcap
	evicted=$(tc-lift --cap 64 -o "$tmp/a" "$f" 2>&1 | sed -E 's/.*: ([0-9]+) flows.*/\1/')
	opens() { tc-show "$1" | jq -s 'map(select(.open == 1)) | length'; }
	tc-lift -o "$tmp/b" "$f"
	is "$(opens "$tmp/a")" $((evicted + 64))
	is "$(opens "$tmp/b")" 204
}

@test "-q says none of it" {
	tc-lift -q --cap 64 -o "$tmp/a" "$edge/many-flows-tcp.pcap" 2>"$tmp/err"
	tc-lift -q -o "$tmp/a" "$edge/runt-frames.pcap" 2>>"$tmp/err"
	is "$(cat "$tmp/err")" ""
}

@test "--idle changes the number of flows, and nothing else" {
	rest() { tc-show "$1" | jq -c 'del(.open, .flows, .idle_tcp, .idle_udp, .idle_other)'; }
	for f in "$edge"/idle-*.pcap; do
		echo "$f"
		tc-lift "$f" >"$tmp/a"
		tc-lift --idle tcp=1000000,udp=1000000,other=1000000 "$f" >"$tmp/b"
		[ "$(end "$tmp/a" | cut -d' ' -f2)" -gt "$(end "$tmp/b" | cut -d' ' -f2)" ]
		is "$(rest "$tmp/b")" "$(rest "$tmp/a")"
	done
}

@test "--idle takes each protocol for itself" {
	flows() { tc-lift --idle "$1" "$edge/$2.pcap" | end | cut -d' ' -f2; }
	is "$(flows tcp=601 idle-tcp-10-minutes)" 1
	is "$(flows tcp=600 idle-tcp-10-minutes)" 3
	is "$(flows udp=601,other=9 idle-tcp-10-minutes)" 3
	is "$(flows udp=121 idle-udp-2-minutes)" 1
	is "$(flows udp=120 idle-udp-2-minutes)" 3
}

@test "the clock of time-outs is the latest timestamp: it moves with other flows and never goes back" {
	is "$(actions idle-among-busy 'map(select(.flow == null) | .open)')" '[1,null,null,2,null]'
	is "$(actions idle-by-backward-clock 'map(.open)')" '[1,null,null,1,2,null]'
}

# --- what a flow is ---

@test "a connection is one flow, in order and with nothing to say about its numbers" {
	is "$(actions tcp-plain-ip4 'map(.open)|unique')" '[null,1]'
	is "$(actions tcp-plain-ip4 'map(.flow, .seq, .ack, .ack_same)|unique')" '[null]'
	is "$(actions tcp-plain-ip4 '.[0:3] | map([.dir, .flags])')" '[[null,2],[1,18],[null,null]]'
}

@test "a SYN again with the same number is a retransmission" {
	is "$(actions tcp-syn-again-same-isn 'map(.open)[0:4]')" '[1,null,null,null]'
	is "$(actions tcp-syn-again-same-isn 'map(.seq)[0:4]')" '[null,-1,-1,null]'
}

@test "a SYN again with another number is another flow" {
	is "$(actions tcp-syn-again-other-isn 'map(.open)[0:4]')" '[1,3,null,null]'
	is "$(actions tcp-syn-again-lower-isn 'map(.open)[0:4]')" '[1,3,3,null]'
	is "$(actions tcp-syn-again-lower-isn 'map(.flow, .seq)|unique')" '[null]'
}

@test "ports used again are another flow in the same slot, whatever the new number" {
	for how in after-fin after-rst lower-isn-after-fin; do
		echo "$how"
		is "$(actions tcp-port-reuse-$how 'map(select(.open) | [.open, .flags, .seq, .dir, .flow])')" \
			'[[1,2,null,null,null],[3,2,null,null,null]]'
	done
}

@test "ports used again with the same number: another flow, which counts on" {
	is "$(actions tcp-port-reuse-same-isn-after-rst 'map(select(.open) | [.open, .seq])')" '[[1,null],[2,-11]]'
	is "$(actions tcp-port-reuse-same-isn-after-fin 'map(select(.open) | [.open, .seq])')" '[[1,null],[2,-12]]'
}

@test "a new SYN amid a connection opens a flow, and the challenge ACK doesn't" {
	is "$(actions tcp-port-reuse-while-open 'map(.open)')" '[1,null,null,null,3,null,null,2,null,null,null]'
}

@test "the responder that opens the same ports becomes the initiator" {
	for how in after-fin after-rst; do
		echo "$how"
		is "$(actions tcp-roles-swapped-$how 'map(select(.open) | [.open, .dir, .flags])')" '[[1,null,2],[4,null,2]]'
	done
}

@test "a simultaneous open is one flow of whoever was first" {
	is "$(actions tcp-simultaneous-open 'map(.open)|unique')" '[null,1]'
	is "$(actions tcp-simultaneous-open '.[0:4]|map([.dir, .flags, .seq])')" \
		'[[null,2,null],[1,2,null],[null,18,-1],[1,18,-1]]'
}

@test "a SYN is new where the other end had acknowledged other numbers" {
	is "$(actions tcp-simultaneous-open-after-one-sided 'map(.open)')" '[1,null,3,null,null,null,null,null,null,null]'
	is "$(actions tcp-simultaneous-open-after-one-sided '.[2:6]|map([.dir, .flags, .seq])')" \
		'[[null,2,null],[1,2,null],[null,18,-1],[1,18,-1]]'
}

@test "a SYN-ACK first comes from the responder, even from the higher port" {
	is "$(actions tcp-syn-ack-first '.[0]|[.open, .dir, .flags, .orig_p, .resp_p]')" '[1,1,18,9001,4000]'
	is "$(actions tcp-syn-ack-first '.[1]|[.open, .dir]')" '[null,null]'
}

@test "without a SYN the initiator is the end with the ephemeral port" {
	for who in client-data:null server-ack:1 server-data:1; do
		is "$(actions tcp-midstream-${who%:*} '.[0]|[.open, .dir, .orig_p, .resp_p]')" "[1,${who#*:},40000,80]"
	done
	is "$(actions udp-answer-first '.[0]|[.open, .dir, .orig_p, .resp_p]')" '[1,1,40000,53]'
}

@test "with ports alike the initiator is whoever was first" {
	is "$(actions udp-answer-first '.[2]|[.open, .dir, .orig_p, .resp_p]')" '[1,null,53,53]'
	is "$(actions udp-answer-first '.[4]|[.open, .dir, .orig_p, .resp_p]')" '[1,null,40001,40002]'
}

@test "ports are alike up to 1023, up to 32767, and from there" {
	craft a '[U(port=a, to=b) for a, b in ((1023, 1024), (1024, 1023), (0, 1023), (1023, 0), (1024, 32767), (32767, 1024),
		(32767, 32768), (32768, 32767), (32768, 65535), (65535, 32768))]'
	is "$(tc-lift -q "$tmp/a" | tc-show | sed '1d;$d' | jq -r '.dir // 0' | xargs)" "1 0 0 0 0 0 1 0 0 0"
}

@test "silence ends a flow when it is longer than the time-out, by a nanosecond" {
	craft a '[U(), later(60, U()), later(60.000000001, U())]'
	is "$(tc-lift -q "$tmp/a" | tc-show | sed '1d;$d' | jq -c .open | xargs)" "1 null 2"
}

@test "fragments go where their first one went" {
	for what in udp udp-ip6 tcp tcp-ip6 icmp icmp-ip6; do
		echo $what
		is "$(actions fragments-in-order-$what 'map(.open, .flow)|unique')" '[null,1]'
	done
	is "$(actions fragments-in-order-udp 'map(.frag)[1:5]')" '[8192,75,8192,75]'
}

@test "a fragment before its first one is in a flow without ports, until the first one comes" {
	is "$(actions fragments-last-first-udp 'map([.flow, .open, .orig_p, .frag])')" \
		'[[null,1,null,75],[1,1,40000,8192],[null,null,null,75],[1,null,null,8192]]'
}

@test "VLAN tags are not part of a flow's key" {
	is "$(actions vlan-same-5-tuple 'map(.open)')" '[1,null,null,null,null,null]'
	is "$(actions vlan-same-5-tuple 'map(.seq)')" '[null,-1,null,-1,null,null]'
}

@test "a packet from an address and port to the same is in direction 0" {
	is "$(actions land-attack 'map(select(.dir == 1))')" '[]'
}

@test "an ICMP error names the flow, the direction and the place in it that it quotes" {
	is "$(actions icmp-error-port-unreachable 'map(select(.quote))|.[0]|[.type, .code, .quote[0]]')" '[3,3,0]'
	is "$(actions icmp-error-time-exceeded-tcp-whole 'map(select(.quote))|length > 0')" true
}

@test "a host seen again is the same slot: a scan is one host before forty" {
	is "$(actions scan-hosts 'map(select(.resp_p == 445) | [.orig_h] | flatten[0]) | [length, unique]')" '[40,[0]]'
	is "$(tc-lift --map "$tmp/map" "$edge/scan-from-many.pcap" | tc-show | jq -s 'map(select(.open == 1)) | length')" 40
	is "$(cut -f4 "$tmp/map" | grep -c '^[0-9.]*$')" 41
}

# --- what it says ---

@test "what was not lifted whole is said on standard error, by reason" {
	said() { tc-lift -o "$tmp/a" "$edge/$1.pcap" 2>&1; }
	is "$(said snapped-at-10-in-ethernet)" "tc-lift: not lifted whole: 15 cut in the link header"
	is "$(said ethertype-lldp)" "tc-lift: not lifted whole: 2 of other link types or ethertypes"
	is "$(said ip-version-under-ip4-5)" "tc-lift: not lifted whole: 2 cut or damaged in the IP header"
	is "$(said icmp-short-4)" "tc-lift: not lifted whole: 2 cut in the transport header"
	is "$(said opaque-gre-ip4)" "tc-lift: not lifted whole: 3 of other IP protocols"
	is "$(said runt-frames)" \
		"tc-lift: not lifted whole: 5 cut in the link header, 2 cut or damaged in the IP header"
	is "$(said tcp-plain-ip4)" ""
	is "$(tc-lift -o "$tmp/a" "$sample" 2>&1)" ""
}

@test "--map holds all addresses that tshark finds, for the owner alone" {
	umask 022
	tc-lift --map "$tmp/map" -o "$tmp/a" "$sample"
	is "$(stat -c %a "$tmp/map")" 600
	is "$(head -n 1 "$tmp/map")" $'packet\twhat\tslot\taddress'
	tail -n +2 "$tmp/map" | cut -f4 | sort -u >"$tmp/here"
	# All but those that name nobody: broadcast, registered groups, the MAC of a group.
	tshark -n -r "$sample" -T fields -e eth.addr -e ip.addr -e ipv6.addr -e arp.src.hw_mac -e arp.dst.hw_mac \
		-e arp.src.proto_ipv4 -e arp.dst.proto_ipv4 -e icmpv6.nd.ns.target_address \
		-e icmpv6.nd.na.target_address 2>/dev/null | tr ',\t' '\n\n' | sort -u |
		grep -vE '^(|::|255\.255\.255\.255|0\.0\.0\.0|ff02::[0-9a-f]{1,2}|33:33:.*|01:00:5e:.*|ff:ff:.*|00:00:00:00:00:00)$' >"$tmp/there"
	[ "$(wc -l <"$tmp/there")" -gt 50 ]
	diff "$tmp/here" "$tmp/there"
}

@test "--map is for the owner alone even where the file was there, and is overwritten" {
	seq 1000 >"$tmp/map"
	chmod 666 "$tmp/map"
	tc-lift --map "$tmp/map" -o "$tmp/a" "$edge/one-packet-udp.pcap"
	is "$(stat -c %a "$tmp/map")" 600
	is "$(cut -f2 "$tmp/map" | sort | uniq -c | tr -s ' \n' ' ')" " 2 host 2 mac 1 what "
}

# --- live ---

@test "a packet written into a pipe is out at the other end at once, through tc-compile too" {
	python3 - "$edge/tcp-plain-ip4.pcap" <<-'PY'
		import msgpack, os, select, struct, subprocess, sys
		data = open(sys.argv[1], "rb").read()
		header, packets, at = data[:24], [], 24
		while at < len(data):
		    n = 16 + struct.unpack_from("<I", data, at + 8)[0]
		    packets.append(data[at:at + n])
		    at += n

		def live(command, enough):
		    """Feeds packet after packet; after each, enough(all output, packets so far) soon holds."""
		    p = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
		    p.stdin.write(header)
		    out = b""
		    for i, packet in enumerate(packets, 1):
		        p.stdin.write(packet)
		        while not enough(out, i):
		            assert select.select([p.stdout], [], [], 2)[0], f"{command}: packet {i} did not come"
		            out += os.read(p.stdout.fileno(), 65536)
		    p.stdin.close()
		    assert p.wait() == 0

		def records(out, i):
		    u = msgpack.Unpacker()
		    u.feed(out)
		    return sum(isinstance(o, list) for o in u) == i

		live("tc-lift", records)
		live("tc-lift - | tc-compile", lambda out, i: len(out) == 24 + sum(map(len, packets[:i])))
		live("tc-lift | tc-show", lambda out, i: out.count(b"\n") == 1 + i)
	PY
}

@test "^C ends the stream with an end record that says so, exit 130" {
	mkfifo "$tmp/in"
	tc-lift "$tmp/in" >"$tmp/a" &
	exec 4>"$tmp/in"
	cat "$edge/tcp-plain-ip4.pcap" >&4
	eventually test -s "$tmp/a"
	kill -INT $!
	wait $! || status=$?
	exec 4>&-
	is "$status" 130
	is "$(end "$tmp/a" | cut -d' ' -f1,3)" "$(packets "$edge/tcp-plain-ip4.pcap") interrupted"
}

@test "behind ^C the compiler says so too, and gives all packets" {
	mkfifo "$tmp/in"
	tc-lift "$tmp/in" >"$tmp/a" &
	exec 4>"$tmp/in"
	cat "$edge/tcp-plain-ip4.pcap" >&4
	eventually test -s "$tmp/a"
	kill -TERM $!
	wait $! || status=$?
	exec 4>&-
	is "$status" 130
	run -1 --separate-stderr tc-compile -o - "$tmp/a"
	is "$stderr" "tc-compile: $tmp/a: the trace ends interrupted after $(packets "$edge/tcp-plain-ip4.pcap") packets"
	tc-compile "$tmp/a" 2>/dev/null >"$tmp/b.pcap" || true
	is "$(packets "$tmp/b.pcap")" "$(packets "$edge/tcp-plain-ip4.pcap")"
}

# 68 octets end in the SYN's timestamp, between value and echo, and in the second block of the SACK.
@test "of an option that the snap length cuts, what was captured whole is lifted" {
	is "$(actions snapped-options-at-68 '[.[] | [.opts, .tsval, .tsecr]] | .[0:2] + .[3:4]')" \
		'[[[2,4,8],null,null],[[2,4,8],null,null],[null,1,null]]'
	is "$(actions snapped-options-at-70 '.[1] | [.no_echo, .mss]')" '[1,1400]'
	is "$(actions snapped-options-at-84 '.[5] | [.opts, .sack]')" '[[1,1,8,1,1,5],[1000,1000,0,0]]'
	is "$(actions snapped-options-at-75 '[.[0] | .opts, .wscale]')" '[[2,4,8,1,3],5]'
	is "$(actions snapped-options-at-64 '.[7].ext')" '[3847,1172,0]'
	# Cut or not, it is no header that contradicts itself.
	is "$(actions snapped-options-at-70 'map(select(.as_is)) | length')" 0
}

@test "a jumbo option has its packet's length, and keeps it through compiling" {
	is "$(actions ip6-jumbograms '[.[3:][] | [.len, .ip_len, .pad]]')" \
		'[[70000,1,null],[70000,1,null],[70000,1,null],[65496,1,4504],[24,1,null],[24,0,null]]'
	tc-lift "$edge/ip6-jumbograms.pcap" | tc-compile >"$tmp/b.pcap"
	for f in "$edge/ip6-jumbograms.pcap" "$tmp/b.pcap"; do
		tshark -r "$f" -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields \
			-e ipv6.plen -e ipv6.opt.jumbo -e tcp.len -e tcp.checksum.status -e udp.checksum.status 2>/dev/null | sed -n 4,7p
	done >"$tmp/said"
	is "$(sed -n 1,4p "$tmp/said")" "$(sed -n 5,8p "$tmp/said")"
	is "$(sed -n 1p "$tmp/said" | tr '\t' ' ')" "0 70040 70000 1 "
}

# --- pcapng ---

# blocks WORD...: the pcapng file of these blocks, as tests/pcapng.py has them.
blocks() { tests/pcapng.py --file "$@"; }

# lifted WORD...: the times of such a file's actions, ns since 1970, in one line, and the resolution.
lifted() {
	blocks "$@" >"$tmp/a.pcapng"
	tc-lift "$tmp/a.pcapng" >"$tmp/a"
	tests/pcapng.py --times <"$tmp/a"
}

@test "random pcapng files: times to the nanosecond, whatever the resolution, the offset and the blocks before" {
	tests/pcapng.py 6
}

@test "an interface behind 4,096 octets and more of secrets has its resolution" {
	for n in 4096 70000 17000000; do
		is "$(lifted little other=$n if=9 packet=1000000001)" "1000000001 ns"
	done
	tc-compile "$tmp/a" 2>"$tmp/err" | tcpdump --nano -ttnr - 2>/dev/null | grep -q '^1.000000001 '
	is "$(cat "$tmp/err")" ""
}

@test "powers of two coarser than a microsecond, and finer ones, are kept to the nanosecond" {
	is "$(lifted little if=2^1 packet=3)" "1500000000 us"
	is "$(lifted little if=2^6 packet=65)" "1015625000 us"
	is "$(lifted little if=2^7 packet=129)" "1007812500 ns"
	is "$(lifted little if=2^10 packet=1025)" "1000976562 ns"
	is "$(lifted big if=2^40 packet=2199023255551)" "1999999999 ns"
	is "$(lifted big if=2^63 packet=18446744073709551615)" "1999999999 ns"
	is "$(lifted little if=19 packet=18446744073709551615)" "1844674407 ns"
	is "$(lifted little if=0 packet=7)" "7000000000 us"
}

@test "each interface has its own times, and each section its own interfaces and byte order" {
	is "$(lifted little if=6 if=9,5 packet=1000000 packet=2000000000,1 old=3000000)" "1000000000 7000000000 3000000000 ns"
	is "$(lifted little if=9 packet=5 big if=6 packet=5 little if=3 packet=5)" "5 5000 5000000 ns"
}

@test "times before 1970 stay in the stream, in JSON and in tc-diff; tc-compile counts them" {
	is "$(lifted little if=6,-3600 packet=0 packet=500000)" "-3600000000000 -3599500000000 us"
	tc-show "$tmp/a" | tc-show --reverse | cmp - "$tmp/a"
	run --separate-stderr tc-compile -o "$tmp/b.pcap" "$tmp/a"
	is "$stderr" "tc-compile: changed: 2 times that the pcap file can't hold"
	is "$(tcpdump -ttnr "$tmp/b.pcap" 2>/dev/null | cut -d' ' -f1 | xargs)" "0.000000 0.000000"
	tc-diff --tsv "$tmp/a.pcapng" "$tmp/a" >"$tmp/tsv"
	blocks little if=6,-1 packet=500000 >"$tmp/a.pcapng"
	is "$(tc-diff --flows "$tmp/a.pcapng" "$tmp/a.pcapng" | cut -f2 | xargs)" "start -0.500000000 -0.500000000"
}

@test "times out of range are counted, by tc-diff too, and no two of them overflow" {
	is "$(lifted little if=0 if=0,-9223372036854775808 packet=18446744073709551615 packet=0,1 packet=1 2>"$tmp/err")" \
		"4611599999999999999 -4611600000000000000 1000000000 us"
	is "$(cat "$tmp/err")" "tc-lift: changed: 2 times before 1823-11-13 or after 2116-02-19"
	tc-lift -q "$tmp/a.pcapng" 2>"$tmp/err" | cmp - "$tmp/a"
	is "$(cat "$tmp/err")" ""
	run --separate-stderr tc-diff "$tmp/a.pcapng" "$tmp/a"
	is "$stderr" "tc-diff: $tmp/a.pcapng: changed: 2 times before 1823-11-13 or after 2116-02-19"
	is "$status" 0
}

@test "a Simple Packet Block has the time of the packet before it, and no more octets than its interface says" {
	is "$(lifted little if=6,0,30 simple=28 packet=7000000 simple=2000 simple=42)" "0 7000000000 7000000000 7000000000 us"
	is "$(tc-show "$tmp/a" | jq -cs '.[1:-1] | map(.cap)')" "$(tc-lift "$tmp/a.pcapng" | tc-compile | tc-lift | tc-show | jq -cs '.[1:-1] | map(.cap)')"
	is "$(tc-lift "$tmp/a.pcapng" | tc-compile | tshark -r - -T fields -e frame.cap_len -e frame.len 2>/dev/null | xargs)" \
		"28 28 30 42 30 2000 30 42"
}

@test "two interfaces of raw IP have one link type" {
	blocks little if=6,0,0,101 if=6,0,0,101 >"$tmp/a.pcapng"
	is "$(tc-lift "$tmp/a.pcapng" | tc-show | jq -cs 'map(.link, .end)')" '[12,null,null,"whole"]'
}

@test "-f selects from pcapng what tcpdump selects" {
	mergecap -F pcapng -w "$tmp/a.pcapng" "$sample"
	for filter in 'tcp port 80' 'ip6 and ip6[6] = 6' 'len > 200'; do
		# That it was snapped is known by the header of the one, by each packet of the other.
		lifted() { tc-lift -f "$filter" "$1" | tc-show | tail -n +2 | jq -c 'del(.cap)'; }
		cmp <(lifted "$tmp/a.pcapng") <(lifted "$sample")
	done
}

@test "pcapng that breaks off, at any octet, is said, and all packets before are there" {
	blocks little other=100 if=9 packet=1 packet=2 >"$tmp/whole"
	size=$(stat -c %s "$tmp/whole")
	for ((n = 1; n < size; n += 4)); do # no block ends there
		head -c "$n" "$tmp/whole" >"$tmp/cut.pcapng"
		run --separate-stderr tc-lift -o - "$tmp/cut.pcapng"
		echo "$n: $stderr"
		[ "$status" -eq 1 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
}

@test "a packet of a pcapng file is out as soon as its block is there" {
	python3 - <<-'PY'
		import json, select, subprocess, sys
		sys.path.insert(0, "tests")
		import pcapng
		file, parts = pcapng.File(), []
		def part():
		    parts.append(bytes(file.octets))
		    file.octets.clear()
		file.section("<"), file.interface(), file.packet(1), part()
		file.other(10, bytes(5000)), file.packet(2), part()
		file.interface(2, 10), file.packet(3, 1), part()
		file.section(">"), file.other(0xbad, b""), part()
		file.interface(), file.packet(4, old=True), part()
		file.simple(), part()
		p = subprocess.Popen("tc-lift | tc-show", shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
		lines, packets = b"", 0
		for octets, n in zip(parts, (1, 2, 3, 3, 4, 5)):
		    for at in range(0, len(octets), 100):
		        p.stdin.write(octets[at:at + 100])
		    while lines.count(b"\n") < 1 + n:
		        assert select.select([p.stdout], [], [], 5)[0], f"packet {n} did not come"
		        lines += p.stdout.read(65536)
		p.stdin.close()
		assert p.wait() == 0
	PY
}
