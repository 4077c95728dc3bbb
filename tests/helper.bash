# What the tests share. Programs are found by name, and each test has a folder of its own, $tmp.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PWD/build/tests:$PATH
	export PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1
	edge=tests/fixtures/edge
	sample=tests/fixtures/sample.pcap
	tmp=$BATS_TEST_TMPDIR
	set -o pipefail
}

# Debian's, which knows msgpack, whatever else stands first in the path.
python3() { /usr/bin/python3 "$@"; }

# is ACTUAL EXPECTED
is() {
	[ "$1" = "$2" ] || { printf 'is        %s\nshould be %s\n' "$1" "$2"; return 1; }
}

# packets CAPTURE: how many tcpdump reads.
packets() { tcpdump -r "$1" --count 2>/dev/null | cut -d' ' -f1; }

# actions NAME FILTER: jq's filter over the list of actions that a fixture lifts to.
actions() { tc-lift -q "$edge/$1.pcap" | tc-show | jq -cs ".[1:-1] | $2"; }

# end [STREAM]: packets and flows as the end record counts them, and how the trace ended.
end() { tc-show "$@" 2>/dev/null | tail -n 1 | jq -r '"\(.packets) \(.flows) \(.["end"])"'; }

# refused PATTERN COMMAND...: exit 1, nothing but one line on standard error, and it is the pattern.
refused() {
	local pattern=$1
	shift
	run -1 --separate-stderr "$@"
	echo "stderr: $stderr"
	[ "${#stderr_lines[@]}" -eq 1 ]
	# shellcheck disable=SC2053
	[[ $stderr = $pattern ]]
}

# misused COMMAND...: wrong usage: exit 2, and one line that says where there is help.
misused() {
	echo "$*"
	run -2 --separate-stderr "$@" </dev/null
	is "$output" ""
	is "${#stderr_lines[@]}" 1
	[[ $stderr = "$1: "*". Try '$1 --help' for more." ]]
}

# gone COMMAND...: its reader takes ten octets and goes away: the program ends by SIGPIPE, and says nothing.
gone() {
	# Whoever runs the tests may have them ignore the signal.
	{ timeout -s KILL 20 env --default-signal=PIPE "$@" 2>"$tmp/err" || echo $? >"$tmp/status"; } | head -c 10 >"$tmp/head"
	cat "$tmp/err"
	is "$(cat "$tmp/status")" 141
	is "$(cat "$tmp/err")" ""
	is "$(wc -c <"$tmp/head")" 10
}

# eventually COMMAND...: waits until it is true, a minute at most, since a machine may be slow.
eventually() {
	local until=$((SECONDS + 60))
	while ((SECONDS < until)); do
		"$@" && return
		sleep 0.02
	done
	echo "never: $*"
	return 1
}

# with_memory KIB COMMAND...: in so much memory; under a sanitizer, which maps more than there is, with no allocation of more
# than that at a time.
with_memory() {
	if [ -n "${SANITIZE-}" ]; then
		ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=$(($1 / 1024)):log_path=$tmp/sanitizer "${@:2}"
	else
		(ulimit -v "$1" && exec "${@:2}")
	fi
}

# stream LINE...: as JSON, a trace of a SYN and its answer, and these lines.
stream() {
	printf '%s' '{"magic":"tracecodec","kind":"actions","version":1,"resolution":"us","start":"0.000000000","link":1,' \
		'"snaplen":65535,"cap":16,"idle_tcp":300,"idle_udp":60,"idle_other":60}' $'\n' \
		'{"open":1,"orig_h":[0,1],"resp_h":[1,0],"orig_p":40000,"resp_p":80,"flags":2,"ttl":64,' \
		'"src_mac":[0,0],"dst_mac":[1,0]}' $'\n' '{"dir":1,"flags":18,"ttl":60}' $'\n'
	printf '%s\n' "$@" '{"end":"whole"}'
}

# craft NAME PYTHON: a capture $tmp/NAME of the packets that an expression over tests/fixtures/wire.py gives: S(port) is
# a session of its own, U(n) a datagram of n octets, paced(gap, frames) gives all the same gap.
craft() {
	PYTHONPATH=tests/fixtures python3 -B - "$2" >"$tmp/$1" <<-'END'
		import sys
		from wire import *
		S = lambda port=40000, **rest: Session(ports=(port, 80), **rest)
		U = lambda n=30, port=40000, to=53, src=A, dst=B: packet(src, dst, udp(port, to, n))
		paced = lambda gap, frames: [later(gap, frame) for frame in frames]
		sys.stdout.buffer.write(pcap(eval(sys.argv[1]), nano=True))
	END
}

# latents IN OUT: rewrites a stream of latents by a script on standard input. It has the first trace's header,
# the list of its records, z(record) for a record's coordinates, bin(coordinates) for the way back.
latents() {
	{
		cat <<-'PY'
			import random, struct, sys, zlib
			from msgpack import Unpacker, packb

			random.seed(1)
			header, *records = Unpacker(open(sys.argv[1], "rb"))
			end = next(i for i, r in enumerate(records) if isinstance(r, dict))
			records, end = records[:end], records[end]
			blocks = list(header["blocks"].values())
			layout = "<%d%s" % (sum(blocks), {"f32": "f", "f16": "e"}[header["type"]])

			def z(record):
			    return list(struct.unpack(layout, record[0]))

			def bin(coordinates):
			    return struct.pack(layout, *coordinates)
		PY
		cat
		cat <<-'PY'
			data = b"".join(packb(r) for r in [header] + records)
			end = dict(end, packets=len(records))
			end["crc32"] = zlib.crc32(data + packb(dict(end, crc32=0))[:-1])
			open(sys.argv[2], "wb").write(data + packb(end))
		PY
	} >"$tmp/latents.py"
	python3 -B "$tmp/latents.py" "$1" "$2"
}
