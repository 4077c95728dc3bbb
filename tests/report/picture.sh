#!/bin/bash
# picture.sh: what the README shows, anew: its first commands on the sample; share/report.png is the page that tc-diff writes of
# them, and the verdict in README.md what it prints. What is learned, and so what is shown, depends on the processor.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/bin:$PATH out=build/report
mkdir -p $out
cp tests/fixtures/sample.pcap $out/day.pcap
(
	cd $out
	tc-lift day.pcap | tc-gen | tc-compile >more.pcap
	tc-diff --html more.html day.pcap more.pcap >more.txt || [ $? -eq 1 ]
)
/usr/bin/python3 tests/report/picture.py $out/more.html share/report.png
sed -n '/^Verdict:/,$s/^/    /p' $out/more.txt >$out/verdict
awk -v verdict=$out/verdict '/^    Verdict:/ { while ((getline line < verdict) > 0) print line; inside = 1 }
	/^$/ { inside = 0 } !inside' README.md >$out/README.md
cp $out/README.md README.md
cat $out/verdict
wc -c share/report.png
