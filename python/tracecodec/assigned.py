"""The blocks of a latent that are assigned, not learned: who and when, of tc-latents(5), for whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

_ENDS = [0, 8, 14, 20, 26, 32, 64]  # octaves where a ramp begins, and the last one ends
_RAMP, _FINE = np.float32(0.7), np.float32(1.7)  # where they end as coordinates
WHEN = ("sign", "ramp_8", "ramp_14", "ramp_20", "ramp_26", "ramp_32", "ramp_64", "fine")


def _length(v: np.ndarray) -> np.ndarray:
    """Bits of each number below 2^63; a float's exponent would be rounded."""
    n = np.zeros(v.shape, np.int64)
    left = v.astype(np.uint64)
    for bits in (32, 16, 8, 4, 2, 1):
        over = left >> np.uint64(bits) != 0
        n += np.where(over, bits, 0)
        left = np.where(over, left >> np.uint64(bits), left)
    return n + (left != 0)


def _middle(cell: np.ndarray, cells: int) -> np.ndarray:
    """Of a cell of so many between -1 and 1, rounded as the programs do."""
    return (2 * cell + 1).astype(np.float32) / np.float32(cells) - 1


def when_of(steps: Any) -> np.ndarray:
    """(n, 8) float32: the coordinates of time steps, (n,) nanoseconds."""
    steps = np.maximum(np.asarray(steps, np.int64), 1 - 2**63)
    d = np.abs(steps)
    length = _length(d)
    over = length - 17
    short = 65536 * (length - 1) + (d << np.maximum(-over, 0))
    long = 65536 * (length - 1) + ((d >> np.maximum(over - 1, 0)) + 1) // 2
    place = np.where(length == 0, 0, np.where(over <= 0, short, long))
    cell, fine = np.divmod(np.minimum(place, 2**22 - 1), 1024)
    z = [np.where(steps < 0, -1.0, 1.0)]
    for first, end in zip(_ENDS, _ENDS[1:]):
        i, n = cell - 64 * first, 64 * (end - first)
        z.append(np.where(i < 0, -1, np.where(i >= n, 1, _middle(i, n) * _RAMP)))
    z.append(_middle(fine, 1024) * _FINE)
    return np.stack(z, -1).astype(np.float32)


def steps_of(when: np.ndarray, resolution: str = "ns") -> np.ndarray:
    """(n,) int64 nanoseconds: the steps of coordinates (n, 8), as tc-dec(1) has them. resolution: the header's."""
    z = np.asarray(when, np.float32)
    unit = {"ns": 1, "us": 1000}[resolution]
    total = np.zeros(z.shape[0], np.float32)
    for r, (first, end) in enumerate(zip(_ENDS, _ENDS[1:]), 1):
        total += np.clip((z[:, r] / _RAMP + 1) / 2, 0, 1) * np.float32(64 * (end - first))
    cell = np.clip(total, 0, 4095).astype(np.int64)
    fine = np.clip((z[:, 7] / _FINE + 1) / 2 * 1024, 0, 1023).astype(np.int64)
    place = cell << 10 | fine
    length = place >> 16
    v = 65536 | place & 65535
    step = np.where(length > 16, v << np.clip(length - 17, 0, 46), ((v >> np.clip(16 - length, 0, 16)) + 1) // 2)
    step = np.where(length == 0, 0, step)
    step = np.minimum(step // unit + (step % unit >= (unit + 1) // 2), (2**63 - 1) // unit) * unit
    return np.where(z[:, 0] < 0, -step, step)


def who_of(slots: Any) -> np.ndarray:
    """(n, 2) float32: the coordinates of slots, (n,) numbers from 0 to 1048575."""
    v = np.asarray(slots, np.int64) + 1
    octave = _length(v) - 1
    over = octave - 7
    up, down = np.maximum(over, 0), np.maximum(-over, 0)
    cell = 128 * octave + np.where(over <= 0, (v << down) % 128 + (1 << down) // 2, (v >> up) % 128)
    low = (v % (1 << up) * 4096 >> up) + (4096 >> up) // 2
    return np.stack([(cell - 1344) / 1024, np.where(over <= 0, 0, low / 2048 - 1)], -1).astype(np.float32)


def slots_of(who: np.ndarray) -> np.ndarray:
    """(n,) int64: the slots that coordinates (n, 2) name, as tc-dec(1) has them."""
    z = np.asarray(who, np.float32)
    half = np.float32(0.5)
    cell = np.clip(z[:, 0] * np.float32(1024) + np.float32(1344) + half, 0, 2687).astype(np.int64)
    low = np.clip(z[:, 1] * np.float32(2048) + np.float32(2048) + half, 0, 4095).astype(np.int64)
    octave, rest = cell >> 7, cell & 127
    over = octave - 7
    up, down = np.maximum(over, 0), np.maximum(-over, 0)
    v = np.where(over <= 0, 128 + rest >> down, (128 + rest << up) + (low >> np.clip(12 - up, 0, 12)))
    return np.clip(v - 1, 0, 2**20 - 1)
