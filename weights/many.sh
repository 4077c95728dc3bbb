#!/bin/sh
# many.sh <LIST: of the captures that are listed, one a line, the action streams of 40 traces in which they go on at once, 8
# to 320 of them, each with ends of its own (tests/unit/big.c). Slots have ranks there that they have in no capture alone.
set -eu
here=$(dirname "$0")/.. traces=40 i=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/list"
while [ $i -lt $traces ]; do
	awk "NR % $traces == $i" "$tmp/list" | tr '\n' '\0' |
		xargs -0 "$here/build/tests/big" --seed $i --live $((8 + 8 * i)) -n 20000 -o "$tmp/pcap" >"$tmp/said" 2>&1
	"$here/bin/tc-lift" -q "$tmp/pcap"
	i=$((i + 1))
done
