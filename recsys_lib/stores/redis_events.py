"""Events that came after a batch: a log in Redis, and how each version catches up with it.

A batch job reads its data, computes for an hour, and publishes. What users did in that hour is in
the log; a version remembers the last event that its rows know of, and is brought up to date from
there, in transactions that either change rows and memory together or nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import redis

from recsys_lib.stores.feature_store import Version

VERSION = "#"  # the field of a version's hash that is no row
EVENTS_A_TRIP = 1_000
LAST_SEQUENCE = 2**64 - 1  # of the events of one millisecond

Fold = Callable[[list[dict], list[dict]], list[dict]]


@dataclass(frozen=True)
class Stored:
    """What the field ``#`` holds: the version, and the last event that its rows know of."""

    version: Version
    position: str

    @classmethod
    def fresh(cls, version: Version) -> "Stored":
        """Return what is stored of a batch: the first event to replay is one at its cut-off."""
        return cls(version, f"{int(version.as_of * 1000) - 1}-{LAST_SEQUENCE}")

    @classmethod
    def from_json(cls, text: bytes) -> "Stored":
        """Read what :meth:`to_json` wrote."""
        stored = json.loads(text)
        return cls(Version(**stored["version"]), stored["position"])

    def to_json(self) -> str:
        """Return it as the text that is stored."""
        return json.dumps({"version": asdict(self.version), "position": self.position})


class EventLog:
    """The log, a stream: an event's id begins with the millisecond in which it arrived.

    Parameters
    ----------
    client : redis.Redis
    name : str
        Key of the stream.
    clock : function
        Returns the time in s since 1970.
    fold : function
        ``fold(rows, events)`` returns the rows that the events touch, changed by them in order.
    """

    def __init__(self, client: redis.Redis, name: str, clock: Callable[[], float], fold: Fold):
        self.client = client
        self.name = name
        self.clock = clock
        self.fold = fold

    def append(self, events: Sequence[Mapping]) -> None:
        """Add events, all or none."""
        contents = [{"event": json.dumps(dict(event))} for event in events]
        arrived_ms = int(self.clock() * 1000)
        while True:
            with self.client.pipeline() as trip:
                for content in contents:
                    trip.xadd(self.name, content, id=f"{arrived_ms}-*")
                try:
                    trip.execute()
                    return
                except redis.ResponseError:
                    # Another writer's clock may be ahead; the log's time does not go back.
                    newest = self.client.xinfo_stream(self.name)["last-generated-id"]
                    newest_ms = _milliseconds(newest)
                    if newest_ms <= arrived_ms:
                        raise
                    arrived_ms = newest_ms

    def is_ahead_of(self, stored: Stored, trip) -> bool:
        """Tell whether there are events that a version does not know yet."""
        return bool(trip.xrange(self.name, min=f"({stored.position}", count=1))

    def catch_up(self, key: str) -> None:
        """Let the version under a key know all events there are; nothing if there is no version."""
        while self.client.transaction(
            lambda trip: self._apply_some(trip, key), key, value_from_callable=True
        ):
            pass

    def _apply_some(self, trip, key: str) -> bool:
        """Apply the next events; tell whether there were any."""
        text = trip.hget(key, VERSION)
        stored = Stored.from_json(text) if text else None
        found = stored and trip.xrange(self.name, min=f"({stored.position}", count=EVENTS_A_TRIP)
        if not found:
            return False
        version = stored.version
        events = [json.loads(content[b"event"]) for _, content in found]
        arrived = {
            event[version.key]: _milliseconds(name) / 1000
            for (name, _), event in zip(found, events, strict=True)
        }
        rows = rows_at(trip, key, version, list(arrived))
        changed = self.fold([rows.get(user, {version.key: user}) for user in arrived], events)
        fresh = packed_rows(version, changed, [arrived[row[version.key]] for row in changed])
        position = found[-1][0].decode()
        trip.multi()
        trip.hset(key, VERSION, Stored(version, position).to_json())
        trip.hset(key, mapping=fresh)
        return True


def rows_at(trip, key: str, version: Version, wanted: Sequence) -> dict:
    """Return those rows of a version that are there, by their keys; ``trip`` answers at once."""
    packed = trip.hmget(key, list(wanted)) if wanted else []
    there = {k: row for k, row in zip(wanted, packed, strict=True) if row is not None}
    rows, _ = version.row_format.unpack(list(there), list(there.values()))
    return dict(zip(there, rows, strict=True))


def packed_rows(version: Version, rows: Sequence[dict], times: Sequence[float]) -> dict:
    """Return rows as a version stores them, by their keys; ``times`` are in s since 1970."""
    row_format = version.row_format
    table = row_format.table(pa.Table.from_pylist(list(rows), row_format.arrow))
    packed = row_format.pack(table, np.asarray(times, np.float64))
    return dict(zip(table[version.key].to_pylist(), packed, strict=True))


def _milliseconds(event_id: bytes) -> int:
    return int(event_id.partition(b"-")[0])
