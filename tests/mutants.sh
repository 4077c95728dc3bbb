#!/bin/bash
# mutants.sh [SEED] [N]: how many of N small wrong changes to packet, state, record and tc-diff the tests catch. SEED draws
# the changes, mutants.py knows where there may be any. Works in build/mutants/SEED: a copy of the sources as they were
# when a seed was begun, the tests as they are now; results.tsv has what is done, which isn't done again, survivors alone
# with AGAIN=1. A change that doesn't compile, makes the same code, or is listed as none (mutants.equivalent) gives
# its place to the next. Prints a table and the count.
set -u
cd "$(dirname "$0")/.." || exit 2
seed=${1:-1} n=${2:-50}
work=$PWD/build/mutants/$seed
# By room: unit tests, and files of tests, or what of one has a name.
steps_of() {
	case $1 in
	packet) echo units:{checksum,fresh,address-classes,mac-classes} lift compile judges legal determinism:{streams,counts} privacy identity diff ;;
	state) echo units:{slots,fresh,address-classes} lift compile legal determinism:{streams,counts} privacy identity diff ;;
	record) echo units:{stream,stream-traces,stream-cut,stream-damaged} show records lift compile faults codec ;;
	tc-diff) echo judges determinism:counts diff ;;
	esac
}

# build TREE TARGET...: quickly, and in one thread, as others may be at work.
build() { make -s -j1 -C "$1" CFLAGS=-O2 "${@:2}"; }
# What is made of a room, as far as its steps need it.
targets_of() {
	case $1 in
	packet | state) echo bin/tc-{lift,compile,diff} build/tests/{units,identity,conn,analysis} ;;
	record) echo all build/tests/{units,wire,identity,conn,analysis,neural,scramble} ;;
	tc-diff) echo bin/tc-diff build/tests/{conn,analysis} ;;
	esac
}
# code TREE: of all that is made of it.
code() { (cd "$1/build" && find . -name '*.o' -exec sha256sum {} + | sort -k2); }

# The copy; a tree and a list without end are made anew.
prepare() {
	mkdir -p "$work"
	if [ ! -f "$work/list.tsv" ]; then
		rm -rf "$work"/tree
		mkdir "$work/tree" && tar -c --exclude=./build --exclude=./bin --exclude=./.git . | tar -x -C "$work/tree" || exit 2
		(cd "$work/tree" && tests/mutants.py list "$seed" "$n") >"$work/list" && mv "$work/list" "$work/list.tsv" || exit 2
	fi
	rm -rf "$work/tree/tests" && cp -a tests man "$work/tree" || exit 2
	build "$work/tree" $(targets_of record) || exit 2
	code "$work/tree" >"$work/code"
	touch "$work/results.tsv"
	# Other tests are timed anew, and seen to pass.
	(cd "$work/tree" && find tests -type f -exec sha256sum {} + | sort) >"$work/tests.new"
	cmp -s "$work/tests.new" "$work/tests" || rm -f "$work/steps.tsv"
	mv "$work/tests.new" "$work/tests"
	seconds
}

# How long each step takes where nothing is wrong, and that nothing is.
seconds() {
	touch "$work/steps.tsv"
	for step in $(for room in packet state record tc-diff; do steps_of $room; done | tr ' ' '\n' | sort -u); do
		grep -q "^$step	" "$work/steps.tsv" && continue
		local start=$EPOCHREALTIME
		attempt "$work/tree" "$step" 1200 || { echo "$step fails as it is: $(caught_by)"; exit 2; }
		printf '%s\t%d\n' "$step" $(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) >>"$work/steps.tsv"
	done
}

# attempt TREE STEP SECONDS: whether it passes, in that time, ended at its first failure. What it said is in $work/said.
attempt() {
	case $2 in
	units:*) set -- "$1" "build/tests/units ${2#units:}" "$3" ;;
	*:*) set -- "$1" "bats --tap -f ${2#*:} tests/${2%:*}.bats" "$3" ;;
	*) set -- "$1" "bats --tap tests/$2.bats" "$3" ;;
	esac
	# No mutant may fill the machine: 16 GiB of memory, files of 4 GiB.
	(cd "$1" && ulimit -v $((16 << 20)) -f $((4 << 20)) && exec setsid timeout -k 5 "$3" $2) >"$work/said" 2>&1 &
	local job=$!
	while kill -0 $job 2>/dev/null && ! grep -q '^not ok' "$work/said"; do sleep 0.1; done
	if grep -q '^not ok' "$work/said"; then kill -- -$job; fi 2>/dev/null
	wait $job
	local status=$?
	leftovers "$1"
	[ $status -ne 124 ] || echo 'not ok 0 time-out' >>"$work/said"
	[ $status -eq 0 ]
} 2>/dev/null

# What still runs of a tree's programs, begun by tests that were ended.
leftovers() {
	for process in /proc/[0-9]*; do
		[[ $(readlink "$process/exe") != "$1"/* ]] || kill -KILL "${process#/proc/}"
	done
}

caught_by() { { grep '^not ok' "$work/said" || tail -n 1 "$work/said"; } | head -n 1 | sed -E 's/^not ok [0-9]+ //' | cut -c1-90; }

# judge ROOM FILE LINE COLUMN OLD NEW: what becomes of the change.
judge() {
	local tree=$work/mutant step took
	rm -rf "$tree" && cp -a "$work/tree" "$tree" && (cd "$tree" && tests/mutants.py apply "${@:2}") || exit 2
	build "$tree" $(targets_of "$1") >/dev/null 2>&1 || { echo 'does not compile'; return; }
	code "$tree" | cmp -s - "$work/code" && { echo 'same code'; return; }
	while IFS=$'\t' read -r step took; do
		[[ " $(steps_of "$1") " = *" $step "* ]] || continue
		# Unhurried, as the machine may be busy.
		attempt "$tree" "$step" $((60 + 5 * took)) || { echo "$step: $(caught_by)"; return; }
	done < <(sort -t$'\t' -k2n "$work/steps.tsv")
	echo SURVIVED
}

# listed FILE LINE COLUMN OLD NEW: whether it is known to change nothing that anybody could see.
listed() {
	local text after
	text=$(sed -n "$2p" "$work/tree/$1")
	after=${text:0:$3}$5${text:$(($3 + ${#4}))}
	cut -f1-3 tests/mutants.equivalent | grep -qxF "$1	$(trim "$text")	$(trim "$after")"
}
trim() { sed 's/^[[:blank:]]*//; s/\t/ /g' <<<"$1"; }

declare -A outcome
row() { printf '| %s | `%s:%s` | `%s` to `%s` | %s |\n' "${@//|/\\|}" | sed 's/ to `;` |/, dropped |/'; }

# All places, of each the first try that counts; a table of them.
run() {
	local caught=0 counted=0 settled=0 place try room file line column old new result key
	while IFS=$'\t' read -r place try key result; do outcome[$place.$try]=$result; done <"$work/results.tsv"
	while IFS=$'\t' read -r place try room file line column old new; do
		[ "$settled" -ne "$place" ] || continue
		! listed "$file" "$line" "$column" "$old" "$new" || continue
		result=${outcome[$place.$try]-}
		if [ -z "$result" ] || [ "$result${AGAIN-}" = SURVIVED1 ]; then
			result=$(judge "$room" "$file" "$line" "$column" "$old" "$new" </dev/null)
			printf '%s\t%s\t%s\t%s\n' "$place" "$try" "$file:$line:$column $old -> $new" "$result" >>"$work/results.tsv"
		fi
		case $result in 'does not compile' | 'same code') continue ;; esac
		settled=$place counted=$((counted + 1))
		[ "$result" = SURVIVED ] || caught=$((caught + 1))
		row "$room" "$file" "$line" "$old" "$new" "$result"
	done <"$work/list.tsv"
	echo "$caught of $counted caught"
}

prepare
echo '| room | where | change | caught by |'
echo '|---|---|---|---|'
run
