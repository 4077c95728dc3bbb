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

programs='tc-lift tc-enc tc-dec tc-compile tc-diff tc-train tc-gen tc-edit tc-show'

# --- no output is an input ---

# Programs that write: "COMMAND|its input".
writers=('tc-lift|pcap' 'tc-enc|act' 'tc-dec|lat' 'tc-compile|act' 'tc-show|act' 'tc-edit|act' 'tc-edit --copies 2|act' 'tc-show --reverse|json'
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
	for name in tc-lift tc-enc tc-dec tc-compile tc-train tc-edit tc-show; do twice $name -o a --output b; done
	# Each option that takes a value, of each program.
	for name in $programs; do
		for option in $(${CC:-cc} -E -P -D_GNU_SOURCE -Icommon $name/main.c | tr -d ' \n' |
			grep -oE '\{"[a-z-]+",1,' | cut -d'"' -f2); do
			case $option in
			idle) values=(tcp=1 tcp=2) ;;
			tolerance) values=(tcp.event=1 tcp.event=2) ;;
			fail-on | merge) continue ;;
			latent-type) values=(f32 f16) ;;
			rate | decay | beta | augment | balance | sample) values=(0.1 0.2) ;;
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
terminal() {
	for _ in 1 2 3 4; do sleep 0.2 && printf '\004' || true; done | { timeout 20 script -qefc "$1" /dev/null || true; } | tr -d '\r' || true
}

@test "a program that waits for what somebody types says so, unless -q" {
	for name in tc-lift tc-enc tc-dec tc-compile tc-edit tc-show; do
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

# --- what another program takes ---

# What a file is, and what to do with it.
files='pcap|a capture (pcap); tc-lift turns it into packet actions
pcapng|a capture (pcapng); tc-lift turns it into packet actions
act|a stream of actions; tc-compile turns it into a capture, tc-enc into latents, tc-show into JSON
lat|a stream of latents; tc-dec turns it into packet actions, tc-show into JSON
weights|weights; tc-enc and tc-dec take them by --weights, tc-train by --init
json|JSON; tc-show --reverse turns what tc-show printed into a stream
gzip|compressed; gzip -dc unpacks it
zstd|compressed; zstd -dc unpacks it
xz|compressed; xz -dc unpacks it
lz4|compressed; lz4 -dc unpacks it
bzip2|compressed; bzip2 -dc unpacks it
zip|a zip archive; unzip -p unpacks it
text|text
other|
empty|'

# What a program says of what it doesn't take, of what nobody knows, and of nothing; and what it takes.
readers='tc-lift|not a capture|unknown file format|empty: not a capture|pcap pcapng gzip zstd xz lz4
tc-diff PCAP|not a capture|unknown file format|empty: not a capture|pcap pcapng act gzip zstd xz lz4
tc-compile|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-edit|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-edit --flows tcp|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-edit ACT --merge|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-enc|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-train -o OUT --steps 1 --batch 16|not a stream of actions|not a stream of TraceCodec|empty: not a stream of TraceCodec|act
tc-dec|not a stream of latents|not a stream of TraceCodec|empty: not a stream of TraceCodec|lat
tc-show|not a stream of TraceCodec|not a stream of TraceCodec|empty: not a stream of TraceCodec|act lat
tc-show --reverse|not JSON of tc-show|line 1: *|empty|json
tc-enc ACT --weights|not a weights file of TraceCodec|not a weights file of TraceCodec|not a weights file of TraceCodec|weights
tc-dec LAT --weights|not a weights file of TraceCodec|not a weights file of TraceCodec|not a weights file of TraceCodec|weights
tc-train ACT -o OUT --steps 1 --batch 16 --init|not a weights file of TraceCodec|not a weights file of TraceCodec|not a weights file of TraceCodec|weights'

# compressed: day.pcap by each compressor, in $1.
compressed() {
	for by in gzip zstd xz lz4 bzip2; do $by -qc <"$BATS_FILE_TMPDIR/pcap" >"$1/$by"; done
}

@test "what is handed to the wrong program is named, and the right program: each file, each program" {
	in=$BATS_FILE_TMPDIR
	mkdir "$tmp/d"
	cp "$in"/{pcap,act,lat,weights,json} "$tmp/d"
	cp "$edge/pcapng-with-nanoseconds.pcap" "$tmp/d/pcapng"
	compressed "$tmp/d"
	python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write("Makefile")' "$tmp/d/zip"
	cp Makefile "$tmp/d/text"
	printf 'abc\0\1\2%0100d' 0 >"$tmp/d/other"
	: >"$tmp/d/empty"
	pairs=0
	while IFS='|' read -r command wanted unknown nothing takes; do
		command=${command/PCAP/$in/pcap}
		command=${command/ACT/$in/act}
		command=${command/LAT/$in/lat}
		command=${command/OUT/$tmp/out}
		while IFS='|' read -r file what; do
			path=$tmp/d/$file
			[[ " $takes " != *" $file "* ]] || continue
			case $file in
			other) said=$unknown ;;
			empty) said=$nothing ;;
			lat) said="${wanted/not a capture/$([[ $command = tc-diff* ]] && echo not a stream of actions || echo not a capture)}, but $what" ;;
			text) case $command in *--reverse) said=$unknown ;; *) said="$wanted, but $what" ;; esac ;;
			*) said="$wanted, but $what" ;;
			esac
			status=0
			$command "$path" >"$tmp/out" 2>"$tmp/err" || status=$?
			echo "$command $file: $status $(cat "$tmp/err")"
			[ $status -eq 1 ] || [[ $status,$command = 2,tc-diff* ]]
			[[ "$(cat "$tmp/err")" = "${command%% *}: $path: "$said ]]
			pairs=$((pairs + 1))
		done <<<"$files"
	done <<<"$readers"
	is $pairs 184
}

# --- compressed captures ---

compressors='gzip zstd xz lz4'

@test "compressed captures are read as they were, from files and pipes, by tc-lift and tc-diff" {
	tc-lift -q "$sample" >"$tmp/want"
	for by in $compressors; do
		echo "$by"
		$by -qc <"$sample" >"$tmp/$by"
		tc-lift -q "$tmp/$by" | cmp - "$tmp/want"
		{ head -c 5 "$tmp/$by"; sleep 0.1; tail -c +6 "$tmp/$by"; } | tc-lift -q | cmp - "$tmp/want"
		tc-diff "$tmp/$by" "$sample" >/dev/null
		cat "$tmp/$by" | tc-diff "$tmp/want" - >/dev/null
		tc-lift -q -f 'tcp port 80' "$tmp/$by" | cmp - <(tc-lift -q -f 'tcp port 80' "$sample")
	done
	# Several at once; files that were joined; pcapng.
	tc-lift -q "$tmp"/{gzip,zstd,xz,lz4} | cmp - <(tc-lift -q "$sample"{,,,})
	for by in $compressors; do
		{ head -c 1000000 "$sample" | $by -qc; tail -c +1000001 "$sample" | $by -qc; } >"$tmp/joined"
		tc-lift -q "$tmp/joined" | cmp - "$tmp/want"
		$by -qc <"$edge/pcapng-with-big-endian.pcap" | tc-lift -q | cmp - <(tc-lift -q "$edge/pcapng-with-big-endian.pcap")
	done
}

@test "a compressed capture that is cut or damaged is said, and what came before is passed on" {
	for by in $compressors; do
		$by $([ $by != lz4 ] || echo -B4) -qc <"$sample" >"$tmp/$by" # lz4: in blocks smaller than all of it
		head -c $(($(stat -c %s "$tmp/$by") / 2)) "$tmp/$by" >"$tmp/cut"
		run -1 --separate-stderr bash -c "tc-lift -q '$tmp/cut' >'$tmp/a'"
		echo "$stderr"
		[[ $stderr = "tc-lift: $tmp/cut: after packet "[1-9]*": compressed, and cut off or damaged: "* ]]
		[ "$(end "$tmp/a" | cut -d' ' -f3)" = cut ]
		run -2 --separate-stderr tc-diff "$tmp/cut" "$sample"
		[[ $stderr = "tc-diff: $tmp/cut: after packet "[1-9]*": compressed, and cut off"* ]]
	done
	# gzip's own checksum, which libarchive doesn't look at: an octet of payload, stored as it is; the length; the trailer.
	gzip -c <"$sample" >"$tmp/whole"
	size=$(stat -c %s "$tmp/whole")
	for at in $((size / 2)) $((size - 100)) $((size - 6)) $((size - 2)); do
		cp "$tmp/whole" "$tmp/damaged"
		printf '\x55' | dd of="$tmp/damaged" bs=1 seek=$at conv=notrunc 2>/dev/null
		run -1 tc-lift -q -o "$tmp/a" "$tmp/damaged"
	done
	[[ $output = *"gzip's checksum or length is not that of what was there" ]]
	refused 'tc-lift: standard input: empty: not a capture' bash -c "gzip -c </dev/null | tc-lift"
	refused 'tc-lift: standard input: compressed, and what was is not a capture, but a stream of actions; *' \
		bash -c "gzip -c <'$BATS_FILE_TMPDIR/act' | tc-lift"
}

# bats test_tags=linux
@test "a window that needs more than is good for a program is refused; those of the highest levels are not" {
	xz -9e -c <"$BATS_FILE_TMPDIR/pcap" | tc-lift -q | cmp - "$BATS_FILE_TMPDIR/act"
	zstd --ultra -22 --long=27 -qc <"$BATS_FILE_TMPDIR/pcap" | tc-lift -q | cmp - "$BATS_FILE_TMPDIR/act"
	export ASAN_OPTIONS=allocator_may_return_null=1:log_path=$tmp/sanitizer
	for mib in 200 1500; do
		xz --lzma2=dict=${mib}MiB -c <"$BATS_FILE_TMPDIR/pcap" >"$tmp/x"
		refused "tc-lift: $tmp/x: compressed?*" tc-lift "$tmp/x"
	done
	zstd --ultra -22 --long=30 -qc <"$BATS_FILE_TMPDIR/pcap" >"$tmp/z"
	refused "tc-lift: $tmp/z: compressed?*memory*" tc-lift "$tmp/z"
}

@test "progress counts the compressed octets" {
	gzip -c <"$sample" >"$tmp/a.gz"
	mkfifo "$tmp/pipe"
	tc-lift "$tmp/a.gz"{,,,} >"$tmp/pipe" 2>"$tmp/err" 3>&- &
	job=$!
	exec 4<"$tmp/pipe"
	for _ in 1 2 3 4 5; do # it has begun, and waits for its reader
		head -c 20000 <&4 >/dev/null
		kill -USR1 $job
		sleep 0.1
	done
	cat "$tmp/err"
	kill $job
	exec 4<&-
	wait $job || true
	grep -qE "^tc-lift: $tmp/a.gz: [0-9]+ packets in .* a second, [0-9][0-9]? %, [0-9]+ s left$" "$tmp/err"
}
