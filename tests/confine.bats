# What programs give up once all is open: no path, no network, no other program. tracecodec(7), SECURITY.
# bats file_tags=linux

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR
	tc-lift -q tests/fixtures/edge/tcp-plain-ip4.pcap >"$in/act"
	tc-enc -q "$in/act" >"$in/lat"
	tc-show "$in/act" >"$in/json"
}

# outcomes RESULT CALL...: the lines of build/tests/confine where all calls have this result.
outcomes() { printf "%s $1\n" "${@:2}"; }

@test "a confined process reads, writes, computes and has threads" {
	calls=(read write lseek fstat thread memory limit)
	is "$(confine "${calls[@]}")" "$(outcomes ok "${calls[@]}")"
}

@test "a confined process touches no path, uses no network, begins no process, makes no code" {
	cd "$tmp"
	calls=(open create openat2 unlink rename link mkdir chmod fchmod truncate chdir mount readlink
		socketpair connect sendto accept fork vfork kill peek others_limit setuid code mprotect keys bpf io_uring seccomp)
	is "$(confine "${calls[@]}")" "$(outcomes EPERM "${calls[@]}")"
	is "$(ls -A)" ""
	# Otherwise it could.
	calls=(open create link rename unlink mkdir readlink chdir socketpair connect sendto fork vfork code mprotect)
	is "$(confine free "${calls[@]}")" "$(outcomes ok "${calls[@]}")"
}

@test "a confined process that runs a program, opens a socket or is traced dies of it" {
	calls=(execve execveat socket ptrace)
	is "$(confine "${calls[@]}")" "$(outcomes SYS "${calls[@]}")"
	is "$(confine free "${calls[@]}")" "$(outcomes ok "${calls[@]}")"
}

# What /proc says of a program: a sanitizer can't be confined, and programs with one don't try.
confined='NoNewPrivs: 1 Seccomp: 2' warnings=1
[ -z "${SANITIZE-}" ] || confined='NoNewPrivs: 0 Seccomp: 0' warnings=0

# of THREAD: its /proc/PID/status.
of() { grep -E '^(Seccomp|NoNewPrivs):' "$1/status" | xargs; }
confines() { [ "$(of "/proc/$1")" = "$confined" ]; }

# How each program is begun, on "in" and with all that it may open.
programs=('tc-lift in' 'tc-lift -o out --map map tests/fixtures/edge/tcp-plain-ip4.pcap in' 'tc-enc in' 'tc-enc -o out in' 'tc-dec in'
	'tc-compile in' 'tc-compile -o out --map map in' 'tc-diff tests/fixtures/edge/tcp-plain-ip4.pcap in' 'tc-show in'
	'tc-edit in' 'tc-edit -o out --copies 2 --labels map in'
	'tc-show --reverse in' 'tc-train -o out --checkpoint state in')

# each FUNCTION: for all programs, as $name with $arguments; "in" and the others are in $tmp.
each() {
	for line in "${programs[@]}"; do
		read -r name rest <<<"$line"
		rest=$(sed -E "s: (in|out|map|state)\>: $tmp/\1:g" <<<" $rest")
		read -ra arguments <<<"$rest"
		echo "$line"
		rm -f "$tmp"/{in,out,map,state}
		"$1"
	done
}

@test "every program is confined before it reads the first octet, in all its threads" {
	it() {
		mkfifo "$tmp/in"
		$name "${arguments[@]}" >/dev/null 2>&1 3>&- &
		job=$!
		exec 4>"$tmp/in" # goes on when it has opened it
		eventually confines $job
		for thread in /proc/"$job"/task/*; do
			is "$(of "$thread")" "$confined"
		done
		kill -KILL $job
		wait $job 2>/dev/null || true
		exec 4>&-
	}
	each it
}

@test "with -f, whose names may be looked up, it is confined before the first packet" {
	{ head -c 24 "$sample"; sleep 1; } | tc-lift -f 'port domain' >/dev/null &
	eventually confines $!
}

@test "where the kernel can't, each says so, or not with -q, and does its work" {
	input() {
		case $name in
		tc-lift | tc-diff) echo "$edge/tcp-plain-ip4.pcap" ;;
		tc-dec) echo "$BATS_FILE_TMPDIR/lat" ;;
		tc-show) [ "${arguments[0]}" = --reverse ] && echo "$BATS_FILE_TMPDIR/json" || echo "$BATS_FILE_TMPDIR/act" ;;
		*) echo "$BATS_FILE_TMPDIR/act" ;;
		esac
	}
	it() {
		cp "$(input)" "$tmp/in"
		[ $name != tc-train ] || arguments+=(--steps 1 --batch 16)
		confine without $name "${arguments[@]}" >"$tmp/free" 2>"$tmp/err"
		is "$(grep -c "^$name: goes on unconfined: Function not implemented$" "$tmp/err")" $warnings
		[ ! -e "$tmp/out" ] || mv "$tmp/out" "$tmp/free"
		rm -f "$tmp/state"
		$name "${arguments[@]}" >"$tmp/confined" 2>"$tmp/err"
		[ ! -e "$tmp/out" ] || mv "$tmp/out" "$tmp/confined"
		is "$(grep unconfined "$tmp/err")" ""
		cmp "$tmp/free" "$tmp/confined"
		case $name in tc-show | tc-train) return ;; esac
		confine without $name -q "${arguments[@]}" 2>"$tmp/err" >/dev/null
		is "$(cat "$tmp/err")" ""
	}
	each it
}
