#!/usr/bin/env python3
"""Holds what tc-diff/conn.c says of connections against what Zeek says of its own traces.

    tests/conn.py [-v] [-c PROGRAM] ORACLE_DIR

ORACLE_DIR has conns.tsv and traces/. Prints every connection that differs, with what Zeek says and
what we say in each column, then the share of connections whose conn_state and history agree. Exit 0
if that is 95 % of those without a known reason to differ, and all others have one (EXPLAINED); else
1. PROGRAM is build/tests/conn; -v counts by column.
"""

import argparse
import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

KEY = ("proto", "orig_h", "orig_p", "resp_h", "resp_p")
COUNTED = ("duration", "orig_bytes", "resp_bytes", "conn_state", "history", "orig_pkts",
           "resp_pkts")
COLUMNS = ("ts", *KEY, *COUNTED)
JUDGED = ("conn_state", "history")
ENOUGH = 0.95

# Why Zeek says something else of a trace's connections.
EXPLAINED = {
    "cisco-fabric-path.pcap": "half of the packets are in FabricPath, which is opaque to us",
    "ppp__quic-interop-retry.pcap": "link type PPP is opaque to us",
    "radiotap.pcap": "link type radiotap is opaque to us",
    "wlanmon.pcap": "link type 802.11 is opaque to us",
}


def ours(program, trace):
    run = subprocess.run([program, trace], capture_output=True, text=True, check=True)
    return [dict(zip(COLUMNS, line.split("\t"))) for line in run.stdout.splitlines()]


def same_ends(a, b):
    """The 5-tuple, whichever end is called the originator."""
    ends = [{(x["orig_h"], x["orig_p"]), (x["resp_h"], x["resp_p"])} for x in (a, b)]
    return a["proto"] == b["proto"] and ends[0] == ends[1]


def difference(column, zeek, mine):
    if column in ("duration", "ts") and "-" not in (zeek, mine):
        return abs(float(zeek) - float(mine)) > 2e-6  # Zeek counts in floating point
    return zeek != mine


def compare(wanted, found):
    """(connection, {column: (Zeek's, ours)}) for each that Zeek has; None: we don't have it."""
    left = list(found)
    for row in wanted:
        near = [x for x in left if same_ends(row, x) and not difference("ts", row["ts"], x["ts"])]
        near = near or [x for x in left if same_ends(row, x)]
        if not near:
            yield row, None
            continue
        left.remove(near[0])
        yield row, {c: (row[c], near[0][c]) for c in COLUMNS if difference(c, row[c], near[0][c])}


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].strip())
    parser.add_argument("oracle", type=Path)
    parser.add_argument("-c", "--program", default="build/tests/conn")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    with open(options.oracle / "conns.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    agree, total, known, unexplained = Counter(), 0, 0, 0
    for trace in dict.fromkeys(row["trace"] for row in rows):
        wanted = [row for row in rows if row["trace"] == trace]
        reason = EXPLAINED.get(trace)
        for row, differs in compare(wanted, ours(options.program, options.oracle / "traces" / trace)):
            total += 1
            agree.update(c for c in COLUMNS if differs is not None and c not in differs)
            judged = differs is None or any(c in differs for c in JUDGED)
            agree["both"] += not judged
            known += judged and reason is not None
            unexplained += differs != {} and reason is None
            if differs != {}:
                what = "no connection here" if differs is None else ", ".join(
                    f"{column} {zeek} / {mine}" for column, (zeek, mine) in differs.items())
                print(f"{trace} {' '.join(row[c] for c in ('ts', *KEY))} (uses_C {row['uses_C']}): "
                      f"{what}; {reason or 'UNEXPLAINED'}")
    for column in COLUMNS if options.verbose else ():
        print(f"{column:11} {agree[column]} of {total}")
    share = agree["both"] / (total - known)
    print(f"conn_state and history agree on {agree['both']} of {total} connections, "
          f"{share:.1%} of the {total - known} that nothing known keeps apart; "
          f"{unexplained} differ in any column without a reason")
    return 0 if share >= ENOUGH and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
