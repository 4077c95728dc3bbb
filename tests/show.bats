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
	is "$(tc-show "$tmp/a" | jq -c 'keys_unsorted[0]' | xargs)" "magic win end magic end magic len end"
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
	tc-show --reverse "$tmp/json" | tc-show | sed -n 4,7p >"$tmp/back"
	sed -n 4,7p "$tmp/json" | sed 's/"orig_h":4294967295,"target":"::1","sack":\[\]/"sack":[],"orig_h":4294967295,"target":"::1"/' |
		diff "$tmp/back" -
}
