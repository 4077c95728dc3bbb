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
say "tc-diff --exact $a $b"
bin/tc-diff --exact "$a" "$b"
printf '\nThe second capture lifts to the very octets of the first: the same behaviour, packet by packet,\n'
printf 'none of the addresses or payload. Octets: capture %s, actions %s, compiled capture %s.\n' \
	"$(wc -c <"$a")" "$(wc -c <"$actions")" "$(wc -c <"$b")"

decoded=build/demo/decoded.pcap exact=transition.worst,tcp.event,conn.history,interleave.run,volume.flows,mix.size
say "tc-enc $actions | tc-dec | tc-compile > $decoded"
bin/tc-enc -o build/demo/sample.lat "$actions"
bin/tc-dec build/demo/sample.lat | bin/tc-compile >"$decoded"
say "tc-diff --fail-on $exact $a $decoded"
bin/tc-diff --fail-on $exact "$a" "$decoded"
printf '\nDecoded from latents, one point in a space of %s dimensions (what, who, when) a packet, every field is as it was; times keep\n' \
	"$(bin/tc-show build/demo/sample.lat | sed -n '1s/.*"blocks":{"what":\([0-9]*\),"who":\([0-9]*\),"when":\([0-9]*\)}.*/\1 + \2 + \3/p')"
printf '17 significant bits each.\n'
