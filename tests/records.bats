# tc-records(5): the format as others see it, the rooms in common/, and what readers do with damage.

load helper

# Runs a script, which knows msgpack and these few words.
script() {
	{
		cat <<-'PY'
			import json, random, subprocess, sys, zlib
			from msgpack import Unpacker, packb

			def read(path):
			    return open(path, "rb").read()

			def objects(data):
			    """(where it begins, object) for each."""
			    unpacker, found, at = Unpacker(), [], 0
			    unpacker.feed(data)
			    for o in unpacker:
			        found.append((at, o))
			        at = unpacker.tell()
			    return found

			def record(fields, **values):
			    """A packet record, for a header with these fields."""
			    have = sorted(values, key=fields.index)
			    return [sum(1 << fields.index(f) for f in have)] + [values[f] for f in have]

			def stream(header, *records, end="whole", flows=None):
			    """A trace with its end record."""
			    data = b"".join(packb(o) for o in (header,) + records)
			    packets = [r for r in records if isinstance(r, list)]
			    opened = 1 << header["fields"].index("open") if "open" in header["fields"] else 0
			    flows = sum(r[0] & opened != 0 for r in packets)
			    return data + ended({"end": end, "packets": len(packets), "flows": flows}, data)

			def ended(record, before):
			    """An end record: its checksum, the last of it, is of all octets before."""
			    return packb(dict(record, crc32=zlib.crc32(before + packb(dict(record, crc32=0))[:-1])))

			FIELDS = ["win", "flags", "open", "len", "orig_p", "resp_p", "orig_h", "resp_h", "dt", "dir", "ttl"]
			HEADER = {"magic": "tracecodec", "kind": "actions", "version": 1, "link": 1, "snaplen": 96, "resolution": "ns",
			          "start": 10**18 + 1, "cap": 16, "idle_tcp": 300, "idle_udp": 60, "idle_other": 60, "fields": FIELDS}
			RECORDS = [record(FIELDS, **r) for r in (
			    dict(flags=2, open=1, orig_h=[0, 1], resp_h=[1, 0], orig_p=40000, resp_p=80, ttl=64, win=64240),
			    dict(dt=20000000, dir=1, flags=18, ttl=57, win=65160), dict(dt=50000, win=502),
			    dict(dt=10000, flags=24, len=100), dict(dt=20000000, dir=1, win=509, len=1000))]
			HAND = stream(HEADER, *RECORDS)

			def run(tool, data):
			    """Exit status, standard output, lines of standard error."""
			    p = subprocess.run([tool, "-"], input=data, capture_output=True)
			    return p.returncode, p.stdout, p.stderr.decode().splitlines()

			def packets(pcap):
			    at, n = 24, 0
			    while at < len(pcap):
			        at, n = at + 16 + int.from_bytes(pcap[at + 8:at + 12], "little"), n + 1
			    return n
		PY
		cat
	} >"$tmp/script.py"
	python3 -B "$tmp/script.py" "$@"
}

# --- rooms ---

@test "room: checksums" { units checksum; }
@test "room: slots" { units slots; }
@test "room: fresh addresses" { units fresh; }
@test "room: classes of addresses" { units address-classes; }
@test "room: classes of link addresses" { units mac-classes; }
@test "room: a full action as words" { units full; }
@test "room: stream, written and read" { units stream; }
@test "room: stream, traces after each other" { units stream-traces; }
@test "room: stream, cut at every octet" { units stream-cut; }
@test "room: stream, every octet damaged" { units stream-damaged; }
@test "room: ordinary records, and what is nearly such, are to their reader what they are to that of all" { wire 200000 1; }
@test "room: any action at all, by names and bits" { neural encodable; }
@test "room: the licence for headers that contradict each other" { neural licence; }
@test "room: each field has bits" { neural complete; }
@test "room: actions as bits" { neural code; }
@test "room: halves" { neural halves; }
@test "room: 16-bit floating point, eight at a time" { neural many-halves; }
@test "room: latents as octets" { neural latents; }
@test "room: caches" { neural caches; }
@test "room: the first weights of a training" { neural first; }
@test "room: gradients, layer by layer, against finite differences" { neural gradients; }
@test "room: a row alone, or among others" { neural one-row; }
@test "room: products of integers" { neural products; }
@test "room: the gradient that refinement follows" { neural hinge; }
@test "room: weights, cut and damaged" { neural weights; }
@test "room: names and time steps as coordinates" { blocks; }

@test "every room's test is here" {
	is "$(grep -oE '\{ units [a-z0-9-]+' tests/records.bats | cut -d' ' -f3)" "$(units)"
	is "$(grep -oE '\{ neural [a-z0-9-]+' tests/records.bats | cut -d' ' -f3)" "$(neural)"
}

# --- the format ---

@test "a reader with msgpack and the header's names sees what tc-show shows" {
	for f in "$sample" "$edge"/{nd-redirect,icmp-error-redirect,tcp-sack-blocks-4,vlan-tags-five,runt-frames,many-hosts-ip6}.pcap; do
		tc-lift -q "$f" >"$tmp/a"
		tc-show "$tmp/a" >"$tmp/json"
		script "$tmp/a" "$tmp/json" <<-'PY'
			first, *rest, last = [o for _, o in objects(read(sys.argv[1]))]
			shown = [json.loads(line) for line in open(sys.argv[2])]
			assert len(shown) == len(rest) + 2
			for key, value in shown[0].items():
			    if key == "start":
			        second, _, fraction = value.partition(".")
			        value = int(second + fraction)
			    assert first[key] == value, key
			assert set(first) - set(shown[0]) == {"fields", "units"} and len(first["fields"]) == len(first["units"])
			t = 0
			for record, action in zip(rest, shown[1:]):
			    names = [f for i, f in enumerate(first["fields"]) if record[0] >> i & 1]
			    t += dict(zip(names, record[1:])).get("dt", 0)
			    assert action.pop("t") == t, (record, action)
			    assert list(zip(names, record[1:], strict=True)) == list(action.items()), (record, action)
			assert {k: last[k] for k in ("end", "packets", "flows")} == shown[-1]
		PY
	done
}

@test "the end record's checksum is zlib's CRC-32 of all octets before itself, and its counts are right" {
	tc-lift "$sample" >"$tmp/a"
	script "$tmp/a" <<-'PY'
		data = read(sys.argv[1])
		(_, header), *rest, (at, end) = objects(data)
		opens = 1 << header["fields"].index("open")
		assert data[at:] == ended(end, data[:at])
		assert end["packets"] == len(rest) and end["flows"] == sum(r[0] & opens != 0 for _, r in rest)
		assert list(end) == ["end", "packets", "flows", "crc32"] and end["end"] == "whole"
	PY
}

@test "of streams joined, each has a checksum of its own" {
	cat <(tc-lift "$edge/one-packet-tcp.pcap") <(tc-lift "$edge/one-packet-udp.pcap") >"$tmp/a"
	script "$tmp/a" <<-'PY'
		data = read(sys.argv[1])
		begin = 0
		for at, o in objects(data):
		    if isinstance(o, dict) and "magic" in o:
		        begin = at
		    if isinstance(o, dict) and "end" in o:
		        assert data[at:].startswith(ended(o, data[begin:at]))
		assert begin > 0
	PY
}

@test "the form is canonical: msgpack's own packer gives the same octets" {
	for f in "$sample" "$edge"/{nd-redirect,tcp-sack-blocks-4,vlan-tags-five,time-years,empty}.pcap; do
		tc-lift "$f" >"$tmp/a"
		script "$tmp/a" <<<'assert b"".join(packb(o) for _, o in objects(read(sys.argv[1]))) == read(sys.argv[1])'
	done
}

@test "a handshake written by hand, with few fields in another order, compiles" {
	script "$tmp/a" <<<'open(sys.argv[1], "wb").write(HAND)'
	tc-compile --strict "$tmp/a" >"$tmp/b.pcap"
	tshark -n -r "$tmp/b.pcap" -T fields -e frame.time_epoch -e tcp.srcport -e tcp.flags.str -e tcp.seq -e tcp.ack \
		-e tcp.len -e tcp.window_size_value -e ip.ttl 2>/dev/null | tr -d '·' | tr '\t' ' ' >"$tmp/b"
	diff "$tmp/b" - <<-'END'
		1000000000.000000001 40000 S 0 0 0 64240 64
		1000000000.020000001 80 AS 0 1 0 65160 57
		1000000000.020050001 40000 A 1 1 0 502 64
		1000000000.020060001 40000 AP 1 1 100 502 64
		1000000000.040060001 80 A 1 101 1000 509 57
	END
	is "$(tshark -n -r "$tmp/b.pcap" -Y 'tcp.analysis.flags || _ws.malformed' 2>/dev/null)" ""
}

# --- versions ---

@test "fields and records that nobody here knows are passed over, with one line, exit 0" {
	script "$tmp" <<-'PY'
		tmp = sys.argv[1]
		more = dict(HEADER, fields=["colour"] + FIELDS + ["taste"], weather="fine")
		records = [record(more["fields"], **dict(zip((f for i, f in enumerate(FIELDS) if r[0] >> i & 1), r[1:])),
		                  **({"taste": [1, "bitter"]} if i % 2 else {}), **({"colour": "red"} if i == 3 else {}))
		           for i, r in enumerate(RECORDS)]
		records[2:2] = ["a comment", {"statistics": {"seen": 5}}, 7, None]
		open(tmp + "/new", "wb").write(stream(more, *records))
		open(tmp + "/old", "wb").write(HAND)
	PY
	for tool in tc-compile tc-show; do
		$tool "$tmp/new" 2>"$tmp/err" >"$tmp/new.out"
		is "$(cat "$tmp/err")" "$tool: passed over 6 records with fields that this version doesn't know"
		$tool "$tmp/old" | cmp - "$tmp/new.out"
	done
}

@test "what is passed over may be of any type that msgpack has" {
	n=$(script "$tmp" <<-'PY'
		tmp = sys.argv[1]
		octets = lambda first, width, n, more=0: bytes([first]) + n.to_bytes(width, "big") + b"a" * (n + more)
		values = [b"\xc0", b"\xc2", b"\xc3", b"\x00", b"\x7f", b"\xe0", b"\xff", b"\xa0", b"\xbf" + b"a" * 31, b"\x90", b"\x80",
		          b"\x9f" + b"a" * 15, b"\x8f" + b"a" * 30]
		values += [octets(first + i, width, n, more) for first, more in ((0xc4, 0), (0xc7, 1), (0xd9, 0))
		           for i, width in enumerate((1, 2, 4)) for n in (0, 1, 200)]
		values += [octets(0xca + i, 0, 0, n) for i, n in enumerate((4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17))]
		values += [octets(first + i, width, n)[:1 + width] + b"a" * (n * of) for first, of in ((0xdc, 1), (0xde, 2))
		           for i, width in enumerate((2, 4)) for n in (0, 1, 300)]
		assert {v[0] for v in values} >= set(range(0xc0, 0xe0)) - {0xc1}
		data = packb(HEADER) + packb(RECORDS[0]) + b"".join(b"\x81\xa1x" + v for v in values) + b"".join(map(packb, RECORDS[1:]))
		open(tmp + "/new", "wb").write(data + ended({"end": "whole", "packets": len(RECORDS), "flows": 1}, data))
		open(tmp + "/never", "wb").write(packb(HEADER) + b"\x81\xa1x\xc1" + packb(RECORDS[0]))
		open(tmp + "/old", "wb").write(HAND)
		print(len(values))
	PY
	)
	tc-show "$tmp/new" 2>"$tmp/err" >"$tmp/new.out"
	is "$(cat "$tmp/err")" "tc-show: passed over $n records with fields that this version doesn't know"
	tc-show "$tmp/old" | cmp - "$tmp/new.out"
	refused 'tc-show: *never: ?*' tc-show "$tmp/never"
}

@test "another version, magic or kind is refused with one line" {
	for change in 'version=2' 'version=0' 'version="1"' 'magic="pcap"' 'magic=1' 'kind="latents"' 'kind=None'; do
		echo "$change"
		script "$tmp/a" <<<"open(sys.argv[1], 'wb').write(stream(dict(HEADER, $change), *RECORDS))"
		refused "tc-compile: $tmp/a: ?*" tc-compile -o "$tmp/b" "$tmp/a"
		refused "tc-show: $tmp/a: ?*" tc-show "$tmp/a"
		is "$output" ""
	done
	[[ $stderr = *"actions"* ]]
}

@test "a header with something missing or of another type is refused, and it is named" {
	for key in link snaplen resolution start cap idle_tcp idle_udp idle_other fields; do
		for change in "HEADER.pop('$key')" "HEADER['$key'] = {}" "HEADER['$key'] = -1"; do
			[ "$change" = "HEADER['start'] = -1" ] && continue
			echo "$change"
			script "$tmp/a" <<<"$change; open(sys.argv[1], 'wb').write(packb(HEADER))"
			refused "tc-show: $tmp/a: header: *$key*" tc-show "$tmp/a"
		done
	done
}

@test "numbers of the header that no trace can have are refused" {
	for change in snaplen=0 snaplen=262145 cap=15 cap=1048577; do
		echo $change
		script "$tmp/a" <<<"open(sys.argv[1], 'wb').write(stream(dict(HEADER, $change), *RECORDS))"
		refused "tc-compile: $tmp/a: header: *" tc-compile -o "$tmp/b" "$tmp/a"
	done
}

# --- damage ---

@test "a stream cut at any length: exit 1, one line that names the record, whole packets passed on" {
	script <<-'PY'
		where = [at for at, _ in objects(HAND)]
		for n in range(len(HAND)):
		    whole = max(0, sum(at <= n for at in where) - 2)  # records before the one that is cut
		    for tool, count in (("tc-show", lambda out: max(0, out.count(b"\n") - 1)), ("tc-compile", packets)):
		        status, out, said = run(tool, HAND[:n])
		        assert status == 1 and len(said) == 1 and said[0].startswith(f"{tool}: standard input: "), (n, said)
		        assert count(out) == min(whole, len(RECORDS)), (n, tool, out)
		        if n >= where[1]:
		            assert f"record {whole + 1} " in said[0] or f"record {whole}:" in said[0], (n, whole, said)
		assert (whole, len(HAND) > 200) == (len(RECORDS), True)
	PY
}

@test "one damaged octet is always noticed" {
	tc-lift "$edge/tcp-sack-blocks-4.pcap" >"$tmp/a"
	script "$tmp/a" <<-'PY'
		data, (end, _) = read(sys.argv[1]), objects(read(sys.argv[1]))[-1]
		random.seed(1)
		for at in random.sample(range(end), 100) + list(range(end, len(data))):
		    bad = bytearray(data)
		    bad[at] ^= 1 << random.randrange(8)
		    status, out, said = run("tc-show", bytes(bad))
		    assert status == 1 and said and all(s.startswith("tc-show: ") for s in said), (at, data[at], bad[at], said)
	PY
}

@test "a damaged record stops the compiler with the record's number and the field" {
	script "$tmp/a" <<-'PY'
		bad = [1 << FIELDS.index("flags"), "ACK"]
		open(sys.argv[1], "wb").write(stream(HEADER, *RECORDS[:2], bad))
	PY
	refused "tc-compile: $tmp/a: record 3 (octet *flags*" tc-compile -o "$tmp/b" "$tmp/a"
	tc-compile "$tmp/a" 2>/dev/null >"$tmp/b.pcap" && false
	is "$(packets "$tmp/b.pcap")" 2
}

@test "records that break the rules are damage, each with one line and no crash" {
	script <<-'PY'
		deep = 0
		for _ in range(10):
		    deep = [deep]
		bad = {"mask without values": [3], "values without mask": [0, 1], "no mask": [], "mask of a float": [1.5],
		       "negative mask": [-1, 5], "mask beyond the fields": [1 << 60, 1], "a list too long": [1, [0] * 41],
		       "too deep": deep, "too long": "x" * 70000, "a map for an action's number": [1, {}],
		       "end without counts": {"end": "whole"}, "end of another kind": {"end": "well", "packets": 0}}
		for name, o in bad.items():
		    for tool in "tc-show", "tc-compile":
		        status, out, said = run(tool, packb(HEADER) + packb(RECORDS[0]) + packb(o))
		        assert status == 1 and len(said) == 1 and said[0].startswith(tool), (name, tool, status, said)
		for name, octets in {"never used": b"\xc1", "an array of 2^32": b"\xdd\xff\xff\xff\xff", "a map of 2^32": b"\xdf\xff\xff\xff\xff",
		                     "a string of 2^32": b"\xdb\xff\xff\xff\xff", "an extension": b"\xc9\xff\xff\xff\xff\x01"}.items():
		    for before in b"", packb(HEADER), packb(HEADER) + packb(RECORDS[0]):
		        status, out, said = run("tc-show", before + octets * 3 + b"\0" * 100)
		        assert status == 1 and len(said) == 1, (name, status, said)
	PY
}

@test "a checksum or a count that is wrong is said, and the packets are passed on" {
	for change in crc32 packets flows; do
		script "$tmp/a" <<-PY
			rest, end = HAND[:objects(HAND)[-1][0]], objects(HAND)[-1][1]
			open(sys.argv[1], "wb").write(rest + (packb(dict(end, crc32=end["crc32"] ^ 1)) if "$change" == "crc32" else ended(dict(end, $change=end["$change"] ^ 1), rest)))
		PY
		run -1 --separate-stderr tc-show "$tmp/a"
		[[ $stderr = "tc-show: $tmp/a: damaged: "* ]]
		is "${#lines[@]}" 6 # the header and five packets, no end
		is "${#stderr_lines[@]}" 1
	done
}

@test "a trace that breaks off before the next one is noticed" {
	script "$tmp/a" <<<'open(sys.argv[1], "wb").write(HAND[:objects(HAND)[-1][0]] + HAND)'
	run -1 --separate-stderr tc-show "$tmp/a"
	echo "$stderr"
	[[ ${stderr_lines[0]} = "tc-show: $tmp/a: "*"record 5"* ]]
}

@test "octets behind the last end record are no trace" {
	script "$tmp/a" <<<'open(sys.argv[1], "wb").write(HAND + b"and more")'
	run -1 --separate-stderr tc-show "$tmp/a"
	[[ $stderr = "tc-show: $tmp/a: "*"header"* ]]
	is "${#lines[@]}" 7
}
