#!/bin/sh
# compare.sh A B PAGE: can capture B stand in for A, and if not, why? The verdict in words, all metrics with plots in PAGE
# (HTML). Exit status: 0 it can, 1 it can't, 2 trouble; tc-diff's own, in the verdict's last line, goes by tolerances.
set -eu
[ $# -eq 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
said=$(tc-diff -q --html "$3" "$1" "$2") || [ $? -eq 1 ] || exit 2
printf '%s\n' "$said" | sed -n '/^Verdict/,$p'
case $said in *"can't stand in"*) exit 1 ;; esac
