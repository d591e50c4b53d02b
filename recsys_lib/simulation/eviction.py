"""Caches as a simulation needs them: what is in them, not the values."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import Protocol


class Cache(Protocol):
    """Keys with an expiry, in a bounded room."""

    def get(self, key: Hashable, now_s: float) -> bool:
        """Return whether the key is there and fresh; it counts as used."""

    def put(self, key: Hashable, expires_s: float) -> None:
        """Keep the key until a time."""


class Lru:
    """The least recently used key makes room.

    Parameters
    ----------
    size : int
        Keys it holds; 0 holds nothing.
    """

    def __init__(self, size: int):
        self.size = size
        self._expiry: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._expiry)

    def get(self, key, now_s):
        expires_s = self._expiry.get(key)
        if expires_s is None:
            return False
        if expires_s <= now_s:
            del self._expiry[key]
            return False
        self._expiry.move_to_end(key)
        return True

    def put(self, key, expires_s):
        self._expiry[key] = expires_s
        self._expiry.move_to_end(key)
        if len(self._expiry) > self.size:
            self._expiry.popitem(last=False)


class S3Fifo:
    """Three queues, first in, first out (Yang and others, SOSP 2023), to compare with LRU.

    A new key waits in a small queue, a tenth of the room. If it is asked again there it moves to
    the main queue, else only its name is remembered for a while (the ghost queue); a key that
    comes back in that time goes to the main queue at once. So keys asked once never push out the
    popular ones.

    Parameters
    ----------
    size : int
        Keys it holds, 2 or more.
    """

    def __init__(self, size: int):
        self.size = size
        self._expiry: dict[Hashable, float] = {}
        self._asked: dict[Hashable, int] = {}  # since it came in, up to 3
        self._small: deque[Hashable] = deque()
        self._main: deque[Hashable] = deque()
        self._ghosts: OrderedDict[Hashable, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._expiry)

    def get(self, key, now_s):
        if self._expiry.get(key, now_s) <= now_s:
            return False
        self._asked[key] = min(self._asked[key] + 1, 3)
        return True

    def put(self, key, expires_s):
        if key in self._expiry:
            self._expiry[key] = expires_s
            return
        while len(self._expiry) >= self.size:
            self._evict()
        known = self._ghosts.pop(key, self) is None
        (self._main if known else self._small).append(key)
        self._expiry[key] = expires_s
        self._asked[key] = 0

    def _evict(self):
        """Take a step that may free a place."""
        if len(self._small) >= max(self.size // 10, 1) or not self._main:
            key = self._small.popleft()
            if self._asked[key] > 0:
                self._asked[key] = 0
                self._main.append(key)
                return
            self._ghosts[key] = None
            if len(self._ghosts) > self.size:
                self._ghosts.popitem(last=False)
        else:
            key = self._main.popleft()
            if self._asked[key] > 0:
                self._asked[key] -= 1
                self._main.append(key)
                return
        del self._expiry[key], self._asked[key]


def hit_rate(
    cache: Cache,
    keys: Iterable[Hashable],
    times_s: Iterable[float],
    ttl_s: float = float("inf"),
    warm_up: int = 0,
) -> float:
    """Replay a trace and return hits by requests; each miss is put.

    Parameters
    ----------
    cache : Cache
    keys, times_s : iterables of one length
    ttl_s : float
        Seconds from a put until the key is too old.
    warm_up : int
        Requests at the start that do not count.
    """
    hits = place = 0
    for place, (key, now_s) in enumerate(zip(keys, times_s, strict=True), 1):
        if cache.get(key, now_s):
            hits += place > warm_up
        else:
            cache.put(key, now_s + ttl_s)
    return hits / max(place - warm_up, 1)
