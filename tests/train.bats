# tc-train: small networks, few steps. What it writes is good weights, the same each time, also when it was broken off.

load helper

small=(--latent 32 --encoder 32 --trunk 32 --detail 32)

# training ARGUMENT...: of a small network, and what the tests say last takes the place of what they said before.
training() {
	local -A value=([--batch]=256 [--threads]=1)
	local each arguments=() others=()
	set -- "${small[@]}" "$@"
	while (($#)); do
		case $1 in
		-?*) value[$1]=$2 && shift ;;
		*) others+=("$1") ;;
		esac
		shift
	done
	for each in "${!value[@]}"; do arguments+=("$each" "${value[$each]}"); done
	tc-train "${arguments[@]}" "${others[@]}"
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	tc-lift -q tests/fixtures/sample.pcap >"$in/a"
	{ tc-show "$in/a" | head -n 2001; echo '{"end":"whole"}'; } | tc-show --reverse >"$in/few"
	training --steps 64 --report 16 -o "$in/w" "$in/a" 2>"$in/said"
}

# steady [STREAM]: its actions as JSON, without the time steps.
steady() { tc-show "$@" | sed -E 's/"d?t":[^,}]*,?//g'; }

# losses FILE: reconstruction and KL rate, of each report in it.
losses() { sed -nE 's/^[0-9]+ steps, .*: ([0-9.]+) nats of reconstruction, KL ([0-9.]+).*/\1 \2/p' "$1"; }

# train OPTION...: a small training of 24 steps on some packets, into $tmp/w.
train() { training --steps 24 --report 8 -o "$tmp/w" "$@" "$BATS_FILE_TMPDIR/few" 2>"$tmp/said"; }

# --- what it writes ---

@test "the losses fall" {
	cat "$BATS_FILE_TMPDIR/said"
	is "$(losses "$BATS_FILE_TMPDIR/said" | wc -l)" 4
	losses "$BATS_FILE_TMPDIR/said" | awk 'NR == 1 { a = $1; b = $2 } { x = $1; y = $2 } END { exit !(x < 0.9 * a && y < 0.9 * b) }'
}

@test "what it will take is said after some steps, and what is left as it goes; a folder that isn't there at once" {
	cat "$BATS_FILE_TMPDIR/said"
	is "$(grep -cE '^tc-train: 64 steps will take some [0-9]+ s$' "$BATS_FILE_TMPDIR/said")" 1
	is "$(grep -cE '^[0-9]+ steps, [0-9]+ s, [0-9]+ s left: ' "$BATS_FILE_TMPDIR/said")" 4
	grep -qE '^64 steps, [0-9]+ s, 0 s left: ' "$BATS_FILE_TMPDIR/said"
	train --steps 20 --report 20
	is "$(sed -E 's/( steps will take| steps,| packets).*/\1/' "$tmp/said" | xargs)" \
		"tc-train: 2000 packets tc-train: 20 steps will take 20 steps,"
	run -1 --separate-stderr training --steps 100000000 -o "$tmp/none/w" "$BATS_FILE_TMPDIR/few"
	is "$stderr" "tc-train: $tmp/none/w: No such file or directory"
}

@test "the first line counts what was read" {
	is "$(sed -nE '1s/^tc-train: ([0-9]+) packets of ([0-9]+) traces, [0-9]+ of them different; ([0-9]+) packets of ([0-9]+) traces held back$/\1 \2 \3 \4/p' \
		"$BATS_FILE_TMPDIR/said")" "$(packets "$sample") 1 0 0"
	cat "$BATS_FILE_TMPDIR/few"{,,} >"$tmp/three"
	training --steps 1 --held 3 -o "$tmp/w" "$tmp/three" 2>"$tmp/said"
	grep -q '^tc-train: 4000 packets of 2 traces, .*; 2000 packets of 1 traces held back$' "$tmp/said"
	grep -q '; held back: whole ' "$tmp/said"
}

@test "encoder and decoder take the weights; patches do the rest" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --refine 5 --weights "$in/w" "$in/a" >"$tmp/l"
	tc-dec --weights "$in/w" "$tmp/l" >"$tmp/b"
	cmp <(steady "$in/a") <(steady "$tmp/b")
	is "$(python3 -c 'import msgpack, sys; h = next(msgpack.Unpacker(sys.stdin.buffer)); print(*h["blocks"].values(), h["weights"])' <"$tmp/l")" \
		"32 16 8 $(tail -c 32 "$in/w" | od -An -v -tx1 | tr -d ' \n')"
	is "$(head -c -32 "$in/w" | sha256sum | cut -d' ' -f1)" "$(tail -c 32 "$in/w" | od -An -v -tx1 | tr -d ' \n')"
	refused "tc-dec: $tmp/l: made with other weights (*" tc-dec "$tmp/l"
}

@test "a network of the smallest sizes trains, and encodes" {
	in=$BATS_FILE_TMPDIR
	tc-train --latent 1 --encoder 1 --trunk 1 --detail 1 --batch 16 --threads 1 --steps 5 -o "$tmp/w" "$in/few" 2>/dev/null
	tc-enc -q --refine 5 --weights "$tmp/w" "$in/few" | tc-dec --weights "$tmp/w" >"$tmp/b"
	cmp <(steady "$in/few") <(steady "$tmp/b")
}

@test "more is learned from some packets in many steps" {
	in=$BATS_FILE_TMPDIR
	tc-lift -q "$edge/tcp-plain-ip4.pcap" >"$tmp/a"
	training --batch 64 --steps 600 --rate 0.01 --augment 0 --balance 0 --beta 0 --report 600 -o "$tmp/w" "$tmp/a" 2>"$tmp/said"
	cat "$tmp/said"
	tc-enc -q --stats --no-refine --weights "$tmp/w" "$tmp/a" 2>"$tmp/stats" >"$tmp/l"
	jq -e '.whole >= 0.9 * .packets' "$tmp/stats"
	is "$(sed -nE 's/.*known: whole ([0-9.]+) %.*/\1/p' "$tmp/said")" "$(jq -r '.whole / .packets * 100' "$tmp/stats" | xargs printf %.3f)"
}

# --- the same, and not ---

@test "the same options, the same octets; another seed or number of workers, others" {
	for run in 1 2; do
		train
		mv "$tmp/w" "$tmp/w$run"
	done
	cmp "$tmp/w1" "$tmp/w2"
	for other in '--seed 2' '--threads 2' '--rate 0.001' '--beta 1' '--augment 0' '--balance 0' '--decay 1' '--steps 25'; do
		echo "$other"
		train $other
		cmp -s "$tmp/w" "$tmp/w1" && false
	done
	train --threads 2
	mv "$tmp/w" "$tmp/w2"
	train --threads 2
	cmp "$tmp/w" "$tmp/w2"
	train --report 5 --held 0 --seed 1
	cmp "$tmp/w" "$tmp/w1"
}

@test "one read from a pipe, written to standard output" {
	train
	cat "$BATS_FILE_TMPDIR/few" | training --steps 24 -o - 2>/dev/null | cmp - "$tmp/w"
}

@test "a training that was interrupted goes on from its checkpoint to the same weights" {
	for threads in 1 2; do
		again=(tc-train "${small[@]}" --batch 64 --threads $threads --steps 150 --report 10 "$BATS_FILE_TMPDIR/few")
		rm -f "$tmp"/{w,state}
		"${again[@]}" -o "$tmp/want" 2>/dev/null
		"${again[@]}" -o "$tmp/w" --checkpoint "$tmp/state" 2>"$tmp/said" 3>&- &
		eventually test -s "$tmp/state"
		kill -INT $!
		status=0
		wait $! || status=$?
		cat "$tmp/said"
		is $status 130
		[ ! -e "$tmp/w" ]
		"${again[@]}" -o "$tmp/w" --checkpoint "$tmp/state" 2>"$tmp/said"
		n=$(sed -nE 's/^tc-train: goes on after ([0-9]+) steps$/\1/p' "$tmp/said")
		[ "$n" -ge 10 ]
		[ "$n" -lt 150 ]
		cmp "$tmp/w" "$tmp/want"
		"${again[@]}" -o "$tmp/w2" --checkpoint "$tmp/state" 2>"$tmp/said" # it is over: at once
		is "$(wc -l <"$tmp/said")" 2
		cmp "$tmp/w2" "$tmp/want"
	done
	is "$(ls -A "$tmp" | grep -c '^state')" 1
}

@test "with -q nothing is said, and the weights are the same" {
	train
	mv "$tmp/w" "$tmp/once"
	train -q
	[ ! -s "$tmp/said" ]
	cmp "$tmp/once" "$tmp/w"
}

@test "a checkpoint of any report goes on to the same weights" {
	train
	mv "$tmp/w" "$tmp/want"
	train --checkpoint "$tmp/state" --report 7
	cmp "$tmp/w" "$tmp/want"
	# With more steps the rate is another, but the checkpoint is of this network: it goes on.
	train --checkpoint "$tmp/state" --steps 30
	grep -q 'goes on after 24 steps$' "$tmp/said"
	grep -q '^30 steps, ' "$tmp/said"
}

@test "a checkpoint that is none, or of another network, is refused and kept" {
	train --checkpoint "$tmp/state"
	rm "$tmp/w"
	cp "$tmp/state" "$tmp/other"
	cp "$tmp/state" "$tmp/same"
	head -c 1000 "$tmp/state" >"$tmp/cut"
	{ cat "$tmp/state"; echo; } >"$tmp/longer"
	{ head -c 5000 "$tmp/state"; printf '\1\2\3\4'; tail -c +5005 "$tmp/state"; } >"$tmp/changed"
	: >"$tmp/empty"
	for bad in cut longer changed empty other; do
		more=
		[ $bad != other ] || more='--latent 31'
		sum=$(sha256sum <"$tmp/$bad")
		run -1 train --checkpoint "$tmp/$bad" $more
		echo "$bad: $(cat "$tmp/said")"
		[[ $(tail -n 1 "$tmp/said") = "tc-train: $tmp/$bad: "?* ]]
		[ ! -e "$tmp/w" ]
		is "$(sha256sum <"$tmp/$bad")" "$sum"
	done
}

@test "--init with nothing learned gives the weights back; without its rate 0 it goes on from them" {
	in=$BATS_FILE_TMPDIR
	# All but the table of what the coordinates do, which is measured anew, and the sign of what is 0.
	network() {
		python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
table = next(n for n in range(len(data)) if int.from_bytes(data[-36 - n:][:4], "little") == n)
sys.stdout.buffer.write(data[:-36 - table].replace(b"\x00\x80", b"\x00\x00"))' "$1"
	}
	train --init "$in/w" --rate 0 --steps 1
	cmp <(network "$tmp/w") <(network "$in/w")
	train --init default --rate 0 --steps 1 --latent 7
	cmp <(network "$tmp/w") <(network weights/default.tcw)
	# It begins where the other ended.
	train --init "$in/w" --steps 16 --report 16 --rate 0.0001
	cmp -s "$tmp/w" "$in/w" && false
	began=$(losses "$tmp/said" | head -n 1 | cut -d' ' -f1)
	train --steps 16 --report 16 --rate 0.0001
	awk -v a="$began" -v b="$(losses "$tmp/said" | head -n 1 | cut -d' ' -f1)" 'BEGIN { print a, b; exit !(a < b * 0.9) }'
}

# --- what can go wrong ---

@test "an input that isn't there, is empty, breaks off, or is another: one line, and the file stays" {
	in=$BATS_FILE_TMPDIR
	: >"$tmp/empty"
	mkdir "$tmp/folder" "$tmp/out"
	echo before >"$tmp/out/w"
	head -c 10000 "$in/few" >"$tmp/cut"
	head -c -1 "$in/few" >"$tmp/nearly"
	tc-enc -q --no-refine "$in/few" >"$tmp/latents"
	tc-lift "$edge/empty.pcap" >"$tmp/nothing"
	refuse() { refused "tc-train: $1" training --steps 1 -o "$tmp/out/w" "${@:2}"; }
	refuse "$tmp/missing: No such file or directory" "$tmp/missing"
	refuse "$tmp/empty: empty*" "$tmp/empty"
	refuse "standard input: empty*" <"$tmp/empty"
	refuse "$tmp/folder: Is a directory" "$tmp/folder"
	refuse "$tmp/cut: *record [1-9]*" "$tmp/cut"
	[[ $stderr = *"cut off"* ]]
	refuse "$tmp/nearly: *record [1-9]*" "$tmp/nearly"
	[[ $stderr = *"cut off"* ]]
	refuse "$tmp/latents: not a stream of actions, but ?*" "$tmp/latents"
	refuse "$sample: not a stream of actions, but ?*" "$sample"
	refuse "$tmp/nothing: no packets to learn from" "$tmp/nothing"
	refuse "$in/few: no packets to learn from" --held 1 "$in/few"
	refuse "$tmp/empty: not a weights file of TraceCodec" --init "$tmp/empty" "$in/few"
	refuse "$tmp/missing: No such file or directory" --init "$tmp/missing" "$in/few"
	head -c 5000 "$in/w" >"$tmp/half"
	refuse "$tmp/half: weights: cut off" --init "$tmp/half" "$in/few"
	is "$(cat "$tmp/out/w")" before
	is "$(ls -A "$tmp/out")" w
}

@test "an output that can't be written: exit 1, and said last" {
	mkdir "$tmp/folder"
	for to in "$tmp/none/w:No such file or directory" "$tmp/folder:Is a directory" "/dev/full:No space left on device"; do
		run -1 train --steps 1 -o "${to%:*}"
		is "$(tail -n 1 "$tmp/said")" "tc-train: $to" || is "$(tail -n 1 "$tmp/said")" "tc-train: ${to/:/: }"
	done
	is "$(ls -A "$tmp" | xargs)" "folder said"
	run -1 bash -c "tc-train ${small[*]} --steps 1 -o - '$BATS_FILE_TMPDIR/few' 2>'$tmp/said' >/dev/full"
	[[ $(tail -n 1 "$tmp/said") = "tc-train: "*": No space left on device" ]]
}

@test "a checkpoint that can't be written: exit 1, and said" {
	run -1 train --steps 1 --checkpoint "$tmp/none/state"
	is "$(tail -n 1 "$tmp/said")" "tc-train: $tmp/none/state: No such file or directory"
	[ ! -e "$tmp/w" ]
}

@test "wrong usage: exit 2" {
	untrained() {
		misused tc-train "$@"
		[ ! -e "$tmp/w" ]
	}
	untrained
	untrained "$BATS_FILE_TMPDIR/few"
	untrained -o
	untrained -o "$tmp/w" a b
	untrained -o "$tmp/w" --colour
	untrained -o "$tmp/w" --batch 100 --threads 3
	while read -r option values; do
		for v in $values; do
			untrained -o "$tmp/w" --"$option" "$v"
			[[ ${stderr_lines[0]} = "tc-train: --$option $v: "*" is wanted. Try 'tc-train --help' for more." ]]
		done
		untrained -o "$tmp/w" --"$option" ''
		untrained -o "$tmp/w" --"$option"
	done <<-'END'
		steps 0 x -1 1.5 100000001
		batch 15 65537
		rate x -1 1.1 nan inf 0.1x
		decay 2
		beta -0.1 11
		augment 1.5
		balance -1
		held -1 1000001
		latent 0 513
		encoder 0 4097
		trunk 0 4097
		detail 0 4097
		seed -1 4294967296
		threads 0 65
		report 0 1000001
	END
	run -0 --separate-stderr tc-train --help
	[[ ${lines[0]} = "usage: tc-train "* ]]
	is "$stderr" ""
}
