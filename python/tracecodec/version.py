"""The version of TraceCodec that this package comes with."""

__version__ = "0.10.0"
