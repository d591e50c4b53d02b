"""Memory, then Redis, then one computation for all who wait."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from recsys_lib.errors import RecsysError
from recsys_lib.seeding import DEFAULT_SEED
from recsys_lib.serving.caching.entry import Entry
from recsys_lib.serving.caching.memory import MemoryLevel
from recsys_lib.serving.caching.shared import RedisLevel
from recsys_lib.stores import StoreUnavailable


@dataclass(frozen=True)
class Found:
    """An answer and where it comes from.

    Attributes
    ----------
    value : object
    source : {"memory", "redis", "computed", "waited"}
        ``waited``: for the computation of another request.
    """

    value: Any
    source: Literal["memory", "redis", "computed", "waited"]


class _Flight:
    """A computation under way."""

    def __init__(self):
        self.result: Future = Future()
        self.stale = False  # an event came in meanwhile


class TwoLevelCache:
    """Answers by user and version, in the process's memory and in Redis.

    Every request asks Redis for the user's generation, so that an event that any process took is
    seen by the next answer of all of them. While Redis does not answer, each process goes on with
    its own memory.

    Parameters
    ----------
    size : int
        Keys kept in memory.
    ttl_s : float
        Seconds an answer lives.
    negative_ttl_s : float
        Seconds the answer None lives.
    jitter : float
        Share by which lives differ at random, so that what was made together does not expire
        together.
    beta : float
        Of the early recomputation, see :meth:`Entry.due`; 0 turns it off.
    shared : RedisLevel, optional
    lease_s : float
        Seconds that other processes wait for the one that computes.
    clock, sleep : functions
        Tests and simulations pass their own.
    seed : int
        Of jitter and early recomputation. Processes of one service need different ones.

    Attributes
    ----------
    counts : Counter
        Answers by source.
    """

    def __init__(
        self,
        *,
        size: int = 10_000,
        ttl_s: float = 60.0,
        negative_ttl_s: float = 5.0,
        jitter: float = 0.1,
        beta: float = 1.0,
        shared: RedisLevel | None = None,
        lease_s: float = 0.2,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        seed: int = DEFAULT_SEED,
    ):
        longest_s = max(ttl_s, negative_ttl_s) * (1 + jitter)
        if shared is not None and longest_s > shared.longest_ttl_s:
            raise RecsysError(
                f"Answers live up to {longest_s:g} s, longer than the {shared.longest_ttl_s:g} s "
                "that Redis remembers events for: raise longest_ttl_s of the RedisLevel."
            )
        self.ttl_s = ttl_s
        self.negative_ttl_s = negative_ttl_s
        self.jitter = jitter
        self.beta = beta
        self.shared = shared
        self.lease_s = lease_s
        self.clock = clock
        self.sleep = sleep
        self.memory = MemoryLevel(size, clock)
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._flights: dict[tuple, _Flight] = {}
        self._lock = threading.Lock()

    @property
    def hit_rate(self) -> float:
        """Answers that were not computed by all answers; 0 before the first."""
        total = sum(self.counts.values())
        return 1 - self.counts["computed"] / total if total else 0.0

    def get(self, key: Hashable, version: str, compute: Callable[[], Any]) -> Found:
        """Return the answer for a key, computing it if no level has one that holds.

        Parameters
        ----------
        key : int or str
            The user.
        version : str
            Of what answers are made with; entries of other versions do not hold.
        compute : function
            Makes the answer; None is an answer.

        Raises
        ------
        Exception
            What ``compute`` raises, to all who waited for it; nothing is kept.
        """
        found = self._get(key, version, compute)
        with self._lock:
            self.counts[found.source] += 1
        return found

    def forget(self, key: Hashable) -> None:
        """Take note of an event of a user: no answer from before it is given any more."""
        with self._lock:
            for flight_key in [k for k in self._flights if k[0] == key]:
                # Those who wait asked before the event; whoever asks from now on computes anew.
                self._flights.pop(flight_key).stale = True
            self.memory.forget(key)
        self._redis(lambda: self.shared.forget(key))

    def _get(self, key, version, compute) -> Found:
        entry, source = self.memory.read(key), "memory"
        generation = self._redis(lambda: self.shared.generation(key))
        if not _holds(entry, version, generation):
            source = "redis"
            read = self._redis(lambda: self.shared.read(key, version, self.clock()))
            generation, entry = read or (generation, None)
            if entry is not None:
                self.memory.write(key, entry)
        if entry is not None and not entry.due(self.clock(), self.beta, 1 - self._random.random()):
            return Found(entry.value, source)
        flight_key = (key, version, generation)
        with self._lock:
            flight = self._flights.get(flight_key)
            mine = flight is None
            if mine:
                flight = self._flights[flight_key] = _Flight()
        if mine:
            return self._fly(flight_key, flight, compute, early=entry is not None)
        if entry is not None:
            return Found(entry.value, source)  # another request renews it already
        return Found(flight.result.result(), "waited")

    def _fly(self, flight_key, flight: _Flight, compute, early: bool) -> Found:
        """Compute for all who wait, and keep the answer unless an event has overtaken it."""
        key, version, generation = flight_key
        leased, entry = False, None
        try:
            if generation is not None and not early:
                leased, entry = self._lease_or_wait(*flight_key)
            source = "computed" if entry is None else "waited"
            if entry is None:
                entry = self._compute(version, generation, compute)
                if generation is not None:
                    # Even if an event has come: Redis knows the generation that this is of.
                    self._redis(lambda: self.shared.write(key, entry, self.clock()))
            with self._lock:
                if not flight.stale:
                    self.memory.write(key, entry)
        except BaseException as error:
            flight.result.set_exception(error)
            raise
        finally:
            with self._lock:
                if self._flights.get(flight_key) is flight:
                    del self._flights[flight_key]
            if leased:
                self._redis(lambda: self.shared.release(*flight_key))
        flight.result.set_result(entry.value)
        return Found(entry.value, source)

    def _compute(self, version: str, generation: str | None, compute) -> Entry:
        started_s = self.clock()
        value = compute()
        now_s = self.clock()
        life_s = self.negative_ttl_s if value is None else self.ttl_s
        life_s *= 1 + self.jitter * self._random.uniform(-1, 1)
        return Entry(version, generation or "", value, now_s - started_s, now_s + life_s)

    def _lease_or_wait(self, key, version, generation) -> tuple[bool, Entry | None]:
        """Return whether this process has the lease, or the entry that another has made."""
        deadline_s = self.clock() + self.lease_s
        while self.clock() < deadline_s:
            if self._redis(lambda: self.shared.lease(key, version, generation, self.lease_s)):
                # Between the last look and the lease, the answer may have come.
                read = self._redis(lambda: self.shared.read(key, version, self.clock()))
                return True, read[1] if read and read[0] == generation else None
            self.sleep(0.005)
            read = self._redis(lambda: self.shared.read(key, version, self.clock()))
            if read is None or read[0] != generation:
                return False, None  # Redis is gone, or an event has come: compute
            if read[1] is not None:
                return False, read[1]
        return False, None

    def _redis(self, call: Callable[[], Any]) -> Any:
        """Return what Redis answers, or None if it does not or is not used."""
        if self.shared is None:
            return None
        try:
            return call()
        except StoreUnavailable:
            return None


def _holds(entry: Entry | None, version: str, generation: str | None) -> bool:
    """Return whether an entry is of the version, and of the generation where it is known."""
    return (
        entry is not None
        and entry.version == version
        and (generation is None or entry.generation == generation)
    )
