#!/bin/bash
# check.sh: three reports of tc-diff --html, valid and looked at in a browser: the sample against what it compiles to, which
# differs in nothing but checksums; two halves of the sample, which differ in much; and the sample with a few packets dropped.
set -eu
cd "$(dirname "$0")/../.."
out=build/report sample=tests/fixtures/sample.pcap
mkdir -p $out
bin/tc-lift -q $sample | bin/tc-compile >$out/image.pcap
/usr/bin/python3 tests/distort.py drop $sample $out/drop.pcap 2>/dev/null
/usr/bin/python3 tests/report/halves.py $sample $out/first.pcap "$out/<second> & \"half\".pcap"

page() {
	local status=0
	bin/tc-diff -q --html $out/"$1".html "$2" "$3" >/dev/null || status=$?
	[ $status -le 1 ]
	echo "$1.html: $(wc -c <$out/"$1".html) octets"
	xmllint --noout $out/"$1".html
	tidy -q -e --show-warnings no $out/"$1".html
}
page same $sample $out/image.pcap
page halves $out/first.pcap "$out/<second> & \"half\".pcap"
page drop $sample $out/drop.pcap
tests/report/check.py $out/screenshots $out/{same,halves,drop}.html
