"""What goes wrong, as exceptions."""

from __future__ import annotations


class Error(Exception):
    """Anything that this package says."""


class StreamError(Error):
    """A stream that is damaged, broke off, or was interrupted.

    record: the packet of its trace that it is about, counted from 1; None where it is about no packet.
    octet: where in the input the object begins that it is about, counted from 0.
    """

    def __init__(self, why: str, record: int | None = None, octet: int | None = None):
        place = " ".join(filter(None, [
            None if record is None else f"record {record}",
            None if octet is None else f"(octet {octet})" if record is not None else f"octet {octet}"]))
        super().__init__(f"{place}: {why}" if place else why)
        self.record = record
        self.octet = octet


class ProgramError(Error):
    """A program that failed: which one, its exit status (negative: the signal that ended it), what it said, and what it had
    written. Of a capture that breaks off, read(e.output, partial=True) is what could be lifted."""

    def __init__(self, program: str, status: int, said: str, output: bytes = b""):
        super().__init__(said.strip() or f"{program}: exit status {status}")
        self.program = program
        self.status = status
        self.said = said
        self.output = output


class ProgramWarning(UserWarning):
    """What a program said on standard error, though it succeeded."""
