# The architecture: which way dependencies run, and what lives in one place.

setup() { cd "$BATS_TEST_DIRNAME/.."; }

# including FILE-PATTERN HEADER: the files that include a header
including() { grep -lE "#include [<\"]$1" $(git ls-files '*.c' '*.h'); }

@test "<pcap.h> is included in one file" {
	[ "$(including 'pcap[/.]')" = common/packet/capture.c ]
}

@test "JSON is read in one file" {
	[ "$(including jansson)" = tc-show/json.c ]
}

@test "msgpack is known to the records alone" {
	for f in $(including msgpack); do [[ $f = common/record/* ]]; done
}

@test "no tool includes another" {
	! grep -nE '#include ".*tc-' $(git ls-files '*.c' '*.h')
}

@test "no include points upward: records know nothing of packets, nothing points out of a folder" {
	! grep -nE '#include "packet/' common/record/*
	! grep -nE '#include "\.\./' $(git ls-files '*.c' '*.h')
}

@test "libraries neither print nor exit" {
	! grep -nE '\b(exit|errx?|warnx?|printf|puts)\(|stdout|stderr' common/record/*.c common/packet/*.c
}

@test "no function that C has better ones for" {
	! grep -nE '\b(sprintf|strcpy|strcat|gets|atoi|alloca|rand|random)\(' $(git ls-files 'common/*' 'tc-*')
}

@test "all headers stand alone" {
	for h in common/*/*.h; do
		echo "#include \"${h#common/}\"" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Icommon -fsyntax-only -x c -
	done
}

@test "warnings are errors when somebody asks" {
	build=$(mktemp -d)
	cp -r Makefile common tc-* "$build"
	make -s -C "$build" CFLAGS='-O2 -Werror' all
	rm -rf "$build"
}

@test "make install puts programs and pages where they belong" {
	dest=$(mktemp -d)
	make -s install DESTDIR="$dest" PREFIX=/usr
	for tool in tc-lift tc-compile tc-show; do
		[ -x "$dest/usr/bin/$tool" ]
		[ -f "$dest/usr/share/man/man1/$tool.1" ]
	done
	[ -f "$dest/usr/share/man/man5/tc-records.5" ]
	[ -f "$dest/usr/share/man/man7/tc.7" ]
	rm -rf "$dest"
}
