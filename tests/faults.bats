# What can go wrong: one line on standard error that begins with the tool's name; exit 1 where input or output failed,
# 2 for wrong usage; no file left behind.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	mkdir "$in/folder"
	: >"$in/empty"
	cp Makefile "$in/foreign"
	tc-lift -q tests/fixtures/sample.pcap >"$in/stream"
	tc-show "$in/stream" >"$in/json"
	head -c 100000 tests/fixtures/sample.pcap >"$in/cut.pcap"
	head -c -50 tests/fixtures/edge/pcapng-with-big-endian.pcap >"$in/cut.pcapng"
	head -c 100000 "$in/stream" >"$in/cut.stream"
	head -c 100000 "$in/json" >"$in/cut.json"
}

# What each tool wants to read: "COMMAND|its good input|its cut input".
tools=('tc-lift|tests/fixtures/sample.pcap|cut.pcap' 'tc-lift|tests/fixtures/sample.pcap|cut.pcapng'
	'tc-compile|stream|cut.stream' 'tc-show|stream|cut.stream' 'tc-show --reverse|json|cut.json'
	'tc-edit|stream|cut.stream' 'tc-edit --copies 2 --flows tcp|stream|cut.stream')

# each FUNCTION: for every tool, with $tool (and its name, $name), $good and $cut.
each() {
	in=$BATS_FILE_TMPDIR
	mkdir -p "$tmp/out"
	for line in "${tools[@]}"; do
		IFS='|' read -r tool good cut <<<"$line"
		name=${tool%% *}
		[ -e "$good" ] || good=$in/$good
		cut=$in/$cut
		echo "$tool $cut"
		"$1"
	done
}

# --- input ---

@test "an input that isn't there" {
	it() { refused "$name: $tmp/missing: No such file or directory" $tool "$tmp/missing"; is "$output" ""; }
	each it
}

@test "an empty input" {
	it() {
		refused "$name: $in/empty: empty*" $tool "$in/empty"
		refused "$name: *: empty*" $tool <"$in/empty"
	}
	each it
}

@test "a folder as input" {
	it() { refused "$name: $in/folder: *Is a directory" $tool "$in/folder"; }
	each it
}

@test "an input of another kind" {
	it() { refused "$name: $in/foreign: ?*" timeout -s KILL 5 $tool "$in/foreign"; }
	each it
	refused "tc-lift: $in/stream: ?*" tc-lift "$in/stream"
	refused "tc-lift: $in/json: ?*" tc-lift "$in/json"
	refused "tc-show: $in/foreign: line 1: ?*" tc-show --reverse "$in/foreign"
}

@test "an input that breaks off is said, and what came before is passed on" {
	it() {
		timeout -s KILL 5 $tool "$cut" >"$tmp/out/a" 2>"$tmp/err" && false
		is "$(wc -l <"$tmp/err")" 1
		grep -qE "^$name: $cut: .*(packet|record|line) [1-9]" "$tmp/err"
		[ -s "$tmp/out/a" ]
	}
	each it
}

@test "a capture that breaks off makes a stream that ends cut" {
	tc-lift "$BATS_FILE_TMPDIR/cut.pcap" >"$tmp/a" 2>"$tmp/err" && false
	n=$(sed -E 's/.*after packet ([0-9]+).*/\1/' "$tmp/err")
	is "$(end "$tmp/a" | cut -d' ' -f1,3)" "$n cut"
	records() { tc-show "$1" 2>/dev/null | sed -n "2,$((n + 1))p"; }
	is "$(records "$tmp/a")" "$(records "$BATS_FILE_TMPDIR/stream")"
}

@test "after a capture that breaks off the next one is lifted" {
	tc-lift "$BATS_FILE_TMPDIR/cut.pcap" "$edge/one-packet-udp.pcap" >"$tmp/a" 2>"$tmp/err" && false
	n=$(sed -E 's/.*after packet ([0-9]+).*/\1/' "$tmp/err")
	is "$(end "$tmp/a" | cut -d' ' -f1,3)" "$((n + 1)) cut"
}

@test "cut is said by every reader down the pipe, and each passes on what there is" {
	n=$({ tc-lift "$BATS_FILE_TMPDIR/cut.pcap" 2>/dev/null || true; } | tc-show 2>/dev/null | tail -n 1 | jq .packets) || true
	[ "$n" -gt 100 ]
	tc-lift "$BATS_FILE_TMPDIR/cut.pcap" 2>/dev/null | tee "$tmp/a" | tc-compile >"$tmp/b.pcap" 2>"$tmp/err" && false
	is "$(cat "$tmp/err")" "tc-compile: standard input: the trace ends cut after $n packets"
	is "$(packets "$tmp/b.pcap")" "$n"
	run -1 --separate-stderr tc-show "$tmp/a"
	is "$stderr" "tc-show: $tmp/a: the trace ends cut after $n packets"
	is "${#lines[@]}" $((n + 2))
}

@test "a last line without its newline is a line" {
	printf '%s' "$(stream)" >"$tmp/json"
	timeout -s KILL 5 tc-show --reverse "$tmp/json" >"$tmp/a"
	is "$(end "$tmp/a")" "2 1 whole"
}

@test "one of several captures that can't be opened: nothing is written" {
	refused "tc-lift: $tmp/missing: No such file or directory" tc-lift "$sample" "$tmp/missing"
	is "$output" ""
}

# --- output ---

@test "a full disk is an error" {
	it() {
		refused "$name: standard output: No space left on device" bash -c "$tool '$good' >/dev/full"
	}
	each it
}

@test "a full disk is an error where there is little to write" {
	for f in "$edge"/{empty,one-packet-tcp}.pcap; do
		tc-lift "$f" >"$tmp/a"
		tc-show "$tmp/a" >"$tmp/json"
		refused "tc-lift: standard output: No space left on device" bash -c "tc-lift '$f' >/dev/full"
		refused "tc-show: standard output: No space left on device" bash -c "tc-show '$tmp/a' >/dev/full"
		refused "tc-show: standard output: No space left on device" bash -c "tc-show -r '$tmp/json' >/dev/full"
		refused "tc-compile: standard output: No space left on device" bash -c "tc-compile '$tmp/a' >/dev/full"
	done
}

@test "a full disk behind -q, --full, -o -" {
	in=$BATS_FILE_TMPDIR
	refused "tc-compile: standard output: No space left on device" bash -c "tc-compile -q --full -o - '$in/stream' >/dev/full"
	refused "tc-lift: standard output: No space left on device" bash -c "tc-lift -q -o - '$sample' >/dev/full"
}

@test "a map that can't be written is an error" {
	for command in "tc-lift $sample" "tc-compile $BATS_FILE_TMPDIR/stream"; do
		refused "${command%% *}: /dev/full: No space left on device" $command --map /dev/full -o "$tmp/a"
		[ ! -e "$tmp/a" ]
	done
}

@test "a map whose reader goes away ends a filter, and leaves no file" {
	mkfifo "$tmp/pipe"
	mkdir "$tmp/out"
	for command in "tc-lift $sample" "tc-compile $BATS_FILE_TMPDIR/stream"; do
		true <"$tmp/pipe" 3>&- &
		run -141 --separate-stderr env --default-signal=PIPE $command --map "$tmp/pipe" -o "$tmp/out/a"
		is "$stderr" ""
		nothing() { [ -z "$(ls -A "$tmp/out")" ]; }
		eventually nothing # the keeper tidies when the program has gone
	done
}

@test "a closed pipe ends a filter by SIGPIPE, with no word; where that is ignored, it is an error" {
	it() {
		gone $tool "$good"
		{ timeout -s KILL 5 env --ignore-signal=PIPE $tool "$good" 2>"$tmp/err" || echo $? >"$tmp/status"; } | head -c 10 >"$tmp/head"
		is "$(cat "$tmp/status")" 1
		is "$(cat "$tmp/err")" "$name: standard output: Broken pipe"
	}
	each it
}

@test "a closed standard output is an error" {
	it() { refused "$name: ?*" bash -c "$tool '$good' >&-"; }
	each it
}

@test "-o into a folder that isn't there" {
	it() { refused "$name: $tmp/none/a: No such file or directory" $tool -o "$tmp/none/a" "$good"; }
	each it
	[ ! -e "$tmp/none" ]
}

@test "-o of a folder" {
	it() {
		refused "$name: $tmp/out: Is a directory" $tool -o "$tmp/out" "$good"
		is "$(ls -A "$tmp" | grep '^out.')" ""
	}
	each it
}

@test "-o with bad input leaves no file" {
	it() {
		for bad in "$cut" "$in/empty" "$in/foreign" "$tmp/missing"; do
			run -1 timeout -s KILL 5 $tool -o "$tmp/out/a" "$bad"
			is "$(ls -A "$tmp/out")" ""
		done
	}
	each it
}

@test "-o with bad input leaves the file that was there" {
	it() {
		echo before >"$tmp/out/a"
		run -1 timeout -s KILL 5 $tool -o "$tmp/out/a" "$cut"
		is "$(cat "$tmp/out/a")" before
		is "$(ls -A "$tmp/out")" a
	}
	each it
}

@test "-o with a map that can't be opened leaves no file" {
	mkdir "$tmp/out"
	refused "tc-lift: $tmp/none/map: No such file or directory" tc-lift --map "$tmp/none/map" -o "$tmp/out/a" "$sample"
	refused "tc-compile: $tmp/none/map: No such file or directory" \
		tc-compile --map "$tmp/none/map" -o "$tmp/out/a" "$BATS_FILE_TMPDIR/stream"
	is "$(ls -A "$tmp/out")" ""
}

@test "-o with good input: the whole file, with the permissions of the umask" {
	it() {
		$tool "$good" >"$tmp/want"
		for mask in 022:644 077:600 002:664; do
			rm -f "$tmp/out/a"
			(umask ${mask%:*} && $tool -o "$tmp/out/a" "$good") >"$tmp/said"
			is "$(stat -c %a "$tmp/out/a")" ${mask#*:}
			cmp "$tmp/out/a" "$tmp/want"
			is "$(ls -A "$tmp/out")" a
			is "$(cat "$tmp/said")" ""
		done
	}
	each it
}

@test "the file of -o appears when it is whole, not before" {
	mkfifo "$tmp/in"
	tc-lift -o "$tmp/a" "$tmp/in" &
	exec 4>"$tmp/in"
	head -c 1000000 "$sample" >&4 # more than the pipe holds: by then it is at work
	[ ! -e "$tmp/a" ]
	tail -c +1000001 "$sample" >&4
	exec 4>&-
	wait $!
	cmp "$tmp/a" "$BATS_FILE_TMPDIR/stream"
}

@test "-o writes into a pipe or a device that is there, and never puts a file in its place" {
	# A pipe stands for all of them: as root, a tool that renames would take /dev/null away.
	mkfifo "$tmp/pipe"
	timeout 5 cat "$tmp/pipe" >"$tmp/got" 3>&- &
	tc-lift -o "$tmp/pipe" "$sample"
	[ -p "$tmp/pipe" ]
	wait $!
	cmp "$tmp/got" "$BATS_FILE_TMPDIR/stream"
}

@test "-o of a link to standard output, as /dev/stdout is one, leaves the link" {
	ln -s /proc/self/fd/1 "$tmp/stdout"
	tc-lift -o "$tmp/stdout" "$sample" | cat >"$tmp/got"
	[ -L "$tmp/stdout" ]
	cmp "$tmp/got" "$BATS_FILE_TMPDIR/stream"
}

@test "a map into a device leaves its permissions alone" {
	mkfifo -m 666 "$tmp/pipe"
	timeout 5 cat "$tmp/pipe" >"$tmp/got" 3>&- &
	tc-lift --map "$tmp/pipe" -o "$tmp/a" "$sample"
	wait $!
	is "$(stat -c %a "$tmp/pipe")" 666
	grep -q 2001:db8:2::1 "$tmp/got"
}

# --- the terminal ---

# terminal COMMAND: as if typed there.
terminal() { script -qefc "$1" /dev/null | tr -d '\r'; }

@test "octets don't go to a terminal" {
	in=$BATS_FILE_TMPDIR
	for command in "tc-lift $sample" "tc-compile $in/stream" "tc-edit $in/stream" "tc-show --reverse $in/json"; do
		echo "$command"
		run -1 terminal "$command"
		is "$output" "${command%% *}: standard output is a terminal; -o - writes to it"
	done
}

@test "octets go to a terminal with -o -, JSON always" {
	in=$BATS_FILE_TMPDIR
	terminal "tc-lift -o - $edge/one-packet-udp.pcap" | grep -ac tracecodec
	terminal "tc-lift $edge/one-packet-udp.pcap | tc-compile -o -" | od -An -tx1 | grep -c '^ d4 c3 b2 a1'
	terminal "tc-lift $edge/one-packet-udp.pcap | tc-show" | grep -c '^{"end":"whole"'
}

# --- usage ---

@test "an unknown option, one without its value, and more arguments than there are" {
	for tool in tc-lift tc-compile tc-edit tc-show; do
		misused $tool --colour
		[[ $stderr = "$tool: --colour: no such option"* ]]
		misused $tool -Z
		misused $tool -o
		misused $tool --output
	done
	misused tc-compile a b
	misused tc-show a b
	misused tc-lift -f
	misused tc-compile --full --snaplen 60
	misused tc-lift --quiet=yes
	misused tc-show --filter tcp
}

@test "numbers that are none, or out of range" {
	for n in '' x 15 1048577 -1 16x 1e5 0x20 ' 99999999999999999999'; do misused tc-lift --cap "$n" "$sample"; done
	for list in tcp tcp= tcp=0 tcp=x tcp=-1 icmp=5 tcp=4294967296 tcp=5,udp tcp=5,,udp=6; do
		misused tc-lift --idle "$list" "$sample"
	done
	for n in '' x 0 -1 262145 60x; do misused tc-compile --snaplen "$n"; done
	for n in '' x -1 18446744073709551616 1.5; do misused tc-compile --seed "$n"; done
}

@test "times that are none, or that no capture can hold" {
	for t in '' x 1e9 2026-11-23 2026-11-23T12:00:00 2026-13-01T00:00:00Z 2026-02-30T00:00:00Z 12:00 5s -1 4294967296 99999999999999999999; do
		misused tc-compile --start "$t"
	done
}

@test "--help is on standard output, exit 0" {
	for tool in tc-lift tc-compile tc-edit tc-show; do
		run -0 --separate-stderr $tool --help
		[[ ${lines[0]} = "usage: $tool "* ]]
		is "$stderr" ""
	done
}

# --- memory ---

@test "short of memory, a tool says so and doesn't crash" {
	it() {
		for kib in $(seq 4000 4000 80000); do
			status=0
			with_memory $kib $tool "$good" >"$tmp/a" 2>"$tmp/err" || status=$?
			[ $status -eq 127 ] && continue # not even loaded
			[ $status -le 1 ] || { echo "exit $status at $kib KiB"; cat "$tmp/err"; return 1; }
			[ $status -eq 0 ] || grep -qE "^$name: (.*: )?Cannot allocate memory$" "$tmp/err"
		done
		is $status 0 # with 80 MB all are content; tc-edit has the states of two others
	}
	tc-lift -q --cap 20000 "$sample" >"$BATS_FILE_TMPDIR/small.stream"
	tools=("tc-lift --cap 20000|$sample|" 'tc-compile|small.stream|' 'tc-edit|small.stream|' 'tc-show|stream|' 'tc-show -r|json|')
	each it
}

@test "short of memory, -o leaves no file" {
	mkdir "$tmp/out"
	refused "tc-lift: Cannot allocate memory" with_memory 100000 tc-lift --cap 1048576 -o "$tmp/out/b" "$sample"
	is "$(ls -A "$tmp/out")" ""
}
