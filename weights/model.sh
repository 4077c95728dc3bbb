#!/bin/sh
# model.sh DIR [OPTIONS OF tc-gen, others than those below]: learns weights/default.tcg from captures below DIR: those of Ethernet that are whole, have
# 1,000 to 30,000 packets, 50 flows or more, and four packets a flow or more; by the number of services that flows open three
# times or more, the one with most last, since what is generated goes on there; of equals the one with fewer flows. Of each the
# last twelfth stands behind all others, so that it is what tc-gen holds back to see when to stop.
set -eu
cd "$(dirname "$0")/.."
[ -d "${1-}" ] || { echo "usage: make model DIR=captures" >&2; exit 2; }
dir=$1
shift
[ $# -gt 0 ] || set -- --values 56 --steps 1800
mkdir -p build
one=build/model.act
find "$dir" -type f | LC_ALL=C sort | while IFS= read -r f; do
	bin/tc-lift -q -o $one "$f" 2>/dev/null || continue
	bin/tc-show $one | sed -nE '1s/.*"link":([0-9]*),.*/\1/p; $s/.*"packets":([0-9]*),"flows":([0-9]*).*/\1 \2/p' | xargs |
		awk '$1 == 1 && $2 >= 1000 && $2 <= 30000 && $3 >= 50 && $3 <= $2 / 4 { print $3, $2 }' | while read -r flows packets; do
		services=$(bin/tc-show $one | grep -o '"resp_p":[0-9]*' | sort | uniq -c | awk '$1 >= 3' | wc -l)
		printf '%s\t%s\t%s\t%s\n' "$services" "$flows" "$packets" "$f"
	done
done | LC_ALL=C sort -t '	' -k 1,1n -k 2,2nr -k 4 >build/model.list
: >build/model.first
: >build/model.last
while IFS='	' read -r _ flows packets f; do
	bin/tc-lift -q "$f" | bin/tc-compile -q >build/model.pcap
	cut=$((packets - packets / 12))
	editcap -F pcap -r build/model.pcap build/model.part 1-$cut
	bin/tc-lift -q build/model.part >>build/model.first
	editcap -F pcap -r build/model.pcap build/model.part $((cut + 1))-"$packets"
	bin/tc-lift -q build/model.part >>build/model.last
	echo "$packets packets, $flows flows: ${f##*/}"
done <build/model.list
cat build/model.first build/model.last | bin/tc-gen -v --learn weights/default.tcg "$@"
rm -f $one build/model.list build/model.first build/model.last build/model.pcap build/model.part
wc -c weights/default.tcg
sha256sum weights/default.tcg
