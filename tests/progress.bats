# How far a program is: SIGUSR1, -v, -q, and the line on a terminal.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	tc-lift -q tests/fixtures/sample.pcap >"$BATS_FILE_TMPDIR/a"
	tc-enc -q "$BATS_FILE_TMPDIR/a" >"$BATS_FILE_TMPDIR/l"
}

# input TOOL: what it reads.
input() {
	case $1 in
	tc-lift | tc-diff) echo "$sample" ;;
	tc-dec) echo "$BATS_FILE_TMPDIR/l" ;;
	*) echo "$BATS_FILE_TMPDIR/a" ;;
	esac
}

# sum TOOL FILE: what comes out, of tc-enc what it decodes to: the last bits of latents depend on the blocks.
sum() { if [ "$1" = tc-enc ]; then tc-dec <"$2"; else cat "$2"; fi | sha256sum; }

@test "SIGUSR1 to a program that waits: one line, and the output is what it was" {
	for tool in tc-lift tc-enc tc-dec tc-compile tc-edit tc-show 'tc-diff -'; do
		name=${tool%% *} good=$(input "${tool%% *}")
		arguments=()
		[ "$name" = tc-diff ] && arguments=("$good")
		$tool "${arguments[@]}" <"$good" 2>/dev/null >"$tmp/want"
		mkfifo "$tmp/in" 2>/dev/null || true
		$tool "${arguments[@]}" <"$tmp/in" 2>"$tmp/err" >"$tmp/out" 3>&- &
		job=$!
		exec 4>"$tmp/in"
		head -c 200000 "$good" >&4
		answers() { kill -USR1 $job && sleep 0.1 && grep -q "^$name: standard input: [0-9]* packets in [0-9.]* s" "$tmp/err"; }
		sleep 0.1
		eventually answers
		tail -c +200001 "$good" >&4
		exec 4>&-
		wait $job
		cat "$tmp/err"
		grep -q "^$name: standard input: [0-9]* packets in [0-9.]* s" "$tmp/err"
		is "$(sum $name "$tmp/out")" "$(sum $name "$tmp/want")"
	done
}

@test "-v says at the end what went by; -q and a pipe say nothing" {
	n=$(packets "$sample")
	for tool in tc-lift tc-enc tc-dec tc-compile 'tc-diff -'; do
		name=${tool%% *} good=$(input "${tool%% *}")
		arguments=()
		[ "$name" = tc-diff ] && arguments=("$good")
		$tool -v "${arguments[@]}" <"$good" 2>"$tmp/err" >/dev/null
		cat "$tmp/err"
		grep -q "^$name: standard input: $n packets in [0-9.]* s, [0-9.]* k\? \?M\? \?a second$" "$tmp/err"
		$tool -q "${arguments[@]}" <"$good" 2>"$tmp/err" >/dev/null
		is "$(cat "$tmp/err")" ""
	done
}

@test "a terminal sees a line that is written over, with what is left; a pipe's reader sees none" {
	for _ in {1..10}; do cat "$BATS_FILE_TMPDIR/a"; done >"$tmp/many"
	script -qec "tc-enc --no-cache -o '$tmp/l' '$tmp/many'" "$tmp/typed" >/dev/null
	tr '\r' '\n' <"$tmp/typed" >"$tmp/lines"
	head -n 5 "$tmp/lines"
	grep -q "^tc-enc: $tmp/many: [0-9]* packets in [0-9.]* s, [0-9.]* k\? \?M\? \?a second, [0-9]* %, [0-9]* s left" "$tmp/lines"
	script -qec "cat '$tmp/many' | tc-enc -o '$tmp/l'" "$tmp/typed" >/dev/null
	grep -q 'a second' "$tmp/typed" && false
	script -qec "tc-enc -q --no-cache -o '$tmp/l' '$tmp/many'" "$tmp/typed" >/dev/null
	grep -q 'a second' "$tmp/typed" && false
	true
}
