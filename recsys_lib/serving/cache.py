"""The cache (缓存): a user who asks again soon gets the same list without any work."""

import threading
import time
from collections.abc import Callable
from typing import Any

from cachetools import TTLCache


class ListCache:
    """The latest lists, by user; the least recently used make room.

    Parameters
    ----------
    size : int
        Lists kept.
    ttl_s : float
        Seconds until a list is too old.
    timer : function
        Returns the time in seconds; tests and simulations pass their own.

    Attributes
    ----------
    hits, misses : int
    """

    def __init__(
        self, size: int = 1_000, ttl_s: float = 60.0, timer: Callable[[], float] = time.monotonic
    ):
        self._lists = TTLCache(size, ttl_s, timer)
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def hit_rate(self) -> float:
        """Hits by requests; 0 before the first request."""
        return self.hits / max(self.hits + self.misses, 1)

    def get(self, user_id: int, k: int) -> Any | None:
        """Return what was put for this user and length, or None."""
        with self._lock:
            found = self._lists.get(user_id, {}).get(k)
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
            return found

    def put(self, user_id: int, k: int, answer: Any) -> None:
        """Keep a list; others of the same user, of other lengths, stay as well."""
        with self._lock:
            self._lists[user_id] = {**self._lists.get(user_id, {}), k: answer}

    def forget(self, user_id: int) -> None:
        """Drop a user's lists: something new is known of the user."""
        with self._lock:
            self._lists.pop(user_id, None)
