#!/usr/bin/env python3
"""latents.py STREAM: what is in a stream of latents: how many, how far each block spreads, which coordinates change most
packets and what they are about, and which packets are nearest to the one in the middle.

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

# The share: of how many packets the action changes when this coordinate alone moves by its standard deviation.
table = [row for row in tc.coordinates() if row["block"] == "what"]
for row in sorted(table, key=lambda row: -row["share"])[:5]:
    i = row["index"]
    print(f"{latents.names[i]:8s} is about {', '.join(row['fields'])}: share {row['share']:.2f}, "
          f"standard deviation {latents.what[:, i].std():.2f}")

# What a packet does is a point: packets that do the same are one point, whatever flow they are in, and similar ones are near.
points, at, count = np.unique(latents.what, axis=0, return_index=True, return_counts=True)
middle = n // 2
distance = np.linalg.norm(points - latents.what[middle], axis=1)
nearest = np.argsort(distance)[:6]
actions = tc.decode(latents)
print(f"{len(points)} different points; nearest to packet {middle}:")
for point in nearest:
    action = actions.record(int(at[point]))
    print(f"{distance[point]:6.2f} away, {count[point]:5d} packets:",
          {field: value for field, value in action.items() if field not in ("flow", "dt")})
