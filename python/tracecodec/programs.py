"""The programs as functions. Each takes a path or a trace, and gives a trace, or writes the file out where that is given.

Options are the programs' own, by their long names, with _ for -: lift("day.pcap", filter="tcp port 443", cap=1000). True gives
an option without a value; a list gives it several times. A name that is a word of Python's has a _ behind it: from_=60.

A program that fails is a ProgramError with what it said. What one says that succeeds is a ProgramWarning; quiet=True leaves that
out. The programs are looked for in PATH.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import tempfile
import warnings
from typing import Any, Sequence, Union

from .actions import Actions
from .errors import ProgramError, ProgramWarning
from .latents import Latents
from .stream import Trace, octets, read_all

Path = Union[str, "os.PathLike[str]"]
Input = Union[Path, Trace, Sequence[Trace]]


def lift(*captures: Path, out: Path | None = None, **options: Any) -> Actions | None:
    """tc-lift(1): the packet actions of captures, as one trace."""
    return _stream("tc-lift", [os.fspath(c) for c in captures], None, out, options)


def encode(actions: Input, out: Path | None = None, **options: Any) -> Latents | list[Latents] | None:
    """tc-enc(1): latents of packet actions. A list where there are several traces."""
    return _stream("tc-enc", *_input(actions), out, options)


def decode(latents: Input, out: Path | None = None, **options: Any) -> Actions | list[Actions] | None:
    """tc-dec(1): the packet actions that latents stand for. A list where there are several traces."""
    return _stream("tc-dec", *_input(latents), out, options)


def generate(actions: Input | None = None, out: Path | None = None, **options: Any) -> Actions | None:
    """tc-gen(1): packet actions like those given, or of a model: generate(model="day.tcg", packets=1000, seed=7). With
    learn="day.tcg" the model is written, and nothing generated."""
    names, given = _input(actions) if actions is not None else ([], None)
    if "learn" in options:
        _run("tc-gen", names, given, options)
        return None
    return _stream("tc-gen", names, given, out, options)


def compile(actions: Input, out: Path | None = None, **options: Any) -> bytes | None:
    """tc-compile(1): the capture that the actions describe, as a file, else as octets (pcap)."""
    names, given = _input(actions)
    return _run("tc-compile", names, given, {**options, "output": out} if out is not None else options) or None


def edit(actions: Input, out: Path | None = None, **options: Any) -> Actions | None:
    """tc-edit(1): packet actions cut, filtered, sped up or slowed, copied, shifted, merged: edit(day, speed=2), edit(day,
    merge="attack.act")."""
    return _stream("tc-edit", *_input(actions), out, options)


def diff(a: Input, b: Input, **options: Any) -> dict[str, Any]:
    """tc-diff(1): how far b is from a; JSON in tc-diff(1) says what is in it. A difference is no failure."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for letter, trace in zip("ab", (a, b)):
            found, given = _input(trace)
            if given is not None:
                found = [os.path.join(folder, letter)]
                with open(found[0], "wb") as f:
                    f.write(given)
            names += found
        return json.loads(_run("tc-diff", names, None, {"json": True, **options}, (0, 1)))


def coordinates(weights: Path | None = None) -> list[dict[str, Any]]:
    """What each coordinate of a latent is about, by tc-enc --coordinates: index, block, group, fields (a list), share."""
    table = _run("tc-enc", [], None, {"coordinates": True, **({"weights": weights} if weights else {})}).decode()
    return [{**row, "index": int(row["index"]), "share": float(row["share"]),
             "fields": [f for f in row["fields"].split(",") if f != "-"]}
            for row in csv.DictReader(table.splitlines(), delimiter="\t")]


def _input(trace: Input) -> tuple[list[str], bytes | None]:
    """The names for a command line, and what goes to standard input."""
    if isinstance(trace, (str, os.PathLike)):
        return [os.fspath(trace)], None
    return [], octets(trace)


def _stream(program: str, names: list[str], given: bytes | None, out: Path | None, options: dict[str, Any]) -> Any:
    if out is not None:
        _run(program, names, given, {**options, "output": out})
        return None
    traces = read_all(_run(program, names, given, options))
    return traces[0] if len(traces) == 1 else traces


def arguments(options: dict[str, Any]) -> list[str]:
    """Options as a command line has them."""
    out = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is True:
            out.append(option)
        elif value is not False and value is not None:
            out += [f"{option}={os.fspath(v) if isinstance(v, os.PathLike) else v}"
                    for v in (value if isinstance(value, (list, tuple)) else [value])]
    return out


def _run(program: str, names: list[str], given: bytes | None, options: dict[str, Any],
         good: Sequence[int] = (0,)) -> bytes:
    """Its output."""
    names = [n if n == "-" or not n.startswith("-") else os.path.join(".", n) for n in names]
    try:
        done = subprocess.run([program, *arguments(options), *names], input=b"" if given is None else given,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise ProgramError(program, 127, f"{program}: not found in PATH") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode not in good:
        raise ProgramError(program, done.returncode, said, done.stdout)
    if not options.get("quiet"):
        for line in said.splitlines():
            warnings.warn(line, ProgramWarning, stacklevel=4)
    return done.stdout
