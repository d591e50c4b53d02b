"""Feature stores (S16): users in Redis, items in memory, history as Parquet."""

from recsys_lib.stores.embedding_history import EmbeddingHistory
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
from recsys_lib.stores.stored_lists import (
    StoredLists,
    context_keys,
    list_types,
    lists_table,
    vector_types,
    vectors_table,
)

__all__ = [
    "EmbeddingHistory",
    "FeatureRows",
    "FeatureStore",
    "ItemFeatureTable",
    "MemoryFeatureStore",
    "ParquetFeatureStore",
    "RedisFeatureStore",
    "RedisServer",
    "RemoteRedis",
    "StoreUnavailable",
    "StoredLists",
    "Version",
    "context_keys",
    "latest_known",
    "list_types",
    "lists_table",
    "redis_service",
    "vector_types",
    "vectors_table",
]
