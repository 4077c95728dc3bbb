# Nothing that somebody does by mistake costs data, and each mistake is named: outputs that are inputs, options, readers that
# go away, files that another program takes.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	cp tests/fixtures/edge/tcp-plain-ip4.pcap "$in/pcap"
	tc-lift -q "$in/pcap" >"$in/act"
	tc-enc -q "$in/act" >"$in/lat"
	tc-show "$in/act" >"$in/json"
	cp weights/default.tcw "$in/weights"
}

programs='tc-lift tc-enc tc-dec tc-compile tc-diff tc-train tc-show'

# --- no output is an input ---

# Programs that write: "COMMAND|its input".
writers=('tc-lift|pcap' 'tc-enc|act' 'tc-dec|lat' 'tc-compile|act' 'tc-show|act' 'tc-show --reverse|json'
	'tc-train --steps 1 --batch 16|act')

# each FUNCTION: for every writer, with $tool, its name in $name, and in $d, a folder of its own, the input "a", its links "soft" and "hard".
each() {
	d=$tmp/d
	for line in "${writers[@]}"; do
		IFS='|' read -r tool good <<<"$line"
		name=${tool%% *} good=$BATS_FILE_TMPDIR/$good
		rm -rf "$d"
		mkdir "$d"
		cp "$good" "$d/a"
		ln -s a "$d/soft"
		ln "$d/a" "$d/hard"
		echo "$tool"
		"$1"
	done
}

# over WHAT COMMAND...: refused as writing over an input or output; nothing has changed, and nothing is new.
over() {
	before=$(cd "$d" && stat -c '%n %i %s %Y' -- * && sha256sum -- *)
	run -2 --separate-stderr "${@:2}"
	echo "$stderr"
	is "$output" ""
	[[ $stderr = "$name: "*" is also an $1 ("*"), which would be lost" ]]
	is "${#stderr_lines[@]}" 1
	is "$(cd "$d" && stat -c '%n %i %s %Y' -- * && sha256sum -- *)" "$before"
}

@test "an output that is the input: by its name, a link, standard input" {
	it() {
		for path in a soft hard ./a ../"${d##*/}"/a; do
			over input $tool -o "$d/$path" "$d/a"
			over input $tool -o "$d/$path" "$d/hard"
			over input bash -c "exec $tool -o '$d/$path' <'$d/a'"
		done
		over input $tool -o "$d/a" /proc/self/fd/0 <"$d/soft"
	}
	each it
}

@test "an output that is the input: standard output, redirected" {
	it() {
		# tc-train has no default, and needs -o -.
		over input bash -c "exec $tool -o - '$d/a' >>'$d/a'"
		over input bash -c "exec $tool -o - '$d/a' 1<>'$d/soft'"
		over input bash -c "exec $tool -o - <'$d/a' >>'$d/hard'"
	}
	each it
	name=tc-diff
	over input bash -c "exec tc-diff '$d/a' '$edge/tcp-plain-ip4.pcap' >>'$d/hard'"
	over input bash -c "exec tc-diff --json '$edge/tcp-plain-ip4.pcap' - <'$d/a' >>'$d/soft'"
	# By > the shell has emptied the file before the program begins; it says at least why.
	refused() { run -2 --separate-stderr "${@:2}"; is "$stderr" "$1"; }
	refused "tc-lift: standard output: is also an input ($d/a), which would be lost" bash -c "tc-lift '$d/a' >'$d/a'"
}

@test "a map that is the input, or the output" {
	d=$tmp/d
	mkdir "$d"
	for name in tc-lift tc-compile; do
		cp "$BATS_FILE_TMPDIR/$([ $name = tc-lift ] && echo pcap || echo act)" "$d/a"
		ln -f "$d/a" "$d/hard"
		over input $name --map "$d/hard" "$d/a"
		over input $name --map "$d/a" -o "$d/b" "$d/a"
		: >"$d/e"
		over output $name --map "$d/b" -o "$d/b" "$d/a"
		over output $name --map "$d/./b" -o "$d/b" "$d/a"
		over output bash -c "exec $name --map '$d/e' '$d/a' >>'$d/e'"
	done
	name=tc-lift
	cp "$BATS_FILE_TMPDIR/pcap" "$d/c"
	over input tc-lift -o "$d/c" "$BATS_FILE_TMPDIR/pcap" "$d/c"
}

@test "weights are inputs too" {
	d=$tmp/d
	mkdir "$d"
	cp "$BATS_FILE_TMPDIR"/{act,lat,weights} "$d"
	ln -s weights "$d/link"
	name=tc-enc
	over input tc-enc --weights "$d/weights" -o "$d/link" "$d/act"
	name=tc-dec
	over input tc-dec --weights "$d/link" -o "$d/weights" "$d/lat"
	name=tc-train
	over input tc-train --init "$d/weights" -o "$d/weights" "$d/act"
	over input tc-train --init "$d/weights" --checkpoint "$d/link" -o "$d/new" "$d/act"
}

@test "a checkpoint replaces its predecessor, and nothing else" {
	d=$tmp/d
	mkdir "$d"
	cp "$BATS_FILE_TMPDIR/act" "$d"
	small=(tc-train --latent 8 --encoder 8 --trunk 8 --detail 8 --batch 16 --threads 1 --report 1)
	"${small[@]}" --steps 1 --checkpoint "$d/state" -o "$d/w" "$d/act" 2>/dev/null
	before=$(sha256sum <"$d/state")
	"${small[@]}" --steps 2 --checkpoint "$d/state" -o "$d/w" "$d/act" 2>/dev/null
	[ "$(sha256sum <"$d/state")" != "$before" ]
	ln -s state "$d/link"
	name=tc-train
	over input "${small[@]}" --checkpoint "$d/act" -o "$d/w" "$d/act"
	over output "${small[@]}" --checkpoint "$d/state" -o "$d/state" "$d/act"
	over output "${small[@]}" --checkpoint "$d/link" -o "$d/state" "$d/act"
}

@test "another file that is there is replaced whole" {
	it() {
		cp Makefile "$d/other"
		$tool -o "$d/other" "$d/a" 2>/dev/null
		cmp -s Makefile "$d/other" && false
		cmp "$d/a" "$good"
	}
	each it
}

@test "a map that is there is replaced whole, and stays where nothing comes of it" {
	echo before >"$tmp/map"
	chmod 644 "$tmp/map"
	for name in tc-lift tc-compile; do
		refused "$name: Makefile: ?*" $name --map "$tmp/map" Makefile
		is "$(cat "$tmp/map")" before
	done
	head -c 3000 "$sample" >"$tmp/cut"
	refused "tc-lift: $tmp/cut: ?*" tc-lift -q --map "$tmp/map" -o "$tmp/a" "$tmp/cut"
	is "$(cat "$tmp/map")" before
	run -1 --separate-stderr tc-lift --map "$tmp/other" "$tmp/cut"
	head -n 1 "$tmp/other" | grep -q ^packet
	tc-lift --map "$tmp/map" -o "$tmp/a" "$BATS_FILE_TMPDIR/pcap"
	head -n 1 "$tmp/map" | grep -q ^packet
	is "$(stat -c %a "$tmp/map")" 600
	is "$(tc-lift --map - -o "$tmp/a" "$BATS_FILE_TMPDIR/pcap")" "$(cat "$tmp/map")"
	misused tc-lift --map - "$BATS_FILE_TMPDIR/pcap"
}

@test "a link to standard output that is a file, as /dev/stdout may be one, leaves the link" {
	ln -s /proc/self/fd/1 "$tmp/stdout"
	tc-lift -o "$tmp/stdout" "$BATS_FILE_TMPDIR/pcap" >"$tmp/got"
	[ -L "$tmp/stdout" ]
	cmp "$tmp/got" "$BATS_FILE_TMPDIR/act"
}

# --- options ---

@test "-V, --version: one number for all; -h, --help" {
	version=$(sed -nE 's/^#define TC_VERSION "(.*)"$/\1/p' common/process/version.h)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
	for name in $programs; do
		for option in -V --version; do
			run -0 --separate-stderr $name $option
			is "$output" "$name (TraceCodec) $version"
			is "$stderr" ""
		done
		run -0 --separate-stderr $name -h
		is "$output" "$($name --help)"
		run -1 --separate-stderr bash -c "$name --version >/dev/full" || [ $name = tc-diff ]
	done
	is "$(tc-diff --json "$BATS_FILE_TMPDIR"/{pcap,act} | jq -r .version)" "$version"
}

@test "wrong usage names the option, in one line" {
	says() { misused "${@:2}"; [[ $stderr = "$2: "$1". Try "* ]]; }
	for name in $programs; do
		says '--colour: no such option*' $name --colour=red
		says '-Z: no such option*' $name -Z
		says '--help takes no value' $name --help=yes
	done
	says '-o needs a value' tc-lift -o
	says '--output needs a value' tc-lift --output
	says 'b: there is one input at most' tc-enc a b
	says 'two traces are wanted, not 3' tc-diff a b c
	says '-o FILE is missing' tc-train a
	says '--full and --snaplen exclude each other' tc-compile --full --snaplen 60
	says '--no-refine and --refine exclude each other' tc-enc --no-refine --refine 6
	says '--json, --tsv and --flows exclude each other' tc-diff --json --tsv a b
	says '-q and -v exclude each other' tc-dec -q -v
}

@test "an option with a value is given once; those that add up, once for each part" {
	twice() { misused "$@"; [[ $stderr = "$1: --"*" is given more than once. Try "* ]]; }
	twice tc-lift -f tcp -f udp
	twice tc-lift -f tcp --filter=tcp
	for name in tc-lift tc-enc tc-dec tc-compile tc-train tc-show; do twice $name -o a --output b; done
	# Each option that takes a value, of each program.
	for name in $programs; do
		for option in $(${CC:-cc} -E -P -D_GNU_SOURCE -Icommon $name/main.c | tr -d ' \n' |
			grep -oE '\{"[a-z-]+",1,' | cut -d'"' -f2); do
			case $option in
			idle) values=(tcp=1 tcp=2) ;;
			tolerance) values=(tcp.event=1 tcp.event=2) ;;
			fail-on) continue ;;
			latent-type) values=(f32 f16) ;;
			rate | decay | beta | lambda | disturb | even) values=(0.1 0.2) ;;
			start) values=(1 2) ;;
			*) values=(16 32) ;;
			esac
			twice $name "--$option" "${values[0]}" "--$option" "${values[1]}" 2>/dev/null || {
				[[ $stderr = "$name: --$option"*" is given more than once"* ]]
			}
		done
	done
	tc-lift -q --idle tcp=5 --idle udp=6 "$BATS_FILE_TMPDIR/pcap" | tc-show | head -n 1 | jq -e '.idle_tcp == 5 and .idle_udp == 6'
	tc-diff --tolerance tcp.event=1 --tolerance time.iat=1 --fail-on tcp.event --fail-on time.iat "$BATS_FILE_TMPDIR"/{pcap,act} >/dev/null
}

# --- who waits, and whose reader goes ---

# terminal COMMAND: as if typed there, and ^D after it.
terminal() { printf '\004' | script -qefc "$1" /dev/null | tr -d '\r'; }

@test "a program that waits for what somebody types says so, unless -q" {
	for name in tc-lift tc-enc tc-dec tc-compile tc-show; do
		terminal "$name -o '$tmp/out'" >"$tmp/said" || true
		grep -q "^$name: reads standard input, a terminal, until ^D" "$tmp/said"
		[ $name != tc-show ] || continue
		terminal "$name -q -o '$tmp/out'" >"$tmp/said" || true
		grep 'a terminal' "$tmp/said" && false
	done
	terminal "tc-diff - '$BATS_FILE_TMPDIR/act'" >"$tmp/said" || true
	grep -q '^tc-diff: reads standard input, a terminal, until ^D' "$tmp/said"
	terminal "tc-train -o '$tmp/out'" >"$tmp/said" || true
	grep -q '^tc-train: reads standard input, a terminal, until ^D' "$tmp/said"
	terminal "tc-lift '$BATS_FILE_TMPDIR/pcap' -o '$tmp/out'" >"$tmp/said"
	is "$(tr -d '\004\b^D' <"$tmp/said")" ""
	true
}

@test "a reader that goes away: no word, no temporary file, and another's output is whole" {
	mkdir "$tmp/out"
	gone tc-lift "$sample"
	gone tc-lift --map "$tmp/out/map" "$sample"
	gone tc-diff --flows "$sample" "$sample"
	gone bash -c "tc-lift -q '$sample' | tc-show"
	nothing() { [ -z "$(ls -A "$tmp/out")" ]; }
	eventually nothing
	# Into a pipe of -o, whose reader goes: the same.
	mkfifo "$tmp/pipe"
	true <"$tmp/pipe" 3>&- &
	run -141 --separate-stderr env --default-signal=PIPE tc-lift -o "$tmp/pipe" "$sample"
	is "$stderr" ""
	# One that goes from standard error ends nothing.
	rm "$tmp/status"
	{ tc-lift -v "$BATS_FILE_TMPDIR/pcap" -o "$tmp/out/a" || echo $? >"$tmp/status"; } 2>&1 | true
	[ ! -e "$tmp/status" ]
	cmp "$tmp/out/a" "$BATS_FILE_TMPDIR/act"
}
