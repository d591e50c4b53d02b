"""The two-level cache (缓存): a user who asks again soon gets the same list without work (S21)."""

from recsys_lib.serving.caching.entry import Entry
from recsys_lib.serving.caching.memory import MemoryLevel
from recsys_lib.serving.caching.shared import RedisLevel
from recsys_lib.serving.caching.two_level import Found, TwoLevelCache

__all__ = ["Entry", "Found", "MemoryLevel", "RedisLevel", "TwoLevelCache"]
