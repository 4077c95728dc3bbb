#!/bin/sh
# demo.sh: the main job on the capture that ships with the project, with what came out of it.
set -eu
cd "$(dirname "$0")/.."
a=tests/fixtures/sample.pcap
mkdir -p build/demo
actions=build/demo/sample.act b=build/demo/again.pcap

say() { printf '\n$ %s\n' "$*"; }

say "tc-lift $a > $actions"
bin/tc-lift "$a" >"$actions"
say "tc-compile $actions > $b"
bin/tc-compile "$actions" >"$b"
say "tc-show $actions | head -n 12"
bin/tc-show "$actions" | sed -n 1,12p
say "tc-show $actions | tail -n 1"
bin/tc-show "$actions" | tail -n 1
say "tc-lift $b | cmp - $actions"
bin/tc-lift -q "$b" | cmp - "$actions"
say "tc-diff $a $b"
bin/tc-diff "$a" "$b"
printf '\nThe second capture lifts to the very octets of the first: the same behaviour, packet by packet,\n'
printf 'none of the addresses or payload. Octets: capture %s, actions %s, compiled capture %s.\n' \
	"$(wc -c <"$a")" "$(wc -c <"$actions")" "$(wc -c <"$b")"
