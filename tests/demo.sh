#!/bin/sh
# demo.sh [CAPTURE [FOLDER]]: the main job on a capture (the one that ships with the project), with what came out of it, in
# FOLDER (one that goes again).
set -eu
a=${1:-$(dirname "$0")/sample.pcap}
if [ $# -ge 2 ]; then
	out=$2
	mkdir -p "$out"
else
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
actions=$out/sample.act b=$out/again.pcap

say() { printf '\n$ %s\n' "$*"; }

say "tc-lift $a > $actions"
tc-lift "$a" >"$actions"
say "tc-compile $actions > $b"
tc-compile "$actions" >"$b"
say "tc-show $actions | head -n 12"
tc-show "$actions" | sed -n 1,12p
say "tc-show $actions | tail -n 1"
tc-show "$actions" | tail -n 1
say "tc-lift $b | cmp - $actions"
tc-lift -q "$b" | cmp - "$actions"
say "tc-diff --exact $a $b"
tc-diff --exact "$a" "$b"
printf '\nThe second capture lifts to the very octets of the first: the same behaviour, packet by packet,\n'
printf 'none of the addresses or payload. Octets: capture %s, actions %s, compiled capture %s.\n' \
	"$(wc -c <"$a")" "$(wc -c <"$actions")" "$(wc -c <"$b")"

decoded=$out/decoded.pcap exact=transition.worst,tcp.event,conn.history,interleave.run,volume.flows,mix.size
say "tc-enc $actions | tc-dec | tc-compile > $decoded"
tc-enc -o "$out/sample.lat" "$actions"
tc-dec "$out/sample.lat" | tc-compile >"$decoded"
say "tc-diff --fail-on $exact $a $decoded"
tc-diff --fail-on $exact "$a" "$decoded"
printf '\nDecoded from latents, one point in a space of %s dimensions (what, who, when) a packet, every field is as it was; times keep\n' \
	"$(tc-show "$out/sample.lat" | sed -n '1s/.*"blocks":{"what":\([0-9]*\),"who":\([0-9]*\),"when":\([0-9]*\)}.*/\1 + \2 + \3/p')"
printf '17 significant bits each.\n'

# What was learned is the time until four fifths of the packets have come, what it is held against the rest: nothing of that was
# learned.
learn=$out/learn.act judge=$out/judge.act generated=$out/generated.pcap
end() { tc-show "$1" | sed -nE '$s/.*"packets":([0-9]+).*/\1/p'; }
at=$(tc-show "$actions" | sed -nE "$(($(end "$actions") * 4 / 5 + 2))s/.*\"t\":\"?([0-9]+).*/\1/p" | awk '{ printf "%.6f", $1 / 1e9 }')
say "tc-edit --to $at $actions > $learn"
tc-edit --to "$at" "$actions" >"$learn"
say "tc-edit --from $at $actions > $judge"
tc-edit --from "$at" "$actions" >"$judge"
packets=$(end "$judge")
say "tc-gen -n $packets $learn | tc-compile > $generated"
tc-gen -n "$packets" "$learn" | tc-compile >"$generated"
say "tc-diff $judge $generated"
tc-diff "$judge" "$generated" || [ $? -eq 1 ]
printf '\nNone of these packets was there before: tc-gen learned how flows open and go on, and drew others. The sample is one\n'
printf 'program after another, so that its end is of other programs than what was learned.\n'
