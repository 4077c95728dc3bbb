"""latent_edit.py: what edit-*.py share: to find out which way a field lies in the latents of these weights, to move latents that
way, and to show what tc-diff says of it. It knows no coordinate by its number: another training has others."""
from __future__ import annotations

import os
import sys
import tempfile

import numpy as np

import tracecodec as tc
from tracecodec.actions import Actions
from tracecodec.latents import Latents

STEPS = (1, 1.3, 0.7, 1.7, 0.4, 2.2, 3)  # of a direction's length: what is tried for a latent, in turn
ROUNDS = 4


def signs(values: np.ndarray, width: int) -> np.ndarray:
    """(n, 2 * width - 1): a number as signs: whether its length in bits is more than 0, 1, and so on, of which any code of the length
    is a sum; then the bits behind its leading one, Gray-coded as the codec has them, highest first; 0 where there are none."""
    v = np.asarray(values, np.int64)
    length = np.array([int(x).bit_length() for x in v])
    longer = np.where(np.arange(width) < length[:, None], 1.0, -1.0)
    place = length[:, None] - 2 - np.arange(width - 1)
    gray = (v ^ v >> 1)[:, None] >> np.maximum(place, 0) & 1
    return np.c_[longer, np.where(place >= 0, 2.0 * gray - 1, 0)]


class Directions:
    """Which way the latents of packets move when nothing but a field of theirs is another number.

    Measured: a few packets are taken, the field of each is changed in the actions, both are encoded, and the differences of the
    latents are averaged, one average for each bit of a number (least squares, since a change of a number changes several).
    """

    def __init__(self, actions: Actions, field: str, packets: np.ndarray, targets: np.ndarray, seed: int = 1):
        draw = np.random.default_rng(seed)
        sample = np.repeat(draw.choice(packets, min(len(packets), max(32, len(packets) // 8), 600), replace=False), 4)
        self.sample = len(np.unique(sample))
        old, new = np.ma.getdata(actions[field])[sample], draw.choice(targets, len(sample))
        self.width = max(int(max(old.max(), targets.max())).bit_length(), 2)
        before, after = actions.take(sample), actions.take(sample)
        after.put(field, new)
        moved = what_of(after) - what_of(before)
        change = signs(new, self.width) - signs(old, self.width)
        square = change.T @ change + 1e-3 * np.eye(change.shape[1])
        self.way = np.linalg.solve(square, change.T @ moved)  # (signs, coordinates of what)
        self.explained = 1 - ((moved - change @ self.way) ** 2).sum() / (moved**2).sum()

    def of(self, old: np.ndarray, new: np.ndarray) -> np.ndarray:
        """(n, coordinates of what)"""
        return ((signs(new, self.width) - signs(old, self.width)) @ self.way).astype(np.float32)


def what_of(actions: Actions) -> np.ndarray:
    """(n, coordinates of what): as the network gives them, without refinement."""
    return tc.encode(actions, quiet=True, no_patch=True, no_refine=True, latent_type="f32").what


def same_but(field: str, a: Actions, b: Actions) -> np.ndarray:
    """(n,) bool: which packets have every other field as it was; the time step apart, which take() makes anew."""
    apart = a.bit(field) | a.bit("dt")
    same = (a.mask | apart) == (b.mask | apart)
    for name in {*a.columns, *b.columns} - {field, "dt"}:
        same &= np.array([x == y for x, y in zip(np.ma.filled(a[name], 0), np.ma.filled(b[name], 0))], bool)
    return same


class Moved:
    """Latents of some packets on their way to targets of a field."""

    def __init__(self, actions: Actions, latents: Latents, field: str, targets: np.ndarray, tolerance: float):
        self.field, self.targets, self.tolerance = field, targets, tolerance
        self.latents, self.what = latents, latents.block("what")
        self.start = latents.z.copy()
        self.was = tc.decode(latents, quiet=True)
        self.value = np.ma.getdata(actions[field]).astype(np.int64)
        self.patched = np.isin(np.arange(len(latents)), list(latents.patches))

    def missing(self) -> np.ndarray:
        """(n,) bool: those without a patch that don't have their target."""
        return ~self.patched & (np.abs(self.value - self.targets) > self.tolerance * self.targets)

    def step(self, rows: np.ndarray, way: np.ndarray) -> None:
        """Moves the latents of rows by way, where that brings the field nearer and changes no other."""
        tried = self.latents.take(rows)
        tried.z[:, self.what] += way
        now = tc.decode(tried, quiet=True)
        got = np.ma.filled(now[self.field], -1)
        nearer = np.abs(got - self.targets[rows]) < np.abs(self.value[rows] - self.targets[rows])
        good = same_but(self.field, self.was.take(rows), now) & nearer
        self.value[rows[good]] = got[good]
        self.latents.z[rows[good]] = tried.z[good]


def move(actions: Actions, latents: Latents, field: str, packets: np.ndarray, targets: np.ndarray,
         tolerance: float = 0.05) -> float:
    """Moves the latents of packets so that their field becomes what targets says; prints how that went, and returns the share of
    the packets that have what was asked for.

    A latent is moved along its direction, decoded, and looked at. Where that brought the field nearer and changed no other, it
    goes on from there by what is missing; else a longer and a shorter way is tried. Where the common directions don't do, it takes
    the place of the packet with the other value, as tc-enc gives it. What then has not its target stays where it was; so do
    latents with a patch, since the decoder doesn't look at them.
    """
    m = Moved(actions.take(packets), latents.take(packets), field, targets, tolerance)
    free = np.flatnonzero(~m.patched)
    if not len(free):
        return 0.0
    directions = Directions(actions, field, packets[free], targets[free])
    way = directions.of(m.value[free], targets[free])
    for step in STEPS * ROUNDS:
        left = np.flatnonzero(m.missing())
        if len(left):
            m.step(left, np.float32(step) * directions.of(m.value[left], targets[left]))
    common = len(free) - m.missing().sum()

    # Where the common directions don't do: to where tc-enc, which refines, has the packet with the other value.
    left = np.flatnonzero(m.missing())
    m.latents.z[left] = m.start[left]
    m.value[left] = np.ma.getdata(m.was[field])[left]
    if len(left):
        should = m.was.take(left)
        should.put(field, targets[left])
        m.step(left, tc.encode(should, quiet=True, no_patch=True).what - m.start[left][:, m.what])
        left = np.flatnonzero(m.missing())
    latents.z[packets] = m.latents.z

    about = {row["index"]: ",".join(row["fields"][:2]) or "-" for row in tc.coordinates()}
    print(f"{field}: of {len(packets)} packets {common} have what was asked for, within {100 * tolerance:g} %, by directions measured "
          f"on {directions.sample}; {len(free) - common - len(left)} more by encoding them anew; {len(left)} can't be moved, "
          f"{m.patched.sum()} have a patch")
    print(f"the directions say {100 * directions.explained:.0f} % of how latents differ; they lie most in "
          + ", ".join(f"what.{i} ({about[i]})" for i in np.argsort(-np.abs(way).mean(0))[:4]))
    return (len(free) - len(left)) / len(packets)


def report(capture: str, latents: Latents, edited: Latents, tied: list[str], out: str) -> bool:
    """Compiles what was edited into the file out, by tc-compile --strict, and prints tc-diff's metrics before (the capture through
    the codec) and after. tied: the metrics, or groups of their names, that were foretold to move. Whether all others are within
    the capture's own variation."""
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "plain.pcap")
        tc.compile(tc.decode(latents, quiet=True), plain, quiet=True)
        tc.compile(tc.decode(edited, quiet=True), out, strict=True)
        before, after = (tc.diff(capture, x, quiet=True)["metrics"] for x in (plain, out))
    print(f"\n{'metric':24s} {'before':>10s} {'after':>10s} {'floor':>10s} unit")
    good, still = True, 0
    for name, m in after.items():
        then, now, floor = before[name]["value"], m["value"], m["floor"]
        if now is None:
            continue
        foretold = any(name == t or name.startswith(t + ".") for t in tied)
        # What the codec itself changed, by rounding times, is no work of this.
        within = now <= max(floor or 0, then * 1.001, 1e-9)
        good &= within or foretold
        if now == then and not foretold:
            still += 1
            continue
        print(f"{name:24s} {then:10.4g} {now:10.4g} {'n/a' if floor is None else format(floor, '10.4g'):>10s} {m['unit']:5s}"
              f"{' tied to it' if foretold else '' if within else ' NOT FORETOLD'}")
    print(f"{still} metrics didn't move; "
          + ("those that did, and are not tied to it, are within the floor" if good else "something moved that was not foretold"))
    return good


def scale(what: str, field: str, low: int, high: int, tied: list[str]) -> None:
    """The task of a script CAPTURE OUT FACTOR, of which `what` tells: the field, wherever an action has it, becomes FACTOR times what
    it was, low to high (0 stays 0). Exit status 0 where 95 % of the packets have what was asked for and nothing moved unforetold."""
    if len(sys.argv) != 4:
        sys.exit(what)
    capture, out, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
    actions = tc.lift(capture, quiet=True)
    latents = tc.encode(actions, quiet=True)
    edited = latents.take(slice(None))
    packets = np.flatnonzero(actions.present(field))
    value = np.ma.getdata(actions[field])[packets]
    targets = np.where(value, np.clip(np.rint(value * factor), low, high), 0).astype(int)
    share = move(actions, edited, field, packets, targets)
    good = report(capture, latents, edited, tied, out)
    sys.exit(0 if good and share >= 0.95 else 1)
