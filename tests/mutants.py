#!/usr/bin/python3
"""
Small wrong changes, for mutants.sh.

mutants.py list SEED N                     N places, spread over the rooms and over the kinds of change; of each place, in
                                           case a change doesn't count, others to take instead. A line each, with tabs:
                                           place, try, room, file, line, column, old text, new text.
mutants.py apply FILE LINE COLUMN OLD NEW  makes the change.

Where to change something is drawn from all that the text offers; nothing here knows what is tested.
"""
import random
import re
import sys
from pathlib import Path

ROOMS = {"packet": "common/packet", "state": "common/state", "record": "common/record", "tc-diff": "tc-diff"}
TRIES = 16

# What isn't code: comments, strings, characters, all directives but the values of #define.
APART = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?!define)[^\n]*|^#define \w+(?:\([^)]*\))?',
                   re.S | re.M)
COMPARISON = re.compile(r"(?<= )(<=|>=|==|!=|<|>)(?= )")
LOGIC = re.compile(r"(?<= )(&&|\|\|)(?=[ \n])")
CONSTANT = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?=[uUlL]*(?![\w.]))")
# A line that is one statement, behind one that ended: what is assigned or called, or a jump.
STATEMENT = re.compile(r"(?<=[;{}:)])(?:[ \t]*\n)+\t+((?![ \t]|return\b)(?:[^;{}\n]*(?:=|\+\+|--|\()[^;{}\n]*|break|continue);)(?=[ \t]*\n)")

# Moved by one, and turned round.
COMPARED = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}


def comparisons(code):
    return [(m.start(1), m[1], new) for m in COMPARISON.finditer(code) for new in COMPARED[m[1]]]


def logic(code):
    return [(m.start(1), m[1], "||" if m[1] == "&&" else "&&") for m in LOGIC.finditer(code)]


def constants(code):
    shape = lambda m, by: ("0x%x" if m[1].startswith("0x") else "%d") % (int(m[1], 0 if "x" in m[1] else 10) + by)
    return [(m.start(1), m[1], shape(m, by)) for m in CONSTANT.finditer(code) for by in (1, -1)
            if by > 0 or int(m[1], 0 if "x" in m[1] else 10)]


def statements(code):
    at, found = 0, []
    while m := STATEMENT.search(code, at):
        found.append((m.start(1), m[1], ";"))
        at = m.end() - 1  # the next one may stand right behind
    return found


KINDS = (comparisons, logic, constants, statements)


def places(path):
    """By kind: all that may be changed in a file."""
    text = path.read_text()
    code = APART.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for kind in KINDS:
        for at, old, new in kind(code):
            line = text.count("\n", 0, at) + 1
            column = at - (text.rfind("\n", 0, at) + 1)
            yield kind, (path, line, column, text[at:at + len(old)], new)


def draw(seed, n):
    lots = random.Random(seed)
    found = {(room, kind): [] for room in ROOMS for kind in KINDS}
    for room, folder in ROOMS.items():
        for path in sorted(Path(folder).glob("*.[ch]")):
            for kind, place in places(path):
                found[room, kind].append(place)
    for key in found:
        lots.shuffle(found[key])
    for i in range(n):
        room = list(ROOMS)[i % len(ROOMS)]
        kind = KINDS[i // len(ROOMS) % len(KINDS)]
        for t in range(TRIES):
            if found[room, kind]:
                print(i + 1, t + 1, room, *found[room, kind].pop(), sep="\t")


def apply(path, line, column, old, new):
    lines = Path(path).read_text().split("\n")
    at, text = int(column), lines[int(line) - 1]
    if text[at:at + len(old)] != old:
        sys.exit(f"{path}:{line}: isn't what was drawn")
    lines[int(line) - 1] = text[:at] + new + text[at + len(old):]
    Path(path).write_text("\n".join(lines))


if sys.argv[1] == "list":
    draw(int(sys.argv[2]), int(sys.argv[3]))
else:
    apply(*sys.argv[2:])
