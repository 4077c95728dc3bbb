# What people install: what goes where, and which version it is.

load helper

@test "make install puts programs and pages where they belong, and make uninstall removes all of it" {
	make -s install DESTDIR="$tmp/dest" PREFIX=/usr
	for tool in tc-*/; do
		tool=${tool%/}
		[ -x "$tmp/dest/usr/bin/$tool" ]
		[ -f "$tmp/dest/usr/share/man/man1/$tool.1" ]
	done
	for at in bash-completion/completions/tc-lift zsh/site-functions/_tc-lift fish/vendor_completions.d/tc-lift.fish tracecodec/show.schema.json; do
		[ -f "$tmp/dest/usr/share/$at" ]
	done
	for page in man/*.[57]; do
		[ -f "$tmp/dest/usr/share/man/man${page##*.}/${page#man/}" ]
	done
	touch "$tmp/dest/usr/bin/another"
	make -s uninstall DESTDIR="$tmp/dest" PREFIX=/usr
	is "$(cd "$tmp/dest" && find . -type f)" ./usr/bin/another
	[ ! -e "$tmp/dest/usr/share/doc/tracecodec" ]
}

@test "the demo runs from what is installed" {
	make -s install DESTDIR="$tmp" PREFIX=/
	cd /
	PATH=$tmp/bin:/usr/bin:/bin sh "$tmp/share/doc/tracecodec/examples/demo.sh" >"$tmp/said"
	grep -q 'lifts to the very octets of the first' "$tmp/said"
}

@test "one version: the programs', CHANGELOG's, the Debian packages'" {
	version=$(sed -nE 's/^## \[([0-9.]+)\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$/\1/p' CHANGELOG.md | head -n 1)
	for tool in tc-*/; do
		is "$(${tool%/} --version)" "${tool%/} (TraceCodec) $version"
	done
	is "$(sed -n '1s/^tracecodec (\(.*\)) .*/\1/p' debian/changelog)" "$version"
}

@test "the formats' versions in CHANGELOG are those of the programs" {
	of() { sed -n "s/^#define ${2}_VERSION //p" "$1"; }
	tc-lift -q "$edge/empty.pcap" >"$tmp/act"
	is "$(grep -m 1 '^| [0-9]' CHANGELOG.md)" "| $(sed -n 's/.*TC_VERSION "\(.*\)"/\1/p' common/process/version.h) |$(
		tc-show "$tmp/act" | jq -r 'select(.magic) | " \(.version) |"')$(
		tc-enc "$tmp/act" | tc-show | jq -r 'select(.magic) | " \(.version) |"') $(of common/neural/weights.h WEIGHTS) | $(
		of tc-gen/model.h MODEL) | $(of tc-diff/metrics.h METRICS) |"
}

@test "the Debian packages are built with what the Makefile builds with" {
	is "$(sed -n 's/^Build-Depends: //p' debian/control | tr -d , | xargs -n 1 | grep ^lib)" \
		"$(make -s PORTABLE= --eval 'packages: ; @echo $(BUILD_PACKAGES)' packages | xargs -n 1 | grep -vx -e gcc -e libc6-dev)"
}

# without_apt: a path with all programs but these.
without_apt() {
	mkdir "$tmp/path"
	for f in /usr/bin/*; do ln -s "$f" "$tmp/path/"; done
	rm "$tmp/path"/{apt-get,dpkg-query,pkg-config,pkgconf} 2>/dev/null || true
	printf '#!/bin/sh\ncase " %s " in *" $2 "*) ;; *) exit 1 ;; esac\n' "$*" >"$tmp/path/pkg-config"
	chmod +x "$tmp/path/pkg-config"
}

@test "where there is no apt, each library that is missing has a line" {
	without_apt libpcap msgpack libarchive libmd libxxhash
	run -2 --separate-stderr env PATH="$tmp/path" make -s need PORTABLE=
	is "$(grep -v ^make <<<"$stderr")" "missing: library libseccomp (Debian: libseccomp-dev)
missing: library jansson (Debian: libjansson-dev)
missing: library openblas (Debian: libopenblas-dev)
missing: library libdeflate (Debian: libdeflate-dev)"
	for f in libseccomp jansson openblas libdeflate; do sed -i "s/ libpcap/ $f&/" "$tmp/path/pkg-config"; done
	PATH=$tmp/path make -s need PORTABLE=
}
