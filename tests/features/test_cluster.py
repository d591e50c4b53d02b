"""The samples job on a real standalone cluster that is short of memory."""

import json
import subprocess
import sys

import pandas as pd
import pytest
import spark_cluster

from recsys_lib.features import build_samples

# A group of its own: it starts virtual machines itself, and does not use the tests' session.
pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.xdist_group("cluster")]
KEYS = ["timestamp", "user_id", "item_id"]


def test_a_cluster_short_of_memory_gives_the_same_rows(ml_100k, tmp_path):
    events = tmp_path / "events"
    events.mkdir()
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "600m",
        "spark.executor.memory": "600m",
        "spark.executor.extraJavaOptions": spark_cluster.OPTIONS,
        "spark.memory.fraction": "0.02",  # 6 MB an executor: sorting must go to disk
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
    }
    conf = [part for pair in settings.items() for part in ("--conf", "=".join(pair))]
    with spark_cluster.running(tmp_path) as url:
        done = subprocess.run(
            [sys.executable, "-m", "recsys_lib", "samples", "build", ml_100k.path,
             "--out", tmp_path / "out", "--master", url, *conf],
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "100,000 samples" in done.stdout
    for worker in ("worker-0", "worker-1"):
        assert list((tmp_path / worker).glob("app-*/*/stderr")), f"{worker} had no executor"
    assert spilled_bytes(events) > 10_000_000
    build_samples(ml_100k.path, tmp_path / "alone")
    ours, theirs = (
        pd.read_parquet(folder / "samples").sort_values(KEYS, ignore_index=True)
        for folder in (tmp_path / "alone", tmp_path / "out")
    )
    pd.testing.assert_frame_equal(theirs, ours, check_exact=True)


def spilled_bytes(folder) -> int:
    """Return what tasks wrote to disk for want of memory, from Spark's event log."""
    total = 0
    for file in folder.rglob("events_*"):
        for line in file.read_text().splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd":
                total += event["Task Metrics"]["Memory Bytes Spilled"]
    return total
