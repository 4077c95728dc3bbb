#!/bin/bash
# big.sh N DIR OUT [OPTION ...]: joins the Ethernet captures below DIR into OUT, a trace of N packets, with options of
# tests/unit/big.c. Says of it, and of the captures that it is made of: packets, flows, how many actions are distinct
# without their time step, how many without their slots too, and how many flows were between their first and last
# packet at once.
set -eu
[ $# -ge 3 ] || { echo "usage: big.sh N DIR OUT [OPTION ...]" >&2; exit 2; }
n=$1 dir=$2 out=$3 here=$(dirname "$0")/..
shift 3

mapfile -d '' files < <(find "$dir" -type f -print0 | LC_ALL=C sort -z)
"$here/build/tests/big" "$@" -n "$n" -o "$out" "${files[@]}"

# distinct: reads actions; /usr/bin/python3 is Debian's, which knows msgpack.
distinct() {
	/usr/bin/python3 -c '
import sys
from array import array
from msgpack import Unpacker

HOSTS = "orig_h resp_h src_mac dst_mac target sha tha quote_src quote_dst".split()

# A reference without its slots; whether it is named here, its class and scope stay.
def unslotted(name, value):
    if name == "quote":
        return (value[0] < 0, *value[1:])
    if name not in HOSTS or isinstance(value, str):
        return value
    return 0 if isinstance(value, int) else (value[1], *value[3:])

packets = traces = clock = 0
actions, behaviours, began, ended, last = set(), set(), array("q"), array("q"), {}
for record in Unpacker(sys.stdin.buffer, use_list=False):
    if isinstance(record, dict):
        if "magic" in record:
            bit = {f: 1 << i for i, f in enumerate(record["fields"])}
            assert bit["dt"] == 1 and bit["flow"] == 2
            fields, opens = record["fields"], bit["open"]
            slots = bit["quote"] | sum(bit[f] for f in HOSTS)
            traces += 1
            ethernet = record["link"] == 1
        ended.extend(last.values())
        last, clock = {}, 0
        continue
    if not ethernet:
        continue
    mask, at = record[0], 1
    if mask & 1:
        clock += record[1]
        at = 2
    flow, rest = (record[at], at + 1) if mask & 2 else (0, at)
    values = record[rest:]
    actions.add(hash((mask & ~1, flow, values)))
    if mask & slots:
        names = [f for i, f in enumerate(fields) if mask >> i & 1 and i > 1]
        values = tuple(map(unslotted, names, values))
    behaviours.add(hash((mask & ~3, values)))
    packets += 1
    if mask & opens or flow not in last:
        if flow in last:
            ended.append(last[flow])
        began.append(clock)
    last[flow] = clock

live = peak = 0
if traces == 1:
    for _, step in sorted([(t, 0) for t in began] + [(t, 1) for t in ended]):
        live += 1 - 2 * step
        peak = max(peak, live)
print(f"{packets} packets, {len(began)} flows; distinct without time: {len(actions)} actions "
      f"({100 * len(actions) / packets:.1f} %), {len(behaviours)} without slots "
      f"({100 * len(behaviours) / packets:.1f} %)" + (f"; {peak} flows at once" if traces == 1 else ""))
'
}

echo "trace: $("$here/bin/tc-lift" -q --cap 1048576 "$out" | distinct)"
echo "captures: $(find "$dir" -type f -exec "$here/bin/tc-lift" -q {} \; 2>/dev/null | distinct)"
