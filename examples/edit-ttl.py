#!/usr/bin/env python3
"""edit-ttl.py CAPTURE OUT FACTOR: every TTL and hop limit times FACTOR, by moving latents; 5 % off at most.

Metrics of tc-diff that move with it: c2st, whose classifier sees TTLs.

What can't be moved so: a packet whose TTL is not in its action takes the one of its direction's packet before, or its host's last
one, and so follows what is moved.
"""
import latent_edit

latent_edit.scale(__doc__, "ttl", 1, 255, tied=["c2st"])
