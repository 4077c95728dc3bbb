#!/bin/bash
# package.sh [SUITE]: judges the Debian packages of build/deb: by lintian; installed on a bare Debian of that suite (the one
# that runs here), where the demo must run from what is installed, and nothing must stay when they are purged; by the names
# of all of Debian's files, none of which may be one of theirs. Of another suite the packages are built there, of the source
# archive, since the libraries are others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck disable=SC1091
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
suite=${1:-$here} archive=http://deb.debian.org/debian
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n== %s\n' "$*"; }

say lintian
lintian --allow-root --info --fail-on error,warning build/deb/*.changes

mkdir "$work/debs"
if [ "$suite" = "$here" ]; then
	cp build/deb/*.deb "$work/debs"
else
	say "$suite: building"
	cat >"$work/build" <<-'END'
		set -eu
		export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
		cd /tmp
		tar -xf tracecodec-*.tar.gz
		cd tracecodec-*/
		apt-get build-dep -y -qq --no-install-recommends ./ >/tmp/apt 2>&1 || { cat /tmp/apt; exit 1; }
		dpkg-buildpackage -us -uc >/tmp/said 2>&1 || { tail -n 50 /tmp/said; exit 1; }
		grep -E '(warning|error):' /tmp/said || true
		mkdir /tmp/debs && mv /tmp/*.deb /tmp/debs
	END
	mmdebstrap --quiet --variant=minbase --format=null --include=build-essential \
		--customize-hook="copy-in $(echo build/tracecodec-*.tar.gz) /tmp" --customize-hook="copy-in '$work/build' /tmp" \
		--customize-hook='chroot "$1" sh /tmp/build' --customize-hook="copy-out /tmp/debs '$work'" "$suite" - $archive
fi
rm -f "$work"/debs/*-dbgsym_*
for deb in "$work"/debs/*.deb; do
	say "$(dpkg-deb -f "$deb" Package): $(dpkg-deb -f "$deb" Depends)"
	dpkg-deb -c "$deb" | awk '{ print $1, $3, $6 }' | grep -v '^d'
done
for deb in "$work"/debs/*.deb; do dpkg-deb -c "$deb"; done | awk '/^-/ { sub("^\\./", "", $6); print $6 }' |
	grep -E '^usr/(bin|lib|share/(man|[a-z-]*/[a-z_-]*completions(\.d)?|zsh))/' | sed 's/\.gz$//' >"$work/names"

cat >"$work/inside" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive
find / -xdev \( -path /proc -o -path /sys -o -path /var -o -path /tmp -o -path /root \) -prune -o -print | sort >/tmp/before
dpkg-query -W -f '${Package}\n' | sort >/tmp/packages
apt-get install -y -qq --no-install-recommends /tmp/debs/*.deb >/tmp/apt 2>&1 || { cat /tmp/apt; exit 1; }
echo "besides, apt installed: $(dpkg-query -W -f '${Package}\n' | sort | comm -13 /tmp/packages - | xargs)"
cd /
if [ -d /usr/lib/python3/dist-packages/tracecodec ]; then
	tc-lift -q /usr/share/doc/tracecodec/examples/sample.pcap >/tmp/sample.act
	python3 -c 'import tracecodec; print("tracecodec", tracecodec.__version__); t = tracecodec.read("/tmp/sample.act"); print(type(t))'
fi
sh /usr/share/doc/tracecodec/examples/demo.sh
dpkg --purge $(cd /tmp/debs && ls | cut -d_ -f1) >/tmp/apt 2>&1 || { cat /tmp/apt; exit 1; }
apt-get autoremove --purge -y -qq >/tmp/apt 2>&1
find / -xdev \( -path /proc -o -path /sys -o -path /var -o -path /tmp -o -path /root \) -prune -o -print | sort |
	comm -13 /tmp/before - | grep -E 'tracecodec|/_?tc-' && { echo 'is left when they are purged'; exit 1; }
echo; echo '== names'
apt-get install -y -qq --no-install-recommends apt-file >/tmp/apt 2>&1 && apt-get update -qq
apt-file search -x -f /tmp/names >/tmp/found
grep -q '^coreutils: /usr/bin/env$' /tmp/found # which is among them, to show that there is a list
grep -vE '^(coreutils|(python3-)?tracecodec(-doc)?): ' /tmp/found && { echo 'is of another package too'; exit 1; }
echo "$(($(wc -l </tmp/names) - 1)) names, none of which any other package has"
END
# Whole paths, as apt-file's patterns.
{ cat "$work/names"; echo usr/bin/env; } | sed 's/[.+]/\\&/g; s:.*:^/&(\\.gz)?$:' >"$work/patterns"

say "$suite, bare"
mmdebstrap --quiet --variant=minbase --format=null \
	--customize-hook="copy-in '$work/debs' /tmp" \
	--customize-hook="cp '$work/inside' \"\$1/tmp/inside\"; cp '$work/patterns' \"\$1/tmp/names\"" \
	--customize-hook='chroot "$1" sh /tmp/inside' "$suite" - $archive
