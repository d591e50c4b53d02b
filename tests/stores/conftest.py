"""The fixtures of the small service, and every kind of store on the same footing."""

import pytest
from small_service import *  # noqa: F403

from recsys_lib.stores import MemoryFeatureStore, ParquetFeatureStore, RedisFeatureStore


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["redis", "memory", "parquet"])
def new_store(request, clock, tmp_path):
    """Return a function that opens the store of this kind; opened twice, it is the same store."""
    if request.param == "redis":
        client = request.getfixturevalue("client")
        return lambda **settings: RedisFeatureStore(client, **{"clock": clock, **settings})
    if request.param == "parquet":
        folder = tmp_path / "store"
        return lambda **settings: ParquetFeatureStore(folder, **{"clock": clock, **settings})
    return lambda **settings: MemoryFeatureStore(**{"clock": clock, **settings})
