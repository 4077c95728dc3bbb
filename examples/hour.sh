#!/bin/sh
# hour.sh CAPTURE OUT [SECONDS [STEPS]]: an hour of new traffic, of the kind that CAPTURE is, and how near it comes. What was
# learned stays in OUT.tcg, to generate again with another seed. An hour of 500 packets a second is two million packets.
set -eu
[ $# -ge 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
tc-lift "$1" | tc-gen --steps "${4:-1200}" --learn "$2.tcg"
tc-gen --model "$2.tcg" --duration "${3:-3600}" --seed 1 | tc-compile -o "$2"
tc-diff "$1" "$2" || [ $? -eq 1 ] # a difference is a result
