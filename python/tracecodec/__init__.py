"""TraceCodec's streams as numpy arrays, and its programs as functions.

    import tracecodec as tc

    day = tc.lift("day.pcap")                 # or tc.read("day.act")
    day["len"].sum(), day.times[-1]           # octets of payload; nanoseconds since 1970
    latents = tc.encode(day)                  # or tc.read("day.lat")
    latents.z                                 # (packets, coordinates), float32
    tc.compile(tc.decode(latents), "again.pcap")
    tc.diff("day.pcap", "again.pcap")["verdict"]

A trace is an Actions or a Latents; tc-records(5) and tc-latents(5) describe what they hold. read() takes a stream of one
trace, read_all() one of any number, blocks() gives both in pieces of bounded memory, and write() writes them. What is
damaged, cut off or interrupted is a StreamError; what a program says is a ProgramError.

With torch, which this package doesn't need:

    import torch
    z = torch.from_numpy(latents.z)           # the same memory, float32
    latents.z[:] = model(z).detach().numpy()  # and back
"""

from .actions import Actions
from .assigned import slots_of, steps_of, when_of, who_of
from .errors import Error, ProgramError, ProgramWarning, StreamError
from .latents import Latents
from .programs import compile, coordinates, decode, diff, edit, encode, generate, lift
from .stream import Writer, blocks, read, read_all, write
from .version import __version__

__all__ = [
    "Actions", "Latents", "read", "read_all", "blocks", "write", "Writer",
    "lift", "encode", "decode", "compile", "diff", "edit", "generate", "coordinates",
    "when_of", "steps_of", "who_of", "slots_of",
    "Error", "StreamError", "ProgramError", "ProgramWarning", "__version__",
]
