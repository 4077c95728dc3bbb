#!/bin/bash
# check.sh [FILE.bats ...]: all tests; what failed, with its output, then "N passed, N failed". A
# test that skips has failed: nothing is left out in silence. With PORTABLE, tests of what Linux alone has are left out.
set -u
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || set -- tests/*.bats
out=$(mktemp) || exit 2
trap 'rm -f "$out"' EXIT
bats --tap ${PORTABLE:+--filter-tags '!linux'} "$@" 2>&1 | tee "$out" | grep --line-buffered -vE '^(1\.\.|ok )' | grep -v '^$'
passed=$(grep -cE '^ok ' "$out")
skipped=$(grep -cE '^ok .*# skip' "$out")
failed=$(grep -cE '^not ok ' "$out")
planned=$(sed -n 's/^1\.\.//p' "$out")
# A runner that dies midway has failed the tests it never came to.
[ "${planned:-0}" -eq $((passed + failed)) ] || failed=$((failed + ${planned:-0} - passed - failed + 1))
grep -E '^ok .*# skip' "$out"
echo "$((passed - skipped)) passed, $((failed + skipped)) failed"
[ $((failed + skipped)) -eq 0 ] && [ "$passed" -gt 0 ]
