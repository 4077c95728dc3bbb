"""Streams, read and written: tc-records(5) and tc-latents(5)."""

from __future__ import annotations

import io
import os
import re
import tempfile
import zlib
from typing import Any, BinaryIO, Iterable, Iterator, Union

from . import actions, latents
from .actions import Actions
from .errors import Error, StreamError
from .latents import Latents
from .octets import Input, Source, packer, width

Trace = Union[Actions, Latents]
Target = Union[str, "os.PathLike[str]", BinaryIO]

VERSIONS = {"actions": 1, "latents": 2}
ENDS = ("whole", "cut", "interrupted")
KEYS = ("magic", "kind", "version", "link", "snaplen", "resolution", "start", "cap", "idle_tcp", "idle_udp", "idle_other",
        "blocks", "type", "weights", "fields", "units")


def read(source: Source, partial: bool = False) -> Trace:
    """The trace of a stream that has one: an Actions or a Latents, whichever it is.

    source: a path, "-" for standard input, a binary file, or the octets. partial: return also what is damaged, cut off or
    interrupted, as far as it can be read; its end says "cut" or "interrupted". Else that is a StreamError.
    """
    traces = read_all(source, partial)
    if len(traces) != 1:
        raise Error(f"{len(traces)} traces: read_all() takes them")
    return traces[0]


def read_all(source: Source, partial: bool = False) -> list[Trace]:
    """The traces of a stream, in their order. See read()."""
    parts: list[list[Any]] = []
    for b in blocks(source, partial=partial):
        if b.trace == len(parts):
            parts.append([])
        parts[-1].append(b)
    return [(latents if p[0].kind == "latents" else actions).joined(p) for p in parts]


def blocks(source: Source, packets: int = 65536, partial: bool = False) -> Iterator[Trace]:
    """The traces of a stream in pieces, of so many packets at most, so that memory is bounded whatever the length. From what
    is still being written, a piece is what is there.

    A piece is an Actions or a Latents with the whole header; trace and first say where it stands, and end, in the last piece
    of a trace, how that ended. The last piece may be empty. See read().
    """
    with Input(source) as s:
        trace = 0
        while True:
            try:
                header = _header(s, trace > 0)
            except StreamError:
                if partial and trace:
                    return
                raise
            if header is None:
                return
            last = yield from _trace(s, header, trace, packets, partial)
            if not last:
                return
            trace += 1


def _header(s: Input, later: bool) -> dict[str, Any] | None:
    octet = s.octet
    s.begin()
    try:
        h = s.object()
    except EOFError:
        if later:
            return None
        raise StreamError("empty: not a stream of TraceCodec") from None
    except StreamError:
        h = None
    if not isinstance(h, dict) or h.get("magic") != "tracecodec":
        raise StreamError("not a header where one must be" if later else "not a stream of TraceCodec", octet=octet)
    kind = h.get("kind")
    if not isinstance(kind, str) or kind not in VERSIONS:
        raise StreamError("neither a stream of actions nor one of latents", octet=octet)
    if type(h.get("version")) is not int or h["version"] != VERSIONS[kind]:
        raise StreamError(f"version {h.get('version')} of the format of {kind}; this package reads {VERSIONS[kind]}",
                          octet=octet)
    _check(h, octet)
    return h


def _check(h: dict[str, Any], octet: int | None) -> None:
    for key in ("link", "snaplen", "start", "cap", "idle_tcp", "idle_udp", "idle_other"):
        low, high = {"start": (-2**63, 2**63 - 1), "cap": (16, 2**20)}.get(key, (0, 2**32 - 1))
        if type(h.get(key)) is not int or not low <= h[key] <= high:
            raise StreamError(f"header: {key} is missing or wrong", octet=octet)
    if h.get("resolution") not in ("us", "ns"):
        raise StreamError('header: resolution is neither "us" nor "ns"', octet=octet)
    fields = h.get("fields")
    if type(fields) is not list or len(fields) > 64 or set(map(type, fields)) - {str}:
        raise StreamError("header: fields are missing or wrong", octet=octet)
    if h["kind"] == "latents":
        b = h.get("blocks")
        if (type(b) is not dict or list(b) != list(latents.BLOCKS) or set(map(type, b.values())) != {int}
                or not 0 < sum(b.values()) <= 4096 or min(b.values()) < 0 or str(h.get("type")) not in latents.TYPES
                or not re.fullmatch("[0-9a-f]{64}", str(h.get("weights")))):
            raise StreamError("header: blocks, type or weights are missing or wrong", octet=octet)


def _trace(s: Input, header: dict[str, Any], trace: int, packets: int, partial: bool):
    """The pieces of a trace; returns whether another one may follow."""
    reader = (latents if header["kind"] == "latents" else actions).Reader(header)
    first = flows = unknown = 0

    def take(**more: Any) -> Trace:
        nonlocal first, flows
        b = reader.take(trace=trace, first=first, passed_over=unknown, **more)
        first += len(b)
        if isinstance(b, Actions) and "open" in b.columns:
            flows += int((b.columns["open"] != 0).sum())
        return b

    try:
        while True:
            waits = reader.fill(s, packets)
            if len(reader) >= packets or waits and s.prompt and len(reader):
                yield take(end=None)
                continue
            if waits:
                if not s.more():
                    if s.data:
                        raise StreamError("cut off", first + len(reader) + 1, s.octet)
                    raise StreamError(f"cut off after record {first + len(reader)}: no end record", octet=s.octet)
                continue
            octet = s.octet
            o = s.object(first + len(reader) + 1)
            if isinstance(o, dict) and "end" in o:
                last = take(end=None)
                last.end, why = _end(s, o, header, first, flows)
                if why and not partial:
                    raise StreamError(why, first or None, octet)
                if isinstance(last, Latents):
                    last.flows = o.get("flows", 0)
                yield last
                if why and "damaged" in why:
                    return False
                return True
            if isinstance(o, dict) and "magic" in o:
                raise StreamError("another trace begins without an end record before it", octet=octet)
            unknown += 1
    except StreamError:
        if not partial:
            take(end="cut")  # what is damaged before that is said instead
            raise
        while True:  # the damage that was found may have more of it before
            try:
                yield take(end="cut")
                return False
            except StreamError:
                pass


def _end(s: Input, o: dict[str, Any], header: dict[str, Any], packets: int, flows: int) -> tuple[str, str | None]:
    """How a trace ended, and what is wrong with that."""
    if o["end"] not in ENDS or any(type(o.get(k)) is not int or not 0 <= o[k] < 2**63 for k in ("packets", "flows", "crc32")):
        return "cut", "damaged end record"
    if o["packets"] != packets:
        return "cut", f"damaged: the end record counts {o['packets']} packets, here are {packets}"
    if header["kind"] == "actions" and o["flows"] != flows:
        return "cut", f"damaged: the end record counts {o['flows']} flows, here are {flows}"
    if s.sum(width(o["crc32"])) != o["crc32"]:
        return "cut", "damaged: the checksum is not that of the end record"
    return o["end"], None if o["end"] == "whole" else f"the trace was {o['end']}; its end record says so"


def write(target: Target, traces: Trace | Iterable[Trace]) -> None:
    """Writes a stream: of a trace, of several, or of their pieces as blocks() gives them.

    target: a path, where the stream appears whole or not at all; "-" for standard output; or a binary file. Keys and fields go
    in the format's order, numbers in their shortest form; counts and checksum are made anew.
    """
    with Writer(target) as w:
        for b in [traces] if isinstance(traces, (Actions, Latents)) else traces:
            w.write(b)


class Writer:
    """A stream that is written piece by piece:

        with Writer("moved.lat") as w:
            for b in blocks("day.lat"):
                b.what[:, 5] += 1 / 24
                b.patches.clear()
                w.write(b)

    Each piece whose end is not None ends its trace; what comes after it begins another one.
    """

    def __init__(self, target: Target):
        self.path: str | None = None
        self.began = False
        if target == "-":
            self.file: Any = os.fdopen(1, "wb", closefd=False)
        elif isinstance(target, (str, os.PathLike)):
            self.path = os.fspath(target)
            folder, name = os.path.split(os.path.abspath(self.path))
            fd, self.temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            self.file = os.fdopen(fd, "wb")
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(fd, 0o666 & ~mask)
        else:
            self.file = target

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.remove()

    def close(self) -> None:
        """The stream is whole: its file appears. A trace that hasn't ended ends cut."""
        try:
            if self.began:
                self.end("cut")
            self.file.flush()
            if self.path is not None:
                self.file.close()
                os.replace(self.temporary, self.path)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Gives up: no file appears."""
        if self.path is not None:
            self.file.close()
            os.unlink(self.temporary)

    def write(self, block: Trace) -> None:
        if not self.began:
            self.packets = self.flows = self.crc = 0
            self._put(packer().pack(ordered(block.header)))
            self.began = True
        records, flows = block._octets()
        self._put(b"".join(records))
        self.packets += len(block)
        self.flows = flows if block.kind == "latents" else self.flows + flows
        if block.end is not None:
            self.end(block.end)
        self.file.flush()

    def end(self, how: str = "whole") -> None:
        """Ends the trace."""
        last = packer().pack({"end": how, "packets": self.packets, "flows": self.flows, "crc32": 0})[:-1]
        self._put(last)
        self.file.write(packer().pack(self.crc))
        self.began = False

    def _put(self, octets: bytes) -> None:
        self.file.write(octets)
        self.crc = zlib.crc32(octets, self.crc)


def ordered(header: dict[str, Any]) -> dict[str, Any]:
    """A header with its keys in the format's order; those that it doesn't know stay where they are, or come last."""
    known = [k for k in header if k in KEYS]
    right = sorted(known, key=KEYS.index)
    if known == right:
        return header
    return {**{k: header[k] for k in right}, **header}


def octets(traces: Trace | Iterable[Trace]) -> bytes:
    """What write() writes."""
    out = io.BytesIO()
    write(out, traces)
    return out.getvalue()
