#!/usr/bin/env python3
"""halves.py IN FIRST SECOND: a capture (classic pcap, little-endian) cut in the middle of its packets."""

import struct
import sys

data = open(sys.argv[1], "rb").read()
at = [24]
while at[-1] < len(data):
    at.append(at[-1] + 16 + struct.unpack_from("<I", data, at[-1] + 8)[0])
middle = at[len(at) // 2]
open(sys.argv[2], "wb").write(data[:middle])
open(sys.argv[3], "wb").write(data[:24] + data[middle:])
