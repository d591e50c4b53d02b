"""Feature stores: users in Redis, items in memory (S16)."""

from recsys_lib.stores.feature_store import ItemFeatureTable, StoreUnavailable, UserFeatureStore
from recsys_lib.stores.redis_server import RedisServer

__all__ = ["ItemFeatureTable", "RedisServer", "StoreUnavailable", "UserFeatureStore"]
