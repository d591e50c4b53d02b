"""Feature stores (S16): users in Redis, items in memory, history as Parquet."""

from recsys_lib.stores.feature_store import (
    FeatureRows,
    FeatureStore,
    StoreUnavailable,
    Version,
)
from recsys_lib.stores.item_table import ItemFeatureTable
from recsys_lib.stores.memory_store import MemoryFeatureStore
from recsys_lib.stores.parquet_store import ParquetFeatureStore
from recsys_lib.stores.point_in_time import latest_known
from recsys_lib.stores.redis_server import RedisServer, RemoteRedis, redis_service
from recsys_lib.stores.redis_store import RedisFeatureStore

__all__ = [
    "FeatureRows",
    "FeatureStore",
    "ItemFeatureTable",
    "MemoryFeatureStore",
    "ParquetFeatureStore",
    "RedisFeatureStore",
    "RedisServer",
    "RemoteRedis",
    "StoreUnavailable",
    "Version",
    "latest_known",
    "redis_service",
]
