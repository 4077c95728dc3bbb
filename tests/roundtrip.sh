#!/bin/bash
# roundtrip.sh [-o 'LIFT OPTIONS'] CAPTURE ...: the identity of tracecodec(7) for each capture, both parts.
# One line each, tab-separated: ok or the reason, the capture, details. Exit 1 if any is not ok.
#
# 1. lift A | compile > B: B has every behaviour of A (build/tests/identity).
# 2. lift B gives the octets that lift A gave.
# And tc-diff A B is 0 in every metric.
set -u
cd "$(dirname "$0")/.." || exit 2
options=()
[ "${1-}" = -o ] && { read -ra options <<<"$2"; shift 2; }

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

# Whatever libpcap can't read or write is refused in one line; that is not ours to mend.
refused() {
	grep -qE "^tc-lift: .*: (empty|unknown file format|.*interfaces have different|.*pcapng|.*isn't supported|.*truncated dump file; tried to read 2?[04] file header|unsupported|not a capture)" "$1"
}

records() { bin/tc-show "$1" 2>/dev/null | grep -v '^{"end"'; }

roundtrip() {
	bin/tc-lift -q "${options[@]}" "$1" >"$tmp/a" 2>"$tmp/why"
	case $? in
	0) cut= ;;
	1) cut=yes
	   [ -s "$tmp/a" ] || { refused "$tmp/why" && echo "refused" || echo "lift failed"; return; } ;;
	*) echo "lift failed"; return ;;
	esac
	bin/tc-compile "$tmp/a" >"$tmp/b" 2>"$tmp/why"
	case $?$cut in
	0|1yes) ;;
	*) grep -q "isn't supported in savefiles" "$tmp/why" && echo "refused" || echo "compile failed"; return ;;
	esac
	grep -q 'changed:' "$tmp/why" && { echo "compile changed"; return; }
	build/tests/identity "$1" "$tmp/b" >"$tmp/why" 2>&1 || { cut -f1 "$tmp/why"; return; }
	# A capture that breaks off, and one without packets, are trouble to tc-diff.
	if [ -z "$cut" ] && ! bin/tc-diff --tsv "$1" "$tmp/b" >"$tmp/why" 2>&1; then
		grep -q 'a trace without packets' "$tmp/why" || { echo "tc-diff sees a difference"; return; }
	fi
	bin/tc-lift -q "${options[@]}" "$tmp/b" >"$tmp/again" 2>"$tmp/why" || { echo "lifting again failed"; return; }
	if [ -n "$cut" ]; then
		cmp -s <(records "$tmp/a") <(records "$tmp/again")
	else
		cmp "$tmp/a" "$tmp/again" >"$tmp/why" 2>&1
	fi || { echo "second stream differs"; return; }
	echo ok
}

for capture; do
	result=$(roundtrip "$capture")
	case $result in ok|refused) ;; *) bad=1 ;; esac
	printf '%s\t%s\t%s\n' "$result" "$capture" "$([ "$result" = ok ] || tr '\n' ' ' <"$tmp/why")"
done
exit $bad
