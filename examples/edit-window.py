#!/usr/bin/env python3
"""edit-window.py CAPTURE OUT FACTOR: every TCP window times FACTOR, by moving latents; 5 % off at most.

Metrics of tc-diff that move with it: the anomalies that Wireshark tells by the window: zero_window and keep_alive; duplicate_ack,
which has the window of the acknowledgement before; and what depends on it, retransmission, fast_retransmission and out_of_order.

What can't be moved so: a packet whose window is not in its action has the one of its direction's packet before, and follows it; a
window beyond 65535 is cut there, and its scale, which only a SYN says, stays.
"""
import latent_edit

latent_edit.scale(__doc__, "win", 1, 65535, tied=["anomaly." + name for name in (
    "zero_window", "keep_alive", "duplicate_ack", "retransmission", "fast_retransmission", "out_of_order")])
