# The pages: that they are well-formed, say what the programs say, and that their examples run.

load helper

@test "mandoc finds nothing to warn of" {
	for page in man/*.[157]; do mandoc -T lint -W warning "$page"; done
	is "$(ls man | xargs)" "$(make -s --eval 'pages: ; @echo $(sort $(PAGES))' pages)"
}

# The options of a tool: short and long ones that its --help names, and those that its page explains.
of_help() { { "$1" --help; echo --help; } | grep -oE '(^|[ [,])--?[a-zA-Z][a-z-]*' | grep -oE -- '-+[a-zA-Z][a-z-]*' | sort -u; }
of_page() {
	grep -E '^\.It Fl ' "man/$1.1" | sed 's/ Ar .*//; s/ , / /' | tr ' ' '\n' |
		sed -nE 's/^(-[a-z-]+)$/-\1/p; s/^([a-zA-Z])$/-\1/p' | sort -u
}

@test "every option of --help stands in the tool's page, and the other way round" {
	for tool in tc-*/; do
		tool=${tool%/}
		echo "$tool"
		diff <(of_help $tool) <(of_page $tool)
		[ "$(of_page $tool | wc -l)" -ge 5 ]
	done
}

@test "every option that the tool takes stands in --help" {
	for tool in tc-*/; do
		tool=${tool%/}
		diff <(of_help $tool | grep -- --) \
			<(${CC:-cc} -E -P -D_GNU_SOURCE -Icommon $tool/main.c | tr -d ' \n' | grep -oE '\{"[a-z-]+",[01],' |
				cut -d'"' -f2 | sed 's/^/--/' | sort)
	done
}

@test "the synopsis has the options of the page" {
	for tool in tc-*/; do
		tool=${tool%/}
		sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' man/$tool.1 >"$tmp/synopsis"
		for option in $(of_page $tool); do
			case $option in
			-h | --help | -V | --version) continue ;;
			--packets) option=-n ;;
			--filter | --output | --quiet | --verbose) option=-${option:2:1} ;; # by their short names
			esac
			echo "$tool $option"
			grep -qE "Fl ${option#-}( |$)" "$tmp/synopsis" || [ "$tool$option" = tc-show-r ]
		done
	done
}

@test "tc-records(5) has the fields of the header, in its order" {
	is "$(sed -n '/^name	unit	/,/^\.TE/p' man/tc-records.5 | sed '1d' | grep -oE '^[a-z_]+	' | xargs)" \
		"$(tc-lift "$edge/empty.pcap" | python3 -c \
			'import msgpack, sys; print(*next(msgpack.Unpacker(sys.stdin.buffer))["fields"])')"
}

# One that stands in none is one that nothing holds lift and compile to.
@test "every field of an action stands in a fixture" {
	for f in "$edge"/*.pcap "$sample"; do tc-lift -q "$f" 2>/dev/null || true; done >"$tmp/all"
	{ tc-show "$tmp/all" 2>/dev/null || true; } | jq -r 'select(has("magic") or has("end") | not) | keys[]' | sort -u >"$tmp/seen"
	is "$(tc-lift -q "$edge/empty.pcap" | python3 -c 'import msgpack, sys
for name in next(msgpack.Unpacker(sys.stdin.buffer))["fields"]: print(name)' | sort | comm -23 - "$tmp/seen")" ""
}

# section TITLE: what it has a tag for, in tc-metrics(7).
section() { awk -v title="$1" '/^\.S[hs] / { on = substr($0, 5) == title } on' man/tc-metrics.7 | sed -nE 's/^\.It (Cm )?//p'; }

@test "tc-metrics(7) has each metric that tc-diff has, with its unit, in its group and order, and no others" {
	tc-diff --json "$edge/duplicates.pcap" "$edge/duplicates.pcap" >"$tmp/json"
	tc-diff --tsv "$edge/duplicates.pcap" "$edge/duplicates.pcap" | tail -n +2 | cut -f1,5 >"$tmp/metrics"
	jq -r '.metrics | to_entries[] | [.key, .value.unit] | @tsv' "$tmp/json" | diff - "$tmp/metrics"
	awk '/^\.S[hs] / { group = $2 }
		/^\.It Cm ([a-z]+\.|c2st )/ {
			n = split(substr($0, 8), tag, ", Cm ")
			for (i = 1; i <= n; i++) {
				split(tag[i], part, / No [(]|[)]/)
				print (index(part[1] ".", group ".") == 1 ? "" : group " has ") part[1] "\t" part[2]
			}
		}' man/tc-metrics.7 | diff - "$tmp/metrics"
	is "$(section Units | sort | xargs)" "$(cut -f2 "$tmp/metrics" | sort -u | xargs)"
	is "$(sed -n '/^\.Cm metrics_version$/{n;s/,.*//p}' man/tc-metrics.7)" "$(jq .metrics_version "$tmp/json")"
}

@test "tc-metrics(7) has what tc-diff counts: violations, anomalies, states" {
	tc-diff --json "$edge/duplicates.pcap" "$edge/duplicates.pcap" >"$tmp/json"
	is "$(section LEGALITY)" "$(jq -r '.a.legality | keys_unsorted[]' "$tmp/json")"
	is "$(section ANOMALIES)" "$(jq -r '.a.anomaly | keys_unsorted[]' "$tmp/json")"
	is "$(sed -n '/^\.Sh CONNECTION STATES/,/^\.TE/s/\tT{$//p' man/tc-metrics.7)" "$(jq -r '.a.conn_state | keys_unsorted[]' "$tmp/json")"
}

@test "the reasons in the DIAGNOSTICS of tc-lift and what tc-compile changes have the programs' names" {
	reasons() { sed -n "/$1/,/^\.El/p" "$2" | sed -n 's/^\.It //p' | sort; }
	diff <(reasons '^The reasons:' man/tc-lift.1) \
		<(sed -n '/shortfall_names.*=/,/;/p' tc-lift/main.c | grep -oE '"[^"]+"' | tr -d '"' | sort)
	diff <(sed -n '/^\.Sh WHAT IS CHANGED/,/^\.Sh EXIT/p' man/tc-compile.1 | sed -n 's/^\.It \([a-z]\)/\1/p' | sort) \
		<(sed -n '/odd_names.*=/,/;/p' common/state/trace.c | grep -oE '"[^"]+"' | tr -d '"' | sort)
}

@test "the reader in tc-records(5) runs, and counts what tc-show and jq count" {
	sed -n '/^\.\\" example: flows.py/,/^\.Ed/p' man/tc-records.5 | sed '1,2d;$d; s/\\e/\\/g' >"$tmp/flows.py"
	tc-lift "$sample" >"$tmp/a"
	python3 "$tmp/flows.py" <"$tmp/a" >"$tmp/flows"
	tc-show "$tmp/a" | jq -rs '.[1:-1] | map([.flow // 0, ([.len // 0, 0] | max)]) | group_by(.[0])[] |
		"\(.[0][0]) \(length) \(map(.[1]) | add)"' | diff "$tmp/flows" -
	[ "$(wc -l <"$tmp/flows")" -gt 100 ]
	head -c 10000 "$tmp/a" >"$tmp/cut"
	run -1 python3 "$tmp/flows.py" <"$tmp/cut"
}

# examples PAGE: runs the commands of its EXAMPLES in $tmp, on the sample; what the network, or a generator, would
# bring comes from files.
examples() {
	for day in day mon tue wed; do
		cp "$sample" "$tmp/$day.pcap"
		tc-lift "$sample" >"$tmp/$day.act"
	done
	gzip -k "$tmp/day.pcap"
	{
		echo "source=$PWD/$sample"
		declare -f stream
		cat <<-'END'
			set -euo pipefail
			shopt -s expand_aliases
			generator() { stream '{"len":10,"flags":24}'; }
			tcpdump() { case "$*" in *--immediate-mode*) cat "$source" ;; *) command tcpdump "$@" 2>/dev/null ;; esac; }
		END
		awk '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh [^E]/ { on = 0 }
			/^\.Ed/ { if (kind == "json") print "END"; inside = 0 }
			inside == 1 { kind = /^\{/ ? "json" : /^import/ ? "python" : "shell"; inside = 2
				if (kind == "json") print "cat >hand.json <<\"END\"" }
			inside && kind != "python" { gsub(/\\e/, "\\"); print }
			on && /^\.Bd/ { inside = 1 }' "$1"
	} >"$tmp/examples.sh"
	cat "$tmp/examples.sh"
	(cd "$tmp" && bash ./examples.sh >said)
}

@test "the examples of tc-lift(1) run" {
	examples man/tc-lift.1
	is "$(end "$tmp/week.act" | cut -d' ' -f1)" $((3 * $(packets "$sample")))
	is "$(packets "$tmp/again.pcap")" "$(packets "$sample")"
	grep -qE '^1	host	0	ff02::1:ff[0-9a-f:]+	ff02::1:ff[0-9a-f:]+$' "$tmp/said"
}

@test "the examples of tc-compile(1) run" {
	examples man/tc-compile.1
	is "$(packets "$tmp/both.pcap")" $((2 * $(packets "$sample")))
	is "$(tcpdump -ttnr "$tmp/both.pcap" -c 1 2>/dev/null | cut -d' ' -f1)" 1795392000.000000
	is "$(packets "$tmp/drawn.pcap")" 3
}

@test "the examples of tc-show(1) run: one flow, slowed down, a connection by hand" {
	examples man/tc-show.1
	grep -qE '^ +[0-9]+ 80$' "$tmp/said"
	stamps() { tcpdump --nano -ttnr "$1" 2>/dev/null | cut -d' ' -f1; }
	[ "$(packets "$tmp/one.pcap")" -eq 1013 ]
	comm -13 <(stamps "$sample" | sort -u) <(stamps "$tmp/one.pcap" | sort -u) | cmp - /dev/null
	# In microseconds.
	since() { stamps "$1" | sed 's/\.//; s/000$//' | awk -v factor=$2 'NR == 1 { first = $1 } { printf "%d\n", factor * ($1 - first) }'; }
	since "$tmp/slow.pcap" 1 | cmp - <(since "$sample" 2)
	is "$(tshark -n -r "$tmp/hand.pcap" -T fields -e tcp.flags.str -e tcp.len -e frame.time_relative 2>/dev/null |
		tr -d '·' | tr '\t\n' ' ;')" "S 0 0.000000000;AS 0 0.020000000;A 0 0.020050000;AP 100 0.020060000;\
A 1000 0.040060000;R 0 0.040110000;"
	is "$(tshark -n -r "$tmp/hand.pcap" -Y 'tcp.analysis.flags || _ws.malformed' 2>/dev/null)" ""
}

@test "the examples of tc-records(5) run" {
	examples man/tc-records.5
	is "$(packets "$tmp/narrow.pcap")" "$(packets "$sample")"
	[ "$(tcpdump -nr "$tmp/narrow.pcap" --count 'tcp[14:2] = 1024' 2>/dev/null | cut -d' ' -f1)" -gt 10000 ]
}

@test "the examples of tracecodec(7) run" {
	examples man/tracecodec.7
	ls "$tmp"/hour_*.act
	is "$(for f in "$tmp"/hour_*.act; do end "$f"; done | cut -d' ' -f1 | awk '{ n += $1 } END { print n }')" "$(packets "$sample")"
}

@test "the examples of tc-enc(1) run" {
	examples man/tc-enc.1
	is "$(packets "$tmp/again.pcap")" "$(packets "$sample")"
	[ "$(jq .packets "$tmp/said")" -eq "$(packets "$sample")" ]
}

@test "the examples of tc-dec(1) run" {
	examples man/tc-dec.1
}

@test "the examples of tc-edit(1) run: part of it, more of it, an attack with its labels" {
	examples man/tc-edit.1
	[ "$(end "$tmp/begin.act" | cut -d' ' -f1)" -gt 1000 ]
	is "$(packets "$tmp/crowd.pcap")" $((10 * $(packets "$sample")))
	is "$(end "$tmp/both.act" | cut -d' ' -f1)" $((2 * $(packets "$sample")))
	is "$(packets "$tmp/task.pcap")" "$(sed 1d "$tmp/truth.tsv" | wc -l)"
	is "$(cut -f2 "$tmp/truth.tsv" | sort -u | xargs)" "attack.act input standard input"
}

@test "the reader and writer in tc-latents(5) runs: a coordinate is moved, and it decodes still" {
	sed -n '/^\.\\" example: nudge.py/,/^\.Ed/p' man/tc-latents.5 | sed '1,2d;$d; s/\\e/\\/g' >"$tmp/nudge.py"
	tc-lift -q "$sample" | tc-enc -q --no-refine >"$tmp/lat"
	python3 "$tmp/nudge.py" <"$tmp/lat" >"$tmp/moved"
	[ "$(tc-show "$tmp/lat" | sed -n 9p)" != "$(tc-show "$tmp/moved" | sed -n 9p)" ]
	is "$(tc-dec "$tmp/moved" | tc-show | wc -l)" $(($(packets "$sample") + 2))
}

@test "the coordinates in tc-latents(5) of slots and steps are those that tc-enc writes" {
	sed -n '/^\.\\" example: assigned.py/,/^\.Ed/p' man/tc-latents.5 | sed '1,2d;$d; s/\\e/\\/g' >"$tmp/assigned.py"
	{
		head -c -1 <<-'END'
			{"magic":"tracecodec","kind":"actions","version":1,"resolution":"ns","start":"0.000000000","link":1,"snaplen":65535,
		END
		echo '"cap":1048576,"idle_tcp":300,"idle_udp":60,"idle_other":60}'
		for step in 0 1 -1 255 256 131071 131073 -262143 4294967295 4294967296 140737488355327 -9223372036854775808; do
			echo "{\"dt\":$step}"
		done
		for slot in 0 1 126 127 254 255 256 510 511 4095 65535 524287 1048574 1048575; do
			echo "{\"flow\":$slot,\"open\":1,\"orig_h\":[$slot,8,3],\"resp_h\":[$slot,12,3]}"
		done
		echo '{"end":"whole"}'
	} | tc-show --reverse >"$tmp/edges"
	tc-lift -q "$sample" >"$tmp/sample"
	for f in edges sample; do
		tc-enc -q --no-refine --no-patch --latent-type f32 "$tmp/$f" >"$tmp/lat"
		(cd "$tmp" && python3 - $f lat) <<-'END'
			import struct, sys
			from msgpack import Unpacker
			from assigned import who, when
			for action, latent in zip(*(Unpacker(open(f, "rb")) for f in sys.argv[1:])):
			    if "magic" in action:
			        fields, blocks = action["fields"], latent["blocks"]
			    if not isinstance(action, list):
			        continue
			    values = iter(action[1:])
			    a = {f: next(values) for i, f in enumerate(fields) if action[0] >> i & 1}
			    want, got = who(a.get("flow", 0)), struct.unpack("<%df" % sum(blocks.values()), latent[0])[blocks["what"]:]
			    for name in ("orig_h", "resp_h", "src_mac", "dst_mac"):
			        ref = a.get(name, "")
			        if not isinstance(ref, str):
			            ref = ref if isinstance(ref, list) else [ref]
			            want += who(ref[0]) + (who(ref[2]) if len(ref) > 2 and ref[1] != 12 else [])
			    if not a.keys() & {"quote", "target", "sha", "tha", "quote_src", "quote_dst"}:
			        want += [0] * (blocks["who"] - len(want)) + when(a.get("dt", 0))
			        assert len(want) == len(got) and max(abs(x - y) for x, y in zip(want, got)) < 1e-6, (a, want, got)
		END
	done
}

# The parts of a weights file: its version, the groups of bits with their fields, and its tensors.
weights() {
	python3 - "$1" <<-'END'
		import struct, sys
		data, at = open(sys.argv[1], "rb").read(), 8
		def numbers(n):
		    global at
		    at += 4 * n
		    return struct.unpack_from("<%dI" % n, data, at - 4 * n)
		def name():
		    global at
		    at += 24
		    return data[at - 24:at].rstrip(b"\0").decode()
		version, f16 = numbers(2)
		print("version", version)
		sizes = dict(zip(("latent", "encoder", "trunk", "detail"), numbers(4)))
		words, = numbers(1)
		groups = [(name(), *numbers(2)) for _ in range(*numbers(1))]
		fields = [(name(), *numbers(4)) for _ in range(*numbers(1))]
		for g, first, n in groups:
		    print("group", g, n, *sorted(f for f, low, _, high, wide in fields if f not in ("dt", "flow") and first <= low <= first + n
		                                 or wide and first <= high < first + n))
		count, = numbers(1)
		print("tensors", count)
		for _ in range(count):
		    print("tensor", name(), end=" ")
		    rows, columns = numbers(2)
		    print(rows, columns)
		    at += rows * columns * (2 if f16 else 4)
		at += 2 * 2 * (64 + 64 * words)
		table, = numbers(1)
		assert len(data) == at + table + 32
	END
}

@test "tc-weights(5): the version, the bits of the groups and the number of tensors are those of the built-in weights" {
	weights weights/default.tcw >"$tmp/parts"
	version=$(sed -n 's/^version //p' "$tmp/parts")
	is "$(grep -P '^4\tversion\t' man/tc-weights.5)" "4	version	$version"
	grep -q "this program reads $version\$" man/tc-weights.5
	grep -q "^writes $(sed -n 's/^tensors //p' "$tmp/parts") tensors" man/tc-weights.5
	sed -n '/^group	n	fields/,/^\.TE/p' man/tc-weights.5 | sed '1d; $d' | tr '\n' ' ' | sed 's/ T} /\n/g' |
		while IFS='	' read -r group n fields; do
			fields=${fields#'T{ '} fields=${fields#of }
			echo "group $group $n $(tr -d ' ' <<<"${fields%%:*}" | tr , '\n' | sort | xargs)"
		done | diff - <(grep ^group "$tmp/parts" | LC_ALL=C sed 's/ $//')
}

@test "files and targets that the READMEs name are there" {
	pages="README.md SECURITY.md CHANGELOG.md tests/README.md tests/paper/README.md weights/README.md"
	for f in $(grep -ohE '(^|[(` ])(tests|share|examples|weights|python|common|man)/[A-Za-z0-9_./-]*[a-z0-9]' $pages | sort -u | tr -d '(`'); do
		echo "$f"
		[ -e "$f" ] || [[ $f = */TOOL.bats ]]
	done
	for t in $(grep -ohE '(`|    |sudo )make [a-z][a-z-]*' $pages | sed 's/.*make //' | sort -u); do
		echo "make $t"
		grep -qE "^([a-z -]+ )?$t( [a-z -]+)?:" Makefile tests/rules.mk
	done
}
