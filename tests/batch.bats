# The lines of tracecodec(7), BATCHES and Slurm, as they stand there: what they make, what a bad capture does to them, and
# that they do a second time only what is missing.

load helper

# A folder of captures, one of which breaks off, and a tc-lift that counts: its last argument is a line in $tmp/runs.
captures() {
	folder=$tmp/captures
	mkdir -p "$folder/mon" "$tmp/bin"
	cp "$edge/tcp-plain-ip4.pcap" "$folder/a.pcap"
	cp "$edge/igmp.pcap" "$folder/it's \"two\".pcap"
	cp "$edge/duplicates.pcap" "$folder/mon/\$c & d.pcap"
	cp "$edge/arp-request-reply.pcap" "$folder/mon/e.pcap"
	head -c 1000 "$sample" >"$folder/broken.pcap"
	good=("a.pcap" "it's \"two\".pcap" "mon/\$c & d.pcap" "mon/e.pcap")
	lift=$(command -v tc-lift)
	printf '%s\n' '#!/bin/sh' 'for last; do :; done' "echo \"\$last\" >>'$tmp/runs'" "exec '$lift' \"\$@\"" >"$tmp/bin/tc-lift"
	chmod +x "$tmp/bin/tc-lift"
}

# shown NAME: the lines of the page behind "example: NAME".
shown() { sed -n "/^\.\\\\\" example: $1\$/,/^\.Ed/p" man/tracecodec.7 | sed '1,2d; $d; s/\\e/\\/g'; }

# lines NAME: they run in the folder, as if typed there.
lines() {
	local text
	text=$(shown "$1")
	echo "$text"
	: >"$tmp/runs"
	[ -n "$text" ] && (cd "$folder" && HOME=$tmp PATH=$tmp/bin:$PATH bash -c "$text" 3>&-)
}

runs() { wc -l <"$tmp/runs"; }

# outputs SUFFIX CAPTURE...: these have one, as tc-lift, and the command of $through, make it, and no others.
outputs() {
	local suffix=$1
	shift
	is "$(cd "$folder" && find . -name "*$suffix*" | sort)" "$(printf "./%s$suffix\n" "$@" | sort)"
	for f; do "$lift" -q "$folder/$f" | ${through:-cat} | cmp - "$folder/$f$suffix"; done
}

names_broken() { is "$(grep -c '^tc-lift: \./broken\.pcap: after packet 8: ' <<<"$stderr")" 1; }

mend() { cp "$edge/one-packet-udp.pcap" "$folder/broken.pcap"; }
times() { find "$folder" -name "*$1" ! -name 'broken*' -printf '%p %T@ %i\n' | sort; }

# twice NAME SUFFIX STATUS: the lines, with a broken capture, once more, and when it is mended.
twice() {
	run "-$3" --separate-stderr lines "$1"
	names_broken
	is "$(runs)" 5
	outputs "$2" "${good[@]}"
	before=$(times "$2")
	run "-$3" --separate-stderr lines "$1"
	names_broken
	is "$(cat "$tmp/runs")" ./broken.pcap
	mend
	run -0 --separate-stderr lines "$1"
	is "$stderr" ""
	is "$(cat "$tmp/runs")" ./broken.pcap
	outputs "$2" "${good[@]}" broken.pcap
	is "$(times "$2")" "$before"
	run -0 --separate-stderr lines "$1"
	is "$(runs)" 0
}

@test "what is missing, by xargs: a broken capture is named, the others are lifted; again, only what is missing" {
	captures
	twice missing .act 123
}

@test "pipes, by parallel: likewise, without pipefail" {
	captures
	through="tc-enc -q"
	twice pipes .lat 1
}

@test "-nt in place of -e: what is newer than its output is done again" {
	captures
	mend
	newer=$(shown missing | sed 's/test -e {}.act/test {}.act -nt {}/')
	grep -qF 'test {}.act -nt {}' <<<"$newer"
	shown() { echo "$newer"; }
	lines missing
	is "$(runs)" 5
	lines missing
	is "$(runs)" 0
	cp "$edge/igmp.pcap" "$folder/a.pcap"
	touch -d '+1 minute' "$folder/a.pcap"
	lines missing
	is "$(cat "$tmp/runs")" ./a.pcap
	outputs .act "${good[@]}" broken.pcap
}

@test "a log of runs: what failed is run again, what it didn't come to is run" {
	captures
	run -1 --separate-stderr lines log
	names_broken
	is "$(runs)" 5
	outputs .act "${good[@]}"
	is "$(awk -F'\t' 'NR > 1 && $7' "$folder/lift.log" | cut -f 9)" "tc-lift -q -o ./broken.pcap.act ./broken.pcap"
	run -1 --separate-stderr lines resume
	names_broken
	is "$(cat "$tmp/runs")" ./broken.pcap
	mend
	sed -i '/mon\/e\.pcap/d' "$folder/lift.log" # as if it had been interrupted there
	rm "$folder/mon/e.pcap.act"
	run -0 --separate-stderr lines resume
	is "$(sort "$tmp/runs" | xargs)" "./broken.pcap ./mon/e.pcap"
	outputs .act "${good[@]}" broken.pcap
}

@test "a run that a signal kills: xargs stops and says so, parallel goes on; both do the rest the next time" {
	for name in missing pipes; do
		rm -rf "$tmp"/{captures,bin}
		captures
		mend
		for i in $(seq 20); do cp "$edge/igmp.pcap" "$folder/$i.pcap"; done
		sed -i '2i case $* in *./a.pcap) kill -KILL $$ ;; esac' "$tmp/bin/tc-lift"
		case $name in missing) suffix=.act status=125 ;; pipes) suffix=.lat status=1 ;; esac
		run -$status --separate-stderr lines $name
		[ ! -e "$folder/a.pcap$suffix" ]
		[ $name = missing ] || is "$(find "$folder" -name "*$suffix" | wc -l)" 24
		sed -i 2d "$tmp/bin/tc-lift"
		run -0 --separate-stderr lines $name
		is "$(find "$folder" -name "*$suffix*" | wc -l)" 25
	done
}

@test "a batch that is killed leaves whole outputs and nothing else; again, it does the rest" {
	captures
	mend
	rm "$folder/a.pcap"
	mkfifo "$folder/a.pcap" # a capture that comes slowly
	exec 4<>"$folder/a.pcap"
	head -c 200 "$edge/tcp-plain-ip4.pcap" >&4
	text=$(shown missing)
	(cd "$folder" && exec setsid bash -c "$text") 3>&- 4>&- &
	all_but_one() { [ "$(find "$folder" -name '*.act' | wc -l)" -eq 4 ] && [ "$(find "$folder" -name 'a.pcap.act.*')" ]; }
	eventually all_but_one
	kill -KILL -- "-$!"
	wait $! || true
	exec 4>&-
	tidied() { [ -z "$(find "$folder" -name 'a.pcap.act*')" ]; }
	eventually tidied # the keeper comes to it
	outputs .act "${good[@]:1}" broken.pcap
	rm "$folder/a.pcap"
	cp "$edge/tcp-plain-ip4.pcap" "$folder/a.pcap"
	lines missing
	is "$(cat "$tmp/runs")" ./a.pcap
	outputs .act "${good[@]}" broken.pcap
}

@test "through the codec and compared: a broken capture is named, again only that; what is inexact is told" {
	captures
	run -1 --separate-stderr lines codec
	is "$(grep -c $'^\./broken\.pcap\ttc-lift: \./broken\.pcap: after packet 8: ' <<<"$stderr")" 1
	is "$(runs)" 5
	is "$(cd "$folder" && find . -name '*.again*' | sort)" "$(printf './%s.again\n' "${good[@]}" | sort)"
	for f in "${good[@]}"; do is "$(packets "$folder/$f.again")" "$(packets "$folder/$f")"; done
	run -1 --separate-stderr lines codec
	is "$(cat "$tmp/runs")" ./broken.pcap
	mend
	run -0 --separate-stderr lines codec
	is "$(cat "$tmp/runs") $stderr" "./broken.pcap "
	run -0 lines codec
	is "$(runs)" 0
	text=$(shown inexact)
	inexact() { (cd "$folder" && bash -c "$text"); }
	[ -n "$text" ]
	is "$(inexact)" ""
	tc-diff --json --paired "$folder/mon/e.pcap" "$edge/igmp.pcap" >"$folder/mon/e.pcap.json" || true
	is "$(inexact | cut -f 1 | uniq)" "$folder/mon/e.pcap"
}

@test "the table of a batch counts captures and packets, and names what failed" {
	captures
	mkdir "$folder/other"
	cp "$edge/igmp.pcap" "$folder/other/named otherwise"
	n=0
	for f in "${good[@]}" "other/named otherwise"; do n=$((n + $(packets "$folder/$f"))); done
	before=$(cd "$folder" && find . -printf '%p %T@\n' | sort)
	run -1 --separate-stderr tests/batch.py "$folder" "$tmp/out"
	echo "$output"
	is "${lines[0]}" "captures   6: 5 done, 1 failed"
	is "${lines[1]}" "packets    $n, exact $n"
	is "${lines[2]}" "exact      5 captures"
	[[ ${lines[-1]} = "failed: ./broken.pcap: tc-lift: ./broken.pcap: after packet 8: "* ]]
	is "$(cd "$folder" && find . -printf '%p %T@\n' | sort)" "$before" # the captures' folder is left alone
	mend
	run -0 --separate-stderr tests/batch.py "$folder" "$tmp/out"
	is "${lines[0]}" "captures   6: 6 done, 0 failed"
	is "$(wc -l <"$tmp/out/log")" 8 # a title, six runs, and one again
	tc-diff --json --paired "$folder/mon/e.pcap" "$edge/igmp.pcap" >"$tmp/out/mon/e.pcap.json" || true
	run -0 --separate-stderr tests/batch.py "$folder" "$tmp/out"
	is "${lines[2]}" "exact      5 captures"
	grep -q "^not exact: \./mon/e\.pcap: " <<<"$output"
}

@test "process substitution: tc-diff says what it says of the same stream in a file" {
	captures
	cp "$sample" "$folder/day.pcap"
	tc-lift -q "$sample" | tc-enc -q | tc-dec >"$folder/again.act"
	report() { sed -n '/^metric /,$p' <<<"$output" | sed 's,^B  .*,B,'; }
	run -1 lines substitution # times are rounded
	from_pipe=$(report)
	cd "$folder"
	run -1 tc-diff day.pcap again.act
	is "$from_pipe" "$(report)"
	[ "$(wc -l <<<"$from_pipe")" -gt 38 ]
}

@test "tee: one lift, three outputs, all there when the line ends" {
	captures
	cp "$sample" "$folder/day.pcap"
	lines tee
	is "$(runs)" 1
	tc-lift -q "$sample" >"$tmp/day.act"
	# The last digit of a latent depends on what a pipe brings at once; what it stands for, not.
	tc-dec "$folder/day.lat" | cmp - <(tc-enc -q "$tmp/day.act" | tc-dec)
	tc-compile -q "$tmp/day.act" | cmp - "$folder/again.pcap"
	tc-show "$tmp/day.act" | cmp - "$folder/day.json"
}

@test "tee: of a capture that breaks off no output comes but what was read" {
	captures
	head -c 100000 "$sample" >"$folder/day.pcap"
	run -1 --separate-stderr lines tee
	is "$(grep -c '^tc-lift: day\.pcap: after packet ' <<<"$stderr")" 1
	is "$(cd "$folder" && ls -d day* again* 2>/dev/null | xargs)" "day.json day.pcap"
	is "$(tail -n 1 "$folder/day.json" | jq -r '.["end"]')" cut
}

@test "by the hour: tcpdump's files but the last one are lifted, again only what is missing, and all are one trace" {
	captures
	rm -r "$folder"/*
	# An hour is a second here, and the sample comes in three of them, or more where tcpdump has to wait for its turn.
	text=$(shown rotate)
	[[ $text = "tcpdump -i eth0 "* ]]
	{
		head -c 1000000 "$sample"
		sleep 1.1
		head -c 2000000 "$sample" | tail -c +1000001
		sleep 1.1
		tail -c +2000001 "$sample"
	} | (cd "$folder" && eval "$(sed 's/-i eth0/-r -/; s/3600/1/' <<<"$text")") 2>/dev/null
	parts=("$folder"/part-*.pcap)
	[ "${#parts[@]}" -ge 3 ]
	lines closed
	is "$(runs)" $((${#parts[@]} - 1))
	unset 'parts[-1]'
	outputs .act "${parts[@]#"$folder/"}"
	lines closed
	is "$(runs)" 0
	lines one
	tc-lift -q "$sample" | cmp - "$folder/day.act"
}

@test "by the hour: tcpdump doesn't split a file, editcap does, and the parts are the same trace" {
	cp "$sample" "$tmp/day.pcap"
	cd "$tmp"
	tcpdump -Z "$(id -un)" -r day.pcap -w 'hour-%s.pcap' -G 10 2>/dev/null
	is "$(ls hour-* | wc -l)" 1
	editcap -F pcap -i 10 day.pcap part-.pcap
	[ "$(ls part-* | wc -l)" -ge 4 ]
	tc-lift -q day.pcap | cmp - <(tc-lift -q part-*.pcap)
}

@test "Slurm: the tasks of an array do all captures between them, each once" {
	captures
	shown slurm >"$tmp/job"
	grep -q '^#SBATCH --array=1-100 ' "$tmp/job"
	shown() { echo "sh '$tmp/job'"; }
	task() { SLURM_ARRAY_TASK_COUNT=3 SLURM_CPUS_PER_TASK=2 SLURM_ARRAY_TASK_ID=$1 lines slurm; }
	failed=0 total=0
	for i in 1 2 3; do
		task $i || failed=$((failed + 1))
		total=$((total + $(runs)))
	done
	is "$failed $total" "1 5"
	outputs .act "${good[@]}"
	mend
	total=0
	for i in 1 2 3; do
		task $i
		total=$((total + $(runs)))
	done
	is "$total" 1
	outputs .act "${good[@]}" broken.pcap
}
