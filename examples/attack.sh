#!/bin/sh
# attack.sh BACKGROUND ATTACK FOLDER: an attack in a background, for a detector to find. The attack begins when a third of the
# background has gone by, and the background's busiest hosts take the place of its own. FOLDER gets task.pcap, and truth.tsv, which
# says of each packet which input it comes from ("attack.act" or "background.act") and which flow it belongs to.
set -eu
[ $# -eq 3 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$3"
tc-lift -q -o "$3/background.act" "$1"
tc-lift -q -o "$3/as-captured.act" "$2"
cd "$3"
start() { tc-show "$1" | jq -r 'select(.magic).start'; }
last() { tc-show "$1" | jq -n 'reduce (inputs | .t // empty | tonumber) as $t (0; [., $t] | max) / 1e9'; }
shift=$(jq -n "$(start background.act) + $(last background.act) / 3 - $(start as-captured.act) | . * 1000 | round / 1000")
tc-edit -o attack.act --shift "$shift" as-captured.act
tc-edit --merge attack.act --share-hosts --labels truth.tsv background.act | tc-compile -q -o task.pcap
rm as-captured.act
sed 1d truth.tsv | cut -f 2 | sort | uniq -c
