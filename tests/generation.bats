# What generated traffic is measured by: the bootstraps, and the table of ratios.

load helper

learn() { tc-lift -q "$sample" | tc-compile -q >"$tmp/learn"; }

@test "a bootstrap has as many packets as were asked for, is legal, and the same for a seed" {
	learn
	for way in packets flows; do
		python3 tests/bootstrap.py $way "$tmp/learn" 3000 7 >"$tmp/a"
		python3 tests/bootstrap.py $way "$tmp/learn" 3000 7 >"$tmp/b"
		python3 tests/bootstrap.py $way "$tmp/learn" 3000 8 >"$tmp/c"
		is "$(packets "$tmp/a")" 3000
		cmp "$tmp/a" "$tmp/b"
		run -1 cmp -s "$tmp/a" "$tmp/c"
		tc-lift -q "$tmp/a" | tc-compile -q --strict | cmp - "$tmp/a"
	done
}

# Without ICMP errors, whose quotes are of flows that are copied apart from them, as each flow is.
@test "flows of the bootstrap are flows that were learned, each copy between hosts of its own" {
	learn
	flows() { { tc-diff --flows "$tmp/learn" "$1" || [ $? -eq 1 ]; } | awk -F '\t' "\$1 == \"$2\" && \$4 != 1 && \$4 != 58" | cut -f "$3"; }
	python3 tests/bootstrap.py flows "$tmp/learn" 200000 1 >"$tmp/a"
	flows "$tmp/a" A 4,6,8-12 | sort -u >"$tmp/known"
	flows "$tmp/a" B 4,6,8-12 >"$tmp/copies"
	# Copies that the end cut are beginnings alone: the rest is known.
	[ "$(grep -cvxFf "$tmp/known" "$tmp/copies")" -lt $(($(wc -l <"$tmp/copies") / 20)) ]
	is "$(flows "$tmp/a" B 5,7 | awk -F '\t' '$1 ~ /^(10|240|2001|fd00)/' | sort | uniq -d | head -n 3)" ""
}

@test "natural is the block before the judge, a ratio is to that or to what nobody need tell apart, and what is learned is known" {
	learn
	editcap -F pcap -r "$tmp/learn" "$tmp/judge" 21200-26499
	editcap -F pcap -r "$tmp/learn" "$tmp/before" 15900-21199
	editcap -F pcap -r "$tmp/learn" "$tmp/earlier1" 10600-15899
	editcap -F pcap -r "$tmp/learn" "$tmp/earlier2" 5300-10599
	editcap -F pcap -r "$tmp/learn" "$tmp/earlier3" 1-5299
	editcap -F pcap -r "$tmp/learn" "$tmp/known" 1-21199
	python3 tests/generation.py "$sample" --seeds 1 --json "$tmp/json" --command 'whole=test {n} = 5300 && tc-lift -q {pcap}' >"$tmp/out"
	is "$(jq -r '.captures[0].ways | keys | join(" ")' "$tmp/json")" "earlier flows natural packets whole"
	is "$(jq '.captures[0].ways | .natural.packets, .flows.packets, .whole.packets' "$tmp/json" | xargs)" "5300 5300 21199"
	for way in before earlier1 earlier2 earlier3 known; do
		run -1 tc-diff --json "$tmp/judge" "$tmp/$way"
		echo "$output" >"$tmp/$way.json"
	done
	for metric in transition.tv conn.history rtt.syn c2st; do
		value=".metrics[\"$metric\"].value"
		is "$(jq ".captures[0].ways.natural[\"$metric\"]" "$tmp/json")" "$(jq "$value" "$tmp/before.json")"
		is "$(jq ".captures[0].ways.earlier[\"$metric\"]" "$tmp/json")" "$(jq "$value" "$tmp"/earlier?.json | sort -g | sed -n 2p)"
		is "$(jq ".captures[0].ways.whole[\"$metric\"]" "$tmp/json")" "$(jq "$value" "$tmp/known.json")"
	done
	is "$(jq '.captures[0] | .ratios.whole["rtt.syn"] - .ways.whole["rtt.syn"] / ([2, .ways.natural["rtt.syn"]] | max)' "$tmp/json")" 0
	is "$(jq '.captures[0].ways.whole.memorised' "$tmp/json")" 1
}

@test "a command that fails is said, and is no result" {
	run -1 --separate-stderr python3 tests/generation.py "$sample" --seeds 1 --command 'none=false | cat'
	[[ $stderr = *"false | cat: exit 1"* ]]
	is "$output" ""
}

@test "captures are those of a list; what learns is timed apart; what is asked for has a yes or a no" {
	printf '# one\nsample.pcap	programs\n' >"$tmp/list"
	python3 tests/generation.py tests/fixtures --list "$tmp/list" --seeds 1 --json "$tmp/json" \
		--command 'copy=cp {pcap} {tmp}/kept ;; cat {tmp}/kept' >"$tmp/out" 2>/dev/null
	is "$(jq -r '.captures[].capture' "$tmp/json")" sample.pcap
	is "$(jq -r '.captures[0] | .seeds.copy | length, (.[0] | has("learning"))' "$tmp/json" | xargs)" "1 true"
	is "$(jq '.summary.copy.falsifier["sample.pcap"] | keys | length' "$tmp/json")" 2
	grep -E '^memorised over the judge.*no$' "$tmp/out"
	grep -E '^learning 20,000 packets.*yes$' "$tmp/out"
}
