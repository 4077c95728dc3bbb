# Whatever the latents, and whatever the actions, tshark finds nothing malformed in the capture, link to transport layer.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	tcpdump -r tests/fixtures/sample.pcap -w "$BATS_FILE_TMPDIR/few" -c 2500 2>/dev/null
	tc-lift -q "$BATS_FILE_TMPDIR/few" | tc-enc -q >"$BATS_FILE_TMPDIR/latents"
}

@test "the judge finds what is malformed" {
	run -1 tests/malformed.py "$edge"/{udp-length-ip4,tcp-offset-under-5-3,ip4-total-length-large-udp,icmp-short-4}.pcap
	for fault in udp.length.bad tcp.bogus_header_length ip.bogus_ip_length; do grep -q "$fault" <<<"$output"; done
}

@test "latents with noise, a little and a lot" {
	for spread in 0.01 0.1 0.3 1 3; do
		python3 tests/noise.py --write $spread <"$BATS_FILE_TMPDIR/latents" | tc-dec -q |
			tc-compile -q --full -o "$tmp/$spread.pcap"
	done
	tests/malformed.py "$tmp"/*.pcap
	# There was something to make sound.
	python3 tests/noise.py --write 3 <"$BATS_FILE_TMPDIR/latents" | tc-dec -q | tc-compile 2>&1 >/dev/null |
		grep -qE '[0-9]{2} headers that contradict each other'
}

@test "latents that are nothing but noise" {
	for seed in 1 2 3; do
		python3 tests/noise.py --draw $seed <"$BATS_FILE_TMPDIR/latents" | tc-dec -q |
			tc-compile -q --full -o "$tmp/$seed.pcap"
	done
	tests/malformed.py "$tmp"/*.pcap
}

@test "random actions, unless they say that it is meant" {
	for seed in {1..12}; do
		scramble $seed >"$tmp/act"
		[ "$(tc-show "$tmp/act" | jq -s ".[0].link")" = 1 ] || continue
		tc-show "$tmp/act" | jq -c 'del(.as_is)' | tc-show --reverse | tc-compile -q --full -o "$tmp/$seed.pcap"
	done
	tests/malformed.py "$tmp"/*.pcap
}

@test "what a capture has that is malformed stays so, also through the codec, by patches" {
	for f in "$edge"/{udp-length-ip4,tcp-offset-under-5-3,ip4-total-length-large-udp,icmp-short-4}.pcap; do
		tc-lift -q "$f" >"$tmp/a"
		tc-show "$tmp/a" | grep -q '"as_is":1'
		tc-compile --strict "$tmp/a" | tc-lift -q | cmp - "$tmp/a"
		cmp <(tc-show "$tmp/a" | sed -E 's/"d?t":[^,}]*,?//g') <(tc-enc -q "$tmp/a" | tc-dec | tc-show | sed -E 's/"d?t":[^,}]*,?//g')
	done
}

@test "an ICMP message that is shorter than its type wants is as it is meant; one of just that length needs no licence" {
	lengths='{4: {0: 8, 8: 8, 10: 8, 13: 20, 14: 20, 15: 8, 17: 12, 18: 12}, 6: {128: 8, 129: 8, 130: 24, 131: 24, 132: 24,
		133: 8, 134: 16, 135: 24, 136: 24, 137: 40, 138: 16, 139: 16, 140: 16, 141: 8, 144: 8, 145: 24, 146: 8, 147: 8, 155: 8}}'
	PYTHONPATH=tests/fixtures python3 -B - "$lengths" >"$tmp/a" <<-'END'
		import sys
		from wire import *
		def message(version, type, length):
		    octets = bytes([type]) + bytes(length - 1)
		    if version == 4:
		        return packet(A, B, Layer(summed(octets, 2), ICMP))
		    return packet(A6, B6, Layer(octets, ICMP6, check=(ICMP6, 0, 2)))
		sys.stdout.buffer.write(pcap(message(version, type, length) for version, types in eval(sys.argv[1]).items()
		    for type, least in types.items() for length in (least - 1, least)))
	END
	n=$(grep -oE '[0-9]+: [0-9]' <<<"$lengths" | wc -l)
	is "$(tc-lift -q "$tmp/a" | tc-show | sed '1d;$d' | jq .as_is | xargs)" "$(yes 1 null | head -n $n | xargs)"
}
