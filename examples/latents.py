#!/usr/bin/env python3
"""latents.py STREAM: what is in a stream of latents: how many, how far each block spreads, which coordinates move most and what
they are about, and which packets do almost the same as the first one.

Needs python/tracecodec; the programs in PATH.
"""
import sys

import numpy as np

import tracecodec as tc

if len(sys.argv) != 2:
    sys.exit(__doc__)
latents = tc.read(sys.argv[1])
n, d = latents.z.shape
print(f"{n} packets, {d} coordinates, {len(latents.patches)} with a patch, {np.unique(latents.slots).size} flows' slots, "
      f"{latents.steps.sum() / 1e9:.3f} s")

for name in "what", "who", "when":
    block = getattr(latents, name)
    print(f"{name:5s} {block.shape[1]:3d} coordinates, standard deviation {block.std(0).mean():.3f} on average")

about = {row["index"]: ", ".join(row["fields"]) or "-" for row in tc.coordinates()}
for i in np.argsort(-latents.what.std(0))[:5]:
    print(f"{latents.names[i]:8s} moves by {latents.what[:, i].std():.2f}: {about[i]}")

# What a packet does is a point: packets that do the same are near, whatever flow they are in.
distance = np.linalg.norm(latents.what - latents.what[0], axis=1)
print(f"{(distance < 0.1 * np.median(distance)).sum()} packets within a tenth of the usual distance of the first one")
