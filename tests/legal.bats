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
