# python/tracecodec: streams as arrays, and back to the octets that they were.

load helper

# py [ARGUMENT...]: a script on standard input.
py() { python3 - "$@"; }

# Of a fixture that is cut, the stream says so, and so does the package.
@test "every fixture, lifted and encoded, is read and written octet for octet" {
	{
		for f in "$edge"/*.pcap "$sample"; do
			tc-lift -q "$f" 2>/dev/null >"$tmp/a" || true
			cat "$tmp/a"
			tc-enc -q --refine 5 "$tmp/a" 2>/dev/null >>"$tmp/latents" || true
		done
	} >"$tmp/actions"
	py "$tmp/actions" "$tmp/latents" <<-'PY'
		import sys
		import tracecodec as tc
		from tracecodec.stream import octets

		for path in sys.argv[1:]:
		    whole = open(path, "rb").read()
		    traces = tc.read_all(path, partial=True)
		    assert len(traces) > 200 and sum(map(len, traces)) > 26000
		    assert octets(traces) == whole
		    assert octets(tc.blocks(path, packets=7, partial=True)) == whole
		    if "latents" not in path:
		        columns = [{f: a[f] for f in a.columns} for a in traces]
		        with_times = [{**c, "t": a.times, "dt": None} for c, a in zip(columns, traces)]
		        for given in columns, with_times:
		            made = [tc.Actions.of_columns(a.header, c, a.end) if len(a) and c else a for c, a in zip(given, traces)]
		            assert octets(made) == whole
	PY
}

@test "the fields that the package knows are those of the header, by their kinds" {
	grep -oE '^	X\([A-Z0-9_]+, "[a-z0-9_]+", [A-Z]+' common/record/action.h | sed 's/.*"\(.*\)", /\1 /' >"$tmp/kinds"
	py "$tmp/kinds" <<-'PY'
		import sys
		from tracecodec.actions import ABSENT, LISTS, NUMBERS, REFERENCES

		kinds = [line.split() for line in open(sys.argv[1])]
		assert len(kinds) > 40
		for kind, names in ("INT", NUMBERS), ("LIST", LISTS), ("REF", REFERENCES):
		    assert {n for n, k in kinds if k == kind} == names, kind
		assert set(ABSENT) <= NUMBERS
	PY
	is "$(tc-lift -V | grep -oE '[0-9.]+$')" "$(py <<<'import tracecodec; print(tracecodec.__version__)')"
}

@test "columns are what tc-show prints: numbers, their absence, lists, references, times" {
	for f in "$edge"/{icmp-*,tcp-*,arp*,nd-*,vlan*}.pcap; do tc-lift -q "$f" 2>/dev/null || true; done >"$tmp/a"
	tc-show "$tmp/a" >"$tmp/json" 2>/dev/null || true
	py "$tmp/a" "$tmp/json" <<-'PY'
		import json, sys
		import numpy as np
		import tracecodec as tc

		lines = [json.loads(line) for line in open(sys.argv[2])]
		lines = [x for x in lines if "magic" not in x and "end" not in x]
		at = 0
		for a in tc.read_all(sys.argv[1], partial=True):
		    shown = lines[at:at + len(a)]
		    at += len(a)
		    assert list(a.times - a.header["start"]) == [int(x.pop("t")) for x in shown]
		    assert list(a.records()) == shown
		    assert a["flags"].tolist() == [x.get("flags", 16) for x in shown]
		    assert [None if v is np.ma.masked else int(v) for v in a["win"]] == [x.get("win") for x in shown]
		    assert list(a["opts"]) == [x.get("opts") for x in shown]
		    assert (a.present("ttl") == ["ttl" in x for x in shown]).all()
		    assert tc.Actions.of(a.header, a.records()).columns.keys() == a.columns.keys()
		assert at == len(lines) > 1000
	PY
}

@test "a field that is put and dropped, packets that are taken: as jq does it on tc-show's lines" {
	tc-lift -q "$sample" >"$tmp/a"
	tc-show "$tmp/a" | jq -c 'select(.magic or .end or .flow == 30)' | tc-show -r 2>/dev/null >"$tmp/one"
	tc-show "$tmp/a" | jq -c 'if .ttl then .ttl = 9 else . end | del(.win)' | tc-show -r >"$tmp/changed"
	py "$tmp/a" "$tmp/my" <<-'PY'
		import sys
		import tracecodec as tc

		a = tc.read(sys.argv[1])
		tc.write(sys.argv[2] + ".one", a.take(a["flow"] == 30))
		a.put("ttl", 9, a.present("ttl"))
		a.drop("win")
		tc.write(sys.argv[2] + ".changed", a)
	PY
	# tc-show --reverse leaves a step of 0 where t and dt say so.
	cmp <(tc-show "$tmp/one" | jq -c 'del(.dt)') <(tc-show "$tmp/my.one" | jq -c 'del(.dt)')
	cmp "$tmp/changed" "$tmp/my.changed"
}

@test "who and when are what the encoder writes, and what the decoder reads, whatever the coordinates" {
	for f in "$sample" "$edge"/{tcp-gap,clock-*,nanoseconds*,time*}.pcap; do
		[ -e "$f" ] || continue
		tc-lift -q "$f" >"$tmp/a" || true
		tc-enc -q --latent-type f32 --no-refine --no-patch "$tmp/a" >"$tmp/l"
		py "$tmp/a" "$tmp/l" "$tmp/random" <<-'PY'
			import sys
			import numpy as np
			import tracecodec as tc

			a, l = tc.read(sys.argv[1]), tc.read(sys.argv[2])
			assert (tc.when_of(a["dt"]) == l.when).all() and (tc.who_of(a["flow"]) == l.who[:, :2]).all()
			assert (l.slots == a["flow"]).all() and len(l.names) == l.z.shape[1]
			steps = np.array([0, 1, -1, 5, 131071, 131072, 10**9 + 1, 2**40 + 12345, -2**62, 2**63 - 1])
			off = np.abs(tc.steps_of(tc.when_of(steps)).astype(float) / np.where(steps, steps, 1) - (steps != 0))
			assert (off <= 1 / 131072).all(), off
			slots = np.r_[:70000, 2**20 - 1]
			wide = tc.slots_of(tc.who_of(slots))
			assert (wide == slots).all()
			l.z[:] = np.random.default_rng(1).normal(0, 1.3, l.z.shape)
			tc.write(sys.argv[3], l)
		PY
		tc-dec -q "$tmp/random" >"$tmp/decoded"
		py "$tmp/random" "$tmp/decoded" <<-'PY'
			import sys
			import tracecodec as tc

			l, a = tc.read(sys.argv[1]), tc.read(sys.argv[2])
			assert (l.steps == a["dt"]).all() and (l.slots == a["flow"]).all()
		PY
	done
}

@test "memory is bounded by the piece, and a pipe is read as it comes" {
	tc-lift -q "$sample" >"$tmp/a"
	for i in {1..40}; do cat "$tmp/a"; done >"$tmp/many"
	py "$tmp/many" <<-'PY'
		import resource, sys
		import tracecodec as tc

		n = 0
		for b in tc.blocks(sys.argv[1], packets=1000):
		    n += len(b)
		    assert len(b) <= 1000
		assert n == 40 * 26499
		assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 150 << 10
	PY
	# The first packets are there though the stream goes on.
	mkfifo "$tmp/pipe" "$tmp/seen"
	{ head -c 20000 "$tmp/a" && read -r <"$tmp/seen" && tail -c +20001 "$tmp/a"; } >"$tmp/pipe" &
	py "$tmp/pipe" "$tmp/seen" <<-'PY'
		import signal, sys
		import tracecodec as tc

		signal.alarm(60)
		n, pieces = 0, tc.blocks(sys.argv[1])
		while n < 1000:
		    n += len(next(pieces))
		open(sys.argv[2], "w").write(f"{n}\n")
		assert n + sum(map(len, pieces)) == 26499
	PY
	wait
}

@test "a million latents are read in seconds" {
	tc-lift -q "$sample" | tc-enc -q --no-refine --no-patch >"$tmp/l"
	py "$tmp/l" <<-'PY'
		import io, sys, time
		import numpy as np
		import tracecodec as tc
		from tracecodec.stream import octets

		l = tc.read(sys.argv[1])
		l.z = np.tile(l.z, (38, 1))[:1000000]
		data, begun = octets(l), time.process_time()
		back = tc.read(data)
		took = time.process_time() - begun
		assert back.z.shape == (1000000, l.z.shape[1]) and (back.z[-1] == l.z[-1]).all()
		assert took < 10, took
	PY
}

@test "what is damaged, cut off or interrupted is said, with record and octet; what can be read, is, if that is asked for" {
	tc-lift -q "$sample" >"$tmp/a"
	tc-enc -q --no-refine "$tmp/a" >"$tmp/l"
	py "$tmp/a" "$tmp/l" "$tmp" <<-'PY'
		import os, sys
		import msgpack
		import tracecodec as tc
		from tracecodec.stream import octets

		def fails(data, why, record, octet, left=None):
		    try:
		        tc.read(data)
		    except tc.StreamError as e:
		        assert why in str(e) and e.record == record and e.octet == octet, (e, e.record, e.octet)
		    else:
		        raise AssertionError(why)
		    if left is not None:
		        got = tc.read(data, partial=True)
		        assert len(got) == left, len(got)
		        assert got.end != "whole"

		for path in sys.argv[1:3]:
		    whole = open(path, "rb").read()
		    u = msgpack.Unpacker(strict_map_key=False)
		    u.feed(whole)
		    ends, n = [], 0
		    for o in u:
		        ends.append(u.tell())
		    packets, last = len(ends) - 2, ends[-2]
		    fails(whole[:ends[100]], "no end record", None, ends[100], 100)
		    fails(whole[:ends[100] + 1], "cut off", 101, ends[100], 100)
		    fails(whole[:ends[5000]] + b"\xc1" + whole[ends[5000]:], "not a record", 5001, ends[5000], 5000)
		    fails(whole[:last] + whole, "another trace begins", None, last, packets)
		    fails(whole[:ends[7]] + whole[ends[8]:], "end record counts", packets - 1, last - ends[8] + ends[7], packets - 1)
		    fails(whole[:-1] + bytes([whole[-1] ^ 1]), "checksum", packets, last, packets)
		    fails(whole + b"\x01", "not a header", None, len(whole))
		    assert len(tc.read_all(whole + b"\x01", partial=True)) == 1
		    t = tc.read(whole)
		    t.end = "interrupted"
		    fails(octets(t), "interrupted", packets, last, packets)
		    fails(b"", "empty", None, None)
		    fails(b"\x00\x01", "not a stream", None, 0)
		    assert len(tc.read_all(whole + whole)) == 2
		    try:
		        tc.read(whole + whole)
		    except tc.Error as e:
		        assert "2 traces" in str(e)
		    # What stands between, and nobody knows, is passed over, and counted.
		    t = tc.read(whole[:ends[3]] + msgpack.packb({"new": 1}) + whole[ends[3]:], partial=True)
		    assert t.passed_over == 1 and len(t) == packets

		a, l = tc.read(sys.argv[1]), tc.read(sys.argv[2])
		pack = lambda r: msgpack.packb(r, use_bin_type=True)
		head = pack(a.header)
		for r, why in (([], "mask"), ([1 << 60, 1], "names fields"), ([3, 1], "as many values"), ([1, "x"], "(dt)"), ([1, 1.5], "(dt)"),
		               ([1, True], "(dt)"), ([1 << 24, [[1]]], "(opts)"), ([1 << 30, [1]], "(orig_h)"), ([-1], "mask")):
		    fails(head + pack([1, 5]) + pack(r), why, 2, len(head) + 3, 1)
		l.patches.clear()
		data = octets(l)
		head, size = len(pack(l.header)), 3 + 2 * l.z.shape[1]
		assert (len(data) - head) // size == len(l)
		nan = bytearray(data)
		nan[head + 10 * size + 3:head + 10 * size + 5] = b"\x00\x7e"
		fails(bytes(nan), "not a number", 11, head + 10 * size, 10)
		for bad in (float("nan"), 1e9):
		    l.z[3, 4] = bad
		    try:
		        octets(l)
		    except ValueError as e:
		        assert "packet 3" in str(e)
		    else:
		        raise AssertionError(bad)
		# What fails midway leaves nothing.
		try:
		    tc.write(sys.argv[3] + "/none", [a, l])
		except ValueError:
		    pass
		try:
		    tc.write(sys.argv[3] + "/none/", a)
		except OSError:
		    pass
		os.mkdir(sys.argv[3] + "/folder")
		try:
		    tc.write(sys.argv[3] + "/folder", a)
		except OSError:
		    pass
		assert not [n for n in os.listdir(sys.argv[3]) if "none" in n or n.startswith(".")]
	PY
}

@test "damaged streams are refused where the programs refuse them, with this exception and no other" {
	for f in tcp-plain-ip4 tcp-retransmission arp-gratuitous; do
		tc-lift -q "$edge/$f.pcap" >"$tmp/$f.act"
		tc-enc -q --refine 5 "$tmp/$f.act" >"$tmp/$f.lat"
	done
	py "$tmp"/*.act "$tmp"/*.lat <<-'PY'
		import copy, random, subprocess, sys, zlib
		from msgpack import Unpacker, packb
		import tracecodec as tc

		draw = random.Random(1)
		values = [None, True, 1.5, -1, 0, 1, 255, 2**31, 2**32, 2**63, 2**64 - 1, -2**63, "", "::", "a" * 50, b"", [], [0, 1], [1, 2, 3, 1],
		          [[1]], [-1, 2], [0] * 41, [2**40, 1], {}, {"a": 1}, {"new": 1}]
		seeds = [list(Unpacker(open(path, "rb"))) for path in sys.argv[1:]]
		count = {True: 0, False: 0}
		for i in range(600):
		    header, *records, end = copy.deepcopy(draw.choice(seeds))
		    way, r = draw.randrange(7), draw.choice(records)
		    if way == 0:
		        header[draw.choice([k for k in header if k != "fields"])] = draw.choice(values)
		    elif way == 1:
		        header.pop(draw.choice(list(header)))
		    elif way < 5:
		        r[draw.randrange(len(r))] = draw.choice(values)
		    elif way == 5:
		        records.insert(draw.randrange(len(records)), draw.choice(values))
		    else:
		        end[draw.choice(["packets", "flows", "end"])] = draw.choice(values)
		    if way != 6:
		        end["packets"] = sum(isinstance(x, list) for x in records)
		    data = b"".join(map(packb, [header, *records])) + packb({**end, "crc32": 0})[:-1]
		    data += packb(zlib.crc32(data))
		    if i % 4 == 0:
		        at = draw.randrange(len(data))
		        data = data[:at] + bytes([draw.randrange(256)]) + data[at + draw.randrange(3):]
		    try:
		        tc.read_all(data)
		        good = True
		    except tc.StreamError:
		        good = False
		        try:
		            tc.read_all(data, partial=True)
		        except tc.StreamError:
		            pass
		    shown = subprocess.run(["tc-show"], input=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
		    assert good == (shown.returncode == 0), (i, way, good, shown.stderr)
		    count[good] += 1
		assert min(count.values()) > 50, count
	PY
}

@test "the programs as functions: what they give, and what they say" {
	py "$sample" "$tmp" <<-'PY'
		import sys, warnings
		import tracecodec as tc

		sample, tmp = sys.argv[1:]
		a = tc.lift(sample, filter="udp")
		assert 0 < len(a) < 26499 and a.end == "whole"
		tc.lift(sample, out=tmp + "/a", filter="udp")
		assert open(tmp + "/a", "rb").read() == tc.stream.octets(a)
		with warnings.catch_warnings():
		    warnings.simplefilter("error")
		    l = tc.encode(a, no_refine=True, quiet=True)
		b = tc.decode(l)
		for f in a.columns:
		    assert f == "dt" or (a[f] == b[f]).all(), f
		pcap = tc.compile(b)
		tc.compile(b, tmp + "/b.pcap")
		tc.compile(a, tmp + "/a.pcap")
		d = tc.diff(tmp + "/a.pcap", b, fail_on=["transition.tv", "mix"])
		assert d["metrics"]["mix.size"]["value"] == 0 and pcap == open(tmp + "/b.pcap", "rb").read()
		assert tc.diff(a, a)["outside"] == 0
		half = tc.edit(a, speed=2, from_=0)
		assert len(half) == len(a) and abs(half.times[-1] - half.times[0] - (a.times[-1] - a.times[0]) // 2) < 2000
		table = tc.coordinates()
		assert len(table) == l.z.shape[1] and table[-1]["fields"] == ["dt"] and table[-1]["block"] == "when"
		tc.generate(a.take(slice(0, 2000)), learn=tmp + "/m", steps=5)
		assert len(tc.generate(model=tmp + "/m", packets=50, seed=3)) == 50
		for call, program, status, why in (
		        (lambda: tc.lift(tmp + "/missing"), "tc-lift", 1, "No such file"),
		        (lambda: tc.lift(sample, cap="x"), "tc-lift", 2, "--cap"),
		        (lambda: tc.decode(a), "tc-dec", 1, "tc-enc"),
		        (lambda: tc.diff(sample, tmp + "/missing"), "tc-diff", 2, "No such file")):
		    try:
		        call()
		    except tc.ProgramError as e:
		        assert e.program == program and e.status == status and why in str(e), (e, e.status)
		    else:
		        raise AssertionError(program)
		open(tmp + "/cut.pcap", "wb").write(open(sample, "rb").read()[:100000])
		try:
		    tc.lift(tmp + "/cut.pcap")
		except tc.ProgramError as e:
		    part = tc.read(e.output, partial=True)
		    assert part.end == "cut" and len(part) > 500
		a.put("ttl", 300)
		with warnings.catch_warnings(record=True) as said:
		    warnings.simplefilter("always")
		    tc.compile(a)
		assert said and "tc-compile" in str(said[0].message), said
	PY
}

@test "the example in tracecodec(7) runs" {
	sed -n '/^\.\\" example: python.py/,/^\.Ed/p' man/tracecodec.7 | sed '1,2d;$d' >"$tmp/python.py"
	cp "$edge/tcp-plain-ip4.pcap" "$tmp/day.pcap"
	(cd "$tmp" && python3 python.py) >"$tmp/said"
	is "$(sed -n 1p "$tmp/said" | cut -d' ' -f1)" "$(packets "$tmp/day.pcap")"
	is "$(packets "$tmp/again.pcap")" "$(packets "$tmp/day.pcap")"
}

# Debian's numpy, msgpack and setuptools serve, so nothing is fetched.
@test "pip installs it from the tree, without a network: the modules, their types, and nothing else" {
	cp -r python "$tmp/python"
	/usr/bin/python3 -m venv --system-site-packages "$tmp/env"
	env PIP_NO_INDEX=1 PYTHONPATH= "$tmp/env/bin/pip" install -q --no-build-isolation "$tmp/python"
	is "$(cd "$tmp/env/lib"/python3*/site-packages/tracecodec && ls | grep -v __pycache__)" "$(cd python/tracecodec && ls | grep -v __pycache__)"
	tc-lift -q "$edge/tcp-plain-ip4.pcap" >"$tmp/a"
	cd /
	is "$(PYTHONPATH= "$tmp/env/bin/python" -c 'import sys, tracecodec; print(len(tracecodec.read(sys.argv[1])), tracecodec.__version__)' "$tmp/a")" \
		"$(end "$tmp/a" | cut -d' ' -f1) $(tc-lift -V | grep -oE '[0-9.]+$')"
}
