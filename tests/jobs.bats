# --jobs: more threads, and nothing else.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	bin/tc-lift -q tests/fixtures/sample.pcap >"$BATS_FILE_TMPDIR/a"
	bin/tc-enc -q "$BATS_FILE_TMPDIR/a" >"$BATS_FILE_TMPDIR/l"
}

@test "the same octets for any number of threads" {
	in=$BATS_FILE_TMPDIR
	tc-dec "$in/l" >"$tmp/b"
	for n in 0 2 3 16; do
		cmp <(tc-enc -q --jobs $n "$in/a") "$in/l"
		cmp <(tc-dec --jobs $n "$in/l") "$tmp/b"
	done
	for form in '--latent-type f32' --no-cache '--sample --seed 3' '--no-refine --no-patch'; do
		cmp <(tc-enc -q --jobs 3 $form "$in/a") <(tc-enc -q $form "$in/a")
	done
	cmp <(tc-dec --jobs 3 --no-cache "$in/l") "$tmp/b"
}

# A latent that takes long to say, twice: the decoder remembers no action of that length.
@test "long actions that come again are decoded again" {
	in=$BATS_FILE_TMPDIR
	for f in "$edge"/{icmp,tcp,udp,arp,vlan}-*.pcap; do tc-lift -q "$f" 2>/dev/null || true; done >"$tmp/a"
	cat "$tmp/a" "$in/a" "$tmp/a" "$tmp/a" | tc-enc -q >"$tmp/l"
	tc-dec --no-cache "$tmp/l" >"$tmp/b"
	for n in 1 3; do cmp <(tc-dec --jobs $n "$tmp/l") "$tmp/b"; done
}

@test "--stats counts the same" {
	in=$BATS_FILE_TMPDIR
	for n in 1 4; do
		tc-enc -q --jobs $n --stats "$in/a" 2>&1 >"$tmp/l" | jq -cS 'del(.seconds)' >"$tmp/enc$n"
		tc-dec --jobs $n --stats "$in/l" 2>&1 >"$tmp/b" | jq -cS 'del(.seconds)' >"$tmp/dec$n"
	done
	is "$(jq .packets "$tmp/enc1")" "$(packets "$sample")"
	cmp "$tmp/enc1" "$tmp/enc4"
	cmp "$tmp/dec1" "$tmp/dec4"
}

@test "what breaks off ends as it does with one thread, and all before it is there" {
	in=$BATS_FILE_TMPDIR
	head -c 300000 "$in/a" >"$tmp/a"
	head -c 3000000 "$in/l" >"$tmp/l"
	for line in "tc-enc -q $tmp/a" "tc-dec $tmp/l"; do
		run -1 bash -c "$line >'$tmp/one' 2>'$tmp/said'"
		run -1 bash -c "$line --jobs 4 >'$tmp/four' 2>'$tmp/said4'"
		cmp "$tmp/one" "$tmp/four"
		cmp "$tmp/said" "$tmp/said4"
		is "$(wc -l <"$tmp/said")" 1
	done
}

@test "what is ready is written before more is waited for; behind ^C all of it" {
	in=$BATS_FILE_TMPDIR
	mkfifo "$tmp/in"
	for line in "tc-enc -q a" "tc-dec l"; do
		tool=${line% *} of=$in/${line##* }
		$tool --jobs 3 "$tmp/in" >"$tmp/got" 2>"$tmp/err" 3>&- &
		exec 4>"$tmp/in"
		head -c 300000 "$of" >&4
		head -c 300000 "$of" >"$tmp/part"
		n=$(tc-show "$tmp/part" 2>/dev/null | wc -l) || true
		came() { [ "$(tc-show "$tmp/got" 2>/dev/null | wc -l)" -ge $((n - 1)) ]; }
		eventually came
		kill -INT $!
		status=0
		wait $! || status=$?
		exec 4>&-
		is "$status" 130
		is "$(end "$tmp/got" | cut -d' ' -f3)" interrupted
	done
}

@test "sixteen threads stay under 256 MiB" {
	in=$BATS_FILE_TMPDIR
	for line in "tc-enc -q $in/a" "tc-dec $in/l"; do
		( ulimit -v 6000000; /usr/bin/python3 - $line --jobs 16 <<-'PY'
			import resource, subprocess, sys
			subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
			size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
			print(sys.argv[1], size, "KiB")
			assert size < 256 << 10
		PY
		)
	done
}

@test "as many as there are processors, or from 1 to 64" {
	for tool in tc-enc tc-dec; do
		misused $tool --jobs 65
		misused $tool --jobs -1
		misused $tool --jobs many
	done
}
