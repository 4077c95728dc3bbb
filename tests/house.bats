# The architecture: which way dependencies run, and what lives in one place.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	sources=$(find common tc-* -name '*.[ch]')
	[ -n "$sources" ]
}

# including HEADER: the files that include it; a pattern
including() { grep -lE "#include [<\"]$1" $sources; }

# none PATTERN FILE...: no line of the files has it
none() {
	run grep -nE "$@"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "<pcap.h> is included in one file" {
	[ "$(including 'pcap[/.]')" = common/packet/capture.c ]
}

@test "BLAS is known to one file" {
	[ "$(including 'cblas')" = common/neural/linear.c ]
}

@test "what a program gives up is decided in one file" {
	[ "$(including '(linux/)?seccomp')" = common/process/confine.c ]
}

@test "JSON is known to one file of each program that reads or reports it" {
	[ "$(including jansson | sort | xargs)" = "tc-diff/json.c tc-show/json.c" ]
}

@test "msgpack is known to the records alone" {
	for f in $(including msgpack); do [[ $f = common/record/*.c || $f = common/record/action_msgpack.h ]]; done
}

# Each room of common/, and the rooms that it may use. A later line never stands in an earlier one, so there is no cycle;
# what knows packets (packet, state) and what learns (code, neural, codec) never meet.
rooms='support:
process: support
record: process support
packet: record process support
state: packet record process support
code: record process support
neural: code record process support
codec: neural code record process support'

@test "rooms use those below them alone" {
	for folder in common/*/; do
		room=$(basename "$folder")
		may=$(sed -n "s/^$room://p" <<<"$rooms")
		grep -q "^$room:" <<<"$rooms" || { echo "$room is no room"; return 1; }
		for header in $(sed -nE 's/^#include "([^"]*)".*/\1/p' "$folder"*); do
			[[ " $room$may " = *" ${header%/*} "* ]] || { echo "$room includes $header"; return 1; }
		done
	done
}

@test "no room stands above one that it is used by" {
	seen=
	while IFS=: read -r room may; do
		for below in $may; do [[ " $seen " = *" $below "* ]]; done
		seen+=" $room"
	done <<<"$rooms"
}

@test "a tool includes rooms and what stands beside it" {
	for f in tc-*/*.[ch]; do
		for header in $(sed -nE 's/^#include "([^"]*)".*/\1/p' "$f"); do
			if [[ $header = */* ]]; then [ -f "common/$header" ]; else [ -f "${f%/*}/$header" ]; fi
		done
	done
}

@test "libraries neither print nor exit" {
	# progress.c is there to print; filter.c and traces.c speak for the mains.
	none '\b(exit|errx?|warnx?|printf|puts)\(|stdout|stderr' \
		$(ls common/*/*.c | grep -vxE 'common/(process/(progress|filter)|record/traces).c')
}

@test "no function that C has better ones for" {
	none '\b(sprintf|strcpy|strcat|gets|atoi|alloca|rand|random)\(' $sources
}

@test "where packets and their measures are known, nothing is kept but in what is passed" {
	for f in common/{support,record,packet,state}/*.c tc-diff/*.c; do
		${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Icommon -fno-pic -fno-pie -c -o "$BATS_TEST_TMPDIR/o" "$f"
		nm "$BATS_TEST_TMPDIR/o" | sed "s:^:$f :" >>"$BATS_TEST_TMPDIR/names"
	done
	grep -q ' T measure_packet$' "$BATS_TEST_TMPDIR/names"
	none ' [bBdDC] ' "$BATS_TEST_TMPDIR/names"
}

# What fails in them ends no test, but where it happens to stand last: "is", "run -1", "if" and a line for each check do.
@test "no test has a line that bats ignores" {
	none '(^|[;{]|&&|\|\||\b(then|do|else)\b)[[:blank:]]*! ' tests/*.bats tests/helper.bash
	check='(\[\[?|is|near|last|cmp|diff|grep|tests/[a-z.]+) '
	none "^[[:blank:]]+$check.* && $check" tests/*.bats tests/helper.bash
}

@test "all headers stand alone" {
	for h in common/*/*.h; do
		echo "#include \"${h#common/}\"" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Icommon -fsyntax-only -x c -
	done
}

# The names are poison behind the headers that have them.
@test "what Linux alone has stands where another system's compiler doesn't see it" {
	{
		printf '#include <%s>\n' fcntl.h sched.h stdlib.h string.h sys/{mman,prctl,random,socket}.h unistd.h
		printf '#pragma GCC poison %s\n' prctl sched_getaffinity F_SETPIPE_SZ F_GETPIPE_SZ MADV_HUGEPAGE O_TMPFILE \
			O_PATH SOCK_SEQPACKET SOCK_CLOEXEC MSG_CMSG_CLOEXEC getrandom memfd_create pipe2 accept4 splice qsort_r strchrnul
	} >"$BATS_TEST_TMPDIR/poison.h"
	run ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -U__linux__ -Icommon -DWEIGHTS_FILE=w -DMODEL_FILE=m -fsyntax-only \
		-include "$BATS_TEST_TMPDIR/poison.h" $(grep -E '\.c$' <<<"$sources")
	none 'error|poisoned|No such' - <<<"$output"
}

@test "warnings are errors when somebody asks" {
	build=$(mktemp -d)
	cp -r Makefile common weights tc-* "$build"
	mkdir "$build/tests" && cp tests/rules.mk "$build/tests"
	make -s -C "$build" CFLAGS='-O2 -Werror' all
	rm -rf "$build"
}

# A list, the kind of field that takes most room, behind all others.
@test "what is forgotten of a new field fails a test that names it" {
	copy=$(mktemp -d)
	cp -r Makefile common weights tc-* tests man "$copy"
	cd "$copy"
	sed -i 's/^\tX(AS_IS, .*)$/& X(SPARE, "spare", LIST, "octets")/' common/record/action.h
	make -s CFLAGS=-O0 bin/tc-lift bin/tc-show build/tests/units build/tests/neural
	build/tests/units full
	run -1 build/tests/neural complete
	[[ $output = *" spare" ]]
	for forgotten in 'has the fields of the header' 'every field of an action'; do
		run -1 bats -f "$forgotten" tests/manual.bats
		[[ $output = *spare* ]]
	done
	rm -rf "$copy"
}

# A field among the commonest, so that the bits of all others move.
@test "the built-in weights go on working when the action gets a field" {
	copy=$(mktemp -d)
	cp -r Makefile common weights tc-* tests "$copy"
	{
		bin/tc-lift -q tests/fixtures/sample.pcap | bin/tc-show | head -n 4001 | sed '$a {"end":"whole"}' | bin/tc-show -r
		for f in tests/fixtures/edge/{icmp,tcp,udp,arp,vlan}-*.pcap; do bin/tc-lift -q "$f" 2>/dev/null || true; done
	} >"$copy/before"
	bin/tc-enc -q --stats --refine 50 "$copy/before" 2>"$copy/stats" >"$copy/latents"
	bin/tc-dec "$copy/latents" >"$copy/decoded"
	cd "$copy"
	sed -i 's/^\tX(AS_IS, .*)$/& X(SPARE, "spare", INT, "octets")/' common/record/action.h
	sed -i 's/^ *\[ACTION_AS_IS\] = .*/&\n    [ACTION_SPARE] = {CODE_BASE, FORM_NUMBER, 60},/' common/code/code.c
	words=$(sed -nE 's/^#define CODE_WORDS\t([0-9]+).*/\1/p' common/code/code.h)
	sed -i "s/^#define CODE_WORDS\t$words/#define CODE_WORDS\t$((words + 1))/" common/code/code.h
	make -s -j2 CFLAGS=-O2 bin/tc-enc bin/tc-dec bin/tc-show build/tests/neural
	build/tests/neural complete
	bin/tc-enc -q --stats --refine 50 before 2>stats.now >latents.now
	jq -c '[.packets, .patched, .whole, .whole_refined]' stats stats.now
	# What the network says is the same, and so is what becomes of it, but for a latent that a kernel reads otherwise.
	jq -se '.[0].packets == .[1].packets and (.[0].whole - .[1].whole | fabs) <= 0.002 * .[0].packets and
		.[1].patched <= .[0].patched + 0.002 * .[0].packets' stats stats.now
	steady() { bin/tc-show "$1" | sed -E 's/"d?t":[^,}]*,?//g'; }
	bin/tc-dec latents.now >decoded.now
	cmp <(steady before) <(steady decoded.now)
	# Latents of before, and the field itself.
	bin/tc-dec latents >decoded.now
	cmp <(steady decoded) <(steady decoded.now)
	bin/tc-show before | awk '/"magic"/ && n++ { exit } /"end"/ { next } { print } END { print "{\"spare\":5}"; print "{\"end\":\"whole\"}" }' |
		bin/tc-show -r >spare
	bin/tc-enc -q spare | bin/tc-dec >decoded.now
	bin/tc-show decoded.now | grep -q '"spare":5'
	cmp <(steady spare) <(steady decoded.now)
	rm -rf "$copy"
}
