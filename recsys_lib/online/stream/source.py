"""Where a stream begins: files of JSON lines, and a Redis Stream that is drained into them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import redis

from recsys_lib.files import write_text

EVENT = "event"


def write_events(folder: Path, name: str, events: Iterable[Mapping | str]) -> Path:
    """Write events as one new file of a source, whole or not at all; return its path.

    Parameters
    ----------
    folder : Path
    name : str
        Without ending. A source reads a file once, so a name is used once.
    events : iterable of mappings or str
        A text is written as it is.
    """
    lines = [event if isinstance(event, str) else json.dumps(dict(event)) for event in events]
    path = Path(folder) / f"{name}.jsonl"
    write_text(path, "".join(f"{line}\n" for line in lines))
    return path


def send(client: redis.Redis, stream: str, events: Iterable[Mapping | str]) -> None:
    """Add events to a Redis Stream, all or none."""
    with client.pipeline() as trip:
        for event in events:
            text = event if isinstance(event, str) else json.dumps(dict(event))
            trip.xadd(stream, {EVENT: text.replace("\n", " ")})
        trip.execute()


def drain(
    client: redis.Redis, stream: str, folder: Path, *, at_most: int = 10_000, block_ms: int = 100
) -> int:
    """Move what is new in a Redis Stream into one file of a source; return how many events.

    The file is named by the last event in it. That name is all that the next call needs to know,
    so a kill between two steps neither loses an event nor moves one twice. One process drains a
    stream.

    Parameters
    ----------
    client : redis.Redis
    stream : str
        Key of the stream.
    folder : Path
        The source, for this stream alone.
    at_most : int
        Events in one file.
    block_ms : int
        How long to wait for the first event.
    """
    moved = [_position(path.stem) for path in Path(folder).glob("*-*.jsonl")]
    last = "{}-{}".format(*max(moved, default=(0, 0)))
    answer = client.xread({stream: last}, count=at_most, block=block_ms)
    if not answer:
        return 0
    ((_, entries),) = answer if isinstance(answer, list) else answer.items()
    milliseconds, number = _position(entries[-1][0].decode())
    lines = [content[EVENT.encode()].decode("utf-8", "replace") for _, content in entries]
    write_events(folder, f"{milliseconds:020d}-{number:020d}", lines)
    return len(lines)


def _position(text: str) -> tuple[int, int]:
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number)
