# --jobs: more threads, and nothing else.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	bin/tc-lift -q tests/fixtures/sample.pcap >"$BATS_FILE_TMPDIR/a"
	bin/tc-enc -q "$BATS_FILE_TMPDIR/a" >"$BATS_FILE_TMPDIR/l"
	bin/tc-compile -q "$BATS_FILE_TMPDIR/a" >"$BATS_FILE_TMPDIR/p"
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

@test "the same octets for any number of threads: captures, their maps and what is said of them" {
	in=$BATS_FILE_TMPDIR
	cat "$in/a" "$in/a" >"$tmp/two"
	for n in 1 0 2 16; do
		tc-lift --cap 64 --map "$tmp/lift.$n" --jobs $n -o "$tmp/act.$n" "$sample" "$edge/snapped-at-10-in-ethernet.pcap" "$sample" \
			2>>"$tmp/said.$n"
		tc-compile --snaplen 60 --map "$tmp/compile.$n" --jobs $n -o "$tmp/pcap.$n" "$tmp/two" 2>>"$tmp/said.$n"
		tc-lift -q --jobs $n "$sample" >"$tmp/a.$n"
		tc-compile -q --jobs $n "$in/a" >"$tmp/p.$n"
		for f in lift act compile pcap said a p; do cmp "$tmp/$f.$n" "$tmp/$f.1"; done
	done
	cmp "$tmp/a.1" "$in/a"
	cmp "$tmp/p.1" "$in/p"
	[ -s "$tmp/said.1" ]
}

@test "a report is the same for any number of threads, and so is trouble" {
	in=$BATS_FILE_TMPDIR
	gzip -c "$sample" >"$tmp/z"
	head -c 1000000 "$sample" >"$tmp/cut"
	head -c 300000 "$in/a" >"$tmp/cut.act"
	for traces in "$sample $in/p" "$in/a $tmp/z" "--reference $in/p $in/a $sample" "--paired $sample $in/p" "--flows $in/a $in/p" \
		"$tmp/cut $tmp/cut.act" "$tmp/cut.act $in/p" "--reference $tmp/cut $in/p $tmp/cut.act"; do
		for n in 1 2 3; do
			form=--json
			[[ $traces = --flows* ]] && form=
			status=0
			tc-diff $form --jobs $n $traces >"$tmp/report.$n" 2>&1 || status=$?
			echo "exit $status" >>"$tmp/report.$n"
			cmp "$tmp/report.$n" "$tmp/report.1"
		done
	done
	grep -q 'exit 2' "$tmp/report.1"
	cmp <(cat "$sample" | tc-diff --jobs 2 - "$in/p") <(cat "$sample" | tc-diff - "$in/p")
}

@test "strictness stops at the same packet, and says why" {
	in=$BATS_FILE_TMPDIR
	tc-show "$in/a" | awk 'NR == 2000 { sub(/}$/, ",\"ttl\":999}") } { print }' | tc-show --reverse >"$tmp/odd"
	for n in 1 2 3; do
		run -1 --separate-stderr bash -c "tc-compile --strict --jobs $n '$tmp/odd' >'$tmp/p.$n'"
		is "$stderr" "tc-compile: $tmp/odd: record 1999: numbers out of range"
		cmp "$tmp/p.$n" "$tmp/p.1"
	done
	is "$(packets "$tmp/p.1")" 1999
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
	head -c 1000000 "$sample" >"$tmp/p"
	for line in "tc-enc -q $tmp/a" "tc-dec $tmp/l" "tc-lift -q $tmp/p" "tc-compile -q $tmp/a"; do
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
	lines() { if [[ $tool = tc-compile* ]]; then tcpdump -tnr -; else tc-show; fi 2>/dev/null | wc -l; }
	for line in "tc-enc -q a" "tc-dec l" "tc-lift -q p" "tc-compile -q a"; do
		tool=${line% *}
		head -c 300000 "$in/${line##* }" >"$tmp/part"
		n=$($tool "$tmp/part" 2>/dev/null | lines) || true
		[ "$n" -gt 1000 ]
		$tool --jobs 3 "$tmp/in" >"$tmp/got" 2>"$tmp/err" 3>&- &
		exec 4>"$tmp/in"
		cat "$tmp/part" >&4
		came() { [ "$(lines <"$tmp/got")" -ge $((n - 1)) ]; }
		eventually came
		kill -INT $!
		status=0
		wait $! || status=$?
		exec 4>&-
		is "$status" 130
		[[ $tool = tc-compile* ]] || is "$(end "$tmp/got" | cut -d' ' -f3)" interrupted
	done
}

@test "sixteen threads stay under 256 MiB" {
	in=$BATS_FILE_TMPDIR
	for line in "tc-enc -q $in/a" "tc-dec $in/l" "tc-lift -q $in/p" "tc-compile -q $in/a" "tc-diff $in/a $in/p"; do
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
	for tool in tc-enc tc-dec tc-lift tc-compile tc-diff; do
		misused $tool --jobs 65
		misused $tool --jobs -1
		misused $tool --jobs many
	done
}
