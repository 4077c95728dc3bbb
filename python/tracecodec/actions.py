"""A trace of packet actions, or a part of one: a column for each field."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator

import msgpack
import numpy as np

from .errors import StreamError
from .octets import OBJECT, Input, packer, unpacker

# What a number means where it is absent, if that is the same in every packet; tc-records(5), FIELDS.
ABSENT = {"dt": 0, "flow": 0, "dir": 0, "len": 0, "flags": 16, "tsval": 0, "tsecr": 0, "seq": 0, "ack_same": 0, "open": 0,
          "label": 0, "no_echo": 0, "urgent": 0, "as_is": 0}
# The fields by the kind of their values. A field that is in none of these is new to this package, and has any values.
NUMBERS = frozenset(
    "dt flow dir len ack win id flags tsval tsecr seq ack_same pad ttl open orig_p resp_p proto mss wscale type code rest frag "
    "tos cap label no_checksum no_echo urgent frag_id ip_hl ip_len udp_len tcp_off as_is".split())
LISTS = frozenset("opts sack tags link ext quote".split())
REFERENCES = frozenset("orig_h resp_h src_mac dst_mac target sha tha quote_src quote_dst".split())
LIST, TEXT = 40, 45  # numbers of a list, and octets of a text, at most


@dataclass(repr=False)
class Actions:
    """n packet actions, in their order.

    header   the stream's header, as tc-records(5) has it
    mask     (n,) uint64: bit i is set where field i of header["fields"] is present
    columns  name -> (n,) array: int64, 0 where the field is absent; for lists and references object, None where it is
             absent. A field that no packet has is not there.
    end      "whole", "cut" or "interrupted"; None in a part that isn't the trace's last
    trace    which trace of its stream this is, from 0
    first    which packet of the trace comes first here, from 0
    passed_over  records of kinds that this package doesn't know

    Units are the header's: dt in nanoseconds, lengths in octets.
    """

    header: dict[str, Any]
    mask: np.ndarray
    columns: dict[str, np.ndarray]
    end: str | None = "whole"
    trace: int = 0
    first: int = 0
    passed_over: int = 0
    kind = "actions"

    def __len__(self) -> int:
        return len(self.mask)

    def __repr__(self) -> str:
        return f"<Actions: {len(self)} packets, fields {' '.join(self.columns) or 'none'}, end {self.end}>"

    @property
    def fields(self) -> list[str]:
        """All fields that a packet may have, in the order of the mask's bits."""
        return self.header["fields"]

    def bit(self, name: str) -> np.uint64:
        try:
            return np.uint64(1 << self.fields.index(name))
        except ValueError:
            raise KeyError(name) from None

    def present(self, name: str) -> np.ndarray:
        """(n,) bool: which packets have the field."""
        return (self.mask & self.bit(name)) != 0

    def __getitem__(self, name: str) -> np.ndarray:
        """The field of all packets, (n,). Numbers whose absence means the same everywhere, such as a len of 0, are filled in;
        other absent ones are masked (numpy.ma). Lists and references are objects, None where absent."""
        here, whole = self.present(name), self.columns.get(name)
        if self._objects(name):
            return np.full(len(self), None) if whole is None else whole
        if whole is None:
            whole = np.zeros(len(self), np.int64)
        if name in ABSENT:
            return np.where(here, whole, ABSENT[name])
        return np.ma.MaskedArray(whole, ~here)

    def __setitem__(self, name: str, values: Any) -> None:
        """Gives the field to all packets."""
        self.put(name, values)

    def put(self, name: str, values: Any, where: Any = slice(None)) -> None:
        """Gives the field to the packets that where picks: an index, a list of them, a slice, or an (n,) bool. values: one for
        all, or one for each of them."""
        bit, old = self.bit(name), self.columns.get(name)
        objects = self._objects(name)
        column = np.full(len(self), None) if objects else np.zeros(len(self), np.int64)
        if old is not None:
            column[:] = old
        index = np.atleast_1d(np.arange(len(self))[where])
        if objects:
            each: Any = values if isinstance(values, np.ndarray) and values.dtype == object else [values] * len(index)
            for i, v in zip(index, each):
                column[i] = v
        else:
            column[index] = values
        mask = self.mask.copy()
        mask[index] |= bit
        self.mask, self.columns[name] = mask, column

    def drop(self, name: str, where: Any = slice(None)) -> None:
        """Takes the field from these packets: it is what the state predicts then."""
        bit, old = self.bit(name), self.columns.get(name)
        self.mask = self.mask.copy()
        self.mask[where] &= ~bit
        if old is not None:
            self.columns[name] = column = old.copy()
            column[where] = None if self._objects(name) else 0

    def _objects(self, name: str) -> bool:
        return name not in NUMBERS

    @property
    def times(self) -> np.ndarray:
        """(n,) int64: nanoseconds since 1970 of each packet. Of a part of a trace: since the packet before it."""
        start = self.header["start"] if self.first == 0 else 0
        with np.errstate(over="ignore"):
            return start + np.cumsum(self["dt"], dtype=np.int64)

    def take(self, where: Any) -> "Actions":
        """Some of the packets, in the order in which where (a slice, indices, or an (n,) bool) picks them, each at its time.
        What the others named or opened is not in it; tc-edit(1) cuts so that it is."""
        index = np.atleast_1d(np.arange(len(self))[where])
        start = self.header["start"] if self.first == 0 else 0
        out = Actions(self.header, self.mask[index], {k: v[index] for k, v in self.columns.items()}, "whole")
        steps = np.diff(self.times[index], prepend=np.int64(start))
        if len(index) and (steps != out["dt"]).any():
            out.put("dt", steps)
            out.drop("dt", steps == 0)
        return out

    def record(self, i: int) -> dict[str, Any]:
        """One packet: its fields that are present, by name."""
        mask = int(self.mask[i])
        values = {f: self.columns[f][i] for b, f in enumerate(self.fields) if mask >> b & 1}
        return {f: int(v) if isinstance(v, np.integer) else v for f, v in values.items()}

    def records(self) -> Iterator[dict[str, Any]]:
        return map(self.record, range(len(self)))

    @staticmethod
    def of(header: dict[str, Any], records: Iterable[dict[str, Any]], end: str = "whole") -> "Actions":
        """A trace of packets that are given as maps from field to value."""
        return columns(header, [packed(header, r) for r in records], end=end)

    @staticmethod
    def of_columns(header: dict[str, Any], columns: Any, end: str = "whole") -> "Actions":
        """A trace of a map from field to column, (n,) each: a pandas.DataFrame as frame() gives it, or arrays as a[field] gives
        them. What is masked, NA or None is absent, and so is a number that says what its absence means. Where there is a column
        "t", times, that counts, and not "dt"."""
        out = Actions(header, np.zeros(len(columns["t" if "t" in columns else next(iter(columns))]), np.uint64), {}, end)
        for name in header["fields"]:
            if name in columns and not (name == "dt" and "t" in columns):
                values, absent = _values(columns[name], out._objects(name))
                if name in ABSENT:
                    absent |= values == ABSENT[name]
                if not absent.all():
                    out.put(name, values[~absent], ~absent)
        if "t" in columns and len(out):
            steps = np.diff(np.asarray(columns["t"]).astype(np.int64), prepend=np.int64(header["start"]))
            out.put("dt", steps[steps != 0], steps != 0)
        return out

    def frame(self) -> Any:
        """A pandas.DataFrame: time ("t", datetime64[ns]), and a column for each field that any packet has. Numbers whose absence
        means the same everywhere are int64, others Int64 with NA, lists and references objects."""
        import pandas

        out = {"t": self.times.view("datetime64[ns]")}
        for name in self.fields:
            if name in self.columns:
                v = self[name]
                out[name] = (pandas.arrays.IntegerArray(v.data.copy(), np.ma.getmaskarray(v).copy())
                             if isinstance(v, np.ma.MaskedArray) else v)
        return pandas.DataFrame(out)

    def _octets(self) -> tuple[list[bytes], int]:
        """The records, and how many of them open a flow."""
        out: list[Any] = [None] * len(self)
        kinds, inverse = np.unique(self.mask, return_inverse=True)
        order, ends = np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse, minlength=len(kinds)))
        pack = packer().pack
        for mask, index in zip(kinds.tolist(), np.split(order, ends[:-1])) if len(kinds) else ():
            rows: Iterable[tuple] = zip(*(self.columns[f][index].tolist() for f in named(self.fields, mask)))
            for i, row in zip(index.tolist(), rows if mask else ((),) * len(index)):
                out[i] = pack((mask, *row))
        return out, int((self["open"] != 0).sum()) if "open" in self.fields else 0


def _values(column: Any, objects: bool) -> tuple[np.ndarray, np.ndarray]:
    """The values of a column, and which of them are absent."""
    if hasattr(column, "isna"):
        absent = column.isna().to_numpy(bool)
        return (column if objects else column.fillna(0)).to_numpy(object if objects else np.int64), absent
    if objects:
        return column, np.array([v is None for v in column], bool)
    return np.ma.getdata(column), np.ma.getmaskarray(np.ma.asarray(column)).copy()


def named(fields: list[str], mask: int) -> list[str]:
    return [f for i, f in enumerate(fields) if mask >> i & 1]


def packed(header: dict[str, Any], action: dict[str, Any]) -> list[Any]:
    """An action as the array that stands in the stream."""
    fields = header["fields"]
    for name in action:
        if name not in fields:
            raise KeyError(name)
    return [sum(1 << i for i, f in enumerate(fields) if f in action), *(action[f] for f in fields if f in action)]


def unpacked(header: dict[str, Any], record: list[Any]) -> dict[str, Any]:
    """The other way; ValueError says what is wrong with the record."""
    why = wrong(header, record)
    if why:
        raise ValueError(why)
    return dict(zip(named(header["fields"], record[0]), record[1:]))


def _sound(name: str, v: Any) -> bool:
    """Whether this is a value of the field."""
    if name in LISTS:
        return type(v) is list and len(v) <= LIST and set(map(type, v)) <= {int}
    if name in REFERENCES:
        if type(v) is list:
            return 2 <= len(v) <= 4 and all(type(x) is int and 0 <= x < 2**32 for x in v)
        return type(v) is int and v >= 0 or type(v) is str and len(v.encode("utf-8", "surrogateescape")) <= TEXT
    return name not in NUMBERS or type(v) is int


def wrong(header: dict[str, Any], record: list[Any]) -> str | None:
    """What is wrong with a packet record."""
    fields = header["fields"]
    if type(record) is not list or not record or type(record[0]) is not int or record[0] < 0:
        return "not an array that begins with a mask"
    if record[0] >> len(fields):
        return "the mask names fields that the header doesn't"
    if len(record) != 1 + bin(record[0]).count("1"):
        return "as many values as the mask has bits are wanted"
    return next((f for f, v in zip(named(fields, record[0]), record[1:]) if not _sound(f, v)), None)


class Damage(Exception):
    """Record i (from 0) of those given can't be one."""


def columns(header: dict[str, Any], records: list[list[Any]], **more: Any) -> Actions:
    """The arrays of records; packets with the same mask have the same fields, and go together."""
    fields, n = header["fields"], len(records)
    try:
        first = [r[0] for r in records]
        if set(map(type, first)) - {int}:
            raise TypeError
        mask = np.array(first, np.uint64)
        kinds, inverse = np.unique(mask, return_inverse=True)
        counts = np.array([bin(m).count("1") + 1 for m in kinds.tolist()] or [1])
        if (np.fromiter(map(len, records), np.int64, n) != (counts[inverse] if n else 0)).any() or (
                n and int(kinds[-1]) >> len(fields)):
            raise TypeError
        out: dict[str, np.ndarray] = {}
        order, ends = np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse, minlength=len(kinds)))
        for m, index in zip(kinds.tolist(), np.split(order, ends[:-1])) if n else ():
            values = zip(*[records[i] for i in index.tolist()])
            next(values)
            for name, v in zip(named(fields, m), values):
                _fill(out, name, n, index, v)
    except (TypeError, IndexError, OverflowError, ValueError):
        for i, r in enumerate(records):
            why = wrong(header, r)
            if why:
                raise Damage(i, why) from None
        raise
    return Actions(header, mask, {f: out[f] for f in fields if f in out}, **more)


def _fill(out: dict[str, np.ndarray], name: str, n: int, index: np.ndarray, v: tuple) -> None:
    objects = name not in NUMBERS
    if name not in out:
        out[name] = np.full(n, None) if objects else np.zeros(n, np.int64)
    if not objects:
        if set(map(type, v)) - {int}:
            raise TypeError
        try:
            out[name][index] = v
        except OverflowError:  # larger than any field can be: as large as can be, as the programs take it
            out[name][index] = [min(x, 2**63 - 1) for x in v]
        return
    if not all(map(functools.partial(_sound, name), v)):
        raise TypeError
    column = np.empty(len(v), object)
    for i, x in enumerate(v):  # numpy would make an array of two dimensions of lists
        column[i] = x
    out[name][index] = column


def joined(parts: list[Actions]) -> Actions:
    """A trace of its parts."""
    if len(parts) == 1:
        return parts[0]
    first, n, out = parts[0], sum(map(len, parts)), {}
    for name in first.fields:
        if any(name in p.columns for p in parts):
            column = np.full(n, None) if first._objects(name) else np.zeros(n, np.int64)
            at = 0
            for p in parts:
                if name in p.columns:
                    column[at:at + len(p)] = p.columns.pop(name)
                at += len(p)
            out[name] = column
    return Actions(first.header, np.concatenate([p.mask for p in parts]), out, parts[-1].end, first.trace,
                   passed_over=parts[-1].passed_over)


@dataclass
class Reader:
    """Takes the packet records that stand next in an input."""

    header: dict[str, Any]
    records: list[list[Any]] = field(default_factory=list)
    octets: list[int] = field(default_factory=list)  # where each ends
    start: int = 0  # where the first begins
    refill: int = -1

    def __len__(self) -> int:
        return len(self.records)

    def fill(self, s: Input, limit: int) -> bool:
        """Until there are limit, or the input has no more records at hand: whether more of it may help."""
        if self.refill != s.refills:
            self.unpacker, self.refill = unpacker(), s.refills
            self.unpacker.feed(memoryview(s.data)[s.at:])
            self.fed = s.octet
        if not self.records:
            self.start = s.octet
        unpack, tell, end = self.unpacker.unpack, self.unpacker.tell, s.octet
        try:
            while len(self.records) < limit:
                r = unpack()
                if type(r) is not list:
                    self.refill = -1
                    return False
                begun, end = end, self.fed + tell()
                if end - begun > OBJECT:
                    raise StreamError("not a record", octet=begun)
                self.records.append(r)
                self.octets.append(end)
        except msgpack.OutOfData:
            self.refill = -1
            return True
        except (ValueError, msgpack.UnpackException):
            self.refill = -1
            return False
        finally:
            s.at = end - s.base
        return False

    def take(self, **more: Any) -> Actions:
        """What was read, as arrays; StreamError where a record can't be one, and then those before it are still here."""
        try:
            out = columns(self.header, self.records, **more)
        except Damage as e:
            i, why = e.args
            begins = self.octets[i - 1] if i else self.start
            self.records, self.octets = self.records[:i], self.octets[:i]
            raise StreamError(f"damaged ({why})", more["first"] + i + 1, begins) from None
        self.records, self.octets = [], []
        return out
