# The architecture: which way dependencies run, and what lives in one place.

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
	[ "$(including linux/seccomp)" = common/record/confine.c ]
}

@test "JSON is read in one file" {
	[ "$(including jansson)" = tc-show/json.c ]
}

@test "msgpack is known to the records alone" {
	for f in $(including msgpack); do [[ $f = common/record/* ]]; done
}

@test "no tool includes another" {
	none '#include ".*tc-' $sources
}

@test "no include points upward: records know nothing of packets and networks, these two never meet" {
	none '#include "(packet|neural)/' common/record/*
	none '#include "packet/' common/neural/* tc-enc/* tc-dec/* tc-train/*
	none '#include "neural/' common/packet/*
	none '#include "\.\./' $sources
}

@test "libraries neither print nor exit" {
	# progress.c is there to print, filter.c speaks for the mains.
	none '\b(exit|errx?|warnx?|printf|puts)\(|stdout|stderr' \
		$(ls common/*/*.c | grep -vxE 'common/record/(progress|filter).c')
}

@test "no function that C has better ones for" {
	none '\b(sprintf|strcpy|strcat|gets|atoi|alloca|rand|random)\(' $sources
}

@test "all headers stand alone" {
	for h in common/*/*.h; do
		echo "#include \"${h#common/}\"" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Icommon -fsyntax-only -x c -
	done
}

@test "warnings are errors when somebody asks" {
	build=$(mktemp -d)
	cp -r Makefile common weights tc-* "$build"
	make -s -C "$build" CFLAGS='-O2 -Werror' all
	rm -rf "$build"
}

@test "make install puts programs and pages where they belong" {
	dest=$(mktemp -d)
	make -s install DESTDIR="$dest" PREFIX=/usr
	for tool in tc-*/; do
		tool=${tool%/}
		[ -x "$dest/usr/bin/$tool" ]
		[ -f "$dest/usr/share/man/man1/$tool.1" ]
	done
	for page in man/*.[57]; do
		[ -f "$dest/usr/share/man/man${page##*.}/${page#man/}" ]
	done
	rm -rf "$dest"
}
