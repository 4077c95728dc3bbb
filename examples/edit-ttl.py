#!/usr/bin/env python3
"""edit-ttl.py CAPTURE OUT FACTOR: every TTL and hop limit times FACTOR, by moving latents; 5 % off at most.

Tied to it, of tc-diff's metrics: c2st, whose classifier sees TTLs. What can't be moved so: a packet whose TTL is not in its action takes
the one of its direction's packet before, or its host's last one, and so follows what is moved.
"""
import sys

import numpy as np

import latent_edit
import tracecodec as tc

TIED = ["c2st"]

if len(sys.argv) != 4:
    sys.exit(__doc__)
capture, out, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
actions = tc.lift(capture, quiet=True)
latents = tc.encode(actions, quiet=True)
edited = latents.take(slice(None))
packets = np.flatnonzero(actions.present("ttl"))
ttl = np.ma.getdata(actions["ttl"])[packets]
share = latent_edit.move(actions, edited, "ttl", packets, np.clip(np.rint(ttl * factor), 1, 255).astype(int))
good = latent_edit.report(capture, latents, edited, TIED, out)
sys.exit(0 if good and share >= 0.95 else 1)
