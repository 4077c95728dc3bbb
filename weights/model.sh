#!/bin/sh
# model.sh DIR [OPTIONS OF tc-gen, others than those below]: learns weights/default.tcg from captures below DIR: those of Ethernet that are
# whole, have 1,000 to 30,000 packets of 65,535 octets or less, 50 flows or more, four packets a flow or more, last a day at most,
# and in which four services or more are opened three times or more. The one with most services stands last, since what is
# generated goes on there. Of each the last twelfth stands behind all others, so that it is what tc-gen holds back to see when to stop.
set -eu
cd "$(dirname "$0")/.."
[ -d "${1-}" ] || { echo "usage: make model DIR=captures" >&2; exit 2; }
dir=$1
shift
[ $# -gt 0 ] || set -- --values 56 --steps 1800
mkdir -p build
one=build/model.act

# Services, flows and packets of a capture that is wanted.
wanted() {
	bin/tc-show $one | jq -rn '
		reduce inputs as $o ({last: 0};
			if $o.magic then .link = $o.link
			elif $o.end then .packets = $o.packets | .flows = $o.flows
			else .longest = ([.longest, $o.len, $o.pad] | max) | .last += (($o.dt // 0) | tonumber) |
				if $o.resp_p then .opened["\($o.resp_p)"] += 1 else . end
			end) |
		.services = ([.opened // {} | .[] | select(. >= 3)] | length) |
		select(.link == 1 and .packets >= 1000 and .packets <= 30000 and .flows >= 50 and .flows <= .packets / 4 and
			.longest <= 65535 and .last <= 86400e9 and .services >= 4) |
		"\(.services)\t\(.flows)\t\(.packets)"'
}

find "$dir" -type f | LC_ALL=C sort | while IFS= read -r f; do
	if bin/tc-lift -q -o $one "$f" 2>/dev/null; then wanted | sed "s|\$|	$f|"; fi
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
