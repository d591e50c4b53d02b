"""Where a stream ends: a micro-batch and its number reach Redis in one transaction, or not at all.

Spark calls the sink at least once for each batch: after a crash it calls again for a batch whose
end it had not noted. The number of the batch lies beside the rows, in the same transaction, so the
second call sees that there is nothing left to do. The key is the number of the *whole* batch of
one query. A number for each partition would not do: what a partition holds may differ when a batch
is computed again (SPARK-28650).

=======================  ======  ================================================================
key                      type    what it holds
=======================  ======  ================================================================
``{prefix}:stream``      hash    query, batch, version, watermark (s since 1970), and how many
                                 events were accepted or set aside, by reason
``{prefix}:stream:ids``  zset    ids of the accepted events later than the watermark, by their time
=======================  ======  ================================================================
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from recsys_lib.errors import DataError
from recsys_lib.files import write_text
from recsys_lib.online.stream.events import REASONS, Rules
from recsys_lib.online.stream.features import EVENT_ID, LAST_EVENT, StreamUserFeatures
from recsys_lib.schema import TIMESTAMP, USER
from recsys_lib.stores import RedisFeatureStore

ACCEPTED = "accepted"
IDS_A_COMMAND = 1_000


class StreamSink:
    """Folds micro-batches into the current version of a store.

    Parameters
    ----------
    store : RedisFeatureStore
        Made with ``types=features.types``. It must hold a version: what a batch knew of all events
        before its ``as_of``, as :meth:`StreamUserFeatures.table` makes it.
    features : StreamUserFeatures
    rules : Rules
    set_aside : Path
        Folder for the events that do not count: a file of JSON lines for each batch.
    """

    def __init__(
        self,
        store: RedisFeatureStore,
        features: StreamUserFeatures,
        rules: Rules,
        set_aside: Path,
    ):
        self.store, self.features, self.rules = store, features, rules
        self.set_aside = Path(set_aside)
        self._state = f"{{{store.prefix}}}:stream"
        self._ids = f"{self._state}:ids"

    def apply(self, lines: Sequence[str], batch: int, query: str) -> bool:
        """Let a batch take effect; return whether it had not done so before.

        Parameters
        ----------
        lines : sequence of str
            See :meth:`Rules.sort`.
        batch : int
            Its number, from 0 on without gaps.
        query : str
            Whose numbers these are: the id in Spark's checkpoint.

        Raises
        ------
        DataError
            Redis and the checkpoint do not belong together.
        StoreUnavailable
            Redis does not answer.
        """

        def change(trip, version, read):
            state = {k.decode(): v.decode() for k, v in trip.hgetall(self._state).items()}
            if self._is_done(state, batch, query, version.name):
                return None
            # The version knows what came before its cut-off.
            watermark = float(state.get("watermark", version.as_of - 1))
            found = self.rules.sort(lines, watermark, lambda ids: self._known(trip, ids))
            # The file comes first: if this process dies now, the batch is written again.
            self._write_set_aside(query, batch, found.set_aside)
            users = sorted({event[USER] for event in found.accepted})
            rows = read(users)
            changed = self.features.fold(
                [rows.get(user, {USER: user}) for user in users], found.accepted
            )
            counts = Counter(reason for reason, _ in found.set_aside)
            counts[ACCEPTED] = len(found.accepted)
            times = {event[EVENT_ID]: event[TIMESTAMP] for event in found.accepted}
            new_watermark = max(times.values(), default=-1) - self.rules.delay_s
            new_watermark = max(new_watermark, watermark)

            def commands(trip) -> None:
                entry = {"query": query, "batch": batch, "watermark": repr(new_watermark)}
                entry["version"] = version.name
                trip.hset(self._state, mapping=entry)
                for name, count in sorted(counts.items()):
                    trip.hincrby(self._state, name, count)
                if times:
                    trip.zadd(self._ids, times)
                trip.zremrangebyscore(self._ids, "-inf", new_watermark)

            return changed, [row[LAST_EVENT] for row in changed], commands

        return self.store.transact(change, self._state, self._ids)

    def counts(self) -> dict[str, int]:
        """Return how many events were accepted, and how many set aside by reason, so far."""
        state = self.store.client.hgetall(self._state)
        texts = {key.decode(): value.decode() for key, value in state.items()}
        return {name: int(texts.get(name, 0)) for name in (ACCEPTED, *REASONS)}

    def watermark(self) -> float | None:
        """Return the time at or before which events are late; None before the first batch."""
        found = self.store.client.hget(self._state, "watermark")
        return None if found is None else float(found)

    def drop(self) -> None:
        """Forget the stream; the store's rows stay."""
        self.store.client.unlink(self._state, self._ids)

    def _is_done(self, state: dict, batch: int, query: str, version: str) -> bool:
        last = int(state["batch"]) if state else -1
        if state and state["query"] != query:
            raise DataError(
                f"Redis has been fed up to batch {last} by the stream {state['query']}, and this "
                f"is {query}: its numbers mean other batches. Start with the checkpoint that fed "
                "this Redis; or publish a new version, drop the stream's keys, and start anew."
            )
        if state and state["version"] != version:
            raise DataError(
                f"Version {version!r} has taken the place of {state['version']!r}, into which the "
                "stream wrote, and does not know what it wrote after the cut-off. Drop the "
                "stream's keys and let a new checkpoint read the events from the cut-off on."
            )
        if batch > last + 1:
            raise DataError(
                f"The stream goes on with batch {batch}, but Redis knows of none after {last}: it "
                "has lost its data, or is another one. Publish a version from the batch side, and "
                "start with a new checkpoint."
            )
        return batch <= last

    def _known(self, trip, ids: list[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), IDS_A_COMMAND):
            some = ids[start : start + IDS_A_COMMAND]
            scores = trip.zmscore(self._ids, some)
            known |= {name for name, score in zip(some, scores, strict=True) if score is not None}
        return known

    def _write_set_aside(self, query: str, batch: int, lines: list[tuple[str, str]]) -> None:
        if lines:
            entries = [json.dumps({"reason": reason, "line": line}) for reason, line in lines]
            path = self.set_aside / f"{query}-batch-{batch:09d}.jsonl"
            write_text(path, "".join(f"{entry}\n" for entry in entries))
