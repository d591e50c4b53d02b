"""How many events a second reach Redis, and how long one event takes (``make bench``)."""

import itertools
import threading
import time

import pytest
import streams

from recsys_lib.online.stream import drain, send, start_stream
from recsys_lib.spark import spark_session
from recsys_lib.stores import RedisServer


@pytest.mark.benchmark(group="events from lines to rows in Redis")
@pytest.mark.parametrize("size", [1, 1_000])
def test_a_batch_reaches_redis(benchmark, tmp_path, size):
    with RedisServer() as server:
        sink = streams.sink_on(server.client(timeout_s=10), tmp_path)
        streams.publish(sink)
        frame = streams.events(n=size).assign(timestamp=streams.CUT + 5)
        numbers = itertools.count()

        def fresh():
            number = next(numbers)
            named = frame.assign(event_id=[f"{number}.{row}" for row in range(size)])
            return (streams.as_lines(named), number, "bench"), {}

        benchmark.pedantic(sink.apply, setup=fresh, rounds=20)
        assert sink.counts()["accepted"] == 20 * size
        benchmark.extra_info["events_per_s"] = round(size / benchmark.stats["mean"])


RATE, SECONDS, AT_ONCE = 2_500, 40, 250


@pytest.mark.benchmark(group="a stream of 2,500 events a second, from Redis Stream to rows")
def test_the_whole_stream_keeps_up(benchmark, tmp_path):
    """Send at a steady rate, and look every second at how many events the rows lag behind."""
    with RedisServer() as server:
        client = server.client(timeout_s=10)
        sink = streams.sink_on(client, tmp_path, delay_s=1e9)
        streams.publish(sink)
        session = spark_session("stream speed", **{"spark.sql.codegen.wholeStage": "false"})
        query = start_stream(session, tmp_path / "source", tmp_path / "checkpoint", sink)
        frame = streams.events(n=AT_ONCE).assign(timestamp=streams.CUT + 5)
        lags = []

        def sender(begin):
            for number in range(RATE * SECONDS // AT_ONCE):
                time.sleep(max(begin + number * AT_ONCE / RATE - time.perf_counter(), 0))
                ids = [f"{number}.{row}" for row in range(AT_ONCE)]
                send(client, "clicks", streams.as_lines(frame.assign(event_id=ids)))

        def run():
            begin = time.perf_counter()
            sending = threading.Thread(target=sender, args=(begin,))
            sending.start()
            looked = 0
            while sink.counts()["accepted"] < RATE * SECONDS:
                drain(client, "clicks", tmp_path / "source", block_ms=20)
                if time.perf_counter() - begin > looked + 1 and sending.is_alive():
                    looked += 1
                    lags.append(client.xlen("clicks") - sink.counts()["accepted"])
            sending.join()
            return time.perf_counter() - begin

        took_s = benchmark.pedantic(run, rounds=1)
        query.stop()
        benchmark.extra_info["events_per_s"] = round(RATE * SECONDS / took_s)
        benchmark.extra_info["lag, events"] = [lags[len(lags) // 4], lags[len(lags) // 2], lags[-1]]
