# Trouble that comes to a program while it runs: full disks, signals, death, files that change, no memory, no descriptors.
# Nothing half-written appears, nothing is left behind, and one line says what it was. faults.bats has bad input and usage.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	tcpdump -r tests/fixtures/sample.pcap -c 2000 -w "$in/pcap" 2>/dev/null
	tc-lift -q "$in/pcap" >"$in/act"
	tcpdump -r tests/fixtures/sample.pcap -c 300 -w - 2>/dev/null | tc-lift -q - >"$in/some"
	tc-enc -q "$in/some" >"$in/lat"
	tc-show "$in/act" >"$in/json"
	tc-lift -q tests/fixtures/edge/tcp-plain-ip4.pcap >"$in/few"
}

# Programs that write a file: "COMMAND|its input".
writers=('tc-lift|pcap' 'tc-enc -q --no-refine|some' 'tc-dec|lat' 'tc-compile|act' 'tc-show|act' 'tc-show --reverse|json' 'tc-edit|act' 'tc-edit --copies 3|act'
	'tc-train --steps 1 --batch 16|few')

# each FUNCTION: for every writer, with $tool, its name in $name, $good, and the empty folder $out.
each() {
	in=$BATS_FILE_TMPDIR out=$tmp/out
	for line in "${writers[@]}"; do
		IFS='|' read -r tool good <<<"$line"
		name=${tool%% *} good=$in/$good
		rm -rf "$out"
		mkdir "$out"
		echo "$tool"
		"$1"
	done
}

empty() { [ -z "$(ls -A "$out")" ]; }

# last PATTERN: the last line of $tmp/err.
last() {
	cat "$tmp/err"
	# shellcheck disable=SC2053
	[[ $(tail -n 1 "$tmp/err") = $1 ]]
}

# --- output ---

@test "full: a device, for every program" {
	it() {
		refused() { run -1 --separate-stderr "${@:2}"; echo "$stderr"; [[ ${stderr_lines[-1]} = $1 ]]; }
		refused "$name: */full: No space left on device" $tool -o "$tmp/full" "$good"
	}
	ln -s /dev/full "$tmp/full"
	each it
	run -2 --separate-stderr bash -c "tc-diff '$BATS_FILE_TMPDIR/pcap' '$BATS_FILE_TMPDIR/act' >/dev/full"
	is "$stderr" "tc-diff: standard output: No space left on device"
}

@test "full: a disk in the middle of a file" {
	it() {
		[ $name != tc-train ] || return 0 # writes at its end, larger than the limit only with a larger network
		status=0
		(ulimit -f 4 && exec $tool -o "$out/a" "$good") 2>"$tmp/err" || status=$?
		is $status 1
		last "$name: $out/a: File too large"
		is "$(wc -l <"$tmp/err")" 1
		is "$(ls -A "$out")" ""
	}
	each it
	# The same on a small file system, where this machine lets root mount one.
	mkdir "$tmp/small"
	mount -t tmpfs -o size=4k none "$tmp/small" 2>/dev/null || return 0
	it() {
		status=0
		$tool -o "$tmp/small/a" "$good" 2>"$tmp/err" || status=$?
		left=$(ls -A "$tmp/small")
		is $status 1
		last "$name: $tmp/small/a: No space left on device"
		is "$left" ""
	}
	each it || { umount "$tmp/small"; return 1; }
	umount "$tmp/small"
}

@test "closed: a reader that goes away, for every program" {
	it() {
		[ $name != tc-train ] || return 0
		{ sleep 0.2; cat "$good" || true; } |
			{ timeout -s KILL 20 env --default-signal=PIPE $tool 2>"$tmp/err" || echo $? >"$tmp/status"; } | true
		is "$(cat "$tmp/status")" 141
		is "$(cat "$tmp/err")" ""
	}
	each it
	name=tc-diff tool="tc-diff - $in/act" good=$in/pcap
	it
}

# --- signals ---

@test "storm: reads and writes that are short and broken off change nothing" {
	it() {
		[ $name != tc-train ] || tool="$tool -o $out/a"
		timeout -s KILL 60 tests/storm.py "$good" $tool >"$tmp/got" 2>"$tmp/err"
		last '*[0-9] signals'
		[ $name = tc-train ] || [ "$(tail -n 1 "$tmp/err" | cut -d' ' -f1)" -gt 20 ]
		[ $name != tc-train ] || mv "$out/a" "$tmp/got"
		$tool <"$good" >"$tmp/want" 2>/dev/null
		[ $name != tc-train ] || mv "$out/a" "$tmp/want"
		if [ $name = tc-enc ]; then # the last bits of latents depend on the blocks
			for f in got want; do tc-dec <"$tmp/$f" >"$tmp/$f.act" && mv "$tmp/$f.act" "$tmp/$f"; done
		fi
		cmp "$tmp/got" "$tmp/want"
	}
	each it
	tests/storm.py "$in/pcap" tc-diff --flows - "$in/act" >"$tmp/got" 2>"$tmp/err"
	last '*[0-9] signals'
	tc-diff --flows "$in/pcap" "$in/act" | cmp - "$tmp/got"
}

# half SIGNAL: begins $tool with -o on half its input, ends it by the signal; its exit status in $status.
half() {
	mkfifo "$tmp/in"
	# Whoever runs the tests in the background may have them ignore some signals.
	(ulimit -c 0 && exec env --default-signal $tool -o "$out/a" "$tmp/in") 2>"$tmp/err" 3>&- &
	job=$!
	exec 4>"$tmp/in"
	head -c $(($(wc -c <"$good") / 2)) "$good" >&4
	begun() { [ "$(find "$out" -name 'a.??????' ${written:+-size +0})" ]; }
	eventually begun # the file beside the name is there, and in most not empty
	kill "-$1" $job
	status=0
	wait $job || status=$?
	exec 4>&-
	rm "$tmp/in"
}

@test "killed in mid-write: no output, no temporary file" {
	it() {
		written=1
		[[ $tool != tc-train* && $tool != *--copies* ]] || written=
		half KILL
		is $status 137
		eventually empty
	}
	each it
	IFS='|' read -r tool good <<<"${writers[0]}"
	name=tc-lift good=$in/$good written=1
	for signal in HUP QUIT ABRT XCPU; do
		echo "$signal"
		half $signal
		[ $status -gt 128 ]
		eventually empty
	done
}

@test "ended in mid-write: the same, and at once" {
	it() {
		half TERM
		is $status 130
		is "$(ls -A "$out")" ""
	}
	each it
}

@test "killed in mid-write: what was there before stays" {
	it() {
		echo before >"$out/a"
		half KILL
		is "$(cat "$out/a")" before
	}
	written=
	each it
}

# bats test_tags=linux
@test "killed: the keeper of the name; the program says so" {
	it() {
		mkfifo "$tmp/in"
		$tool -o "$out/a" "$tmp/in" 2>"$tmp/err" 3>&- &
		job=$!
		exec 4>"$tmp/in"
		kept() {
			keeper=$(grep -l "^PPid:	$job$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3)
			[ "$keeper" ] || return
			[ "$(cat "/proc/$keeper/comm")" = tc-keeper ]
		}
		eventually kept
		kill -KILL "$keeper"
		cat "$good" >&4
		exec 4>&-
		rm "$tmp/in"
		status=0
		wait $job || status=$?
		is $status 1
		last "$name: $out/a: Broken pipe"
		[ ! -e "$out/a" ]
	}
	each it
}

# --- input that changes ---

# stalled COMMAND...: begins it, with its output into a pipe that is full soon, and waits until it is.
stalled() {
	mkfifo "$tmp/pipe"
	exec 5<>"$tmp/pipe"
	python3 -c 'import fcntl; fcntl.fcntl(5, 1031, 32768)' # F_SETPIPE_SZ
	"$@" >"$tmp/pipe" 2>"$tmp/err" 3>&- 5>&- &
	job=$!
	exec 4<"$tmp/pipe"
	sleeps() { [ "$(cut -d' ' -f3 /proc/$job/stat)" = S ]; }
	still() { sleeps && sleep 0.05 && sleeps; }
	eventually still
	exec 5>&-
}

# goes_on: reads the rest to $tmp/got; the exit status in $status.
goes_on() {
	cat <&4 >"$tmp/got"
	exec 4<&-
	rm "$tmp/pipe"
	status=0
	wait $job || status=$?
}

@test "an input that grows while it is read is read to its new end" {
	tc-lift -q "$sample" >"$tmp/once"
	cat "$tmp"/{once,once,once,once} >"$tmp/act"
	tc-compile -q "$tmp/act" >"$tmp/pcap"
	for line in "tc-lift -q|$tmp/pcap" "tc-compile -q|$tmp/act" "tc-show|$tmp/act"; do
		IFS='|' read -r tool whole <<<"$line"
		echo "$tool"
		n=$(($(wc -c <"$whole") / 2))
		head -c $n "$whole" >"$tmp/growing"
		stalled $tool "$tmp/growing"
		tail -c +$((n + 1)) "$whole" >>"$tmp/growing"
		goes_on
		is $status 0
		$tool "$whole" | cmp - "$tmp/got"
	done
}

@test "an input that is cut while it is read is cut: said, passed on as cut, exit 1" {
	tc-lift -q "$sample" >"$tmp/act"
	for line in "tc-lift|$sample" "tc-compile|$tmp/act" "tc-show|$tmp/act" "tc-enc -q --no-refine|$tmp/act"; do
		IFS='|' read -r tool whole <<<"$line"
		echo "$tool"
		cp "$whole" "$tmp/shrinking"
		stalled $tool "$tmp/shrinking"
		truncate -s -1001 "$tmp/shrinking"
		goes_on
		is $status 1
		last "${tool%% *}: $tmp/shrinking: *[0-9]*"
		case $tool in tc-lift) is "$(end "$tmp/got" | cut -d' ' -f3)" cut ;; esac
	done
}

# --- memory and descriptors ---

@test "short of memory, every program says so and doesn't crash or hang" {
	it() {
		for mib in 8 32 64 128 160 192 256 384 512; do
			status=0
			with_memory $((mib << 10)) timeout -s KILL 60 $tool -o "$out/a" "$good" 2>"$tmp/err" || status=$?
			[ $status -ne 127 ] || continue # not even loaded
			[ $status -le 1 ] || { echo "exit $status with $mib MiB"; cat "$tmp/err"; return 1; }
			if [ $status -eq 1 ]; then
				last "$name: *"
				grep -qE 'Cannot allocate memory|failed to map segment' "$tmp/err"
				is "$(ls -A "$out")" ""
			fi
		done
		is $status 0
	}
	each it
	for mib in 8 64 512; do
		status=0
		with_memory $((mib << 10)) tc-diff "$in/pcap" "$in/act" >"$tmp/got" 2>"$tmp/err" || status=$?
		[ $status -eq 127 ] || is $status 2
		[ $status -eq 127 ] || last 'tc-diff: *Cannot allocate memory'
	done
}

@test "short of descriptors, every program says so" {
	it() {
		for n in 4 5 6 7 8 12; do
			status=0
			(ulimit -n $n && exec $tool -o "$out/a" "$good") 2>"$tmp/err" 3>&- || status=$?
			[ $status -ne 127 ] || continue
			[ $status -le 1 ] || { echo "exit $status with $n descriptors"; cat "$tmp/err"; return 1; }
			if [ $status -eq 1 ]; then
				last "$name: *"
				grep -qE 'Too many open files|Error 24' "$tmp/err"
				is "$(ls -A "$out")" ""
			fi
		done
		is $status 0
	}
	each it
}

@test "more captures than descriptors: one line, and nothing is written" {
	many=()
	for i in {1..100}; do many+=("$edge/one-packet-udp.pcap"); done
	export ASAN_OPTIONS=detect_leaks=0 # takes descriptors at the exit
	refused "tc-lift: $edge/one-packet-udp.pcap: Too many open files" bash -c 'ulimit -n 64; exec "$@"' - tc-lift "${many[@]}"
	is "$output" ""
	tc-lift "${many[@]}" >"$tmp/a"
	is "$(end "$tmp/a" | cut -d' ' -f1,3)" "100 whole"
}
