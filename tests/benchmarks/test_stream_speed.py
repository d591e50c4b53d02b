"""How many events a second reach Redis, and how long one event takes (``make bench``)."""

import itertools

import pytest
import streams

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
        if size > 1:
            assert size / benchmark.stats["mean"] > 2_000  # issue 18's bound
