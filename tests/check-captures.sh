#!/bin/bash
# check-captures.sh DIR: roundtrip.sh over all files below a folder, on all cores; the failures,
# then a table of the results by reason. Exit 1 if a capture is not ok.
set -u
here=$(dirname "$0")
[ -d "${1-}" ] || { echo "usage: check-captures.sh DIR" >&2; exit 2; }
results=$(mktemp) || exit 2
trap 'rm -f "$results"' EXIT
find "$(cd "$1" && pwd)" -type f -print0 | sort -z |
	xargs -0 -r -n 16 -P "$(nproc)" "$here/roundtrip.sh" >"$results"
grep -v '^ok	' "$results"
cut -f1 "$results" | sort | uniq -c | sort -rn
[ -s "$results" ] && ! cut -f1 "$results" | grep -qvE '^(ok|refused)$'
