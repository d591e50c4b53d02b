"""Events that reach user features while the service runs (S24)."""

from recsys_lib.online.stream.engine import query_of, start_stream
from recsys_lib.online.stream.events import REASONS, Rules, Sorted, parsed
from recsys_lib.online.stream.features import StreamUserFeatures
from recsys_lib.online.stream.sink import ACCEPTED, StreamSink
from recsys_lib.online.stream.source import drain, send, write_events

__all__ = [
    "ACCEPTED",
    "REASONS",
    "Rules",
    "Sorted",
    "StreamSink",
    "StreamUserFeatures",
    "drain",
    "parsed",
    "query_of",
    "send",
    "start_stream",
    "write_events",
]
