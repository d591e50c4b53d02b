"""The first level: the process's own memory."""

import threading
from collections.abc import Callable, Hashable

from cachetools import TLRUCache

from recsys_lib.serving.caching.entry import Entry


class MemoryLevel:
    """Entries by key, each with its own expiry; the least recently used make room.

    Parameters
    ----------
    size : int
        Keys kept.
    clock : function
        Returns the time in seconds.
    """

    def __init__(self, size: int, clock: Callable[[], float]):
        self._entries = TLRUCache(size, lambda key, entry, now_s: entry.expires_s, clock)
        self._lock = threading.Lock()  # cachetools has none

    def read(self, key: Hashable) -> Entry | None:
        """Return the entry of a key, unless it is too old."""
        with self._lock:
            return self._entries.get(key)

    def write(self, key: Hashable, entry: Entry) -> None:
        """Keep an entry in the place of the key's last one."""
        with self._lock:
            self._entries[key] = entry

    def forget(self, key: Hashable) -> None:
        """Drop the entry of a key."""
        with self._lock:
            self._entries.pop(key, None)
