# tc-show: streams as JSON, and back.

load helper

# same FILE: the stream is the same after there and back.
same() { tc-show "$1" | tc-show --reverse | cmp - "$1"; }

@test "every line is a JSON object: one header, the packets, one end" {
	tc-lift "$sample" >"$tmp/a"
	tc-show "$tmp/a" >"$tmp/json"
	is "$(jq -r type "$tmp/json" | uniq -c | xargs)" "$(($(packets "$sample") + 2)) object"
	is "$(jq -c 'select(.magic or has("end"))' "$tmp/json" | wc -l)" 2
	is "$(head -n 1 "$tmp/json" | jq -c '[.magic, .kind, .version]')" '["tracecodec","actions",1]'
	is "$(tail -n 1 "$tmp/json" | jq -c keys)" '["end","flows","packets"]'
	is "$(tail -n 1 "$tmp/json" | jq .flows)" "$(jq -s 'map(select(.open)) | length' "$tmp/json")"
}

@test "there and back gives the same octets: the sample" {
	tc-lift "$sample" >"$tmp/a"
	same "$tmp/a"
}

@test "there and back gives the same octets: all fixtures, as one stream" {
	for f in "$edge"/*.pcap; do
		tc-lift -q "$f" >"$tmp/one" 2>/dev/null || continue # pcapng that libpcap can't read
		cat "$tmp/one" >>"$tmp/a"
	done
	same "$tmp/a"
	[ "$(tc-show "$tmp/a" | grep -c '^{"magic"')" -ge $(($(ls "$edge" | wc -l) - 3)) ]
}

@test "there and back gives the same octets: actions of all sorts" {
	for seed in 1 2 3 4 5; do
		scramble $seed >"$tmp/a"
		same "$tmp/a"
	done
}

@test "lines that jq has written come back too" {
	tc-lift "$sample" >"$tmp/a"
	tc-show "$tmp/a" | jq . -c | tc-show --reverse | cmp - "$tmp/a"
}

@test "--reverse counts for itself: a line taken out leaves a stream that is whole" {
	stream '{"len":5}' '{"flags":4}' | sed 4d | tc-show -r >"$tmp/a"
	is "$(end "$tmp/a")" "3 1 whole"
	tc-show "$tmp/a" >/dev/null
}

@test "streams joined are shown one after the other, and come back" {
	cat <(tc-lift "$edge/one-packet-tcp.pcap") <(tc-lift "$edge/empty.pcap") <(tc-lift "$edge/one-packet-udp.pcap") >"$tmp/a"
	is "$(tc-show "$tmp/a" | jq -c 'keys_unsorted[0]' | xargs)" "magic t end magic end magic t end"
	same "$tmp/a"
}

@test "what is not JSON is refused with its line" {
	for bad in 'hello' '{"len":5' '[1]' '5' 'null' '' '{"len":5}{}' '{"len":1,"len":2}' '{"len":1e400}'; do
		echo "$bad"
		stream "$bad" >"$tmp/a"
		refused "tc-show: $tmp/a: line 4: ?*" tc-show --reverse -o "$tmp/b" "$tmp/a"
		[ ! -e "$tmp/b" ]
	done
}

@test "unknown fields and values of the wrong type are refused with line and name" {
	for bad in '{"lenn":5}' '{"len":"5"}' '{"len":5.5}' '{"len":null}' '{"opts":5}' '{"opts":["a"]}' '{"opts":[[1]]}' \
		'{"orig_h":{}}' '{"orig_h":[1]}' '{"orig_h":[0,1,2,3,4]}' '{"orig_h":-1}' '{"open":1,"resp_h":true}' \
		'{"len":9223372036854775808}'; do
		echo "$bad"
		stream "$bad" >"$tmp/a"
		field=$(grep -oE '"(lenn?|opts|orig_h|resp_h)"' <<<"$bad")
		refused "tc-show: $tmp/a: line 4: *" tc-show --reverse -o "$tmp/b" "$tmp/a"
		case $bad in *808*) ;; *) [[ $stderr = *"$field"* ]] ;; esac
	done
}

@test "a header that lacks a key, or has a wrong one, is refused" {
	for key in kind version resolution start link snaplen cap idle_tcp idle_udp idle_other; do
		echo $key
		stream | jq -c "if .magic then del(.$key) else . end" >"$tmp/a"
		refused "tc-show: $tmp/a: line 1: *$key*" tc-show --reverse -o "$tmp/b" "$tmp/a"
		stream | jq -c "if .magic then .$key = {} else . end" >"$tmp/a"
		refused "tc-show: $tmp/a: line 1: *$key*" tc-show --reverse -o "$tmp/b" "$tmp/a"
	done
}

@test "a header of another magic, kind or version is refused" {
	for change in '.magic = "tracecodek"' '.kind = "latents"' '.version = 2'; do
		echo "$change"
		stream | jq -c "if .magic then $change else . end" >"$tmp/a"
		refused "tc-show: $tmp/a: line 1: *" tc-show --reverse -o "$tmp/b" "$tmp/a"
	done
}

@test "lines in the wrong order are refused" {
	stream | sed 1d >"$tmp/a"
	refused "tc-show: $tmp/a: line 1: a packet without a header before it" tc-show --reverse -o "$tmp/b" "$tmp/a"
	{ stream | sed '$d'; stream; } >"$tmp/a"
	refused "tc-show: $tmp/a: line 4: a header before the end of the trace before" tc-show --reverse -o "$tmp/b" "$tmp/a"
	{ stream; echo '{"end":"whole"}'; } >"$tmp/a"
	refused "tc-show: $tmp/a: line 5: an end without a header before it" tc-show --reverse -o "$tmp/b" "$tmp/a"
}

@test "JSON without its end makes a stream that says cut, exit 1" {
	stream '{"len":5}' | sed '$d' >"$tmp/json"
	run -1 --separate-stderr tc-show --reverse -o - "$tmp/json"
	[[ $stderr = "tc-show: $tmp/json: "*"line 4"* ]]
	tc-show --reverse "$tmp/json" >"$tmp/a" 2>/dev/null || true
	is "$(end "$tmp/a")" "3 1 cut"
}

@test "an error in the JSON leaves a stream with what came before, which says cut" {
	stream '{"len":5}' '{"len":x}' >"$tmp/json"
	tc-show --reverse "$tmp/json" >"$tmp/a" 2>/dev/null && false
	is "$(end "$tmp/a")" "3 1 cut"
}

@test "an end that says cut or interrupted is kept, and said, exit 1" {
	for how in cut interrupted; do
		stream | sed "s/whole/$how/" | tc-show --reverse >"$tmp/a"
		is "$(end "$tmp/a")" "2 1 $how"
		run -1 --separate-stderr tc-show "$tmp/a"
		is "$stderr" "tc-show: $tmp/a: the trace ends $how after 2 packets"
	done
}

@test "the widest numbers come back as they were" {
	stream '{"dt":9223372036854775807}' '{"dt":-9223372036854775808,"opts":[-9223372036854775808,9223372036854775807]}' \
		'{"orig_h":4294967295,"target":"::1","sack":[]}' '{}' >"$tmp/json"
	tc-show --reverse "$tmp/json" | tc-show | sed -n 4,7p | sed -E 's/"t":[^,}]*,?//' >"$tmp/back"
	sed -n 4,7p "$tmp/json" | sed 's/"orig_h":4294967295,"target":"::1","sack":\[\]/"sack":[],"orig_h":4294967295,"target":"::1"/' |
		diff "$tmp/back" -
}

@test "an address that is no text comes back octet for octet" {
	stream "{\"target\":\"\\u00ff\\u00c3\\u00bc\\u0080\\u007f\\u0001\\u0022\\u005c:\"}" "{\"target\":\"$(printf '\\u00e4%.0s' {1..45})\"}" |
		tee "$tmp/json" | tc-show -r >"$tmp/a"
	tc-show "$tmp/a" | sed -n 4,5p | sed -E 's/"t":0,?//' | cmp - <(sed -n 4,5p "$tmp/json")
	grep -qaF $'\xa9\xff\xc3\xbc\x80\x7f\x01\x22\x5c:' "$tmp/a"
	for bad in '\u0100' '\u20ac' '\ud83d\ude00' "$(printf '\\u00e4%.0s' {1..46})"; do
		stream "{\"target\":\"$bad\"}" >"$tmp/json"
		refused "tc-show: $tmp/json: line 4: \"target\" *" tc-show -r -o "$tmp/b" "$tmp/json"
	done
}

# times [STREAM]: t of each packet. steps: dt of each, 0 where there is none.
times() { tc-show "$@" | sed -nE 's/^\{"t":("[^"]*"|[^,}]*).*/\1/p' | xargs; }
steps() { tc-show "$@" | grep '^{"t":' | sed -E 's/.*"dt":(-?[0-9]+).*/\1/; s/.*[^0-9-].*/0/' | xargs; }
# stamps CAPTURE: when each packet was, as tcpdump says.
stamps() { tcpdump --nano -ttnr "$1" 2>/dev/null | cut -d' ' -f1; }

@test "t is the time since start, in each packet's line, 0 too, beside dt as the stream has it" {
	tc-lift "$sample" | tc-show >"$tmp/json"
	start=$(head -n 1 "$tmp/json" | jq -r '.start | split(".") | .[0] + .[1]')
	sed '1d;$d' "$tmp/json" | jq .t | while read -r t; do echo $((start + t)); done |
		cmp - <(stamps "$sample" | tr -d .)
	is "$(sed -n 2p "$tmp/json" | jq -c '[.t, .dt]')" '[0,null]'
	is "$(sed '1d;$d' "$tmp/json" | jq -s 'reduce .[] as $a ([0, 0];
		(.[0] + ($a.dt // 0)) as $t | [$t, .[1] + (if $a.t == $t then 0 else 1 end)]) | .[1]')" 0
}

@test "a subset keeps its times, of the first packet too, and one line says what was done" {
	tc-lift "$sample" | tc-show | jq -c 'select(.magic or .end or .t % 7 == 3)' >"$tmp/json"
	run -0 --separate-stderr tc-show -r -o "$tmp/a" "$tmp/json"
	n=$(jq -n '[foreach inputs as $a ({t: 0}; {t: ($a.t // 0), off: ($a.dt and $a.dt != $a.t - .t)}; .off) | select(.)] | length' "$tmp/json")
	[ "$n" -gt 1000 ]
	is "$stderr" "tc-show: $tmp/json: dt and t disagree in $n lines: t counts"
	[ "$(sed -n 2p "$tmp/json" | jq .t)" -gt 0 ]
	is "$(times "$tmp/a")" "$(sed '1d;$d' "$tmp/json" | jq .t | xargs)"
	tc-compile -q "$tmp/a" >"$tmp/b.pcap"
	[ "$(packets "$tmp/b.pcap")" -gt 1000 ]
	comm -13 <(stamps "$sample" | sort -u) <(stamps "$tmp/b.pcap" | sort -u) | cmp - /dev/null
}

@test "t or dt, either alone; where both stand and disagree, t counts" {
	stream '{"t":5000}' '{"dt":2000}' '{"t":6000}' '{}' '{"t":6000,"dt":-1000}' '{"t":7000,"dt":999}' '{"t":7000,"dt":5}' \
		'{"t":-3}' '{"t":-3,"dt":0}' '{"t":"-2"}' >"$tmp/json"
	run -0 --separate-stderr tc-show -r -o "$tmp/a" "$tmp/json"
	is "$stderr" "tc-show: $tmp/json: dt and t disagree in 3 lines: t counts"
	is "$(times "$tmp/a")" '0 0 5000 7000 6000 6000 6000 7000 7000 -3 -3 -2'
	is "$(steps "$tmp/a")" '0 0 5000 2000 -1000 0 0 1000 0 -7003 0 1'
	# No step is no field, unless it was one.
	is "$(tc-show "$tmp/a" | grep -c '"dt":0')" 1
	is "$(tc-show "$tmp/a" | sed -n 12p)" '{"t":-3,"dt":0}'
}

@test "without t, dt counts: what is slowed down" {
	tc-lift "$edge/tcp-plain-ip4.pcap" >"$tmp/a"
	tc-show "$tmp/a" | jq -c 'del(.t) | if .dt then .dt *= 3 else . end' >"$tmp/json"
	run -0 --separate-stderr tc-show -r -o "$tmp/b" "$tmp/json"
	is "$stderr" ""
	is "$(times "$tmp/b")" "$(for t in $(times "$tmp/a"); do echo $((3 * t)); done | xargs)"
	tc-show "$tmp/a" | jq -c 'if .t then .t *= 3 else . end' | tc-show -r 2>/dev/null | cmp - "$tmp/b"
}

@test "each trace counts from its own start" {
	cat <(stream '{"t":5000}') <(stream '{"t":7000}' '{"dt":1}') >"$tmp/json"
	tc-show -r "$tmp/json" >"$tmp/a"
	is "$(steps "$tmp/a")" '0 0 5000 0 0 7000 1'
	is "$(times "$tmp/a")" '0 0 5000 0 0 7000 7001'
}

@test "t beyond 2^53 is a string, so that jq keeps it where it rounds dt" {
	stream '{"dt":9007199254740992}' '{"dt":1}' '{"dt":-18014398509481984}' '{"dt":-1}' '{"dt":1234567890123456789}' \
		'{"dt":-2469135780246913577}' '{}' | tc-show -r >"$tmp/a"
	is "$(tc-show "$tmp/a" | sed '1,3d;$d' | grep -oE '"t":"?[0-9-]+"?' | cut -d: -f2 | xargs -d '\n')" \
		'9007199254740992 "9007199254740993" -9007199254740991 -9007199254740992 "1225560690868715797" "-1243575089378197780" "-1243575089378197780"'
	tc-show "$tmp/a" | jq -c . | tc-show -r 2>"$tmp/said" | cmp - "$tmp/a"
	is "$(<"$tmp/said")" "tc-show: standard input: dt and t disagree in 2 lines: t counts"
}

@test "a time that 64 bits don't hold goes on from their other end, there and back" {
	stream '{"dt":9223372036854775807}' '{"dt":1}' '{"dt":-5}' '{"dt":-9223372036854775808}' '{"dt":9223372036854775807}' >"$tmp/json"
	tc-show -r "$tmp/json" >"$tmp/a"
	is "$(times "$tmp/a")" "0 0 9223372036854775807 -9223372036854775808 9223372036854775803 -5 9223372036854775802"
	same "$tmp/a"
}

@test "t of another type, or in a line that has no time, is refused by its name" {
	for bad in '"x"' '""' '"-"' '"+5"' '" 5"' '"5 "' '"5-"' '"0x5"' '"9223372036854775808"' '"-9223372036854775809"' 1.5 null true '[1]'; do
		echo "$bad"
		stream "{\"t\":$bad,\"len\":5}" >"$tmp/json"
		refused "tc-show: $tmp/json: line 4: \"t\" is *" tc-show -r -o "$tmp/b" "$tmp/json"
	done
	head=$(stream | sed -n '1s/"actions"/"latents"/p' | jq -c '. + {version: 2, blocks: {what: 1, who: 0, when: 0}, type: "f32", weights: ("0" * 64)}')
	for line in '{"t":0,"latent":[1]}' '{"latent":[1],"patch":{"t":0}}'; do
		printf '%s\n' "$head" "$line" '{"end":"whole"}' >"$tmp/json"
		refused "tc-show: $tmp/json: line 2: \"t\" is *" tc-show -r -o "$tmp/b" "$tmp/json"
	done
	printf '%s\n' "$head" '{"latent":[1],"patch":{"dt":5}}' '{"end":"whole","packets":1,"flows":0}' | tee "$tmp/json" |
		tc-show -r | tc-show | cmp - "$tmp/json"
}
