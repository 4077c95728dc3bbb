# tc-enc and tc-dec: what comes out is what went in, but for rounded time steps; and what they do with latents that
# nobody encoded, and with damage.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	mkdir "$in/folder"
	: >"$in/empty"
	cp Makefile "$in/foreign"
	tc-lift -q tests/fixtures/sample.pcap >"$in/a"
	tc-show "$in/a" >"$in/json"
	tc-enc -q --stats "$in/a" >"$in/l" 2>"$in/stats"
	for f in tests/fixtures/edge/*.pcap; do
		tc-lift -q "$f" >"$in/one" 2>/dev/null || continue # pcapng that libpcap can't read
		cat "$in/one" >>"$in/edges"
	done
	{ head -n 1501 "$in/json"; echo '{"end":"whole"}'; } | tc-show --reverse >"$in/few"
	tc-enc -q "$in/few" >"$in/few.l"
}

# steady [STREAM]: its actions as JSON, without the time steps.
steady() { tc-show "$@" | sed -E 's/"d?t":[^,}]*,?//g'; }

# same ACTIONS DECODED: the same, time steps apart.
same() { cmp <(steady "$1") <(steady "$2"); }

# within SECONDS COMMAND...: killed after that.
within() { timeout -s KILL "$@"; }

# --- there and back ---

@test "the sample comes back, time steps apart" {
	in=$BATS_FILE_TMPDIR
	tc-dec "$in/l" >"$tmp/b"
	same "$in/a" "$tmp/b"
	is "$(end "$tmp/b" | cut -d' ' -f1,3)" "$(packets "$sample") whole"
	tc-lift "$sample" | tc-enc -q --no-refine | tc-dec >"$tmp/b"
	same "$in/a" "$tmp/b"
}

@test "all fixtures come back, as one stream" {
	in=$BATS_FILE_TMPDIR
	[ "$(tc-show "$in/edges" | grep -c '^{"magic"')" -ge $(($(ls "$edge" | wc -l) - 3)) ]
	for type in f32 f16; do
		echo "$type"
		tc-enc -q --refine 5 --latent-type $type "$in/edges" >"$tmp/l"
		tc-dec "$tmp/l" >"$tmp/b"
		same "$in/edges" "$tmp/b"
	done
}

@test "the sample comes back from latents of four octets a coordinate, too" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --refine 20 --latent-type f32 "$in/a" >"$tmp/l"
	tc-dec "$tmp/l" >"$tmp/b"
	same "$in/a" "$tmp/b"
}

@test "drawn latents decode to the same; the draws are the seed's" {
	in=$BATS_FILE_TMPDIR
	{ head -n 601 "$in/json"; echo '{"end":"whole"}'; } | tc-show --reverse >"$tmp/a"
	tc-enc -q "$tmp/a" >"$tmp/mean"
	tc-enc -q --sample "$tmp/a" >"$tmp/l"
	tc-enc -q --sample --seed 0 "$tmp/a" | cmp - "$tmp/l"
	tc-enc -q --sample --seed 1 "$tmp/a" >"$tmp/other"
	cmp -s "$tmp/l" "$tmp/other" && false
	cmp -s "$tmp/l" "$tmp/mean" && false
	for l in l other; do
		tc-dec "$tmp/$l" >"$tmp/b"
		same "$tmp/a" "$tmp/b"
	done
}

@test "the latents are as tc-latents(5) says" {
	in=$BATS_FILE_TMPDIR
	for type in f32:4 f16:2; do
		tc-enc -q --no-refine --latent-type ${type%:*} "$in/few" >"$tmp/l"
		python3 - "$in/few" "$tmp/l" ${type%:*} ${type#*:} <<-'PY'
			import sys
			from msgpack import Unpacker
			true, (header, *records, end) = (list(Unpacker(open(f, "rb"))) for f in sys.argv[1:3])
			keys = list(true[0])
			at = keys.index("idle_other") + 1
			assert list(header) == keys[:at] + ["blocks", "type", "weights"] + keys[at:], list(header)
			assert all(header[k] == true[0][k] for k in keys if k not in ("kind", "version"))
			assert (header["kind"], header["version"], header["type"]) == ("latents", 2, sys.argv[3])
			assert list(header["blocks"]) == ["what", "who", "when"] and all(header["blocks"].values())
			assert len(header["weights"]) == 64
			assert len(records) == len(true) - 2 and any(len(r) == 1 for r in records)
			for r, t in zip(records, true[1:]):
			    assert len(r[0]) == sum(header["blocks"].values()) * int(sys.argv[4])
			    assert len(r) == 1 or r[1:] == [t]
			assert (end["packets"], end["flows"], end["end"]) == (true[-1]["packets"], true[-1]["flows"], "whole")
		PY
	done
}

@test "the built-in weights, by name, are no others" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --weights weights/default.tcw "$in/few" | cmp - "$in/few.l"
	tc-dec --weights weights/default.tcw "$in/few.l" | cmp - <(tc-dec "$in/few.l")
	is "$(python3 -c 'import msgpack, sys; print(next(msgpack.Unpacker(sys.stdin.buffer))["weights"])' <"$in/few.l")" \
		"$(tail -c 32 weights/default.tcw | od -An -v -tx1 | tr -d ' \n')"
}

@test "two traces come out as two, each as if alone" {
	in=$BATS_FILE_TMPDIR
	tc-lift -q "$edge/tcp-plain-ip4.pcap" >"$tmp/one"
	cat "$in/few" "$tmp/one" "$in/few" | tc-enc -q >"$tmp/l"
	tc-dec "$tmp/l" >"$tmp/b"
	is "$(tc-show "$tmp/b" | grep -c '^{"magic"')" 3
	cat "$in/few" "$tmp/one" "$in/few" >"$tmp/a"
	same "$tmp/a" "$tmp/b"
	cat "$in/few.l" <(tc-enc -q "$tmp/one") "$in/few.l" | tc-dec | cmp - "$tmp/b"
}

@test "a flow or a host that no latent can name goes beside it, as it is" {
	stream '{"flow":5000000000}' '{"flow":-3}' '{"flow":4294967295}' '{"flow":1048576}' '{"flow":1048575}' '{"flow":0}' \
		'{"open":1,"flow":1,"orig_h":[4294967295,1],"resp_h":1048576}' | tc-show -r >"$tmp/a"
	tc-enc -q "$tmp/a" >"$tmp/l"
	tc-dec "$tmp/l" | cmp - "$tmp/a"
	is "$(tc-show "$tmp/l" | jq -c 'select(.latent) | has("patch")' | tail -n 7 | xargs)" "true true true true false true true"
}

@test "traces of latents of several types are decoded one after the other" {
	in=$BATS_FILE_TMPDIR
	for type in f32 f16 f16 f32; do
		tc-enc -q --no-refine --latent-type $type "$in/few"
	done >"$tmp/l"
	tc-dec "$tmp/l" >"$tmp/b"
	cat "$in/few"{,,,} >"$tmp/a"
	same "$tmp/a" "$tmp/b"
}

@test "an empty trace comes out empty" {
	tc-lift "$edge/empty.pcap" >"$tmp/a"
	tc-enc "$tmp/a" | tc-dec | cmp - "$tmp/a"
}

@test "an end that says cut or interrupted is kept, and said, exit 1" {
	for how in cut interrupted; do
		stream '{"len":5}' | sed "s/whole/$how/" | tc-show --reverse >"$tmp/a"
		run -1 --separate-stderr tc-enc -q -o - "$tmp/a"
		is "$stderr" "tc-enc: $tmp/a: the trace ends $how after 3 packets"
		tc-enc -q "$tmp/a" >"$tmp/l" 2>/dev/null || true
		run -1 --separate-stderr tc-dec -o - "$tmp/l"
		is "$stderr" "tc-dec: $tmp/l: the trace ends $how after 3 packets"
		tc-dec "$tmp/l" >"$tmp/b" 2>/dev/null || true
		is "$(end "$tmp/b")" "3 1 $how"
	done
}

@test "with the caches and without: the same actions" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --no-cache "$in/few" >"$tmp/l"
	cmp "$tmp/l" "$in/few.l"
	tc-dec --no-cache "$in/few.l" >"$tmp/b1"
	tc-dec --no-cache "$tmp/l" >"$tmp/b2"
	tc-dec "$tmp/l" >"$tmp/b3"
	tc-dec "$in/few.l" >"$tmp/b4"
	same "$in/few" "$tmp/b1"
	for k in 2 3 4; do cmp "$tmp/b1" "$tmp/b$k"; done
}

# --- how well ---

@test "the decoder's clock: each step within 1/131072 and half a unit, and no drift" {
	in=$BATS_FILE_TMPDIR
	paste <(jq -r 'select(.magic or has("end") | not) | .dt // 0' "$in/json") \
		<(tc-dec "$in/l" | tc-show | jq -r 'select(.magic or has("end") | not) | .dt // 0') |
		awk '{ d = $2 - $1; d = d < 0 ? -d : d; t = $1 < 0 ? -$1 : $1; true += $1; got += $2
			if (d > t / 131072 + 500) { print "packet", NR, "step", $1, "decoded", $2; bad = 1 } }
			END { off = got - true; off = off < 0 ? -off : off; print NR, true, got
				exit bad || NR < 20000 || !(off < true / 131072) }'
}

# steps RESOLUTION STEP...: of packets that come after these, ns, the steps as the latents alone have them.
steps() {
	{
		stream | sed "1s/\"us\"/\"$1\"/;\$d"
		shift
		printf '{"dt":%s}\n' "$@"
		echo '{"end":"whole"}'
	} | tc-show -r | tc-enc -q --no-patch --refine 5 | tc-dec | tc-show | jq -r 'select(.magic or has("end") | not) | .dt // 0' | tail -n +3
}

@test "a step below 131 us comes back to the nanosecond, a longer one within 1/131072" {
	few=$(seq 1 300; awk 'BEGIN { srand(1); for (i = 0; i < 1500; i++) print int(131072 * rand()) * (rand() < .8 ? 1 : -1) }' | grep -v '^-*0$'
		for ((k = 1; k <= 131072; k *= 2)); do echo $((k - 1)) $k; done | xargs -n1 | grep -v '^0$')
	# The first two packets are steps of none.
	cmp <(steps ns $few) <(printf '%s\n' $few)
	many=$(awk 'BEGIN { srand(2); for (i = 0; i < 2000; i++) printf "%.0f\n", 131072 * exp(rand() * 25) }')
	paste <(printf '%s\n' $many) <(steps ns $many) |
		awk '{ d = $2 - $1; if ((d < 0 ? -d : d) > $1 / 131072) { print; bad = 1 } off += d != 0 } END { print NR, off; exit bad || NR != 2000 || !off }'
	# Where captures have microseconds, so do the steps, and they are exact up to a sixteenth of a second.
	many=$(awk 'BEGIN { srand(3); for (i = 0; i < 1500; i++) printf "%.0f\n", 1000 * int(1 + 65000 * rand()) }')
	cmp <(steps us $many) <(printf '%s\n' $many)
}

@test "a silence just under its time-out stays under it, one just over it over it" {
	{
		echo '{"magic":"tracecodec","kind":"actions","version":1,"resolution":"ns","start":"0.000000000","link":1,"snaplen":65535,"cap":65536,"idle_tcp":300,"idle_udp":60,"idle_other":60}'
		echo '{"open":1,"orig_p":5000,"resp_p":53,"proto":17,"frag":0,"orig_h":[0,1],"resp_h":[1,1],"src_mac":[0,0],"dst_mac":[1,0]}'
		for ((i = 1; i < 400; i++)); do
			# In one step, and in two with another flow between.
			case $((i % 4)) in
			0) echo '{"dt":59999999999}' ;;
			1) echo "{\"dt\":$((60000000001 + i)),\"open\":2}" ;;
			2) echo '{"dt":31234567890,"flow":1,"open":2}' | sed "$([ $i -gt 2 ] || echo 's/"open":2/"open":1,"orig_p":5001,"resp_p":53,"proto":17,"frag":0,"orig_h":0,"resp_h":1/')" ;;
			3) echo "{\"dt\":$((28765432110 + (i % 8 == 3))),\"open\":2}" | sed "$([ $((i % 8)) = 3 ] || echo 's/,"open":2//')" ;;
			esac
		done
		echo '{"end":"whole"}'
	} | tc-show --reverse | tc-compile -q | tc-lift - >"$tmp/a"
	is "$(tc-show "$tmp/a" | grep -c '"open":2')" 249
	for how in '' --no-refine; do
		tc-enc -q $how "$tmp/a" | tc-dec | tc-compile | tc-lift - >"$tmp/b"
		same "$tmp/a" "$tmp/b"
		cmp -s "$tmp/a" "$tmp/b" && false # some steps were rounded
	done
	true
}

# gap RESOLUTION A B [OPEN]: a gap of A + B ns between packets of one flow, while another one speaks after A; what opens there.
gap() {
	stream '{"dt":1000,"flow":1,"open":1,"orig_h":0,"resp_h":1,"orig_p":5000,"resp_p":53,"proto":17,"frag":0}' \
		'{"dt":1000,"flow":1,"len":5}' "{\"dt\":$2}" "{\"dt\":$3,\"flow\":1${4:+,\"open\":$4}}" | sed "1s/\"us\"/\"$1\"/" | tc-show -r
}

# What rounding would move: up from 60 and 300 s, down to 100 s.
@test "a silence of just its time-out, or a nanosecond more, stays what it is, exactly where it would be rounded across" {
	while read -r idle more patched; do
		echo "$idle $more"
		{
			stream | sed "1s/\"us\"/\"ns\"/; 1s/\"idle_tcp\":300/\"idle_tcp\":$idle/; \$d"
			echo "{\"dt\":$((idle * 1000000000 + more))$([ "$more" = 0 ] || echo ',"open":2')}"
			echo '{"end":"whole"}'
		} | tc-show -r >"$tmp/a"
		tc-enc -q "$tmp/a" >"$tmp/l"
		is "$(tc-show "$tmp/l" | sed -n 4p | jq -c '.patch.dt')" "$patched"
		tc-dec "$tmp/l" >"$tmp/b"
		same "$tmp/a" "$tmp/b"
		tc-compile -q "$tmp/b" | tc-lift -q --cap 16 --idle tcp="$idle" - >"$tmp/again"
		cmp "$tmp/again" "$tmp/b"
		# Without patches it is rounded, as any other.
		tc-enc -q --no-patch "$tmp/a" | tc-dec | cmp -s - "$tmp/a" && false
		[ "$patched" = null ] || cmp "$tmp/a" "$tmp/b"
	done <<-'END'
		60 0 60000000000
		60 1 null
		100 0 null
		100 1 100000000001
		300 0 300000000000
		300 1 null
	END
}

@test "a silence that another flow breaks into two steps stays on its side of the time-out, in microseconds, too" {
	opens() { tc-show "$1" | jq -s 'map(select(.open)) | length'; }
	for unit in us:1000 ns:1; do
		for a in 7123457 31234567 28765432 59000001; do
			a=$((a * 1000))
			for more in 0 1; do
				gap ${unit%:*} $a $((60000000000 - a + more * ${unit#*:})) $([ $more = 0 ] || echo 2) >"$tmp/a"
				tc-enc -q "$tmp/a" | tc-dec >"$tmp/b"
				same "$tmp/a" "$tmp/b"
				for s in a b; do tc-compile -q "$tmp/$s" | tc-lift -q - >"$tmp/$s.again"; done
				echo "$unit $a $more"
				is "$(opens "$tmp/b.again")" "$(opens "$tmp/a.again")"
				is "$(opens "$tmp/a.again")" $((2 + more))
			done
		done
	done
}

@test "steps as long as there are, whose sum no clock holds, pass" {
	for resolution in us ns; do
		{
			echo "{\"magic\":\"tracecodec\",\"kind\":\"actions\",\"version\":1,\"resolution\":\"$resolution\",\"start\":\"1.000000000\",\"link\":1,\"snaplen\":65535,\"cap\":65536,\"idle_tcp\":300,\"idle_udp\":60,\"idle_other\":60}"
			echo '{"open":1,"orig_p":5000,"resp_p":53,"proto":17,"frag":0,"orig_h":[0,1],"resp_h":[1,1],"src_mac":[0,0],"dst_mac":[1,0]}'
			for dt in 223000 9223372036854775000 9223372036854775000 -9223372036854775000 -9223372036854775000 \
				-9223372036854775000 1000 4611686018427387000 223000 9223372036854775000; do
				echo "{\"dt\":$dt}"
			done
			echo '{"end":"whole"}'
		} | tc-show --reverse >"$tmp/a"
		for how in '' --no-patch '--no-patch --no-refine --sample'; do
			tc-enc -q $how "$tmp/a" | tc-dec -q >"$tmp/b"
			is "$(tc-show "$tmp/b" | tail -n 1 | jq .packets)" 11
			[[ $how = *sample ]] || is "$(tc-show "$tmp/b" | grep -c dt)" 10
		done
	done
}

# One packet in sixty of the sample has SACK blocks, since it was recorded over paths that lose segments: more bits than most have.
@test "at most one packet of a hundred needs a patch" {
	jq . "$BATS_FILE_TMPDIR/stats"
	is "$(jq .packets "$BATS_FILE_TMPDIR/stats")" "$(packets "$sample")"
	jq -e '.patched <= 0.01 * .packets and .time_error < 0.001' "$BATS_FILE_TMPDIR/stats"
}

@test "refined latents alone hold 99 % of the packets" {
	jq -e '.whole_refined >= 0.99 * .packets' "$BATS_FILE_TMPDIR/stats"
}

@test "the network alone holds 92 % of a trace of another origin, a draw 88 %, in 100 nats a packet" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --stats --no-patch --no-refine "$in/a" 2>"$tmp/bare" >"$tmp/l"
	tc-enc -q --stats --no-patch --no-refine --sample "$in/a" 2>"$tmp/drawn" >"$tmp/l"
	jq -c '[.packets, .whole, .core, .kl_what, .kl_who, .kl_when, .kl]' "$tmp/bare" "$tmp/drawn"
	jq -e '.whole >= 0.92 * .packets and .core >= 0.98 * .packets and .kl_what > 10 and .kl < 100 and
		(.kl_what + .kl_who + .kl_when - .kl | fabs) < 0.01' "$tmp/bare"
	jq -e '.whole >= 0.88 * .packets and .core >= 0.96 * .packets' "$tmp/drawn"
}

@test "--stats counts what is in the stream" {
	in=$BATS_FILE_TMPDIR
	is "$(jq .patched "$in/stats")" "$(python3 -c '
import msgpack, sys
print(sum(isinstance(r, list) and len(r) == 2 for r in msgpack.Unpacker(sys.stdin.buffer)))' <"$in/l")"
	jq -e '.traces == 1 and .whole <= .whole_refined and .whole <= .core and .core <= .core_refined and
		.whole_refined + .patched >= .packets and ([.margins[]] | add) == .packets and
		.cache_found + .rows >= .packets' "$in/stats"
	tc-dec --stats "$in/l" 2>"$tmp/stats" >"$tmp/b"
	jq -e --argjson n "$(jq '.packets - .patched' "$in/stats")" '.cache_asked == $n and .cache_found + .rows == $n' "$tmp/stats"
}

@test "what the latents don't hold is said in one line, unless -q" {
	in=$BATS_FILE_TMPDIR
	tc-enc --no-refine --stats -q "$in/few" 2>"$tmp/stats" >"$tmp/l"
	tc-enc --no-refine "$in/few" 2>"$tmp/err" >"$tmp/l"
	n=$(jq .patched "$tmp/stats")
	[ "$n" -eq 0 ] || is "$(cat "$tmp/err")" "tc-enc: $n of 1500 packets with a patch"
	is "$(tc-enc -q --no-refine "$in/few" 2>&1 >"$tmp/l")" ""
}

@test "latents alone, unrefined: whatever is decoded wrong changes nothing of the others, names among them" {
	in=$BATS_FILE_TMPDIR
	{ head -n 12001 "$in/json"; echo '{"end":"whole"}'; } | tc-show --reverse >"$tmp/a"
	tc-enc -q --stats --no-patch --no-refine "$tmp/a" >"$tmp/l" 2>"$tmp/stats"
	tc-dec "$tmp/l" >"$tmp/b"
	tc-compile -q "$tmp/b" >"$tmp/b.pcap"
	is "$(packets "$tmp/b.pcap")" 12000
	jq -c '[.packets, .whole, .patched]' "$tmp/stats"
	is "$(jq .patched "$tmp/stats")" 0
	equal=$(paste -d'\n' <(steady "$tmp/a" | sed '1d;$d') <(steady "$tmp/b" | sed '1d;$d') |
		awk 'NR % 2 { a = $0; next } { n += a == $0 } END { print n }')
	echo "equal: $equal"
	jq -e --argjson equal "$equal" '$equal >= .whole - 2' "$tmp/stats" # two that another kernel might read otherwise
}

# --- other machines ---

# In floats that are reckoned with more bits than they have, not: x86 of 32 bits.
@test "latents are, to the octet, what they are on every machine" {
	in=$BATS_FILE_TMPDIR
	is "$(cat "$in/l" <(tc-enc -q --refine 20 "$in/edges") | sha256sum)" \
		"a1efc03e83d3f24249c4ccc11b03a15eb60d3a009f05aa6aeb8250dd5167b049  -"
}

@test "coordinates off by one part in 100000 decode to the same" {
	in=$BATS_FILE_TMPDIR
	tc-enc -q --latent-type f32 "$in/a" >"$tmp/l"
	latents "$tmp/l" "$tmp/off" <<-'PY'
		for r in records:
		    r[0] = bin(x * random.choice([1 - 1e-5, 1 + 1e-5]) for x in z(r))
	PY
	cmp -s "$tmp/l" "$tmp/off" && false
	cmp <(tc-dec "$tmp/off") <(tc-dec "$tmp/l")
}

# --- latents that nobody encoded ---

# anything LATENTS: they decode to 2000 actions that can be shown, come back, and compile.
anything() {
	within 20 tc-dec "$1" >"$tmp/b"
	tc-show "$tmp/b" >"$tmp/json"
	is "$(wc -l <"$tmp/json")" 2002
	tc-show --reverse "$tmp/json" | cmp - "$tmp/b"
	tc-compile -q "$tmp/b" >"$tmp/b.pcap"
	is "$(packets "$tmp/b.pcap")" 2000
}

@test "random latents decode to some trace" {
	tc-enc -q --no-refine --latent-type f32 "$BATS_FILE_TMPDIR/few" >"$tmp/few.l"
	for spread in 1 5 1e30; do
		echo $spread
		latents "$tmp/few.l" "$tmp/l" <<-PY
			n = sum(blocks)
			records = [[bin(random.gauss(0, $spread) for _ in range(n))] for _ in range(2000)]
		PY
		anything "$tmp/l"
		[ $spread = 1e30 ] || [ "$(sort -u "$tmp/json" | wc -l)" -gt 1000 ]
	done
}

@test "latents in another order, without their patches, decode to some trace" {
	latents "$BATS_FILE_TMPDIR/few.l" "$tmp/l" <<-'PY'
		random.shuffle(records)
		records = [r[:1] for r in (records * 2)[:2000]]
	PY
	anything "$tmp/l"
}

@test "the nudge.py of tc-latents(5) runs, and what it moves compiles" {
	in=$BATS_FILE_TMPDIR
	sed -n '/^\.\\" example: nudge.py/,/^\.Ed/p' man/tc-latents.5 | sed '1,2d;$d; s/\\e/\\/g' >"$tmp/nudge.py"
	for type in f32 f16; do
		cat "$in/few" "$in/few" | tc-enc -q --no-refine --latent-type $type >"$tmp/l"
		python3 "$tmp/nudge.py" <"$tmp/l" >"$tmp/moved"
		cmp -s "$tmp/l" "$tmp/moved" && false
		tc-dec "$tmp/moved" >"$tmp/b"
		is "$(tc-show "$tmp/b" | wc -l)" 3004
		tc-compile -q "$tmp/b" >"$tmp/b.pcap"
		is "$(packets "$tmp/b.pcap")" 3000
	done
}

@test "a coordinate that is infinite or no number is refused with its record" {
	in=$BATS_FILE_TMPDIR
	for type in f32 f16; do
		{ head -n 201 "$in/json"; echo '{"end":"whole"}'; } | tc-show --reverse | tc-enc -q --latent-type $type >"$tmp/few"
		for bad in inf:0 -inf:-1 nan:0 nan:-1; do
			echo "$type $bad"
			latents "$tmp/few" "$tmp/l" <<-PY
				c = z(records[133])
				c[${bad#*:}] = float("${bad%:*}")
				records[133] = [bin(c)]
			PY
			refused "tc-dec: $tmp/l: record 134: *infinite*not a number" tc-dec -o "$tmp/none" "$tmp/l"
			[ ! -e "$tmp/none" ]
			tc-dec "$tmp/l" >"$tmp/b" 2>/dev/null && false
			is "$(end "$tmp/b" | cut -d' ' -f1,3)" "133 cut"
		done
	done
}

@test "beside a patch any coordinates will do" {
	in=$BATS_FILE_TMPDIR
	latents "$in/few.l" "$tmp/l" <<-'PY'
		one, = [r for r in Unpacker(open(sys.argv[1].replace(".l", ""), "rb")) if isinstance(r, list)][99:100]
		records[99] = [bin([float("nan")] * sum(blocks)), one]
	PY
	tc-dec "$tmp/l" >"$tmp/b"
	same "$in/few" "$tmp/b"
}

# --- refused ---

@test "actions and latents, taken for one another" {
	in=$BATS_FILE_TMPDIR
	refused "tc-dec: $in/few: not a stream of latents, but ?*" tc-dec "$in/few"
	for tool in tc-enc tc-compile; do
		refused "$tool: $in/few.l: not a stream of actions, but ?*" $tool "$in/few.l"
	done
}

@test "a header that is wrong" {
	in=$BATS_FILE_TMPDIR
	while IFS='|' read -r change said; do
		echo "$change"
		latents "$in/few.l" "$tmp/l" <<<"$change"
		refused "tc-dec: $tmp/l: $said" tc-dec -o "$tmp/b" "$tmp/l"
		[ ! -e "$tmp/b" ]
	done <<-'END'
		w = header["weights"]; header["weights"] = ("1" if w[0] == "0" else "0") + w[1:]|made with other weights (*...); --weights names them
		w = header["weights"]; header["weights"] = w[:-1] + ("1" if w[-1] == "0" else "0")|made with other weights (*...); --weights names them
		header["blocks"]["what"] += 1|header: blocks of * coordinates; these weights have *
		header["blocks"]["what"] = 0|header: blocks of 0, *; these weights have *
		b = header["blocks"]; b["who"], b["when"] = b["when"], b["who"]|header: blocks of * coordinates; these weights have *
		header["blocks"]["what"] = 4097|header: blocks, type or weights are missing or wrong
		header["blocks"]["what"] = 4096|header: blocks, type or weights are missing or wrong
		header["blocks"] = dict(what=0, who=0, when=0)|header: blocks, *
		header["blocks"]["when"] = "8"|header: blocks, *
		header["blocks"]["who"] = -1|header: blocks, *
		header["blocks"] = blocks|header: blocks, *
		header["blocks"] = 74|header: blocks, *
		del header["blocks"]["who"]|header: blocks, *
		header["type"] = "f64"|header: blocks, type*
		header["type"] = "i8"|header: blocks, type*
		header["weights"] = header["weights"][:-1]|header: *weights*
		header["weights"] = header["weights"][:-1] + "G"|header: *weights*
		header["weights"] = bytes(64)|header: *weights*
		del header["weights"]|header: *weights*
		del header["type"]|header: *type*
		del header["blocks"]|header: blocks, *
		del header["cap"]|header: *cap*
		header["cap"] = 15|header: a cap of 15; *
		header["cap"] = 2**20 + 1|header: a cap of 1048577; *
		header["version"] = 1|version 1 of the format of latents; this program reads 2
		header["version"] = 3|version 3 of the format of latents; this program reads 2
		del header["version"]|version -1 of the format of latents; *
		header["kind"] = "latent"|not a stream of latents
	END
}

@test "a record that is no latent, or one of another length" {
	in=$BATS_FILE_TMPDIR
	while IFS='|' read -r change said; do
		echo "$change"
		latents "$in/few.l" "$tmp/l" <<<"$change"
		refused "tc-dec: $tmp/l: record 51 (octet *): $said" tc-dec -o "$tmp/none" "$tmp/l"
		[ ! -e "$tmp/none" ]
		tc-dec "$tmp/l" >"$tmp/b" 2>/dev/null && false
		is "$(end "$tmp/b" | cut -d' ' -f1,3)" "50 cut"
	done <<-'END'
		records[50] = [records[50][0][:-1]]|a latent of * octets, where the header says *
		records[50] = [records[50][0] + b"\0"]|a latent of * octets, where the header says *
		records[50] = [b""]|a latent of 0 octets, where the header says *
		records[50] = [b"", [0]]|a latent of 0 octets, where the header says *
		records[50] = []|damaged (*)
		records[50] = [5]|damaged (*)
		records[50] = [records[50][0], [0], [0]]|damaged (*)
		records[50] = [records[50][0], 5]|damaged (*)
		records[50] = [records[50][0], [1]]|damaged (*)
	END
}

@test "a stream that breaks off is said, and what came before is passed on, cut" {
	in=$BATS_FILE_TMPDIR
	for tool in tc-enc tc-dec; do
		whole=$in/few
		[ $tool = tc-enc ] || whole=$in/few.l
		head -c $(($(stat -c %s "$whole") / 2)) "$whole" >"$tmp/cut"
		head -c -1 "$whole" >"$tmp/nearly"
		for cut in cut nearly; do
			quiet=
			[ $tool = tc-dec ] || quiet=-q
			refused "$tool: $tmp/$cut: *record [1-9]*" $tool $quiet -o "$tmp/none" "$tmp/$cut"
			[[ $stderr = *"cut off"* ]]
			[ ! -e "$tmp/none" ]
			$tool $quiet "$tmp/$cut" >"$tmp/out" 2>/dev/null && false
			if [ $tool = tc-enc ]; then
				tc-dec "$tmp/out" >"$tmp/b" 2>/dev/null && false
			else
				mv "$tmp/out" "$tmp/b"
			fi
			n=$(end "$tmp/b" | cut -d' ' -f1) || true # cut
			[ "$n" -gt 500 ]
			is "$(end "$tmp/b" | cut -d' ' -f3)" cut
			cmp <(steady "$tmp/b" 2>/dev/null | head -n $((n + 1))) <(steady "$in/few" | head -n $((n + 1)))
		done
		is "$n" 1500
	done
}

@test "an octet that changed is noticed at the end" {
	in=$BATS_FILE_TMPDIR
	python3 - "$in/few.l" "$tmp/l" <<-'PY'
		import sys
		data = bytearray(open(sys.argv[1], "rb").read())
		data[len(data) // 2] ^= 1
		open(sys.argv[2], "wb").write(data)
	PY
	refused "tc-dec: $tmp/l: *" tc-dec -o "$tmp/none" "$tmp/l"
	[ ! -e "$tmp/none" ]
}

@test "weights that are none, cut, changed, of another version or shape" {
	in=$BATS_FILE_TMPDIR
	w=weights/default.tcw
	: >"$tmp/none.tcw"
	head -c 10 $w >"$tmp/short.tcw"
	head -c 100000 $w >"$tmp/cut.tcw"
	head -c -1 $w >"$tmp/nearly.tcw"
	{ cat $w; echo; } >"$tmp/longer.tcw"
	python3 - $w "$tmp" <<-'PY'
		import hashlib, sys
		data = open(sys.argv[1], "rb").read()

		def put(name, at, octets, signed=True):
		    changed = data[:at] + octets + data[at + len(octets):-32]
		    changed += hashlib.sha256(changed).digest() if signed else data[-32:]
		    open(f"{sys.argv[2]}/{name}.tcw", "wb").write(changed)

		def size(n):
		    return n.to_bytes(4, "little")

		def number(at):
		    return int.from_bytes(data[at:at + 4], "little")

		words = number(32)
		about = next(n for n in range(len(data)) if number(len(data) - 36 - n) == n) # octets of the table at the end
		places = len(data) - 36 - about - 4 * (64 + 64 * words)
		field = data.index(b"tcp_off") # the first is in the layout
		put("octet", len(data) // 2, bytes([data[len(data) // 2] ^ 1]), False)
		put("version", 8, size(99))
		put("before", 8, size(5))
		put("shape", 16, size(number(16) - 1))
		put("zero", 16, size(0))
		put("huge", 16, size(2**32 - 1))
		put("type", 12, size(7))
		put("words", 32, size(2000))
		put("field", field, b"tcp_on\0")
		put("span", field + 24, size(64 * words))
		put("infinite", data.index(b"straight.coarse") + 32, b"\xff\xff\xff\xff" * 2)
		put("place", places, b"\xff\xff")
		put("about", len(data) - 36 - about, size(about + 1))
	PY
	for tool in tc-enc tc-dec; do
		for name in none short cut nearly longer octet version before shape zero huge type words field span infinite place about; do
			echo "$tool $name"
			case $name in
			none) said="not a weights file of TraceCodec" ;;
			short | cut | nearly) said="weights: *" ;;
			octet) said="weights: damaged: *" ;;
			version) said="weights: version 99; this program reads *" ;;
			before) said="weights: version 5; this program reads 6" ;;
			shape | type | words) said="weights: of another network*" ;;
			field) said="weights: field * is tcp_on there, and tcp_off here" ;;
			zero | huge) said="weights: a layer without units, or with too many" ;;
			infinite) said="weights: not all are finite" ;;
			place) said="weights: a bit's place is beyond the latent" ;;
			*) said="weights: *" ;;
			esac
			refused "$tool: $tmp/$name.tcw: $said" $tool --weights "$tmp/$name.tcw" -o "$tmp/b" "$in/few"
			[ ! -e "$tmp/b" ]
		done
		refused "$tool: $tmp/missing: No such file or directory" $tool --weights "$tmp/missing" "$in/few"
		refused "$tool: $in/folder: ?*" $tool --weights "$in/folder" "$in/few"
		refused "$tool: Makefile: not a weights file of TraceCodec, but text" $tool --weights Makefile "$in/few"
	done
}

# --- pipes ---

@test "what is ready is written before more is waited for" {
	in=$BATS_FILE_TMPDIR
	head -c 5000 "$in/few" >"$tmp/part" # some whole records
	n=$(tc-show "$tmp/part" 2>/dev/null | wc -l) || true
	[ "$n" -gt 100 ]
	mkfifo "$tmp/in"
	within 60 tc-enc -q "$tmp/in" 2>"$tmp/err1" 3>&- | within 60 tc-dec >"$tmp/b" 2>"$tmp/err2" 3>&- &
	exec 4>"$tmp/in"
	cat "$tmp/part" >&4
	came() { [ "$(tc-show "$tmp/b" 2>/dev/null | wc -l)" -eq "$n" ]; }
	eventually came # the input is open still
	tail -c +5001 "$in/few" >&4
	exec 4>&-
	wait $!
	cmp <(steady "$tmp/b") <(steady "$in/few")
}

@test "behind ^C both say so, and give all packets" {
	in=$BATS_FILE_TMPDIR
	tc-lift -q "$edge/tcp-plain-ip4.pcap" >"$tmp/one"
	tc-enc -q "$tmp/one" >"$tmp/one.l"
	n=$(packets "$edge/tcp-plain-ip4.pcap")
	for tool in tc-enc tc-dec; do
		good=$tmp/one
		[ $tool = tc-enc ] || good=$tmp/one.l
		size=$(tail -c 200 "$good" | grep -abo end | tail -n 1 | cut -d: -f1)
		size=$(($(stat -c %s "$good") - 200 + size - 2)) # where the end record begins
		rm -f "$tmp/in" "$tmp/got"
		mkfifo "$tmp/in"
		$tool "$tmp/in" >"$tmp/got" 2>"$tmp/err" 3>&- &
		exec 4>"$tmp/in"
		head -c $size "$good" >&4
		eventually test -s "$tmp/got"
		status=0
		kill -INT $!
		wait $! || status=$?
		exec 4>&-
		is "$status" 130
		if [ $tool = tc-enc ]; then tc-dec "$tmp/got" >"$tmp/b" 2>/dev/null || true; else mv "$tmp/got" "$tmp/b"; fi
		is "$(end "$tmp/b" | cut -d' ' -f1,3)" "$n interrupted"
	done
}

# each FUNCTION: for both tools, with $tool (and its name, $name) and $good, something it reads.
each() {
	in=$BATS_FILE_TMPDIR
	name=tc-enc tool='tc-enc -q --no-refine' good=$in/few
	"$1"
	name=tc-dec tool=tc-dec good=$in/l
	"$1"
	name=tc-enc tool='tc-enc -q --no-refine --jobs 3' good=$in/few
	"$1"
	name=tc-dec tool='tc-dec --jobs 3' good=$in/l
	"$1"
}

@test "an input that isn't there, is empty, a folder, or foreign" {
	it() {
		refused "$name: $tmp/missing: No such file or directory" $tool "$tmp/missing"
		refused "$name: $in/empty: empty*" $tool "$in/empty"
		refused "$name: standard input: empty*" $tool <"$in/empty"
		refused "$name: $in/folder: *Is a directory" $tool "$in/folder"
		refused "$name: $in/foreign: not a stream of ?*, but text" $tool "$in/foreign"
	}
	each it
}

@test "a full disk is an error" {
	tc-lift "$edge/empty.pcap" >"$tmp/a"
	tc-enc "$tmp/a" >"$tmp/a.l"
	it() {
		refused "$name: standard output: No space left on device" bash -c "$tool '$good' >/dev/full"
		refused "$name: standard output: No space left on device" bash -c "$tool -o - '$good' >/dev/full"
	}
	each it
	refused "tc-enc: standard output: No space left on device" bash -c "tc-enc '$tmp/a' >/dev/full"
	refused "tc-dec: standard output: No space left on device" bash -c "tc-dec '$tmp/a.l' >/dev/full"
}

@test "a closed pipe ends them by SIGPIPE, with no word" {
	it() {
		gone $tool "${good/%few/a}" # more than any pipe holds
		refused "$name: ?*" bash -c "$tool '$good' >&-"
	}
	each it
}

@test "-o: whole or not at all" {
	mkdir "$tmp/out"
	it() {
		$tool "$good" >"$tmp/want"
		echo before >"$tmp/out/a"
		head -c 2000 "$good" >"$tmp/cut"
		for bad in "$tmp/cut" "$in/empty" "$in/foreign" "$tmp/missing"; do
			run -1 $tool -o "$tmp/out/a" "$bad"
			is "$(cat "$tmp/out/a")" before
			is "$(ls -A "$tmp/out")" a
		done
		$tool -o "$tmp/out/a" "$good"
		cmp "$tmp/out/a" "$tmp/want"
		is "$(ls -A "$tmp/out")" a
		refused "$name: $tmp/none/a: No such file or directory" $tool -o "$tmp/none/a" "$good"
		refused "$name: $tmp/out: Is a directory" $tool -o "$tmp/out" "$good"
	}
	each it
}

@test "octets don't go to a terminal" {
	it() {
		run -1 script -qefc "$tool $good" /dev/null
		is "${output//$'\r'/}" "$name: standard output is a terminal; -o - writes to it"
	}
	each it
}

@test "wrong usage: exit 2" {
	for tool in tc-enc tc-dec; do
		misused $tool --colour
		misused $tool -Z
		misused $tool -o
		misused $tool --weights
		misused $tool --stats=yes
		misused $tool a b
		run -0 --separate-stderr $tool --help
		[[ ${lines[0]} = "usage: $tool "* ]]
		is "$stderr" ""
	done
	for type in '' f64 F32 i8x; do misused tc-enc --latent-type "$type"; done
	misused tc-enc --coordinates "$BATS_FILE_TMPDIR/a"
	misused tc-enc --coordinates -o "$tmp/l"
	for n in '' x -1 1.5 100001; do misused tc-enc --refine "$n"; done
	for n in '' x -1 18446744073709551616; do misused tc-enc --seed "$n"; done
}

# --- memory ---

@test "70000 flows: encoder and decoder stay under 256 MiB" {
	peak() {
		/usr/bin/env python3 -B - "$@" <<-'PY'
			import resource, subprocess, sys
			with open(sys.argv[1], "wb") as out:
			    subprocess.run(sys.argv[2:], stdout=out, check=True)
			print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
		PY
	}
	# What flood.py 70000 lifts to, without its taking its time.
	{
		stream | sed -n '1s/"cap":16/"cap":65536/p'
		awk 'BEGIN { for (i = 0; i < 140000; i++) {
			flow = i % 65536; h = 2 * i % 65536
			printf "{%s%s\"win\":64240,\"flags\":2,\"ttl\":64,\"open\":1,\"orig_p\":%d,\"resp_p\":80,", i ? "\"dt\":1000," : "",
				flow ? "\"flow\":" flow "," : "", 1024 + i % 70000 % 60000
			printf "\"orig_h\":[%d,1],\"resp_h\":[%d,0],\"src_mac\":[%d,0],\"dst_mac\":[%d,0]}\n", h, h + 1, h, h + 1
		} }'
		echo '{"end":"whole"}'
	} | tc-show --reverse >"$tmp/a"
	enc=$(peak "$tmp/l" tc-enc -q --no-refine "$tmp/a")
	dec=$(peak "$tmp/b" tc-dec "$tmp/l")
	echo "tc-enc $enc MiB, tc-dec $dec MiB"
	[ "$enc" -lt 256 ]
	[ "$dec" -lt 256 ]
	is "$(end "$tmp/b" | cut -d' ' -f1,3)" "140000 whole"
	cmp "$tmp/a" "$tmp/b" # steps of one unit are not rounded
}
