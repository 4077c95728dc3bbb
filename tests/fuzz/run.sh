#!/bin/bash
# run.sh SECONDS CAPTURES TARGET...: each target for so long, one after the other, from the seeds and from what earlier
# runs came to (build/fuzz/corpus). A find is a file in build/fuzz/finds, and exit status 1; build/fuzz/TARGET FILE shows it
# again. build/fuzz/runs.tsv keeps what was done: time, target, seconds, those of the processor, inputs, finds.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=$1 captures=$2 status=0
shift 2
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: make fuzz SECONDS=N [TARGET=NAME] [CAPTURES=DIR]" >&2; exit 2; }
at=build/fuzz
TIMEFORMAT='%U %S'
tests/fuzz/seeds.sh $at/seeds "$captures" || exit
merge() { $at/"$target" -close_fd_mask=1 -merge=1 -timeout=60 -artifact_prefix=$at/finds/"$target"- "$1" "$2" >"$log.merge" 2>&1; }

for target; do
	corpus=$at/corpus/$target log=$at/$target.log
	mkdir -p "$corpus" $at/finds
	find $at/finds -name "$target-*" | sort >"$log.before"
	# Of the seeds, and of the corpus, what adds nothing is left out.
	if [ ! -e "$log.seeded" ] || [ -n "$(find "$at/seeds/$target" -newer "$log.seeded" -print -quit)" ]; then
		merge "$corpus" "$at/seeds/$target" && touch "$log.seeded"
	fi
	begun=$(date +%s)
	{ time $at/"$target" -close_fd_mask=1 -max_len=32768 -timeout=60 -max_total_time="$seconds" -print_final_stats=1 \
		-artifact_prefix=$at/finds/"$target"- "$corpus" >"$log" 2>&1; } 2>"$log.time"
	ended=$?
	worked=$(awk '{printf "%.1f", $1 + $2}' "$log.time")
	took=$(($(date +%s) - begun))
	inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	finds=$(find $at/finds -name "$target-*" | sort | comm -13 "$log.before" -)
	said="nothing found"
	[ $ended -eq 0 ] && [ -z "$finds" ] || { said="FOUND: ${finds//$'\n'/ }, see $log" status=1; }
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$target" "$took" "$worked" "${inputs:-0}" "$(wc -w <<<"$finds")" >>$at/runs.tsv
	echo "$target: $took s, $worked of the processor's, ${inputs:-0} inputs, $said"
	rm -rf "$corpus.less" && mkdir "$corpus.less" && merge "$corpus.less" "$corpus" && rm -rf "$corpus" && mv "$corpus.less" "$corpus"
done
exit $status
