#!/usr/bin/env python3
"""edit-window.py CAPTURE OUT FACTOR: every TCP window times FACTOR, by moving latents; 5 % off at most.

Tied to it: the anomalies that Wireshark tells by the window: zero_window and keep_alive; duplicate_ack, which has the window of the
acknowledgement before; and what goes by that, retransmission, fast_retransmission and out_of_order.

What can't be moved so: a packet whose window is not in its action has the one of its direction's packet before, and follows it; a
window beyond 65535 is cut there, and its scale, which only a SYN says, stays.
"""
import sys

import numpy as np

import latent_edit
import tracecodec as tc

TIED = ["anomaly." + name for name in
        ("zero_window", "keep_alive", "duplicate_ack", "retransmission", "fast_retransmission", "out_of_order")]

if len(sys.argv) != 4:
    sys.exit(__doc__)
capture, out, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
actions = tc.lift(capture, quiet=True)
latents = tc.encode(actions, quiet=True)
edited = latents.take(slice(None))
packets = np.flatnonzero(actions.present("win"))
window = np.ma.getdata(actions["win"])[packets]
share = latent_edit.move(actions, edited, "win", packets, np.clip(np.rint(window * factor), window > 0, 65535).astype(int))
good = latent_edit.report(capture, latents, edited, TIED, out)
sys.exit(0 if good and share >= 0.95 else 1)
