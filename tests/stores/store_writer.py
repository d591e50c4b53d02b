"""A process that publishes, slowly enough to be killed half-way: kind, place, rows, version."""

import sys
import time

import numpy as np
import pandas as pd

from recsys_lib.stores import ParquetFeatureStore, RedisFeatureStore
from recsys_lib.stores.redis_server import RemoteRedis


def main(kind: str, place: str, n_rows: str, version: str) -> None:
    rows = pd.DataFrame({"user_id": np.arange(int(n_rows))})
    rows["user_rating_count"] = np.full(len(rows), int(version), np.int32)
    if kind == "redis":
        client = RemoteRedis(f"unix://{place}").client()
        store = RedisFeatureStore(client, lease_s=1.0)
        slow_down(client)
    else:
        store = ParquetFeatureStore(place)
        slow_down_parquet()
    store.publish(rows, version)


def slow_down(client) -> None:
    """Say that rows are on their way after the second trip of them, and wait to be killed."""
    import redis

    execute, trips = redis.client.Pipeline.execute, []

    def announced(pipeline, *args, **kwargs):
        answer = execute(pipeline, *args, **kwargs)
        trips.append(1)
        if len(trips) == 2:
            print("writing", flush=True)
            time.sleep(60)
        return answer

    redis.client.Pipeline.execute = announced


def slow_down_parquet() -> None:
    import pyarrow.parquet as pq

    write = pq.write_table

    def announced(*args, **kwargs):
        write(*args, **kwargs)
        print("writing", flush=True)
        time.sleep(60)

    pq.write_table = announced


if __name__ == "__main__":
    main(*sys.argv[1:])
