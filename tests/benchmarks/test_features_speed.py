"""The samples job as a whole process, Parquet in to Parquet out, the start of Spark included.

The peer is the reference system's job (``reference_job.py``); growth is read off our own times.
Two floors are measured as well: our Spark started and the ratings copied, or the finished samples.
Data sets are made once and kept in a temporary folder. ``RECSYS_BENCH_LARGE=1`` adds 10 and 25
million ratings and skewed ones (six minutes on two cores).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys_lib.data import load, present
from recsys_lib.data.synthetic import SyntheticConfig, synthesise

REFERENCE = Path(__file__).with_name("reference_job.py")
OURS = [sys.executable, "-m", "recsys_lib", "samples", "build"]
SCRIPTS = {
    "floor": """
import sys
from recsys_lib.spark import borrowed_session
with borrowed_session("floor") as spark:
    ratings = spark.read.parquet(f"{sys.argv[1]}/interactions.parquet")
    ratings.write.parquet(sys.argv[2], "overwrite")
""",
    "copy": """
import sys
from recsys_lib.features.sample_folder import LONG_JOB
from recsys_lib.spark import borrowed_session
with borrowed_session("copy", compiler_options=LONG_JOB) as spark:
    samples = spark.read.parquet(f"{sys.argv[1]}/samples").repartition("event_month")
    samples.write.parquet(sys.argv[2], "overwrite", partitionBy="event_month", compression="zstd")
""",
}
large = pytest.mark.skipif("RECSYS_BENCH_LARGE" not in os.environ, reason="RECSYS_BENCH_LARGE=1")


@pytest.fixture(scope="module")
def synthetic():
    """A function from millions of ratings to the folder of such a data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_DATA_DIR", str(Path(tempfile.gettempdir()) / "recsys-bench"))

        def folder(millions: int) -> Path:
            name = f"synthetic-{millions}m"
            config = SyntheticConfig(6_500 * millions, 10_000, 1_000_000 * millions)
            return (load(name) if name in present() else synthesise(name, config)).path

        yield folder


def timed(benchmark, command: list, out: Path, rounds: int) -> None:
    run = {"check": True, "capture_output": True}
    benchmark.pedantic(subprocess.run, [[str(part) for part in command]], run, rounds=rounds)
    files = [pq.read_metadata(file) for file in out.rglob("*.parquet")]
    benchmark.extra_info["rows"] = sum(file.num_rows for file in files)


def command(name: str, source: Path, out: Path) -> list:
    if name == "reference":
        return [sys.executable, REFERENCE, source, out]
    if name in SCRIPTS:
        return [sys.executable, "-c", SCRIPTS[name], source, out]
    return [*OURS, source, "--out", out]


@pytest.mark.benchmark(group="samples of MovieLens 100K (at most a third of the reference)")
@pytest.mark.parametrize("name", ["reference", "ours", "floor"])
def test_samples_of_movielens(benchmark, ml_100k, tmp_path, name):
    timed(benchmark, command(name, ml_100k.path, tmp_path / "out"), tmp_path / "out", rounds=3)


@pytest.mark.benchmark(group="samples of 1 million ratings (at most a fifth of the reference)")
@pytest.mark.parametrize("name", ["reference", "ours", "copy"])
def test_samples_of_a_million(benchmark, synthetic, tmp_path, name):
    source = synthetic(1)
    if name == "copy":
        subprocess.run(command("ours", source, tmp_path / "made"), check=True, capture_output=True)
        source = tmp_path / "made"
    timed(benchmark, command(name, source, tmp_path / "out"), tmp_path / "out", rounds=3)


@large
@pytest.mark.benchmark(group="growth (10 million: at most 12 times 1 million)")
@pytest.mark.parametrize("millions", [1, 10, 25])
def test_growth(benchmark, synthetic, tmp_path, millions):
    out = tmp_path / "out"
    timed(benchmark, command("ours", synthetic(millions), out), out, rounds=1)


@pytest.fixture(scope="module")
def skewed(synthetic):
    """A function from a kind of skew to a folder with 5 million ratings of that kind."""

    def folder(kind: str) -> Path:
        source = synthetic(5)
        made = source.parent / f".{kind}"
        if kind == "even" or made.is_dir():
            return source if kind == "even" else made
        made.mkdir()
        (made / "items.parquet").symlink_to(source / "items.parquet")
        table = pq.read_table(source / "interactions.parquet")
        random = np.random.default_rng(0)
        heavy = random.random(len(table)) < 0.3
        # At moments of their own, or most would be duplicates of a burst's second.
        times = table["timestamp"].to_numpy()
        moments = random.integers(times[0], times[-1], len(table))
        for name, values in ((kind, 1), ("timestamp", moments)):
            place = table.column_names.index(name)
            column = np.where(heavy, values, table[name].to_numpy())
            table = table.set_column(place, table.schema.field(place), [column])
        pq.write_table(table, made / "interactions.parquet")
        return made

    return folder


@pytest.mark.benchmark(group="5 million ratings, 30 % of them of one item or user (peer: even)")
@pytest.mark.parametrize("kind", ["even", "item_id", "user_id"])
def test_skew(benchmark, skewed, tmp_path, kind):
    out = tmp_path / "out"
    timed(benchmark, command("ours", skewed(kind), out), out, rounds=1)
