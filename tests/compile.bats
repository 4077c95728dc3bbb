# tc-compile: what it writes, what it makes up, what it does with actions that no lift would write.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	bin/tc-lift -q tests/fixtures/sample.pcap >"$BATS_FILE_TMPDIR/sample"
}

# lengths CAPTURE: captured and original length of each packet.
lengths() {
	python3 - "$1" <<-'PY'
		import struct, sys
		data, at = open(sys.argv[1], "rb").read(), 24
		while at < len(data):
		    cap, whole = struct.unpack_from("<II", data, at + 8)
		    print(cap, whole)
		    at += 16 + cap
	PY
}

# --- determinism ---

@test "the same actions give the same octets" {
	tc-compile "$BATS_FILE_TMPDIR/sample" >"$tmp/1"
	(cd / && env -i TZ=Asia/Tokyo "$OLDPWD/bin/tc-compile" --seed 0) <"$BATS_FILE_TMPDIR/sample" >"$tmp/2"
	cmp "$tmp/1" "$tmp/2"
}

@test "another seed gives other numbers, and lifts to the same stream" {
	tc-compile "$BATS_FILE_TMPDIR/sample" >"$tmp/0.pcap"
	tc-compile --seed 18446744073709551615 "$BATS_FILE_TMPDIR/sample" >"$tmp/1.pcap"
	for s in 0 1; do
		tcpdump -Snr "$tmp/$s.pcap" 'tcp[13] & 2 != 0' 2>/dev/null | grep -o 'seq [0-9]*' >"$tmp/$s"
	done
	[ "$(wc -l <"$tmp/0")" -gt 100 ]
	is "$(comm -12 <(sort -u "$tmp/0") <(sort -u "$tmp/1"))" ""
	tc-lift "$tmp/1.pcap" | cmp - "$BATS_FILE_TMPDIR/sample"
}

# --- what is written ---

@test "packets are written as long as they were captured" {
	tc-compile "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	cmp <(lengths "$tmp/b.pcap") <(lengths "$sample")
}

@test "--full writes whole packets" {
	tc-compile --full "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	cmp <(lengths "$tmp/b.pcap") <(lengths "$sample" | awk '{ print $2, $2 }')
	is "$(tshark -n -r "$tmp/b.pcap" -Y 'frame.cap_len != frame.len' 2>/dev/null)" ""
}

@test "--snaplen 60 writes 60 octets at most, of the same packets" {
	tc-compile --snaplen 60 "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	tcpdump -r "$tmp/b.pcap" -c 1 2>&1 | grep -c 'snapshot length 60$'
	cmp <(lengths "$tmp/b.pcap") <(lengths "$sample" | awk '{ print $1 < 60 ? $1 : 60, $2 }')
}

@test "--snaplen adds nothing to a packet that was captured shorter" {
	tc-compile --snaplen 1000 "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	cmp <(lengths "$tmp/b.pcap") <(lengths "$sample")
}

@test "--start moves the first packet to that time, in both forms, and nothing else" {
	tc-compile "$BATS_FILE_TMPDIR/sample" >"$tmp/0.pcap"
	packets_of() { tcpdump -tnxxr "$1" -c 2000 2>/dev/null; }
	steps() { tcpdump -tttnr "$1" 2>/dev/null | cut -d' ' -f1,2; }
	for start in 1795435200.25 2026-11-23T12:00:00.25Z; do
		tc-compile --start $start "$BATS_FILE_TMPDIR/sample" >"$tmp/1.pcap"
		is "$(tcpdump -ttnr "$tmp/1.pcap" -c 1 2>/dev/null | cut -d' ' -f1)" 1795435200.250000
		cmp <(steps "$tmp/1.pcap") <(steps "$tmp/0.pcap")
		cmp <(packets_of "$tmp/1.pcap") <(packets_of "$tmp/0.pcap")
	done
}

@test "--start moves further traces by the same amount" {
	tc-lift "$edge/one-packet-tcp.pcap" | tc-show >"$tmp/a"
	second=$(jq -r '.start // empty' "$tmp/a" | cut -d. -f1)
	{ cat "$tmp/a"; sed "s/\"start\":\"$second/\"start\":\"$((second + 3600))/" "$tmp/a"; } | tc-show --reverse |
		tc-compile --start 100 >"$tmp/b.pcap"
	is "$(tcpdump -ttnr "$tmp/b.pcap" 2>/dev/null | cut -d' ' -f1 | xargs)" "100.000000 3700.000000"
}

# --- names ---

@test "--map joins with tc-lift's on packet, kind and slot" {
	for f in "$sample" "$edge"/{many-hosts-ip6,mld-version-2,arp-request-reply,nd-redirect,mac-flood,link-type-sll}.pcap; do
		echo "$f"
		tc-lift -q --map "$tmp/who" "$f" | tc-compile --map "$tmp/as" -o "$tmp/b.pcap"
		is "$(cut -f1-3 "$tmp/as")" "$(cut -f1-3 "$tmp/who")"
		[ "$(wc -l <"$tmp/as")" -gt 4 ]
	done
	is "$(stat -c %a "$tmp/as")" 600
}

@test "with the maps joined, tshark finds each packet's ends renamed as they say" {
	f=$edge/many-flows-udp.pcap
	tc-lift --map "$tmp/who" "$f" | tc-compile --map "$tmp/as" -o "$tmp/b.pcap"
	paste "$tmp/who" "$tmp/as" | cut -f4,8 >"$tmp/names"
	ends() { tshark -n -r "$1" -T fields -e eth.src -e eth.dst -e ip.src -e ip.dst 2>/dev/null; }
	awk -F'\t' -v OFS='\t' 'NR == FNR { as[$1] = $2; next } { for (i = 1; i <= NF; i++) $i = as[$i] } 1' \
		"$tmp/names" <(ends "$f") >"$tmp/renamed"
	cmp "$tmp/renamed" <(ends "$tmp/b.pcap")
}

@test "addresses come from the documented ranges, class by class" {
	for f in "$sample" "$edge"/{link-local,loopback,group,mld,nat64,nd,odd-addresses,many-hosts,scan,mac-groups}*.pcap; do
		tc-lift -q --map "$tmp/who" "$f" | tc-compile --map "$tmp/as" -o "$tmp/b.pcap"
		paste "$tmp/who" "$tmp/as" | tail -n +2 | cut -f4,8 >>"$tmp/names"
	done
	python3 - "$tmp/names" <<-'PY'
		import sys
		from collections import Counter
		from ipaddress import ip_address, ip_network

		def within(address, ranges):
		    return any(ip_address(address) in ip_network(r) for r in ranges.split()
		               if ip_network(r).version == ip_address(address).version)

		CLASSES = [  # tracecodec(7), ADDRESSES: of this class, and what a compiled capture takes
		    ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7", "10.0.0.0/8 fd00::/64"),
		    ("loopback", "127.0.0.0/8", "127.0.0.0/8"),
		    ("link-local", "169.254.0.0/16 fe80::/10", "169.254.0.0/16 fe80::/64"),
		    ("solicited-node", "ff02::1:ff00:0/104", "ff02::1:ff00:0/104"),
		    ("group", "224.0.0.0/4 ff00::/8", "239.192.0.0/14 ff10::/12"),
		    ("global", "0.0.0.0/0 ::/0", "198.18.0.0/15 240.0.0.0/4 2001:db8::/64")]
		seen = Counter()
		for line in open(sys.argv[1]):
		    who, as_whom = line.rstrip("\n").split("\t")
		    if who.count(":") == 5 and "::" not in who and len(who) == 17:
		        group = int(who[:2], 16) & 1
		        assert as_whom.startswith("03:00:1" if group else "02:00:1"), line
		        seen["group MAC" if group else "MAC"] += 1
		        continue
		    name, _, taken = next(c for c in CLASSES if within(who, c[1]))
		    assert within(as_whom, taken), (name, line)
		    if name == "group" and ":" in who:
		        assert who[3] == as_whom[3], line  # the scope stays
		    seen[name, ip_address(who).version] += 1
		print(seen)
		assert len(seen) == 12, "not every class was seen"
	PY
}

@test "addresses that belong to a protocol stay" {
	files=("$edge"/{group-mdns,group-mdns-ip6,broadcast-dhcp,group-ssdp,llc-spanning-tree,nd-router,loopback-ip4,loopback-ip6}.pcap)
	mergecap -a -F pcap -w "$tmp/a.pcap" "${files[@]}"
	for f in "${files[@]}"; do tc-lift -q "$f"; done | tc-compile >"$tmp/b.pcap"
	for c in a b; do
		tshark -n -r "$tmp/$c.pcap" -T fields -e frame.number -e eth.dst -e ip.dst -e ipv6.dst 2>/dev/null | tr '\t' '\n' |
			grep -E '^(ff:ff|01:80|01:00:5e:00:00|33:33:00|224\.0\.|239\.255\.|255\.255|127\.0\.0\.1$|::1$|ff02::[0-9a-f]+$|[0-9]+$)' >"$tmp/$c"
	done
	[ "$(grep -c '[.:]' "$tmp/a")" -gt 30 ]
	diff "$tmp/b" "$tmp/a"
}

@test "no address of the input is in the output" {
	tc-lift --map "$tmp/who" -o "$tmp/a" "$sample"
	tc-compile --map "$tmp/as" --full "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	tshark -n -r "$tmp/b.pcap" -T fields -e eth.addr -e ip.addr -e ipv6.addr -e arp.src.hw_mac -e arp.dst.hw_mac \
		-e arp.src.proto_ipv4 -e arp.dst.proto_ipv4 -e icmpv6.nd.ns.target_address -e icmpv6.nd.na.target_address \
		-e icmpv6.opt.linkaddr 2>/dev/null | tr ',\t' '\n\n' | sort -u >"$tmp/there"
	grep -q '^198\.18\.' "$tmp/there"
	# Solicited-node groups are numbered from 1, as the sample's hosts happen to be.
	is "$(tail -n +2 "$tmp/who" | cut -f4 | grep -v '^ff02::1:ff00:' | grep -Fxf - "$tmp/there")" ""
}

@test "no link address and no IPv6 address of the input is anywhere among the octets of the output" {
	tc-lift --map "$tmp/who" -o "$tmp/a" "$sample"
	tc-compile --full "$tmp/a" >"$tmp/b.pcap"
	python3 - "$tmp/who" "$tmp/b.pcap" "$sample" <<-'PY'
		import sys
		from ipaddress import ip_address
		data, before = open(sys.argv[2], "rb").read(), open(sys.argv[3], "rb").read()
		names = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])][1:]
		packed = [bytes.fromhex(text.replace(":", "")) if what == "mac" else ip_address(text).packed
		          for _, what, _, text in names if ":" in text and not text.startswith("ff02::1:ff00:")]
		assert len(packed) > 30 and all(address in before for address in packed)
		assert not any(address in data for address in packed)
	PY
}

# --- what it makes right ---

# All outermost checksums of a capture of whole packets, as tshark sees them: 0 bad, 1 good.
checksums() {
	tshark -n -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o sctp.checksum:CRC-32c \
		-o udp.ignore_ipv6_zero_checksum:TRUE -r "$1" -Y "$2" 2>/dev/null
}
bad='ip.checksum.status#1 == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || sctp.checksum.status == 0 ||
	!icmp && !icmpv6 && (tcp.checksum.status == 0 || udp.checksum.status == 0)'

@test "all checksums of the sample, written whole, are right" {
	tc-compile --full "$BATS_FILE_TMPDIR/sample" >"$tmp/b.pcap"
	is "$(checksums "$tmp/b.pcap" "$bad")" ""
	tcp=$(tcpdump -nr "$tmp/b.pcap" --count 'tcp or (ip6 and ip6[6] = 6)' 2>/dev/null | cut -d' ' -f1)
	[ "$(checksums "$tmp/b.pcap" 'tcp.checksum.status == 1' | wc -l)" -ge "$tcp" ]
}

@test "so are those of fragments, ICMP, ICMPv6, neighbour discovery, SCTP and UDP" {
	for f in "$edge"/{fragments,icmp,icmp6,nd,mld,sctp,udp,pppoe-session,vlan,mpls-with,ip6-segments,tcp-sequence}-*.pcap; do
		case $f in
		*/udp-length-*) ;; # a length that lies
		*/fragments-short-tcp-flags*) ;; # the checksum stands in the second fragment, whose payload is zeros
		*) tc-lift -q "$f" ;;
		esac
	done | tc-compile --full >"$tmp/b.pcap"
	is "$(checksums "$tmp/b.pcap" "$bad")" ""
	for layer in ip tcp udp icmp icmpv6 sctp; do
		echo $layer
		[ "$(checksums "$tmp/b.pcap" "$layer.checksum.status == 1" | wc -l)" -ge 5 ]
	done
}

@test "the checksum takes the last address of a source route" {
	for f in "$edge"/ip4-source-route-{loose,strict}.pcap; do
		echo "$f"
		is "$(checksums "$f" "$bad")" ""
		tc-lift -q "$f" | tc-compile --full >"$tmp/b.pcap"
		is "$(checksums "$tmp/b.pcap" "$bad")" ""
	done
}

@test "the checksum of a UDP length of 0 over IPv6 is a jumbogram's" {
	f=$edge/udp-length-ip6.pcap
	is "$(checksums "$f" "$bad")" ""
	tc-lift -q "$f" | tc-compile --full >"$tmp/b.pcap"
	is "$(checksums "$tmp/b.pcap" "$bad")" ""
}

# --- actions that no lift would write ---

@test "what can't be granted is counted on standard error, and the capture is whole" {
	stream '{"flow":20}' '{"ttl":300,"flags":99999}' | tc-show --reverse >"$tmp/a"
	tc-compile "$tmp/a" 2>"$tmp/err" >"$tmp/b.pcap"
	is "$(cat "$tmp/err")" \
		"tc-compile: changed: 2 flow slots not open or out of range, 2 hosts that nobody named, 2 numbers out of range"
	is "$(packets "$tmp/b.pcap")" 4
	tc-compile -q "$tmp/a" 2>"$tmp/err" | cmp - "$tmp/b.pcap"
	is "$(cat "$tmp/err")" ""
}

@test "a number out of range is the nearest in range" {
	while read -r asked given; do
		stream "$asked" | tc-show --reverse | tc-compile 2>"$tmp/err" >"$tmp/b.pcap"
		is "$asked $(tc-lift -q "$tmp/b.pcap" | tc-show | sed -n 4p | jq -c "del(.t)")" "$asked $given"
		is "$(cat "$tmp/err")" "tc-compile: changed: 1 numbers out of range"
	done <<-'END'
		{"seq":5000000000} {"seq":-2147483648}
		{"seq":-5000000000} {"seq":-2147483648}
		{"ack":5000000000} {"ack":-2147483648}
		{"id":99999} {"id":-32768}
		{"id":-99999} {"id":-32768}
		{"ttl":300} {"ttl":255}
		{"ttl":-3} {"ttl":0}
		{"win":70000} {"win":65535}
		{"len":99999} {"len":65495}
	END
}

@test "a quoted header of a length that none can have is five words long" {
	for n in 1 4 16; do
		tc-lift -q "$edge/icmp-error-host-unreachable-unknown-flow.pcap" | tc-show |
			jq -c "if .quote then .quote[5] = $n else . end" | tc-show --reverse | tc-compile 2>"$tmp/err" >"$tmp/b.pcap"
		is "$(cat "$tmp/err")" "tc-compile: changed: 2 quotes of unknown packets"
		is "$(tc-lift -q "$tmp/b.pcap" | tc-show | jq 'select(.quote).quote[5]' | xargs)" "5 5"
	done
}

@test "an ethertype of 1500 or less is a length, of 802.3" {
	while read -r asked length changed; do
		stream | sed '2,3d' | sed "1a {\"open\":1,\"proto\":$asked,\"len\":200,\"src_mac\":[0,0],\"dst_mac\":[1,0]}" |
			tc-show --reverse | tc-compile 2>"$tmp/err" >"$tmp/b.pcap"
		is "$(tc-lift -q "$tmp/b.pcap" | tc-show | sed -n 2p | jq -c '[.proto, .link]')" "[65536,[$length]]"
		is "$(cat "$tmp/err")" "tc-compile: changed: $changed headers that contradict each other"
	done <<-'END'
		65636 100 1
		65539 3 1
		65736 200 1
		67000 200 2
	END
}

@test "--strict stops at the first odd action and names its record" {
	stream '{"ttl":300}' '{"flow":20}' | tc-show --reverse >"$tmp/a"
	refused "tc-compile: $tmp/a: record 3: numbers out of range" tc-compile --strict -o "$tmp/b" "$tmp/a"
	[ ! -e "$tmp/b" ]
	stream '{}' '{"flow":20}' | tc-show --reverse >"$tmp/a"
	refused "tc-compile: $tmp/a: record 4: flow slots not open or out of range" tc-compile --strict -o "$tmp/b" "$tmp/a"
}

@test "a made-up group's link address is nobody else's: one that was not the group's stays so" {
	line='{"flow":1,"len":28,"ttl":1,"open":1,"proto":59,"orig_h":[2,11,0,1],"resp_h":[3,12,2],"src_mac":[2,0],"dst_mac":"33:33:00:00:00:01"}'
	stream "$line" | tc-show --reverse | tc-compile | tc-lift -q | tc-show >"$tmp/a"
	is "$(sed -n 4p "$tmp/a" | jq -c .dst_mac)" '"33:33:00:00:00:01"'
}

@test "--strict has nothing to say about what was lifted" {
	for f in "$sample" "$edge"/{arp,tcp-option,fragments,icmp-echo,icmp-error,nd,vlan,runt,time}-*.pcap; do
		echo "$f"
		tc-lift -q "$f" >"$tmp/a"
		tc-compile --strict "$tmp/a" 2>"$tmp/err" >"$tmp/b.pcap"
		is "$(cat "$tmp/err")" ""
	done
}

# scrambled FILE: a stream of any actions compiles to as many packets, and what they lift to compiles to the same.
scrambled() {
	tc-compile -q "$1" >"$1.pcap"
	is "$(packets "$1.pcap")" "$(end "$1" | cut -d' ' -f1)"
	tc-lift -q "$1.pcap" >"$tmp/once"
	tc-compile --strict "$tmp/once" | tc-lift -q | cmp - "$tmp/once"
}

# tshark reads as many packets as there are in all the captures, and finds the end of each.
readable() {
	mergecap -a -w "$tmp/all" "$@"
	tshark -n -r "$tmp/all" >"$tmp/read" 2>"$tmp/err"
	is "$(grep -v 'Running as user' "$tmp/err")" ""
	is "$(wc -l <"$tmp/read")" "$(for f; do packets "$f"; done | awk '{ n += $1 } END { print n }')"
}

@test "any actions compile: random ones" {
	for seed in {1..20}; do
		echo "$seed"
		scramble $seed >"$tmp/$seed"
		scrambled "$tmp/$seed"
	done
	readable "$tmp"/*.pcap
}

@test "any actions compile: a lifted stream with fields dropped, added and changed" {
	for seed in {1..20}; do
		echo "$seed"
		scramble $seed "$BATS_FILE_TMPDIR/sample" >"$tmp/$seed"
		scrambled "$tmp/$seed"
	done
	readable "$tmp"/{1,2}.pcap
}

# --- several traces ---

@test "two streams joined give one capture, and no address twice" {
	for f in tcp-plain-ip4 many-flows-udp; do tc-lift -q "$edge/$f.pcap" >"$tmp/$f"; done
	cat "$tmp/tcp-plain-ip4" "$tmp/many-flows-udp" "$tmp/tcp-plain-ip4" | tc-compile --map "$tmp/as" >"$tmp/b.pcap"
	is "$(packets "$tmp/b.pcap")" \
		$((2 * $(packets "$edge/tcp-plain-ip4.pcap") + $(packets "$edge/many-flows-udp.pcap")))
	is "$(cut -f4 "$tmp/as" | sort | uniq -d)" ""
	tail -n 1 "$tmp/as" | grep -qE "^$(($(packets "$tmp/b.pcap") - $(packets "$edge/tcp-plain-ip4.pcap") + 1))	"
}

@test "streams of different link types don't go into one capture" {
	cat <(tc-lift "$edge/one-packet-tcp.pcap") <(tc-lift -q "$edge/link-type-sll.pcap") >"$tmp/a"
	refused "tc-compile: $tmp/a: *link type 113*" tc-compile -o "$tmp/b" "$tmp/a"
	[ ! -e "$tmp/b" ]
}

@test "a datagram of IPv4 that no length field holds, of which nothing was captured, has the largest that there is" {
	stream '{"flow":1,"open":1,"orig_h":0,"resp_h":1,"orig_p":5,"resp_p":53,"proto":17,"frag":0,"len":70000,"ip_len":0,"cap":0}' |
		tc-show -r | tc-compile -q --full -o "$tmp/a"
	is "$(tshark -n -r "$tmp/a" -Y udp -T fields -e ip.len -e udp.length 2>/dev/null | cut -f2)" 65535
	tests/malformed.py "$tmp/a"
}
