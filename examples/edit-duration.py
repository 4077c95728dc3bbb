#!/usr/bin/env python3
"""edit-duration.py CAPTURE OUT FACTOR: every flow lasts FACTOR times as long, and begins when it began, by moving the coordinates
of when and putting the latents in the new order; 10 % off at most.

Metrics of tc-diff that move with it: time, rtt, burst and interleave; the anomalies that Wireshark tells apart by time; c2st and
those of netshare that see times. Where there are VLAN tags, volume.octets too: a flow's first packet that names no tags has those
of the packet before it, which now is another.

What can't be moved so: packets up to the last one in which a flow names a host or link address, since what refers to the name must
come behind it; the rest is stretched the more. An ICMP error stays behind the opening of the flow that it quotes. A flow that
would run into the next one in its slot, or pause for longer than its time-out, is stretched only so far. It prints how many flows
are not as long as was asked for.
"""
import sys

import numpy as np

import latent_edit
import tracecodec as tc
from tracecodec.actions import REFERENCES

TIED = ["time", "rtt", "burst", "interleave", "anomaly.retransmission", "anomaly.fast_retransmission", "anomaly.out_of_order",
        "volume.octets", "c2st", "netshare.emd_iat", "netshare.emd_duration"]


def flows_of(actions: tc.Actions) -> np.ndarray:
    """(n,) int64: which flow each packet belongs to, in the order of their openings. After a time-out it is another one."""
    live: dict[int, int] = {}
    out, n = np.empty(len(actions), np.int64), 0
    for i, (slot, opens) in enumerate(zip(actions["flow"].tolist(), (actions["open"] != 0).tolist())):
        if opens or slot not in live:
            live[slot] = n
            n += 1
        out[i] = live[slot]
    return out


def idles(actions: tc.Actions) -> list[int]:
    """Nanoseconds of silence that end the flow of each packet: by the protocol that it was opened with; absent is TCP."""
    kinds, out, live = {6: "idle_tcp", 17: "idle_udp"}, [], {}
    for slot, opens, proto in zip(actions["flow"].tolist(), actions["open"].tolist(), np.ma.filled(actions["proto"], 6).tolist()):
        if opens == 1:
            live[slot] = kinds.get(proto, "idle_other")
        out.append(actions.header[live.get(slot, "idle_tcp")] * 10**9)
    return out


def bounds(actions: tc.Actions, times: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(flows,) the time up to which a flow has to stay as it is, at least that of its opening; (n,) the earliest time of each packet,
    for the sake of what it quotes."""
    names = np.zeros(len(actions), bool)  # a host or link address, or the suffix of one
    for field in REFERENCES & set(actions.columns):
        names |= np.array([isinstance(v, list) for v in actions[field]])
    anchor = np.zeros(flow.max(initial=-1) + 1, np.int64)
    earliest = np.full(len(actions), np.iinfo(np.int64).min)
    seen: set[int] = set()
    opened: dict[int, int] = {}  # slot -> when
    for i, (slot, f, name, quote) in enumerate(zip(actions["flow"].tolist(), flow.tolist(), names.tolist(), actions["quote"])):
        if f not in seen:
            opened[slot] = times[i]
        if f not in seen or name:
            anchor[f] = times[i]
        seen.add(f)
        if quote and quote[0] in opened:
            earliest[i] = opened[quote[0]] + 1000
    return anchor, earliest


def stretched(actions: tc.Actions, times: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray, int]:
    """(n,) times and (n,) keys to order packets by, in nanoseconds, and how many flows are not as long as was asked for."""
    unit = {"ns": 1, "us": 1000}[actions.header["resolution"]]
    flow = flows_of(actions)
    stay, earliest = bounds(actions, times, flow)
    opens, slots, idle_of = actions["open"] != 0, actions["flow"], idles(actions)
    following: dict[int, int] = {}  # slot -> until when its flow may last, for the next one
    to, key, short = times.copy(), times.copy(), 0
    parts = np.split(np.argsort(flow, kind="stable"), np.cumsum(np.bincount(flow))[:-1])
    for index in reversed(parts):
        t, start, slot = times[index], times[index[0]], int(slots[index[0]])
        anchor, idle = max(start, stay[flow[index[0]]]), idle_of[index[0]]
        until = following.get(slot)
        # Where it goes on after a time-out, the silence before stays one.
        following[slot] = start - (idle + 10**9 if actions["open"][index[0]] == 2 else unit)
        length, rest = (t - start).max(), (t - anchor).max()
        if length == 0:
            continue
        # What is behind the anchor gets as long as all of it should, less what is before.
        f = max(0.0, (length * factor - (anchor - start)) / rest) if rest > 0 and opens[index[0]] else 1.0
        if until is not None and rest > 0:
            f = min(f, max(1.0, (until - anchor) / rest))
        gaps = np.diff(np.maximum(t, anchor), prepend=anchor) * f
        moved = anchor + np.rint(np.minimum(gaps, 0.99 * idle).cumsum() / unit).astype(np.int64) * unit
        to[index] = np.maximum(np.where(t > anchor, moved, t), np.minimum(earliest[index], t))
        key[index] = np.maximum.accumulate(to[index])  # a flow's packets stay in their order
        short += abs(to[index].max() - start - length * factor) > 2 * unit + 0.01 * length
    return to, key, short


def main() -> int:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    capture, out, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
    actions = tc.lift(capture, quiet=True)
    latents = tc.encode(actions, quiet=True)
    # From here on it is the latents alone: what they decode to tells which packets open flows, and of which protocol.
    decoded = tc.decode(latents, quiet=True)
    to, key, short = stretched(decoded, latents.header["start"] + np.cumsum(latents.steps), factor)
    order = np.argsort(key, kind="stable")
    edited = latents.take(order)
    steps = np.diff(to[order], prepend=latents.header["start"])
    edited.z[:, edited.block("when")] = tc.when_of(steps)
    for i, action in edited.patches.items():  # where there is a patch the decoder doesn't look at the latent
        edited.patches[i] = {**action, "dt": int(steps[i])}
    print(f"{len(np.unique(flows_of(decoded)))} flows, of which {short} can't be as long as was asked for; "
          f"{(order != np.arange(len(order))).sum()} of {len(order)} packets have another place")
    good = latent_edit.report(capture, latents, edited, TIED, out)
    m = tc.diff(capture, out, quiet=True)["metrics"]["time.duration"]
    print(f"flows last {m['b'] / m['a']:.3f} times as long on average ({factor:g} asked for)")
    return 0 if good and abs(m["b"] / m["a"] / factor - 1) <= 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
