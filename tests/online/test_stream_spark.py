"""The whole stream: Redis Stream, files, Spark and Redis; killed, started again, asked again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import streams

from recsys_lib.online.stream import drain, send, start_stream, write_events
from recsys_lib.stores import RedisServer

pytestmark = pytest.mark.spark

AFTER = streams.events().query("timestamp >= @streams.CUT")


def run_until_empty(spark, folder, sink):
    query = start_stream(
        spark,
        folder / "source",
        folder / "checkpoint",
        sink,
        files_a_batch=1,
        until_empty=True,
    )
    query.awaitTermination()


def test_kills_and_a_lost_commit_leave_redis_as_the_batch_would(spark, tmp_path):
    with RedisServer() as server:
        sink = streams.sink_on(server.client(timeout_s=10), tmp_path)
        streams.publish(sink)
        lines = [*streams.as_lines(AFTER), "no event"]
        for number, some in enumerate(np.array_split(lines, 4)):
            write_events(tmp_path / "source", f"part-{number}", some.tolist())
        program = str(Path(streams.__file__))
        for kill_at in ("in 1", "after 2"):
            command = [sys.executable, program, str(server.socket_), str(tmp_path), kill_at]
            killed = subprocess.run(command, env=os.environ, capture_output=True, timeout=120)
            assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        assert streams.rows_of(sink) != streams.recomputed(sink, streams.events())
        commits = tmp_path / "checkpoint" / "commits"
        assert not (commits / "2").exists()
        run_until_empty(spark, tmp_path, sink)
        rows = streams.recomputed(sink, streams.events())
        assert streams.rows_of(sink) == rows
        assert sink.counts()["accepted"] == len(AFTER)
        assert sink.counts()["malformed"] == 1

        (commits / "3").unlink()  # as if Spark had died between the write and its note
        (commits / ".3.crc").unlink(missing_ok=True)
        run_until_empty(spark, tmp_path, sink)
        assert (commits / "3").exists()
        assert streams.rows_of(sink) == rows
        assert sink.counts()["repeated"] == 0


def test_a_redis_stream_reaches_the_rows(spark, tmp_path):
    with RedisServer() as server:
        client = server.client(timeout_s=10)
        sink = streams.sink_on(client, tmp_path)
        streams.publish(sink)
        send(client, "clicks", streams.as_lines(AFTER))
        while drain(client, "clicks", tmp_path / "source", at_most=150, block_ms=1):
            pass
        run_until_empty(spark, tmp_path, sink)
        assert streams.rows_of(sink) == streams.recomputed(sink, streams.events())
