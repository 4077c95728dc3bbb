#!/bin/sh
# share.sh CAPTURE OUT: a copy that can be shown to others. It has no payload, no addresses but those that everyone shares, begins
# at noon of 2000-01-01, and behaves as the capture does, packet by packet. PRIVACY in tracecodec(7) lists what is still in it:
# lengths, times between packets, ports, who talks with whom.
set -eu
[ $# -eq 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
tc-lift "$1" | tc-compile --start 2000-01-01T12:00:00Z -o "$2"
tc-diff -q --exact "$1" "$2" | tail -n 3 # whether anything differs
