#!/usr/bin/env python3
"""Holds what common/packet/conn.c says of connections against what Zeek says of its own traces.

    tests/conn.py [-v] [-c PROGRAM] ORACLE_DIR

ORACLE_DIR has conns.tsv and traces/. Prints every connection that differs, column by column, then
the share that agrees. Exit 0 if conn_state and history agree on 95 % and what doesn't is listed
below with its reason; 1 otherwise. PROGRAM is build/tests/conn; -v names the columns that agree.
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

# Where Zeek says something else, and why: (trace, start of ts) to the reason.
EXPLAINED = {
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
    agree, total, unexplained = Counter(), 0, 0
    for trace in dict.fromkeys(row["trace"] for row in rows):
        wanted = [row for row in rows if row["trace"] == trace]
        for row, differs in compare(wanted, ours(options.program, options.oracle / "traces" / trace)):
            total += 1
            agree.update(c for c in COLUMNS if differs is not None and c not in differs)
            judged = differs is None or any(c in differs for c in JUDGED)
            agree["both"] += not judged
            if differs == {}:
                continue
            reason = EXPLAINED.get((trace, row["ts"]))
            unexplained += judged and reason is None
            print(trace, *(row[c] for c in ("ts", *KEY)), "uses_C", row["uses_C"])
            for column, (zeek, mine) in (differs or {}).items():
                print(f"    {column}: Zeek {zeek}, here {mine}")
            if differs is None:
                print("    not a connection here")
            if reason:
                print(f"    since {reason}")
    for column in COLUMNS if options.verbose else ():
        print(f"{column:11} {agree[column]} of {total}")
    share = agree["both"] / total
    print(f"conn_state and history agree on {agree['both']} of {total} connections "
          f"({share:.1%}), {unexplained} unexplained")
    return 0 if share >= ENOUGH and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
