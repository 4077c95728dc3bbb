"""The octets of a stream, read and written: msgpack objects without anything between them, and the checksum of a trace."""

from __future__ import annotations

import io
import os
import stat
import zlib
from typing import Any, BinaryIO, Union

import msgpack

from .errors import StreamError

Source = Union[str, "os.PathLike[str]", bytes, BinaryIO]

CHUNK = 1 << 20
OBJECT = 1 << 16  # octets of one object, at most


def unpacker() -> msgpack.Unpacker:
    return msgpack.Unpacker(raw=False, object_pairs_hook=_map, unicode_errors="surrogateescape", max_ext_len=0)


def _map(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Keys that are no text mean nothing here, and may be what Python takes for no key."""
    out: dict[str, Any] = {}
    for key, value in pairs:
        if isinstance(key, str):
            out.setdefault(key, value)
    return out


def packer() -> msgpack.Packer:
    return msgpack.Packer(use_bin_type=True, unicode_errors="surrogateescape")


class Input:
    """What is read: data holds octets of the input from octet base on, of which those before at were taken."""

    def __init__(self, source: Source):
        self.owned = False
        if isinstance(source, (bytes, bytearray, memoryview)):
            self.file: Any = io.BytesIO(source)
        elif source == "-":
            self.file = os.fdopen(0, "rb", buffering=0, closefd=False)
        elif isinstance(source, (str, os.PathLike)):
            self.file = open(source, "rb", buffering=0)
            self.owned = True
        else:
            self.file = source
        self.data = b""
        self.at = 0
        self.base = 0
        self.crc = 0
        self.summed = 0  # octets of data that crc has seen
        self.refills = 0
        self.prompt = not self._regular()

    def __enter__(self) -> "Input":
        return self

    def __exit__(self, *_: object) -> None:
        if self.owned:
            self.file.close()

    def _regular(self) -> bool:
        """Whether all of the input is there already, so that nobody waits for a part of it."""
        try:
            return stat.S_ISREG(os.fstat(self.file.fileno()).st_mode)
        except (OSError, AttributeError):
            return isinstance(self.file, io.BytesIO)

    @property
    def octet(self) -> int:
        """Of the input: the next one to be taken."""
        return self.base + self.at

    def more(self) -> bool:
        """Reads on: false at the end of the input."""
        self.crc = zlib.crc32(memoryview(self.data)[self.summed:self.at], self.crc)
        read = getattr(self.file, "read1", self.file.read)
        new = read(CHUNK)
        self.base += self.at
        self.data = self.data[self.at:] + (new or b"")
        self.at = self.summed = 0
        self.refills += 1
        return bool(new)

    def begin(self) -> None:
        """A trace begins here."""
        self.crc, self.summed = 0, self.at

    def sum(self, less: int) -> int:
        """CRC-32 of the trace so far, but for the last octets taken, so many."""
        return zlib.crc32(memoryview(self.data)[self.summed:self.at - less], self.crc)

    def object(self, record: int | None = None) -> Any:
        """Takes the next object: EOFError at the end of the input. record: which one it is, for messages."""
        while True:
            found, size = self.look()
            if size:
                self.at += size
                return found
            if size is None:
                raise StreamError("not a record", record, self.octet)
            if not self.more():
                if not self.data:
                    raise EOFError
                raise StreamError("cut off", record, self.octet)

    def look(self) -> tuple[Any, int | None]:
        """The next object, and its octets: 0 where more input is needed, None where it is no object."""
        there = len(self.data) - self.at
        for size in (4096, OBJECT):
            u = unpacker()
            u.feed(memoryview(self.data)[self.at:self.at + size])
            try:
                return u.unpack(), u.tell()
            except msgpack.OutOfData:
                if there <= size:
                    break
            except (ValueError, msgpack.UnpackException):
                return None, None
        return None, 0 if there < OBJECT else None


def width(number: int) -> int:
    """Octets of a number from 0 to 2^32-1 in msgpack's shortest form."""
    return 1 if number < 1 << 7 else 2 if number < 1 << 8 else 3 if number < 1 << 16 else 5
