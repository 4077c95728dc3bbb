#!/usr/bin/env python3
"""edit-mix.py CAPTURE OUT FROM TO SHARE: another mix of services: of the flows to port FROM a SHARE (0 to 1), drawn at random, goes
to port TO, by moving the latents of the packets that open them.

Metrics of tc-diff that move with it: mix.port, netshare.jsd_destination_port, and c2st, whose classifier sees the port.

What can't be moved so: the mix of IP protocols. A flow's protocol is said once, where it opens, but all its packets would have to
lose flags, windows and numbers, or get them: a packet of UDP and one of TCP differ in nearly every field, not in one. Leave
flows out, or merge others, with tc-edit(1); or generate, with tc-gen(1).
"""
import sys

import numpy as np

import latent_edit
import tracecodec as tc

TIED = ["mix.port", "netshare.jsd_destination_port", "c2st"]

if len(sys.argv) != 6:
    sys.exit(__doc__)
capture, out = sys.argv[1:3]
old, new, share = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
actions = tc.lift(capture, quiet=True)
latents = tc.encode(actions, quiet=True)
edited = latents.take(slice(None))
opens = actions["open"] == 1
of = np.flatnonzero(opens & (np.ma.filled(actions["resp_p"], -1) == old))
if not len(of):
    sys.exit(f"no flow to port {old}")
packets = np.sort(np.random.default_rng(1).permutation(of)[:round(share * len(of))])
moved = latent_edit.move(actions, edited, "resp_p", packets, np.full(len(packets), new), tolerance=0)
good = latent_edit.report(capture, latents, edited, TIED, out)
ports = np.ma.filled(tc.lift(out, quiet=True)["resp_p"], -1)
print(f"of {opens.sum()} flows {len(of)} went to port {old}, now {(opens & (ports == old)).sum()}; "
      f"{(opens & (ports == new)).sum()} go to port {new} ({share:.0%} were asked for)")
sys.exit(0 if good and moved >= 0.95 else 1)
