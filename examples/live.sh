#!/bin/sh
# live.sh INTERFACE: packets as they come, as latents: each second how many there were, and how many flows were new. ^C ends it.
# Needs the right to capture; LIVE in tracecodec(7) says why tcpdump wants these options.
set -eu
[ $# -eq 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
tcpdump --immediate-mode -U -s 128 -B 16384 -i "$1" -w - | tc-lift -q | tc-enc -q | python3 "${0%.sh}.py"
