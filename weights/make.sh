#!/bin/sh
# make.sh DIR [OPTIONS OF tc-train]: trains weights/default.tcw on the captures below DIR.
# Broken off, it goes on from its checkpoint when it is started again. Captures that break off, or that libpcap can't
# read, are left out.
set -eu
cd "$(dirname "$0")/.."
[ -d "${1-}" ] || { echo "usage: make weights DIR=captures" >&2; exit 2; }
dir=$1
shift
mkdir -p build
find "$dir" -type f | LC_ALL=C sort >build/train.list
while IFS= read -r f; do
	if bin/tc-lift -q -o build/one.act "$f" 2>/dev/null; then cat build/one.act; fi
done <build/train.list >build/train.act
bin/tc-train -o weights/default.tcw --checkpoint build/default.checkpoint --report 2500 "$@" build/train.act
rm -f build/one.act build/train.list build/train.act build/default.checkpoint
sha256sum weights/default.tcw
