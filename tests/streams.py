"""A small stream with a known answer, and a program that is killed while it works on one.

Run as a program: ``streams.py REDIS_SOCKET FOLDER KILL_AT`` feeds the source in FOLDER through
Spark until it is empty, or until it kills itself: before, in or after the write of a batch.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import redis

from recsys_lib.online.stream import Rules, StreamSink, StreamUserFeatures, start_stream
from recsys_lib.seeding import generator
from recsys_lib.stores import RedisFeatureStore
from recsys_lib.stores.redis_server import RemoteRedis

CUT, N_ITEMS, N_USERS = 10_000, 40, 30
GENRES = ["Action", "Comedy", "Drama", "Western"]


def items() -> pd.DataFrame:
    rng = generator(1, "stream items")
    frame = pd.DataFrame({"item_id": np.arange(N_ITEMS)})
    frame["release_year"] = pd.array(rng.integers(1950, 2000, N_ITEMS), dtype="Int16")
    chosen = [rng.choice(GENRES, rng.integers(0, 3), replace=False) for _ in range(N_ITEMS)]
    frame["genres"] = [each.tolist() for each in chosen]
    return frame


def events(n: int = 900, seed: int = 2) -> pd.DataFrame:
    """Two thirds before the cut-off, one third after it, many to a second."""
    rng = generator(seed, "stream events")
    frame = pd.DataFrame(
        {
            "user_id": rng.integers(0, N_USERS, n),
            "item_id": rng.integers(0, N_ITEMS, n),
            "rating": (rng.integers(1, 11, n) / 2).astype(np.float32),
            "timestamp": np.sort(rng.integers(CUT - 400, CUT + 200, n)),
        }
    )
    frame["event_id"] = [f"e{row}" for row in range(n)]
    frame["kind"] = "rating"
    frame.loc[frame.index % 9 == 0, "kind"] = "view"
    return frame


def as_lines(frame: pd.DataFrame) -> list[str]:
    return frame.to_json(orient="records", lines=True).splitlines()


def sink_on(client: redis.Redis, folder: Path, kind=StreamSink, **rules) -> StreamSink:
    features = StreamUserFeatures(items(), history=8)
    store = RedisFeatureStore(client, types=features.types, clock=lambda: CUT + 500.0)
    settings = {"delay_s": 1_000.0, "clock": lambda: CUT + 500.0, **rules}
    return kind(store, features, Rules(features.item_ids, **settings), folder / "set_aside")


def publish(sink: StreamSink, name: str = "night") -> None:
    frame = events()
    before = frame[frame["timestamp"] < CUT]
    sink.store.publish(sink.features.table(before), name, as_of=CUT)


def rows_of(sink: StreamSink) -> dict[bytes, bytes]:
    """Return the rows of Redis as bytes; field # is the version."""
    rows = sink.store.client.hgetall("{user}:current")
    rows.pop(b"#")
    return rows


def recomputed(sink: StreamSink, frame: pd.DataFrame) -> dict[bytes, bytes]:
    """Return the bytes that a batch over all these events publishes."""
    other = RedisFeatureStore(sink.store.client, prefix="again", types=sink.features.types)
    other.publish(sink.features.table(frame), "all", as_of=CUT)
    rows = sink.store.client.hgetall("{again}:current")
    rows.pop(b"#")
    other.drop()
    return rows


class Torn(redis.UnixDomainSocketConnection):
    """Sends half a transaction, and dies."""

    armed = False

    def send_packed_command(self, command, check_health=True):
        packed = command if isinstance(command, list) else [command]
        whole = b"".join(part if isinstance(part, bytes) else part.encode() for part in packed)
        if Torn.armed and whole.startswith(b"*1\r\n$5\r\nMULTI"):
            self._sock.sendall(whole[: len(whole) * 2 // 3])
            os.kill(os.getpid(), signal.SIGKILL)
        super().send_packed_command(command, check_health)


class Mortal(StreamSink):
    kill_at = ""

    def apply(self, lines, batch, query):
        if self.kill_at == f"before {batch}":
            os.kill(os.getpid(), signal.SIGKILL)
        Torn.armed = self.kill_at == f"in {batch}"
        done = super().apply(lines, batch, query)
        if self.kill_at == f"after {batch}":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def _write_set_aside(self, query, batch, lines):
        super()._write_set_aside(query, batch, lines)
        if self.kill_at == f"aside {batch}":
            os.kill(os.getpid(), signal.SIGKILL)


def mortal_sink(socket: str, folder: Path, kill_at: str) -> Mortal:
    client = RemoteRedis(f"unix://{socket}").client(timeout_s=10)
    if kill_at.startswith("in "):
        pool = redis.ConnectionPool(connection_class=Torn, path=socket)
        client = redis.Redis(connection_pool=pool)
    sink = sink_on(client, folder, Mortal)
    sink.kill_at = kill_at
    return sink


def main(socket: str, folder: str, kill_at: str) -> None:
    from recsys_lib.spark import spark_session

    spark = spark_session("killed", "local[1]", **{"spark.driver.memory": "512m"})
    place = Path(folder)
    sink = mortal_sink(socket, place, kill_at)
    query = start_stream(
        spark, place / "source", place / "checkpoint", sink, files_a_batch=1, until_empty=True
    )
    query.awaitTermination()


if __name__ == "__main__":
    main(*sys.argv[1:])
