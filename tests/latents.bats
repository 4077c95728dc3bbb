# Latents as a space: each of itself alone, in three blocks, and who moves one knows what moves.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	{ tc-lift -q tests/fixtures/sample.pcap | tc-show | head -n 3001; echo '{"end":"whole"}'; } | tc-show -r >"$in/sample"
	# Of many kinds, joined to one trace: who a slot is, is nobody's business here.
	{
		head -n 1 <(tc-show "$in/sample")
		for f in tests/fixtures/edge/{icmp-*,tcp-*,arp*,nd-*,many-hosts-ip*,vlan*,udp-*}.pcap; do
			tc-lift -q "$f" 2>/dev/null | tc-show | jq -c 'select(.magic or has("end") | not) | del(.t)'
		done
		echo '{"end":"whole"}'
	} | tc-show -r >"$in/edges"
	for s in sample edges; do tc-enc -q --refine 200 "$in/$s" >"$in/$s.l"; done
}

# decoded LATENTS CHANGED: a script on standard input, with the header and the true and the changed records as Python has them:
# as latents in z and changed_z, decoded in a and b, each of them a map from field to value.
decoded() {
	tc-dec "$1" >"$tmp/1.act"
	tc-dec "$2" >"$tmp/2.act"
	{
		cat <<-'PY'
			import sys
			from msgpack import Unpacker

			def records(path):
			    header, *rest, end = Unpacker(open(path, "rb"))
			    return header, rest

			def actions(path):
			    header, rest = records(path)
			    return [dict(zip((f for i, f in enumerate(header["fields"]) if r[0] >> i & 1), r[1:])) for r in rest]

			GROUP6 = 12 # the class of a group of IPv6, whose scope stands where others have a suffix
			REFS = "orig_h resp_h src_mac dst_mac target sha tha quote_src quote_dst".split()

			def nameless(action):
			    """Without its slots."""
			    out = {k: v for k, v in action.items() if k != "flow"}
			    for k in REFS:
			        if isinstance(out.get(k), list): # slot, class, and what there is of a suffix, a slot but in groups of IPv6
			            out[k] = out[k][1:2] + (out[k][2:] if out[k][1] == GROUP6 else [len(out[k])])
			        elif isinstance(out.get(k), int):
			            out[k] = "known"
			    if out.get("quote", [-1])[0] >= 0:
			        out["quote"] = ["known"] + out["quote"][1:]
			    return out

			def without(action, *fields):
			    return {k: v for k, v in action.items() if k not in fields}

			(header, z), (_, changed_z) = records(sys.argv[1]), records(sys.argv[2])
			a, b = actions(sys.argv[3]), actions(sys.argv[4])
			assert len(a) == len(b) == len(z) == len(changed_z)
			changed = [r != s for r, s in zip(z, changed_z)]
		PY
		cat
	} >"$tmp/decoded.py"
	python3 -B "$tmp/decoded.py" "$1" "$2" "$tmp/1.act" "$tmp/2.act"
}

@test "one latent of a hundred is another's: every other packet is decoded to the same action, field by field" {
	in=$BATS_FILE_TMPDIR
	for s in sample edges; do
		latents "$in/$s.l" "$tmp/l" <<-'PY'
			for i in random.sample(range(len(records)), len(records) // 100):
			    records[i] = random.choice(records)
		PY
		decoded "$in/$s.l" "$tmp/l" <<-'PY'
			others = [i for i in range(len(z)) if not changed[i]]
			assert len(z) // 200 < len(z) - len(others) <= len(z) // 100, len(others)
			assert not [i for i in others if a[i] != b[i]]
		PY
	done
}

@test "latents that are left out or come twice, in any order: each decodes to the action that it did" {
	in=$BATS_FILE_TMPDIR
	latents "$in/sample.l" "$tmp/l" <<-'PY'
		random.shuffle(records)
		records = records[:1000] + records[500:700] + records[:1]
	PY
	tc-dec "$tmp/l" | tc-show | jq -c 'del(.t)' | sed '1d;$d' >"$tmp/got"
	is "$(wc -l <"$tmp/got")" 1201
	comm -13 <(tc-dec "$in/sample.l" | tc-show | jq -c 'del(.t)' | sort -u) <(sort -u "$tmp/got") | cmp - /dev/null
	cmp <(sed -n 501,700p "$tmp/got") <(sed -n 1001,1200p "$tmp/got")
}

@test "the blocks of the header are the record" {
	for type in f32:4 f16:2; do
		tc-enc -q --no-refine --latent-type ${type%:*} "$BATS_FILE_TMPDIR/edges" >"$tmp/l"
		decoded "$tmp/l" "$tmp/l" <<-PY
			assert list(header["blocks"]) == ["what", "who", "when"]
			assert all(len(r[0]) == ${type#*:} * sum(header["blocks"].values()) for r in z)
			assert sum(header["blocks"].values()) <= 128
		PY
	done
}

@test "other coordinates for who change slots alone, others for when the time step alone, others for what neither flow nor step" {
	in=$BATS_FILE_TMPDIR
	for s in sample edges; do
		latents "$in/$s.l" "$tmp/l" <<-'PY'
			records = [r[:1] for r in records]
		PY
		for block in 0 1 2; do
			for way in zero other random; do
				echo "$s $block $way"
				latents "$tmp/l" "$tmp/changed" <<-PY
					first = sum(blocks[:$block])
					part = slice(first, first + blocks[$block])
					given = [z(r) for r in records]
					for i, c in enumerate(given):
					    new = {"zero": [0] * blocks[$block], "other": z(random.choice(records))[part],
					           "random": [random.gauss(0, 1.5) for _ in range(blocks[$block])]}
					    c[part] = new["$way"]
					    records[i] = [bin(c)]
				PY
				decoded "$tmp/l" "$tmp/changed" <<-PY
					assert sum(changed) > len(z) / 3
					differ = sum(x != y for x, y in zip(a, b))
					assert differ > len(a) / 4, differ
					for x, y in zip(a, b):
					    if $block == 0:
					        assert x.get("flow", 0) == y.get("flow", 0) and x.get("dt", 0) == y.get("dt", 0), (x, y)
					    elif $block == 1:
					        assert nameless(x) == nameless(y), (x, y)
					    else:
					        assert without(x, "dt") == without(y, "dt"), (x, y)
				PY
			done
		done
	done
}

@test "headers of latents of version 1, and weights of version 5, are refused in one line that says so" {
	in=$BATS_FILE_TMPDIR
	latents "$in/sample.l" "$tmp/l" <<-'PY'
		header["version"] = 1
		header["coordinates"] = sum(header.pop("blocks").values())
	PY
	for tool in tc-dec tc-show; do
		refused "$tool: $tmp/l: version 1 of the format of latents; this program reads 2" $tool -o "$tmp/none" "$tmp/l"
		[ ! -e "$tmp/none" ]
	done
	python3 - weights/default.tcw "$tmp/w" <<-'PY'
		import hashlib, sys
		data = open(sys.argv[1], "rb").read()
		data = data[:8] + (5).to_bytes(4, "little") + data[12:-32]
		open(sys.argv[2], "wb").write(data + hashlib.sha256(data).digest())
	PY
	refused "tc-enc: $tmp/w: weights: version 5; this program reads 6" tc-enc --weights "$tmp/w" "$in/sample"
	refused "tc-dec: $tmp/w: weights: version 5; this program reads 6" tc-dec --weights "$tmp/w" "$in/sample.l"
	refused "tc-train: $tmp/w: weights: version 5; this program reads 6" tc-train --init "$tmp/w" --steps 1 -o "$tmp/none" "$in/sample"
}

@test "no latent says by chance that its headers may contradict each other" {
	for f in "$edge"/{udp-length-ip4,tcp-offset-under-5-3,ip4-total-length-large-udp,icmp-short-4}.pcap; do
		tc-lift -q "$f" | tc-show | jq -c 'select(.as_is) | del(.t)'
	done | { stream | sed -n 1,3p; cat; echo '{"end":"whole"}'; } | tc-show -r >"$tmp/a"
	tc-enc -q --refine 5000 "$tmp/a" >"$tmp/meant"
	latents "$tmp/meant" "$tmp/l" <<-'PY'
		given = [z(r) for r in records]
		deviation = [max(0.1, (sum(c * c for c in column) / len(given)) ** 0.5) for column in zip(*given)]
		records = [r[:1] for r in records]
		for i in range(20000):
		    spread = random.choice([0.03, 0.1, 0.3, 1])
		    one, other = random.choice(given), random.choice(given)
		    c = [random.choice([x, x, x, y]) + random.gauss(0, spread * d) for x, y, d in zip(one, other, deviation)]
		    records.append([bin(c)])
	PY
	steady() { tc-show "$1" | jq -cS 'select(.magic or has("end") | not) | del(.t, .dt, .flow, .orig_h, .resp_h, .src_mac, .dst_mac)'; }
	tc-dec "$tmp/l" >"$tmp/b"
	# It is held by coordinates, without a patch; but nobody else's.
	[ "$(tc-show "$tmp/b" | grep -c '"as_is":1')" -gt 0 ]
	comm -13 <(steady "$tmp/a" | sort -u) <(steady "$tmp/b" | jq -c 'select(.as_is)' | sort -u) | cmp - /dev/null
	tc-compile "$tmp/b" 2>&1 >/dev/null | grep -qE '[0-9]{2} headers that contradict each other'
}
