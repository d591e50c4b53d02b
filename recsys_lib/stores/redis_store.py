"""Features in Redis: a version is one hash, a reader asks one key, publishing is a rename.

========================  ========  ==============================================================
key                       type      what it holds
========================  ========  ==============================================================
``{prefix}:current``      hash      field ``#``: the version; a field for each row: its bytes
``{prefix}:previous``     hash      the version before, for a roll-back
``{prefix}:events``       stream    events since the cut-off of the older of the two
``{prefix}:staged:<id>``  hash      a version being written; it expires when its writer is killed
``{prefix}:staging``      string    the name of that key
``{prefix}:writer``       string    the lock of the one writer
========================  ========  ==============================================================

The version and its rows lie in one hash, and one command (HMGET) reads both, so an answer can't mix
two versions nor fall between them. The braces keep all keys of a store on one node of a cluster.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import redis
from redis.exceptions import LockError
from redis.lock import Lock

from recsys_lib.errors import DataError
from recsys_lib.stores.feature_store import FeatureStore, StoreUnavailable, Version, row_times
from recsys_lib.stores.redis_events import (
    VERSION,
    EventLog,
    Fold,
    Stored,
    packed_rows,
    rows_at,
)

ROWS_A_COMMAND = 500  # Redis does nothing else meanwhile: half a millisecond
COMMANDS_A_TRIP = 8


class RedisFeatureStore(FeatureStore):
    """Features in Redis, with events that reach the rows at once.

    Parameters
    ----------
    client : redis.Redis
        Of :class:`~recsys_lib.stores.RedisServer`, or of anybody's server of version 7 or later.
    prefix : str
        Of all keys; stores of different prefixes do not meet.
    fold : function, optional
        Says what events change: ``fold(rows, events)`` gets the rows that the events touch (of an
        unknown key the key alone) and the events in order, and returns those rows anew. A store
        without it takes no events.
    lease_s : float
        A writer that is silent for so long counts as killed.
    **settings
        See :class:`FeatureStore`.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str = "user",
        fold: Fold | None = None,
        lease_s: float = 10.0,
        **settings,
    ):
        super().__init__(**settings)
        self.client = client
        self.prefix = prefix
        self.lease_s = lease_s
        self._current, self._previous, self._events, self._staging, self._writer = (
            f"{{{prefix}}}:{name}"
            for name in ("current", "previous", "events", "staging", "writer")
        )
        self._log = fold and EventLog(client, self._events, self.clock, fold)
        self._last_read: tuple[bytes, Version] | None = None

    def current(self) -> Version | None:
        """Return the version that readers see, or None before the first."""
        return self._version_at(self._current)

    def previous(self) -> Version | None:
        """Return the version that :meth:`roll_back` would make current, or None."""
        return self._version_at(self._previous)

    def roll_back(self) -> Version:
        """Make the previous version current: see :meth:`FeatureStore.roll_back`.

        Events that came since it was replaced are replayed into it first.
        """

        def swap(trip) -> Version:
            previous = trip.hget(self._previous, VERSION)
            if previous is None:
                raise DataError("There is no earlier version to roll back to.")
            aside = self._new_key()
            trip.multi()
            trip.rename(self._current, aside)
            trip.rename(self._previous, self._current)
            trip.rename(aside, self._previous)
            return Stored.from_json(previous).version

        with self._answering():
            return self._once_caught_up(self._previous, swap)

    def append(self, events: Sequence[Mapping]) -> None:
        """Take events and let them change the rows of the current version at once.

        A version that is published later with an earlier cut-off replays them before it becomes
        current, and so does an earlier version before a roll-back: no event is lost at a switch.

        Parameters
        ----------
        events : sequence of mappings
            Each with the key and whatever ``fold`` reads, as JSON takes it. ``fold`` must take all
            of them: one at which it fails holds up those after it.

        Raises
        ------
        DataError
            The store was made without ``fold``.
        StoreUnavailable
            Redis does not answer.
        """
        if self._log is None:
            raise DataError("This store takes no events: make it with fold=, which applies them.")
        if any(self.key not in event for event in events):
            raise DataError(f"Each event names its {self.key}; one of these does not.")
        with self._answering():
            self._log.append(events)
            self._log.catch_up(self._current)

    def transact(self, change: Callable, *watched: str) -> bool:
        """Change rows of the current version, and keys that belong to them, in one transaction.

        Parameters
        ----------
        change : function
            ``change(trip, version, read)`` reads other keys through ``trip``, a pipeline that
            answers at once, and rows by ``read(keys)``, a dict of those that are there. It returns
            None to change nothing, else ``(rows, times, commands)``: rows with the key, the moment
            of each in s since 1970, and ``commands(trip)``, which adds what is written with them.
            It is called again when somebody else has written meanwhile.
        *watched : str
            The other keys that it reads.

        Returns
        -------
        bool
            Whether anything was changed.

        Raises
        ------
        DataError
            There is no version yet.
        StoreUnavailable
            Redis does not answer.
        """

        def attempt(trip) -> bool:
            stored = trip.hget(self._current, VERSION)
            if stored is None:
                raise DataError(f"The store {self.prefix!r} has no version: publish one first.")
            version = Stored.from_json(stored).version
            changed = change(trip, version, partial(rows_at, trip, self._current, version))
            if changed is None:
                return False
            rows, times, commands = changed
            packed = packed_rows(version, rows, times)
            trip.multi()
            if packed:
                trip.hset(self._current, mapping=packed)
            commands(trip)
            return True

        with self._answering():
            return self.client.transaction(
                attempt, self._current, *watched, value_from_callable=True
            )

    def drop(self) -> None:
        """Remove the store with all its versions and events."""
        with self._answering():
            staged = self.client.get(self._staging)
            names = (self._current, self._previous, self._events, self._staging, self._writer)
            self.client.unlink(*names, *([staged] if staged else []))

    def _publish(self, version, table, rows) -> None:
        packed = version.row_format.pack(table, row_times(rows, version))
        keys = table[version.key].to_pylist()
        lease_ms = int(self.lease_s * 1000)
        with self._answering(), self._writing() as lock:
            self._check(version)
            staged = self._new_key()
            with self.client.pipeline() as trip:
                trip.set(self._staging, staged)
                trip.hset(staged, VERSION, Stored.fresh(version).to_json())
                trip.pexpire(staged, lease_ms)
                trip.execute()
            a_trip = ROWS_A_COMMAND * COMMANDS_A_TRIP
            for start in range(0, len(keys), a_trip):
                with self.client.pipeline(transaction=False) as trip:
                    for first in range(start, min(start + a_trip, len(keys)), ROWS_A_COMMAND):
                        some = slice(first, first + ROWS_A_COMMAND)
                        pairs = zip(keys[some], packed[some], strict=True)
                        trip.hset(staged, items=[part for pair in pairs for part in pair])
                    trip.pexpire(staged, lease_ms)
                    trip.execute()
                lock.extend(self.lease_s, replace_ttl=True)

            def switch(trip) -> None:
                if not lock.owned():
                    raise LockError("the lease ran out")
                older = trip.hget(self._current, VERSION)
                as_of = [version.as_of]
                trip.multi()
                trip.unlink(self._previous, self._staging)
                if older is not None:
                    as_of.append(Stored.from_json(older).version.as_of)
                    trip.rename(self._current, self._previous)
                trip.rename(staged, self._current)
                trip.persist(self._current)
                trip.xtrim(self._events, minid=int(min(as_of) * 1000), approximate=False)

            self._once_caught_up(staged, switch)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Lock]:
        """Hold the lock of the one writer; sweep before and after what is not published."""
        lock = self.client.lock(self._writer, timeout=self.lease_s)
        lock.acquire()
        self._sweep()  # what a killed writer left
        try:
            yield lock
        finally:
            if lock.owned():  # else the next writer has swept, and what is staged is not ours
                self._sweep()
                lock.release()

    def _sweep(self) -> None:
        staged = self.client.get(self._staging)
        if staged is not None:
            self.client.unlink(staged, self._staging)

    def _new_key(self) -> str:
        return f"{{{self.prefix}}}:staged:{uuid.uuid4().hex}"

    def _check(self, version: Version) -> None:
        """Refuse a version that another writer has just published, or whose events are gone."""
        there = [each for each in (self.current(), self.previous()) if each is not None]
        self._check_name(version.name, [each.name for each in there])
        oldest = min((each.as_of for each in there), default=-np.inf)
        if self._log and version.as_of < oldest:
            raise DataError(
                f"Version {version.name!r} knows what arrived before {version.as_of:.0f}, events "
                f"are kept from {oldest:.0f} on, and those between would be lost: make the "
                "version from newer data."
            )

    def _once_caught_up(self, key: str, switch: Callable):
        """Run ``switch`` as a transaction at a moment at which a version knows every event."""

        def attempt(trip):
            text = trip.hget(key, VERSION)
            if self._log and text and self._log.is_ahead_of(Stored.from_json(text), trip):
                return None  # another event has come
            return (switch(trip),)

        watched = {key, self._current, self._previous, self._events, self._writer}
        while True:
            if self._log:
                self._log.catch_up(key)
            done = self.client.transaction(attempt, *watched, value_from_callable=True)
            if done is not None:
                return done[0]

    def _fetch(self, keys):
        with self._answering():
            stored, *rows = self.client.hmget(self._current, [VERSION, *keys.tolist()])
        if stored is None:
            return None, rows
        last = self._last_read
        if last is None or last[0] != stored:
            last = self._last_read = (stored, Stored.from_json(stored).version)
        return last[1], rows

    def _version_at(self, key: str) -> Version | None:
        with self._answering():
            stored = self.client.hget(key, VERSION)
        return None if stored is None else Stored.from_json(stored).version

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except LockError as error:
            raise StoreUnavailable(
                f"This writer was silent for more than {self.lease_s} s and lost its turn, the "
                f"version it wrote was dropped ({error}). Publish it again, with a longer lease_s."
            ) from error
        except redis.OutOfMemoryError as error:
            raise StoreUnavailable(
                "Redis is full; the version that was current stays. A publish needs room for the "
                f"new version beside the current and the previous one: {error}"
            ) from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise StoreUnavailable(f"Redis does not answer: {error}") from error
        except redis.RedisError as error:
            raise StoreUnavailable(f"Redis refuses: {error}") from error
