#!/bin/sh
# need.sh PACKAGE ...: installs the Debian packages that are missing; nothing if none is. Where there is no apt, a line for each
# library, program and Python module of them that isn't here, and exit status 1.
set -eu

# What shows that a Debian package's like is here: pkg-config's name of a library, a program, a Python module.
shows() {
	case $1 in
	gcc) echo program "${CC:-cc}" ;;
	libc6-dev) echo program "${CC:-cc}" ;;
	libmsgpack-dev) echo library "msgpack-c or msgpack" ;;
	libpcap-dev | libarchive-dev | libseccomp-dev | libmd-dev | libdeflate-dev | libxxhash-dev) echo library "${1%-dev}" ;;
	lib*-dev) name=${1%-dev} && echo library "${name#lib}" ;;
	python3-*) echo module "${1#python3-}" ;;
	xz-utils) echo program xz ;;
	iproute2) echo program ip ;;
	openssh-server) echo program sshd ;;
	openssh-client) echo program ssh ;;
	procps) echo program ps ;;
	mandoc | bats | python3 | jq | zstd | lz4 | bzip2 | tshark | tcpdump | parallel | rsync | zsh | fish) echo program "$1" ;;
	*) echo package "$1" ;;
	esac
}

is_here() {
	case $1 in
	library) pkg-config --exists "$2" || { [ $# -gt 2 ] && pkg-config --exists "$4"; } ;;
	program) command -v "$2" >/dev/null || [ -x "/usr/sbin/$2" ] ;;
	module) python3 -c "import $2" 2>/dev/null ;;
	package) false ;;
	esac
}

if ! command -v apt-get >/dev/null; then
	status=0
	command -v pkg-config >/dev/null || { echo 'pkg-config is missing; it tells which libraries are here' >&2; exit 1; }
	for package; do
		# shellcheck disable=SC2046
		is_here $(shows "$package") && continue
		echo "missing: $(shows "$package") (Debian: $package)" >&2
		status=1
	done
	exit $status
fi

missing=
for package; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
