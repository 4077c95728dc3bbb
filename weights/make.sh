#!/bin/sh
# make.sh DIR [OPTIONS OF tc-train]: trains weights/default.tcw on the captures below DIR, and on traces in which many
# of them go on at once, where slots have ranks that they have in none alone. Broken off, it goes on from its
# checkpoint when it is started again. Captures that break off, or that libpcap can't read, are left out.
set -eu
cd "$(dirname "$0")/.."
[ -d "${1-}" ] || { echo "usage: make weights DIR=captures" >&2; exit 2; }
dir=$1 traces=40
shift
mkdir -p build
find "$dir" -type f | LC_ALL=C sort >build/train.list
while IFS= read -r f; do
	if bin/tc-lift -q -o build/one.act "$f" 2>/dev/null; then cat build/one.act; fi
done <build/train.list >build/train.act
i=0
while [ $i -lt $traces ]; do
	awk "NR % $traces == $i" build/train.list | tr '\n' '\0' |
		xargs -0 build/tests/big --seed $i --live $((8 + 8 * i)) -n 20000 -o build/one.pcap >/dev/null 2>&1
	bin/tc-lift -q build/one.pcap >>build/train.act
	i=$((i + 1))
done
bin/tc-train -o weights/default.tcw --checkpoint build/default.checkpoint --steps 8000 --report 2500 "$@" build/train.act
rm -f build/one.act build/one.pcap build/train.list build/train.act build/default.checkpoint
sha256sum weights/default.tcw
