#!/bin/sh
# batch.sh FOLDER [JOBS]: the latents of all captures below a folder, several at a time, each beside its capture. Run it again,
# and it does what is missing: what failed, what is new. GNU parallel does the same with a log; BATCHES in tracecodec(7).
set -eu
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
find "$1" -name '*.pcap' ! -exec test -e {}.lat \; -print0 |
	xargs -0 -r -P "${2:-2}" -I {} sh -c 'tc-lift -q "$1" | tc-enc -q -o "$1.lat"' - {}
