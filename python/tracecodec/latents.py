"""A trace of latents, or a part of one: a row for each packet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import actions, assigned
from .errors import StreamError
from .octets import Input, packer

BLOCKS = ("what", "who", "when")
TYPES: dict[str, "np.dtype[Any]"] = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2")}


@dataclass(repr=False)
class Latents:
    """n latents of d coordinates, in their order.

    header   the stream's header, as tc-latents(5) has it
    z        (n, d) float32, whatever the stream's type: first the block what, then who, then when
    patches  packet -> the true action where the latent decodes to another: its fields that are present, by name. The decoder
             takes the patch; to edit the packet, remove it
    flows    how many flows opened in the encoder's input
    end      "whole", "cut" or "interrupted"; None in a part that isn't the trace's last
    trace    which trace of its stream this is, from 0
    first    which packet of the trace comes first here, from 0
    passed_over  records of kinds that this package doesn't know
    """

    header: dict[str, Any]
    z: np.ndarray
    patches: dict[int, dict[str, Any]] = field(default_factory=dict)
    flows: int = 0
    end: str | None = "whole"
    trace: int = 0
    first: int = 0
    passed_over: int = 0
    kind = "latents"

    def __len__(self) -> int:
        return len(self.z)

    def __repr__(self) -> str:
        blocks = ", ".join(f"{name} {n}" for name, n in self.header["blocks"].items())
        return (f"<Latents: {len(self)} packets, {self.z.shape[1]} coordinates ({blocks}), {len(self.patches)} patches, "
                f"end {self.end}>")

    def block(self, name: str) -> slice:
        """Which coordinates a block has."""
        first = 0
        for block in BLOCKS:
            n = self.header["blocks"][block]
            if block == name:
                return slice(first, first + n)
            first += n
        raise KeyError(name)

    @property
    def what(self) -> np.ndarray:
        """(n, ...) view of z: what the packets do. Learned: its meaning depends on the weights."""
        return self.z[:, self.block("what")]

    @property
    def who(self) -> np.ndarray:
        """(n, 16) view of z: the slots that the packets name, in places of two coordinates; see slots_of(), who_of()."""
        return self.z[:, self.block("who")]

    @property
    def when(self) -> np.ndarray:
        """(n, 8) view of z: the time steps; see steps_of(), when_of()."""
        return self.z[:, self.block("when")]

    @property
    def names(self) -> list[str]:
        """d names: what.0 and on, who.0.high, who.0.low and on (place 0 is the flow's), when.sign, when.ramp_8 and on,
        when.fine. What the coordinates of what are about, coordinates() tells."""
        n = self.header["blocks"]
        who = [f"who.{i // 2}.{('high', 'low')[i % 2]}" for i in range(n["who"])]
        when = [f"when.{name}" for name in assigned.WHEN] if n["when"] == 8 else [f"when.{i}" for i in range(n["when"])]
        return [f"what.{i}" for i in range(n["what"])] + who + when

    @property
    def steps(self) -> np.ndarray:
        """(n,) int64: nanoseconds from the packet before to each, as it is decoded; of those with a patch the true ones."""
        out = assigned.steps_of(self.when, self.header["resolution"])
        for i, action in self.patches.items():
            out[i] = action.get("dt", 0)
        return out

    @property
    def slots(self) -> np.ndarray:
        """(n,) int64: the flow's slot of each packet, as it is decoded; of those with a patch the true one."""
        out = assigned.slots_of(self.who[:, :2])
        for i, action in self.patches.items():
            out[i] = action.get("flow", 0)
        return out

    def take(self, where: Any) -> "Latents":
        """Some of the latents, in the order in which where (a slice, indices, or an (n,) bool) picks them, each with its own
        time step."""
        index = np.atleast_1d(np.arange(len(self))[where])
        patches = {i: self.patches[j] for i, j in enumerate(index.tolist()) if j in self.patches}
        return Latents(self.header, self.z[index], patches, self.flows, "whole")

    def _octets(self) -> tuple[list[bytes], int]:
        """The records, and flows."""
        dtype = TYPES[self.header["type"]]
        d = sum(self.header["blocks"].values())
        if self.z.shape != (len(self.z), d):
            raise ValueError(f"latents of shape {self.z.shape}; the header's blocks have {d} coordinates")
        with np.errstate(over="ignore"):
            z = np.ascontiguousarray(self.z, dtype)
        finite = np.isfinite(z).all(1)
        if not finite.all():
            raise ValueError(f"packet {int(finite.argmin())}: a coordinate that {self.header['type']} doesn't have")
        prefix = plain(z.itemsize * d)
        out = np.empty((len(z), len(prefix) + z.itemsize * d), np.uint8)
        out[:, :len(prefix)] = np.frombuffer(prefix, np.uint8)
        out[:, len(prefix):] = z.view(np.uint8).reshape(len(z), z.itemsize * d)
        pack, parts, at = packer().pack, [], 0
        for i in sorted(i for i in self.patches if 0 <= i < len(z)):
            parts += [out[at:i].tobytes(), pack([z[i].tobytes(), actions.packed(self.header, self.patches[i])])]
            at = i + 1
        return parts + [out[at:].tobytes()], self.flows


def plain(octets: int) -> bytes:
    """What a record without a patch begins with: an array of one bin of so many octets."""
    head = packer().pack([b"\0" * octets])
    return head[:-octets]


class Reader:
    """Takes the latent records that stand next in an input. Those without a patch have all the same length and beginning, so
    many are taken at once, without unpacking them."""

    def __init__(self, header: dict[str, Any]):
        self.header = header
        self.dtype = TYPES[header["type"]]
        self.d = sum(header["blocks"].values())
        self.head = np.frombuffer(plain(self.dtype.itemsize * self.d), np.uint8)
        self.size = len(self.head) + self.dtype.itemsize * self.d
        self.begin()

    def begin(self) -> None:
        self.parts: list[np.ndarray] = []
        self.octets: list[int] = []  # where each part begins
        self.patches: dict[int, dict[str, Any]] = {}
        self.n = 0

    def __len__(self) -> int:
        return self.n

    def fill(self, s: Input, limit: int) -> bool:
        """Until there are limit, or the input has no more records at hand: whether more of it may help."""
        while self.n < limit:
            rows = self._run(s, limit - self.n)
            if len(rows):
                self._add(rows[:, len(self.head):], s.octet - len(rows) * self.size)
                continue
            found, size = s.look()
            if not size or type(found) is not list:
                return size == 0
            self._one(found, s.octet)
            s.at += size
        return False

    def _run(self, s: Input, limit: int) -> np.ndarray:
        """(k, size) octets: the records without a patch that stand next, at most limit of them."""
        there = min((len(s.data) - s.at) // self.size, limit)
        rows = np.frombuffer(s.data, np.uint8, there * self.size, s.at).reshape(there, self.size)
        taken, step = 0, 64
        while taken < there:
            same = (rows[taken:taken + step, :len(self.head)] == self.head).all(1)
            n = len(same) if same.all() else int(same.argmin())
            taken += n
            if n < len(same):
                break
            step *= 2
        s.at += taken * self.size
        return rows[:taken]

    def _one(self, record: list[Any], octet: int) -> None:
        """A record that is unpacked."""
        octets = self.dtype.itemsize * self.d
        if len(record) not in (1, 2) or type(record[0]) is not bytes or len(record[0]) != octets:
            raise StreamError(f"not a latent of {octets} octets, with or without a patch", self.n + 1, octet)
        if len(record) == 2:
            try:
                self.patches[self.n] = actions.unpacked(self.header, record[1])
            except (ValueError, TypeError) as e:
                raise StreamError(f"damaged ({e})", self.n + 1, octet) from None
        self._add(np.frombuffer(record[0], np.uint8).reshape(1, -1), octet)

    def _add(self, rows: np.ndarray, octet: int) -> None:
        self.parts.append(np.ascontiguousarray(rows).view(self.dtype).astype(np.float32))
        self.octets.append(octet)
        self.n += len(rows)

    def take(self, **more: Any) -> Latents:
        """What was read, as an array; StreamError where a coordinate is no finite number, and then what is before it is still
        here."""
        first = more["first"]
        for part, (z, octet) in enumerate(zip(self.parts, self.octets)):
            finite = np.isfinite(z).all(1)
            if not finite.all():
                i = int(finite.argmin())
                before = sum(map(len, self.parts[:part]))
                self.parts[part:] = [z[:i]]
                self.n = before + i
                self.patches = {k: v for k, v in self.patches.items() if k < self.n}
                raise StreamError("a coordinate is infinite or not a number", first + self.n + 1, octet + i * self.size)
        z = np.concatenate(self.parts) if self.parts else np.zeros((0, self.d), np.float32)
        out = Latents(self.header, z, self.patches, **more)
        self.begin()
        return out


def joined(parts: list[Latents]) -> Latents:
    """A trace of its parts, which are used up."""
    if len(parts) == 1:
        return parts[0]
    last, z, at, patches = parts[-1], np.empty((sum(map(len, parts)), parts[0].z.shape[1]), np.float32), 0, {}
    header, trace = parts[0].header, parts[0].trace
    while parts:
        p = parts.pop(0)
        z[at:at + len(p)] = p.z
        patches.update({at + i: action for i, action in p.patches.items()})
        at += len(p)
    return Latents(header, z, patches, last.flows, last.end, trace, passed_over=last.passed_over)
