# Each of examples/ runs, on the sample or a part of it, and gives what its comment says.

load helper

# few: the first 3000 packets of the sample, as a capture.
few() { tcpdump -r "$sample" -c 3000 -w "$tmp/few.pcap" 2>/dev/null; }

@test "every example has a test, a place in the README, and says at its top what it is for" {
	for f in examples/*; do
		name=${f##*/}
		echo "$name"
		grep -q "$name" tests/*.bats
		grep -q "$name" README.md || [ "$name" = live.py ] || [ "$name" = latent_edit.py ]
		[ -x "$f" ] || [ "$name" = latent_edit.py ]
		head -n 2 "$f" | grep -qE "^(# |\"\"\")$name"
	done
}

@test "examples, misused, say what they want" {
	for f in share compare hour batch live attack; do
		run -2 --separate-stderr examples/$f.sh
		[[ $stderr = $f.sh\ * ]]
	done
}

@test "share.sh: the same behaviour, in 2000, and nothing differs" {
	examples/share.sh "$sample" "$tmp/out.pcap" >"$tmp/said"
	cat "$tmp/said"
	grep -q 'B is as A' "$tmp/said"
	is "$(tcpdump -ttnr "$tmp/out.pcap" -c 1 2>/dev/null | cut -d' ' -f1)" 946728000.000000
	is "$(packets "$tmp/out.pcap")" "$(packets "$sample")"
}

@test "compare.sh: a capture stands in for itself, and not for another" {
	few
	examples/compare.sh "$tmp/few.pcap" "$tmp/few.pcap" "$tmp/same.html" >"$tmp/said"
	grep -q '^Verdict' "$tmp/said"
	grep -q '</html>' "$tmp/same.html"
	run -1 examples/compare.sh "$tmp/few.pcap" "$edge/duplicates.pcap" "$tmp/other.html"
	[ -s "$tmp/other.html" ]
	run -2 examples/compare.sh "$tmp/few.pcap" "$tmp/none" "$tmp/other.html"
}

@test "hour.sh: as many seconds as are asked for" {
	few
	examples/hour.sh "$tmp/few.pcap" "$tmp/hour.pcap" 20 60 >"$tmp/said" 2>&1
	grep -q '^Verdict' "$tmp/said"
	[ -s "$tmp/hour.pcap.tcg" ]
	tcpdump -ttnr "$tmp/hour.pcap" 2>/dev/null | awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(NR > 10 && last - first <= 20) }'
}

@test "latents.py: shape, blocks, neighbours" {
	few
	tc-lift -q "$tmp/few.pcap" | tc-enc -q --no-refine >"$tmp/lat"
	python3 examples/latents.py "$tmp/lat" >"$tmp/said"
	cat "$tmp/said"
	grep -qE '^3000 packets, [0-9]+ coordinates, ' "$tmp/said"
	grep -qE '^when +8 coordinates' "$tmp/said"
	grep -qE '^what\.[0-9]+ +is about [a-z]+.*: share 0\.[0-9]+' "$tmp/said"
	grep -qE '^[1-9][0-9]* different points; nearest to packet 1500:' "$tmp/said"
	grep -qE '^  0\.00 away, +[1-9]' "$tmp/said"
}

@test "batch.sh: what is missing, and no more" {
	mkdir -p "$tmp/caps/a b"
	cp "$edge"/tcp-plain-ip*.pcap "$tmp/caps/a b"
	cp "$edge/empty.pcap" "$tmp/caps"
	examples/batch.sh "$tmp/caps"
	is "$(find "$tmp/caps" -name '*.lat' | wc -l)" 3
	is "$(tc-dec "$tmp/caps/a b/tcp-plain-ip6.pcap.lat" | end)" "$(tc-lift -q "$edge/tcp-plain-ip6.pcap" | end)"
	touch -d @0 "$tmp/caps/"*.lat "$tmp/caps/a b/"*.lat
	rm "$tmp/caps/empty.pcap.lat"
	examples/batch.sh "$tmp/caps" 4
	is "$(find "$tmp/caps" -name '*.lat' -newermt @1 | wc -l)" 1
	echo nothing >"$tmp/caps/bad.pcap"
	run -123 examples/batch.sh "$tmp/caps"
	[ ! -e "$tmp/caps/bad.pcap.lat" ]
}

@test "live.sh: packets are counted as they come" {
	mkdir "$tmp/bin"
	printf '#!/bin/sh\necho "$*" >"%s"\nhead -c 50000 "%s"\nsleep 1.5\ntail -c +50001 "%s"\n' \
		"$tmp/options" "$sample" "$sample" >"$tmp/bin/tcpdump"
	chmod +x "$tmp/bin/tcpdump"
	PATH=$tmp/bin:/usr/bin:$PATH examples/live.sh eth0 >"$tmp/said"
	cat "$tmp/said" "$tmp/options"
	grep -q -- '--immediate-mode -U .*-i eth0' "$tmp/options"
	[ "$(wc -l <"$tmp/said")" -ge 2 ]
	is "$(awk '{ n += $1 } END { print n }' "$tmp/said")" 26499
	# live.py by itself, of what was interrupted.
	is "$(tc-lift -q "$edge/tcp-plain-ip4.pcap" | tc-enc -q | head -c 2500 | python3 examples/live.py | wc -l)" 1
}

# window, TTL: of the TCP packets of a capture, the mean as tshark reads it.
mean() { tshark -n -r "$1" -Y 'tcp and ip and not icmp' -T fields -e "$2" 2>/dev/null | awk '{ s += $1; n++ } END { print s / n }'; }

# near ACTUAL WANTED SHARE
near() { awk -v a="$1" -v w="$2" -v s="$3" 'BEGIN { print a, "for", w; exit !(a >= w * (1 - s) && a <= w * (1 + s)) }'; }

# edited NAME ARGUMENT...: what edit-NAME.py says, in $tmp/said; what it makes, in $tmp/out.pcap.
edited() {
	python3 "examples/edit-$1.py" "$sample" "$tmp/out.pcap" "${@:2}" >"$tmp/said" 2>&1 || { cat "$tmp/said"; return 1; }
	cat "$tmp/said"
	grep -qE "^[0-9]+ metrics didn't move; those that did, and are not tied to it, are within the floor$" "$tmp/said"
	is "$(packets "$tmp/out.pcap")" "$(packets "$sample")"
}

@test "edit-ttl.py: TTLs are what was asked for, and nothing else moves, by the directions that latent_edit.py measures" {
	edited ttl 0.75
	near "$(mean "$tmp/out.pcap" ip.ttl)" "$(mean "$sample" ip.ttl | awk '{ print $1 * 0.75 }')" 0.05
	# By directions alone, more than half.
	[ "$(sed -nE 's/^ttl: of [0-9]+ packets ([0-9]+) have.*/\1/p' "$tmp/said")" -ge 45 ]
}

@test "edit-window.py: windows are what was asked for, and nothing that isn't tied to them moves" {
	edited window 0.5
	near "$(mean "$tmp/out.pcap" tcp.window_size_value)" "$(mean "$sample" tcp.window_size_value | awk '{ print $1 * 0.5 }')" 0.05
	[ "$(sed -nE 's/^win: of [0-9]+ packets ([0-9]+) have.*/\1/p' "$tmp/said")" -ge 4000 ]
}

@test "edit-duration.py: flows last as long as was asked for, and nothing that isn't tied to time moves" {
	edited duration 1.5
	length() { tc-diff --flows "$1" "$1" | awk -F '\t' '$1 == "A" { s += $3; n++ } END { print s / n }'; }
	near "$(length "$tmp/out.pcap")" "$(length "$sample" | awk '{ print $1 * 1.5 }')" 0.1
}

@test "edit-mix.py: half of the flows to a port go to another one" {
	edited mix 80 443 0.5
	grep -qE 'now 161; 160 go to port 443' "$tmp/said"
	is "$(tshark -n -r "$tmp/out.pcap" -Y 'tcp.flags == 2 && tcp.dstport == 443' -T fields -e tcp.stream 2>/dev/null | sort -u | wc -l)" \
		"$(tc-lift -q "$tmp/out.pcap" | tc-show | jq -c 'select(.open and .resp_p == 443 and .flags == 2)' | wc -l)"
}

@test "attack.sh: a scan in web traffic, at its time, of hosts that are there; tshark finds the labels right" {
	tcpdump -r "$sample" -w "$tmp/web.pcap" 'tcp port 80' 2>/dev/null
	examples/attack.sh "$tmp/web.pcap" "$edge/scan-ports.pcap" "$tmp/out" >"$tmp/said"
	cat "$tmp/said"
	is "$(awk '{ n += $1 } END { print n }' "$tmp/said")" $(($(packets "$tmp/web.pcap") + $(packets "$edge/scan-ports.pcap")))
	# The web is port 80, and the scan, of ports from 1 to 36 here, isn't.
	tshark -n -r "$tmp/out/task.pcap" -T fields -e frame.number -e tcp.srcport -e tcp.dstport -e tcp.stream -e ip.src -e ipv6.src 2>/dev/null |
		awk -F'\t' -v OFS='\t' '{ print $1, ($2 == 80 || $3 == 80 ? "background.act" : "attack.act"), $4, $5 $6 }' >"$tmp/frames"
	cut -f1,2 "$tmp/frames" | cmp - <(sed 1d "$tmp/out/truth.tsv" | cut -f1,2)
	[ "$(grep -c attack "$tmp/frames")" -gt 50 ]
	# A flow there is a stream here, one to one.
	paste <(sed 1d "$tmp/out/truth.tsv" | cut -f3) <(cut -f3 "$tmp/frames") | sort -u >"$tmp/pairs"
	is "$(cut -f1 "$tmp/pairs" | sort | uniq -d)" ""
	is "$(cut -f2 "$tmp/pairs" | sort | uniq -d)" ""
	hosts() { grep "$1" "$tmp/frames" | cut -f4 | sort -u; }
	is "$(comm -23 <(hosts attack) <(hosts background))" ""
	is "$(sed -n '1p;$p' "$tmp/frames" | cut -f2 | sort -u)" background.act
}
