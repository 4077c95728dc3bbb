#!/usr/bin/env python3
"""live.py: reads a stream of latents as it comes, and prints a line for each second: packets, and packets in flows that weren't
there before. live.sh runs it."""
import signal
import sys
import time

import tracecodec as tc

seen: set[int] = set()
packets = new = 0
then = time.monotonic()


def say() -> None:
    global packets, new, then
    print(f"{packets:6d} packets, {new:4d} flows that weren't there before", flush=True)
    packets, new, then = 0, 0, time.monotonic()


# ^C ends the stream, which is read to its end; that it was interrupted is no error here.
signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    for part in tc.blocks("-", partial=True):
        slots = set(part.slots.tolist())
        packets, new = packets + len(part), new + len(slots - seen)
        seen |= slots
        if time.monotonic() - then >= 1:
            say()
except tc.StreamError as error:
    sys.exit(f"live.py: {error}")
say()
