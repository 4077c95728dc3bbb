#!/bin/sh
# make.sh DIR [OPTIONS OF tc-train]: trains weights/default.tcw on the captures below DIR. Broken off, it goes on from
# its checkpoint when it is started again.
set -eu
cd "$(dirname "$0")/.."
[ -d "${1-}" ] || { echo "usage: make weights DIR=captures" >&2; exit 2; }
dir=$1
shift
mkdir -p build
find "$dir" -type f | LC_ALL=C sort | while IFS= read -r f; do
	bin/tc-lift -q "$f" 2>/dev/null >build/one.act || true # cut captures too are whole streams of a part
	[ -s build/one.act ] && bin/tc-show build/one.act >/dev/null 2>&1 && cat build/one.act
done >build/train.act
bin/tc-train -o weights/default.tcw --checkpoint build/default.checkpoint --beta 0.01 --disturb 0.6 --steps 19000 \
	--report 1000 "$@" build/train.act
rm -f build/one.act build/train.act build/default.checkpoint
sha256sum weights/default.tcw
