#!/bin/bash
# bench.sh [DIR]: tc-lift, tc-compile and tc-diff (of F and its image) beside tcpdump -r F -w /dev/null, in turn, on one file F:
# the captures of DIR of one link type joined, or the sample, repeated up to a million packets.
# Prints CPU seconds (medians), the ratio, packets a second, and peak memory.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
runs=${RUNS:-7}

python3 - "$tmp/F" "${1:-tests/fixtures/sample.pcap}" <<'PY'
import os, struct, sys
out, source = sys.argv[1:]
files = [source] if os.path.isfile(source) else sorted(
    os.path.join(d, f) for d, _, fs in os.walk(source) for f in fs)
kinds = {}
for f in files:
    data = open(f, 'rb').read()
    if len(data) > 24 and data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'):
        kinds.setdefault((data[:4], data[20:24]), []).append(data)
joined = max(kinds.values(), key=lambda v: sum(map(len, v)))
body = b''.join(d[24:] for d in joined)
packets, at = 0, 0
while at + 16 <= len(body):
    at += 16 + struct.unpack_from('<I', body, at + 8)[0]
    packets += 1
times = -(-1_000_000 // packets)
with open(out, 'wb') as f:
    f.write(joined[0][:16] + struct.pack('<I', 262144) + joined[0][20:24])
    for _ in range(times):
        f.write(body)
with open(out + '.once', 'wb') as f:
    f.write(joined[0][:16] + struct.pack('<I', 262144) + joined[0][20:24] + body)
open(out + '.once.n', 'w').write(str(packets))
print(f'{len(joined)} captures, {packets} packets, {times} times: {packets * times} packets')
open(out + '.n', 'w').write(str(packets * times))
PY
n=$(cat "$tmp/F.n")
bin/tc-lift -q "$tmp/F" >"$tmp/actions"
bin/tc-compile -q "$tmp/actions" >"$tmp/B"

# measure NAME COMMAND...: CPU seconds and peak KiB of one run, added to NAME's list.
measure() {
	name=$1
	shift
	/usr/bin/env python3 - "$tmp/$name" "$@" <<'PY'
import os, resource, subprocess, sys
subprocess.run(sys.argv[2:], stdout=open('/dev/null', 'wb'), stderr=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], 'a').write(f'{u.ru_utime + u.ru_stime:.4f} {u.ru_maxrss}\n')
PY
}
for _ in $(seq "$runs"); do
	# -Z: as root it would give /dev/null away to its own user.
	measure tcpdump tcpdump -Z "$(id -un)" -r "$tmp/F" -w /dev/null
	measure tc-lift bin/tc-lift -q "$tmp/F"
	measure tc-compile bin/tc-compile -q "$tmp/actions"
	measure tc-diff bin/tc-diff "$tmp/F" "$tmp/B"
done
median() { cut -d' ' -f"$2" "$tmp/$1" | sort -n | sed -n "$((runs / 2 + 1))p"; }
floor=$(median tcpdump 1)
printf '%-12s %10s %8s %12s %10s\n' program 'CPU s' ratio packets/s 'peak MiB'
for name in tcpdump tc-lift tc-compile tc-diff; do
	awk -v name=$name -v s="$(median $name 1)" -v floor="$floor" -v n="$n" -v k="$(median $name 2)" \
		'BEGIN { printf "%-12s %10.3f %8.2f %12.0f %10.1f\n", name, s, s / floor, n / s, k / 1024 }'
done

# The codec, on each capture once, cold at the start: CPU seconds, and, from a run with --stats, what matrix products
# take of them and how often the cache knew. Then all four programs in a pipe, on the captures of F once: seconds.
find "${1:-tests/fixtures/sample.pcap}" -type f -print0 | LC_ALL=C sort -z |
	xargs -0 -n 1 bin/tc-lift -q 2>/dev/null >"$tmp/all" || true
bin/tc-enc -q -o "$tmp/latents" "$tmp/all"
n=$(bin/tc-show "$tmp/all" | grep -vcE '^\{"(magic|end)"')
printf '\n%d packets, each capture once\n%-26s %10s %12s %10s %8s\n' "$n" program 'CPU s' packets/s products hits
for options in '' --no-cache; do
	for program in "tc-enc -q $options $tmp/all" "tc-enc -q --no-refine $options $tmp/all" \
		"tc-dec $options $tmp/latents"; do
		rm -f "$tmp/codec"
		for _ in $(seq "$runs"); do
			# shellcheck disable=SC2086
			measure codec bin/$program
		done
		# shellcheck disable=SC2086
		bin/$program --stats 2>&1 >/dev/null |
			jq -r '"\(.product_seconds / .seconds * 100) \(.cache_found / .cache_asked * 100)"' |
			awk -v name="${program% *}" -v n="$n" -v s="$(median codec 1)" \
				'{ printf "%-26s %10.3f %12.0f %9.0f%% %7.0f%%\n", name, s, n / s, $1, $2 }'
	done
done
for _ in $(seq "$runs"); do
	/usr/bin/env python3 - "$tmp" <<'PY'
import subprocess, sys, time
start = time.monotonic()
subprocess.run(f'bin/tc-lift -q {sys.argv[1]}/F.once | bin/tc-enc -q | bin/tc-dec | bin/tc-compile -q >/dev/null', shell=True)
open(sys.argv[1] + '/pipe', 'a').write(f'{time.monotonic() - start:.4f}\n')
PY
done
sort -n "$tmp/pipe" | sed -n "$((runs / 2 + 1))p" | awk -v n="$(cat "$tmp/F.once.n")" -v cores="$(nproc)" \
	'{ printf "\nlift, enc, dec and compile in a pipe, %d cores: %d packets in %.3f s, %.0f a second\n", cores, n, $1, n / $1 }'
