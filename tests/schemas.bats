# What tc-show and tc-diff print as JSON is what their schemas say, and no less.

load helper

# conforms SCHEMA [FILE...]: each line is valid; the first that isn't, and why.
conforms() {
	python3 - "share/$1.schema.json" "${@:2}" <<-'END'
		import json, sys
		from jsonschema import Draft202012Validator
		schema = json.load(open(sys.argv[1]))
		Draft202012Validator.check_schema(schema)
		validator, seen = Draft202012Validator(schema), set()
		for name in sys.argv[2:]:
		    for line in open(name):
		        value = json.loads(line)
		        for error in validator.iter_errors(value):
		            why = "; ".join(e.message[:200] for e in error.context or [error])
		            sys.exit("%s: %s: %s" % (name, line[:200].strip(), why))
		        seen |= value.keys()
		print(*sorted(seen))
	END
}

@test "each line of tc-show, of actions and of latents" {
	for f in "$edge"/*.pcap; do tc-lift -q "$f" 2>/dev/null || true; done | tc-show >"$tmp/actions" 2>/dev/null || true
	tc-lift -q "$sample" | tc-show | sed -n 1,2000p >>"$tmp/actions"
	# A latent with a patch, a coordinate that is no number, a time beyond 2^53.
	stream '{"t":"9223372036854775807"}' '{"len":7}' | tc-show --reverse >"$tmp/far"
	tc-show "$tmp/far" >>"$tmp/actions"
	tc-enc -q "$tmp/far" | tc-show >"$tmp/latents"
	jq -c 'if .latent then .latent[0] = null else . end' "$tmp/latents" | tc-show --reverse | tc-show >"$tmp/nulls"
	tc-lift -q "$sample" | tc-show | sed -n 1,1000p | sed '$a {"end":"whole"}' | tc-show --reverse | tc-enc -q --no-refine | tc-show >>"$tmp/latents"
	grep -q '"t":"' "$tmp/actions"
	grep -q '"patch"' "$tmp/latents"
	grep -q '\[null' "$tmp/nulls"
	seen=$(conforms show "$tmp/actions" "$tmp/latents" "$tmp/nulls")
	[[ " $seen " = *" latent "*" patch "* ]]
}

@test "what tc-show never prints is not valid" {
	stream | tc-show --reverse | tc-show >"$tmp/right"
	conforms show "$tmp/right"
	for change in 'if .flags then .flag = 1 else . end' 'if .flags then del(.t) else . end' 'if .orig_h then .orig_h = [1] else . end' \
		'if .dir then .dir = 2 else . end' 'if .magic then .version = 2 else . end' 'if .magic then del(.cap) else . end' \
		'if .end then .end = "half" else . end' 'if .t then .t = 1.5 else . end' 'if .magic then .start = "1.5" else . end'; do
		jq -c "$change" "$tmp/right" >"$tmp/wrong"
		echo "$change"
		run -1 conforms show "$tmp/wrong"
	done
}

@test "the schema has the fields of an action, and no others" {
	is "$(jq -r '.["$defs"].of_action.properties | keys_unsorted[]' share/show.schema.json)" \
		"$(tc-lift -q "$edge/empty.pcap" | python3 -c \
			'import msgpack, sys; print(*next(msgpack.Unpacker(sys.stdin.buffer))["fields"], sep="\n")')"
}

@test "tc-diff --json" {
	tc-lift -q "$edge/duplicates.pcap" >"$tmp/act"
	for b in "$edge"/{duplicates,tcp-plain-ip4,arp-request-reply}.pcap "$tmp/act"; do
		tc-diff -q --json "$edge/duplicates.pcap" "$b" || [ $? -eq 1 ]
		tc-diff -q --json --exact --paired "$b" "$edge/duplicates.pcap" || [ $? -eq 1 ]
	done >"$tmp/json"
	tc-diff -q --json --reference "$edge/duplicates.pcap" "$edge/tcp-plain-ip4.pcap" "$tmp/act" >>"$tmp/json" || [ $? -eq 1 ]
	grep -q '"paired"' "$tmp/json"
	conforms diff "$tmp/json"
	is "$(jq -r '.properties.metrics.required[]' share/diff.schema.json)" "$(head -n 1 "$tmp/json" | jq -r '.metrics | keys_unsorted[]')"
	for change in 'del(.verdict)' '.metrics["tcp.event"].value = "0"' 'del(.metrics["tcp.event"])' '.metrics_version = 1' \
		'del(.a.packets)' '.b.legality.length = -1' '.verdict.against = "chance"'; do
		head -n 1 "$tmp/json" | jq -c "$change" >"$tmp/wrong"
		echo "$change"
		run -1 conforms diff "$tmp/wrong"
	done
}
